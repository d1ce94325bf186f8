/** Reads a zip as another program would: by its central directory, checking what it says. */
import { crc32, inflateRawSync } from "node:zlib";

/** Files below `top` in the archive's order; a test failure where the archive contradicts itself. */
export function unzipped(archive: Uint8Array, top: string): ReadonlyMap<string, Buffer> {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = bytes.length - 22;
  if (bytes.readUInt32LE(end) !== 0x06054b50) throw new Error("it does not end as a zip");
  const files = new Map<string, Buffer>();
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left -= 1) {
    const length = bytes.readUInt16LE(at + 28);
    const name = bytes.toString("utf8", at + 46, at + 46 + length);
    const local = bytes.readUInt32LE(at + 42);
    const packed = local + 30 + bytes.readUInt16LE(local + 26);
    const data = inflateRawSync(bytes.subarray(packed, packed + bytes.readUInt32LE(at + 20)));
    if (crc32(data) !== bytes.readUInt32LE(at + 16) || data.length !== bytes.readUInt32LE(at + 24))
      throw new Error(`${name} is not what the directory says`);
    if (!name.startsWith(top)) throw new Error(`${name} is not below ${top}`);
    files.set(name.slice(top.length), data);
    at += 46 + length;
  }
  if (at !== end) throw new Error("the directory does not end where it should");
  return files;
}
