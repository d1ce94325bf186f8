/**
 * The tape: every row that a live instance received, as it received it, so that a replay sees what the machine saw.
 *
 * How to think: each life writes a file of its own, numbered; its header says at which row it begins. A holder that came
 * back late may still write into its old file: the successor's header cuts that off. A row is written before the machine
 * can see it, and made durable before anything that depends on it leaves (`sync`, ahead of the journal's).
 *
 * Layout: docs/formats/tape.md. Invariants (tape.test.ts)
 * - What was appended is read back, flags and times included; a torn end is left out.
 * - Rows of a late writer are not read.
 */
import { closeSync, fdatasync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { FeedBuilder, MARKET_KIND, type TradeRow } from "@rumi/venues";
import type { Datasync } from "../journal/datasync.ts";

export const TAPE_MAGIC = "RUMITAP1";
export const TAPE_RECORD_BYTES = 64;
const FILE = /^rows-(\d{6})\.tape$/;

export type TapeContents = {
  readonly feed: FeedBuilder;
  /** The venue's count of the last row; `null` when there is none. */
  readonly last_seq: number | null;
  /** Files there are. */
  readonly files: number;
};

export const tapeFolder = (run_dir: string): string => join(run_dir, "tape");

/** Everything a run received, in the order in which the machine saw it; error RUMI-STR-045. */
export function readTape(run_dir: string): Result<TapeContents, Failure> {
  const folder = tapeFolder(run_dir);
  const feed = new FeedBuilder(4_096);
  const names = tapeFiles(run_dir);
  let last_seq: number | null = null;
  const files = names.map((name) => readFileSync(join(folder, name)));
  const begins = files.map((bytes) => firstRow(bytes));
  for (const [index, bytes] of files.entries()) {
    const begin = begins[index];
    // A file without a whole header is a life that ended before it received anything.
    if (begin === undefined) continue;
    if (begin !== feed.length)
      return err(
        failure(
          "RUMI-STR-045",
          {
            path: join(folder, names[index] ?? ""),
            problem: `it begins at row ${begin}, and ${feed.length} were read`,
          },
          { reasonCode: "M.TAPE.CORRUPT" },
        ),
      );
    const until = begins.slice(index + 1).find((next) => next !== undefined) ?? Infinity;
    for (let at = TAPE_RECORD_BYTES; at + TAPE_RECORD_BYTES <= bytes.length && feed.length < until;) {
      const record = bytes.subarray(at, at + TAPE_RECORD_BYTES);
      if (record.readUInt32LE(60) !== crc32(record.subarray(0, 60))) break;
      feed.trade(decode(record));
      last_seq = record.readDoubleLE(48);
      at += TAPE_RECORD_BYTES;
    }
  }
  return ok({ feed, last_seq, files: names.length });
}

export class TapeWriter {
  readonly #fd: number;
  readonly #datasync: Datasync;
  readonly #record = Buffer.alloc(TAPE_RECORD_BYTES);
  #dirty = true;

  /** A new file after those that there are; its first row will be `first_row`. */
  constructor(
    run_dir: string,
    at: { readonly files: number; readonly first_row: number; readonly epoch: number; readonly datasync?: Datasync },
  ) {
    this.#datasync = at.datasync ?? fdatasync;
    const folder = tapeFolder(run_dir);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const name = `rows-${String(at.files + 1).padStart(6, "0")}.tape`;
    this.#fd = openSync(join(folder, name), "wx", 0o600);
    const header = Buffer.alloc(TAPE_RECORD_BYTES);
    header.write(TAPE_MAGIC, 0, "latin1");
    header.writeDoubleLE(at.epoch, 8);
    header.writeDoubleLE(at.first_row, 16);
    header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
    writeSync(this.#fd, header);
    const parent = openSync(folder, "r");
    fsyncSync(parent);
    closeSync(parent);
  }

  /** In the file when it returns; on the disk after the next `sync`. */
  append(row: TradeRow, seq: number): void {
    const record = this.#record;
    record.writeUInt8(MARKET_KIND.trade, 0);
    record.writeUInt8(row.flags, 1);
    record.writeUInt8(row.aggressor, 2);
    record.writeUInt16LE(row.instrument, 4);
    record.writeDoubleLE(row.event_time_us, 8);
    record.writeDoubleLE(row.received_time_us, 16);
    record.writeDoubleLE(row.price, 24);
    record.writeDoubleLE(row.quantity, 32);
    record.writeDoubleLE(row.trade_id, 40);
    record.writeDoubleLE(seq, 48);
    record.writeUInt32LE(crc32(record.subarray(0, 60)), 60);
    writeSync(this.#fd, record);
    this.#dirty = true;
  }

  sync(): Promise<void> {
    if (!this.#dirty) return Promise.resolve();
    this.#dirty = false;
    return new Promise((resolve, reject) => {
      this.#datasync(this.#fd, (problem) => {
        if (problem === null) return resolve();
        this.#dirty = true;
        reject(problem);
      });
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Names of a run's files, oldest first. */
export function tapeFiles(run_dir: string): readonly string[] {
  try {
    return readdirSync(tapeFolder(run_dir))
      .filter((name) => FILE.test(name))
      .sort();
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw problem;
  }
}

function firstRow(bytes: Buffer): number | undefined {
  if (bytes.length < TAPE_RECORD_BYTES || bytes.toString("latin1", 0, 8) !== TAPE_MAGIC) return undefined;
  return bytes.readUInt32LE(60) === crc32(bytes.subarray(0, 60)) ? bytes.readDoubleLE(16) : undefined;
}

function decode(record: Buffer): TradeRow {
  return {
    flags: record.readUInt8(1),
    aggressor: record.readUInt8(2),
    instrument: record.readUInt16LE(4),
    event_time_us: record.readDoubleLE(8),
    received_time_us: record.readDoubleLE(16),
    price: record.readDoubleLE(24),
    quantity: record.readDoubleLE(32),
    trade_id: record.readDoubleLE(40),
  };
}
