/**
 * Zip archives as strangers make them: the entries that the central directory lists, and the bytes of one entry.
 *
 * How to think: our own reader, because a library that hides modes, links and lies from its caller cannot refuse them.
 * Nothing is unpacked before its claimed size is known, and nothing is unpacked beyond it.
 *
 * Invariants (zip.test.ts; packs: packages/platform/src/packs/digest.test.ts)
 * - What is cut off, or claims another size or checksum than it has, is never handed out.
 * - The central directory ends where the end record begins: nothing hides between them.
 */
import { crc32, inflateRawSync } from "node:zlib";

const END_SIGNATURE = 0x06054b50;
const END64_SIGNATURE = 0x06064b50;
const LOCATOR64_SIGNATURE = 0x07064b50;
const CENTRAL_SIGNATURE = 0x02014b50;
const LOCAL_SIGNATURE = 0x04034b50;
const END_BYTES = 22;
const END64_BYTES = 56;
const LOCATOR64_BYTES = 20;
const LONGEST_COMMENT = 65_535;
const EXTRA64 = 0x0001;
/** What a field says whose value stands in the 64-bit extension. */
const ELSEWHERE_32 = 0xffffffff;

export type ZipEntry = {
  readonly name: string;
  readonly method: number;
  readonly flags: number;
  readonly crc: number;
  readonly packed: number;
  /** What it claims to unpack to, in bytes. */
  readonly size: number;
  /** The Unix mode; 0 where it was not made on Unix. */
  readonly unix: number;
  readonly local: number;
};

type Directory = { readonly count: number; readonly start: number; readonly end: number };

/** `undefined`: it is no zip archive, or it is cut off. Archives of the 64-bit form are none to it. */
export function zipEntries(bytes: Buffer, entries_max: number): readonly ZipEntry[] | "too many" | undefined {
  const end = findEnd(bytes);
  if (end === undefined) return undefined;
  const count = bytes.readUInt16LE(end + 10);
  return entriesOf(bytes, { count, start: bytes.readUInt32LE(end + 16), end }, entries_max, () => undefined);
}

/** As {@link zipEntries}, and archives of the 64-bit form as well: more than 65,534 entries, or more than 4 GiB. */
export function zip64Entries(bytes: Buffer, entries_max: number): readonly ZipEntry[] | "too many" | undefined {
  const end = findEnd(bytes);
  if (end === undefined) return undefined;
  const directory = directory64(bytes, end);
  return directory === undefined
    ? zipEntries(bytes, entries_max)
    : entriesOf(bytes, directory, entries_max, (from, to) => extra64(bytes, from, to));
}

function findEnd(bytes: Buffer): number | undefined {
  const lowest = Math.max(0, bytes.length - END_BYTES - LONGEST_COMMENT);
  for (let at = bytes.length - END_BYTES; at >= lowest; at -= 1) {
    if (bytes.readUInt32LE(at) === END_SIGNATURE && at + END_BYTES + bytes.readUInt16LE(at + 20) === bytes.length)
      return at;
  }
  return undefined;
}

function directory64(bytes: Buffer, end: number): Directory | undefined {
  const locator = end - LOCATOR64_BYTES;
  if (locator < END64_BYTES || bytes.readUInt32LE(locator) !== LOCATOR64_SIGNATURE) return undefined;
  const at = Number(bytes.readBigUInt64LE(locator + 8));
  if (at + END64_BYTES > locator || bytes.readUInt32LE(at) !== END64_SIGNATURE) return undefined;
  const count = Number(bytes.readBigUInt64LE(at + 32));
  return { count, start: Number(bytes.readBigUInt64LE(at + 48)), end: at };
}

type Wide = (from: number, to: number) => readonly number[] | undefined;

/** The 64-bit values of an entry's extra field, in their order. */
function extra64(bytes: Buffer, from: number, to: number): readonly number[] | undefined {
  for (let at = from; at + 4 <= to;) {
    const size = bytes.readUInt16LE(at + 2);
    if (at + 4 + size > to) return undefined;
    if (bytes.readUInt16LE(at) === EXTRA64)
      return Array.from({ length: Math.floor(size / 8) }, (_, i) => Number(bytes.readBigUInt64LE(at + 4 + i * 8)));
    at += 4 + size;
  }
  return undefined;
}

function entriesOf(
  bytes: Buffer,
  { count, start, end }: Directory,
  entries_max: number,
  wide: Wide,
): readonly ZipEntry[] | "too many" | undefined {
  if (count > entries_max) return "too many";
  const entries: ZipEntry[] = [];
  let at = start;
  for (let i = 0; i < count; i += 1) {
    if (at + 46 > end || bytes.readUInt32LE(at) !== CENTRAL_SIGNATURE) return undefined;
    const name_end = at + 46 + bytes.readUInt16LE(at + 28);
    const extra_end = name_end + bytes.readUInt16LE(at + 30);
    if (extra_end > end) return undefined;
    const values = [...(wide(name_end, extra_end) ?? [])];
    const whole = (field: number): number => {
      const value = bytes.readUInt32LE(at + field);
      return value === ELSEWHERE_32 ? (values.shift() ?? value) : value;
    };
    const size = whole(24);
    const packed = whole(20);
    entries.push({
      name: bytes.toString("utf8", at + 46, name_end),
      flags: bytes.readUInt16LE(at + 8),
      method: bytes.readUInt16LE(at + 10),
      crc: bytes.readUInt32LE(at + 16),
      packed,
      size,
      unix: bytes.readUInt8(at + 5) === 3 ? bytes.readUInt16LE(at + 40) : 0,
      local: whole(42),
    });
    at = extra_end + bytes.readUInt16LE(at + 32);
  }
  return at === end ? entries : undefined;
}

/** The entry's bytes, or what is wrong with it. Never more than the size it claims: whoever asks has looked at that. */
export function unzipEntry(bytes: Buffer, entry: ZipEntry): Buffer | string {
  if (entry.local + 30 > bytes.length || bytes.readUInt32LE(entry.local) !== LOCAL_SIGNATURE)
    return "its local header is missing";
  const start = entry.local + 30 + bytes.readUInt16LE(entry.local + 26) + bytes.readUInt16LE(entry.local + 28);
  if (start + entry.packed > bytes.length) return "it is cut off";
  const packed = bytes.subarray(start, start + entry.packed);
  let data: Buffer;
  if (entry.method === 0) data = packed;
  else if (entry.method === 8) {
    try {
      data = inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) });
    } catch {
      return "it does not unpack to the size that it claims";
    }
  } else return `its compression method ${entry.method} is not stored or deflated`;
  if (data.length !== entry.size) return "it does not unpack to the size that it claims";
  return crc32(data) >>> 0 === entry.crc ? data : "its checksum is wrong";
}

export const isEncryptedEntry = ({ flags }: ZipEntry): boolean => (flags & 0x41) !== 0;
