/**
 * Decoded columns on disk, so that a second start need not parse: one file per source, layout and digits.
 *
 * Layout, little-endian: 8 bytes magic "RUMICOL1", u32 header length, header (canonical JSON, padded with
 * spaces so that columns start at a multiple of 8), the columns in the order of `columnsOf`, then SHA-256 of
 * everything before.
 * Whatever does not check out is not used and is rebuilt.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { canonicalJson, equalSecrets, sha256, sha256Hex, type Digest } from "@rumi/kernel";
import { allocateColumns } from "../columns.ts";
import { allocateMixed, type TableSizes } from "../tables.ts";
import type { MarketFeed, RecordingFile } from "../types.ts";
import { qualityBounds, type ScanOptions, type ScanReport } from "./scan.ts";

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
const DECODER = 3;
/** Rows of the feed, and of its tables where it is of mixed kinds. */
type Sizes = { readonly length: number; readonly tables?: TableSizes };

/** Where the decoded copy lies; everything that changes the outcome is in its name. */
export function cachePath(key: CacheKey): string {
  const name = canonicalJson({
    decoder: DECODER,
    source: key.source,
    format: key.file.format,
    price_digits: key.file.instrument.price_digits,
    quantity_digits: key.file.instrument.quantity_digits,
    ...qualityBounds(key.options),
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

function encodeCached(feed: MarketFeed, scan: ScanReport): Uint8Array {
  const sizes: Sizes = {
    length: feed.length,
    ...(feed.mixed === undefined
      ? {}
      : {
          tables: {
            quotes: feed.mixed.quotes.bid_price.length,
            bars: feed.mixed.bars.open.length,
            books: feed.mixed.books.action.length,
            levels: feed.mixed.books.level_price.length,
          },
        }),
  };
  const text = canonicalJson({ ...sizes, scan });
  const padded = text.padEnd(text.length + ((8 - ((12 + Buffer.byteLength(text)) % 8)) % 8), " ");
  const header = Buffer.from(padded, "utf8");
  const start = Buffer.alloc(12);
  MAGIC.copy(start);
  start.writeUInt32LE(header.length, 8);
  const columns = columnsOf(feed).map((column) => Buffer.from(column.buffer, column.byteOffset, column.byteLength));
  const body = Buffer.concat([start, header, ...columns]);
  return Buffer.concat([body, sha256(body)]);
}

function decodeCached(bytes: Buffer): Cached | undefined {
  if (bytes.length < 44 || !bytes.subarray(0, 8).equals(MAGIC)) return undefined;
  const body = bytes.subarray(0, bytes.length - 32);
  if (!equalSecrets(Buffer.from(sha256(body)).toString("hex"), bytes.toString("hex", bytes.length - 32)))
    return undefined;
  const headerEnd = 12 + body.readUInt32LE(8);
  const { scan, ...sizes } = JSON.parse(body.toString("utf8", 12, headerEnd)) as Sizes & { readonly scan: ScanReport };
  const rows = allocateColumns(sizes.length);
  const columns: MarketFeed =
    sizes.tables === undefined ? rows : { ...rows, mixed: allocateMixed(sizes.length, sizes.tables) };
  let at = headerEnd;
  for (const column of columnsOf(columns)) {
    const end = at + column.byteLength;
    if (end > body.length) return undefined;
    // Copied: the file's buffer need not be aligned, and columns outlive it.
    new Uint8Array(column.buffer, column.byteOffset, column.byteLength).set(body.subarray(at, end));
    at = end;
  }
  return at === body.length ? { kind: "hit", columns, scan } : undefined;
}

/** Every column in the order of the file: eight bytes wide, then four, then one. The instrument is always the first. */
function columnsOf(feed: MarketFeed): readonly (Float64Array | Uint32Array | Uint8Array)[] {
  const { mixed } = feed;
  const rows = [feed.event_time_us, feed.received_time_us, feed.price, feed.quantity, feed.trade_id];
  const bytes = [feed.aggressor, feed.flags];
  if (mixed === undefined) return [...rows, ...bytes];
  const { quotes, bars, books } = mixed;
  const tops = [quotes, books].flatMap((top) => [top.bid_price, top.bid_quantity, top.ask_price, top.ask_quantity]);
  return [
    ...rows,
    ...tops,
    bars.duration_us,
    bars.open,
    bars.high,
    bars.low,
    books.first_sequence,
    books.last_sequence,
    books.first_level,
    books.level_price,
    books.level_quantity,
    mixed.detail,
    books.bids,
    books.asks,
    ...bytes,
    mixed.kind,
    books.action,
  ];
}
