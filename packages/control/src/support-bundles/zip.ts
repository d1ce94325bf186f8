/** A zip archive of small files in memory, the same bytes for the same content: no times, no owners, sorted by path. */
import { crc32, deflateRawSync } from "node:zlib";

export type BundleFile = { readonly path: string; readonly bytes: Uint8Array };

const DEFLATED = 8;
/** 1980-01-01, the first day that the format knows. */
const DAY_ONE = 0x0021;
const UNIX = 3 << 8;
const REGULAR_FILE = 0o100600 << 16;

/** Every file below the one folder `top`. */
export function zipOf(top: string, files: readonly BundleFile[]): Buffer {
  const local: Buffer[] = [];
  const central: Buffer[] = [];
  let at = 0;
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  for (const { path, bytes } of sorted) {
    const name = Buffer.from(`${top}/${path}`, "utf8");
    const packed = deflateRawSync(bytes);
    const facts = factsOf({ crc: crc32(bytes), packed: packed.length, size: bytes.length, name: name.length });
    const head = Buffer.concat([word(0x04034b50), half(20), facts, half(0)]);
    central.push(
      Buffer.concat([
        word(0x02014b50),
        half(20 | UNIX),
        half(20),
        facts,
        Buffer.alloc(8),
        word(REGULAR_FILE),
        word(at),
      ]),
      name,
    );
    local.push(head, name, packed);
    at += head.length + name.length + packed.length;
  }
  const directory = Buffer.concat(central);
  const count = half(sorted.length);
  const end = [word(0x06054b50), half(0), half(0), count, count, word(directory.length), word(at), half(0)];
  return Buffer.concat([...local, directory, ...end]);
}

/** What the local header and the directory say of a file in the same words. */
function factsOf({ crc, packed, size, name }: Readonly<Record<"crc" | "packed" | "size" | "name", number>>): Buffer {
  const utf8 = half(0x0800);
  return Buffer.concat([utf8, half(DEFLATED), half(0), half(DAY_ONE), word(crc), word(packed), word(size), half(name)]);
}

function half(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}
