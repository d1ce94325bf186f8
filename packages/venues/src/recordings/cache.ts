/**
 * Decoded columns on disk, so that a second start need not parse: one file per source, layout and digits.
 *
 * Layout, little-endian: 8 bytes magic "RUMICOL1", u32 header length, header (canonical JSON, padded with
 * spaces so that columns start at a multiple of 8), columns of 8-byte numbers (event time, received time,
 * price, quantity, trade id), then aggressor and flags bytes, then SHA-256 of everything before.
 * Whatever does not check out is not used and is rebuilt.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, equalSecrets, sha256, sha256Hex, type Digest } from "@rumi/kernel";
import type { RecordingFile, MarketFeed } from "../types.ts";
import { DEFAULT_QUALITY } from "./row-checker.ts";
import type { ScanOptions, ScanReport } from "./scan.ts";

export type CacheKey = {
  readonly folder: string;
  readonly source: Digest;
  readonly file: RecordingFile;
  readonly options: ScanOptions;
};
export type Cached =
  | { readonly kind: "hit"; readonly columns: MarketFeed; readonly scan: ScanReport }
  | { readonly kind: "absent" | "damaged" };

const MAGIC = Buffer.from("RUMICOL1");
/** Raised whenever the same source would decode to other columns. */
const DECODER = 1;
const ROW_BYTES = 42;

/** Where the decoded copy lies; everything that changes the outcome is in its name. */
export function cachePath(key: CacheKey): string {
  const name = canonicalJson({
    decoder: DECODER,
    source: key.source,
    format: key.file.format,
    price_digits: key.file.instrument.price_digits,
    quantity_digits: key.file.instrument.quantity_digits,
    max_time_gap_us: key.options.max_time_gap_us ?? DEFAULT_QUALITY.max_time_gap_us,
    stale_after_us: key.options.stale_after_us ?? DEFAULT_QUALITY.stale_after_us,
  });
  return join(key.folder, `${sha256Hex(name)}.columns`);
}

export async function readCached(key: CacheKey): Promise<Cached> {
  let bytes: Buffer;
  try {
    bytes = await readFile(cachePath(key));
  } catch (cause) {
    const absent = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    return { kind: absent ? "absent" : "damaged" };
  }
  return decodeCached(bytes) ?? { kind: "damaged" };
}

/** Written beside and renamed, so that a reader sees all of it or nothing. */
export async function writeCached(key: CacheKey, columns: MarketFeed, scan: ScanReport): Promise<void> {
  await mkdir(key.folder, { recursive: true });
  const path = cachePath(key);
  const draft = `${path}.${process.pid}.draft`;
  await writeFile(draft, encodeCached(columns, scan));
  await rename(draft, path);
}

function encodeCached(columns: MarketFeed, scan: ScanReport): Uint8Array {
  const text = canonicalJson({ length: columns.length, scan });
  const padded = text.padEnd(text.length + ((8 - ((12 + Buffer.byteLength(text)) % 8)) % 8), " ");
  const header = Buffer.from(padded, "utf8");
  const start = Buffer.alloc(12);
  MAGIC.copy(start);
  start.writeUInt32LE(header.length, 8);
  const wide = [columns.event_time_us, columns.received_time_us, columns.price, columns.quantity, columns.trade_id];
  const body = Buffer.concat([
    start,
    header,
    ...wide.map((column) => Buffer.from(column.buffer, column.byteOffset, column.byteLength)),
    columns.aggressor,
    columns.flags,
  ]);
  return Buffer.concat([body, sha256(body)]);
}

function decodeCached(bytes: Buffer): Cached | undefined {
  if (bytes.length < 44 || !bytes.subarray(0, 8).equals(MAGIC)) return undefined;
  const body = bytes.subarray(0, bytes.length - 32);
  if (!equalSecrets(Buffer.from(sha256(body)).toString("hex"), bytes.toString("hex", bytes.length - 32)))
    return undefined;
  const headerEnd = 12 + body.readUInt32LE(8);
  const { length, scan } = JSON.parse(body.toString("utf8", 12, headerEnd)) as {
    readonly length: number;
    readonly scan: ScanReport;
  };
  if (headerEnd + length * ROW_BYTES !== body.length) return undefined;
  // Copied: the file's buffer need not be aligned, and columns outlive it.
  const wide = new Float64Array(
    body.buffer.slice(body.byteOffset + headerEnd, body.byteOffset + headerEnd + length * 40),
  );
  const narrow = new Uint8Array(body.subarray(headerEnd + length * 40));
  const column = (at: number): Float64Array => wide.subarray(at * length, (at + 1) * length);
  const columns: MarketFeed = {
    length,
    instrument: new Uint16Array(length),
    event_time_us: column(0),
    received_time_us: column(1),
    price: column(2),
    quantity: column(3),
    trade_id: column(4),
    aggressor: narrow.subarray(0, length),
    flags: narrow.subarray(length),
  };
  return { kind: "hit", columns, scan };
}
