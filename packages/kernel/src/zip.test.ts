import { deflateRawSync, crc32 } from "node:zlib";
import { zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { unzipEntry, zip64Entries, zipEntries } from "./zip.ts";

const text = Buffer.from("what stands in it ".repeat(20));
const plain = Buffer.from(zipSync({ "a/b.txt": text, "c.txt": new Uint8Array() }));

/** An archive of one entry in the 64-bit form: every size and place stands in the extension, as large archives have it. */
function large(changes: { readonly size?: number; readonly extra?: number } = {}): Buffer {
  const packed = deflateRawSync(text);
  const name = Buffer.from("x.json");
  const local = Buffer.alloc(30);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(name.length, 26);
  const central = Buffer.alloc(46);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(8, 10);
  central.writeUInt32LE(crc32(text), 16);
  for (const field of [20, 24, 42]) central.writeUInt32LE(0xffffffff, field);
  central.writeUInt16LE(name.length, 28);
  central.writeUInt16LE(28, 30);
  const extra = Buffer.alloc(28);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(changes.extra ?? 24, 2);
  extra.writeBigUInt64LE(BigInt(changes.size ?? text.length), 4);
  extra.writeBigUInt64LE(BigInt(packed.length), 12);
  const start = local.length + name.length + packed.length;
  const end64 = Buffer.alloc(56);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(1n, 32);
  end64.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50, 0);
  locator.writeBigUInt64LE(BigInt(start + central.length + name.length + extra.length), 8);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(0xffff, 10);
  end.writeUInt32LE(0xffffffff, 16);
  return Buffer.concat([local, name, packed, central, name, extra, end64, locator, end]);
}
const listed = (bytes: Buffer): readonly string[] | string => {
  const entries = zip64Entries(bytes, 10);
  if (entries === undefined || entries === "too many") return entries ?? "none";
  return entries.map((entry) => {
    const data = unzipEntry(bytes, entry);
    return typeof data === "string" ? data : `${entry.name} ${data.toString()}`;
  });
};

describe("zip archives", () => {
  it("[L-51.1] lists the entries and gives their bytes; both readers read small archives alike", () => {
    expect(listed(plain)).toEqual([`a/b.txt ${text.toString()}`, "c.txt "]);
    expect(zip64Entries(plain, 10)).toEqual(zipEntries(plain, 10));
    expect([zipEntries(plain, 2)?.length, zipEntries(plain, 1)]).toEqual([2, "too many"]);
  });

  it("[L-51.1] archives of the 64-bit form are read where they are asked for, and are none elsewhere", () => {
    expect(listed(large())).toEqual([`x.json ${text.toString()}`]);
    expect(zipEntries(large(), 100_000)).toBe(undefined);
  });

  it("[L-51.1] lies in the 64-bit form are found: sizes, extensions beyond their entry, ends elsewhere", () => {
    expect(listed(large({ size: text.length - 1 }))).toEqual(["it does not unpack to the size that it claims"]);
    expect(listed(large({ size: 2 ** 50 }))).toEqual(["it does not unpack to the size that it claims"]);
    expect(listed(large({ extra: 25 }))).toEqual(["its local header is missing"]);
    const moved = large();
    moved.writeBigUInt64LE(2n ** 60n, moved.length - 22 - 12);
    expect(zip64Entries(moved, 100_000)).toBe(undefined);
  });

  it("[L-51.1] nothing lies between the last entry and the end: no bytes, and no entry that is not counted", () => {
    const end = plain.length - 22;
    const start = plain.readUInt32LE(end + 16);
    const extraBytes = Buffer.concat([plain.subarray(0, end), Buffer.from("hidden"), plain.subarray(end)]);
    expect(zipEntries(extraBytes, 10)).toBe(undefined);
    const fewer = Buffer.from(plain);
    for (const field of [8, 10]) fewer.writeUInt16LE(1, end + field);
    expect(zipEntries(fewer, 10)).toBe(undefined);
    const more = Buffer.from(plain);
    for (const field of [8, 10]) more.writeUInt16LE(3, end + field);
    expect(zipEntries(more, 10)).toBe(undefined);
    const later = Buffer.from(plain);
    later.writeUInt32LE(start + 1, end + 16);
    expect(zipEntries(later, 10)).toBe(undefined);
    const wide = large();
    const at = wide.length - 22 - 20 - 56;
    const between = Buffer.concat([wide.subarray(0, at), Buffer.from("hidden"), wide.subarray(at)]);
    between.writeBigUInt64LE(BigInt(at + 6), between.length - 22 - 12);
    expect(listed(wide)).toHaveLength(1);
    expect(zip64Entries(between, 10)).toBe(undefined);
  });

  it("[L-51.1] a checksum or a size that is another one is not handed out", () => {
    const listing = zipEntries(plain, 10);
    const entry = typeof listing === "string" ? undefined : listing?.[0];
    if (entry === undefined) throw new Error("it has one");
    expect(unzipEntry(plain, entry)).toEqual(text);
    for (const lie of [
      { crc: entry.crc ^ 1 },
      { size: entry.size - 1 },
      { size: entry.size + 1 },
      { packed: entry.packed - 1 },
    ])
      expect(unzipEntry(plain, { ...entry, ...lie })).toBeTypeOf("string");
  });

  it("[L-51.1] whatever is cut off or changed is refused or is something else, and never throws", () => {
    for (const whole of [plain, large()])
      for (let at = 0; at < whole.length; at += 1) {
        expect(listed(whole.subarray(0, at))).toBe("none");
        const changed = Buffer.from(whole);
        changed[at] = 255 - (changed[at] ?? 0);
        expect(() => listed(changed)).not.toThrow();
      }
  });
});
