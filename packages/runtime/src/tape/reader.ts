/**
 * Reads a tape as a stream: row by row into a feed, never more than a group of it in memory besides.
 *
 * How to think: `fill` goes on until the feed has the rows that are asked for; whoever has used them tells the feed to
 * forget. It begins with the segment that holds the row which is needed first; segments know the books before them.
 *
 * Layout: docs/formats/tape.md, formats 1 and 2. Invariants (tape.test.ts)
 * - What was appended is read back, every kind, flags and times included, whatever its length, in bounded memory.
 * - A torn tail ends the tape and is told; a hole in the middle refuses it (RUMI-STR-045).
 */
import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";
import { err, type Failure, failure, ok, type Result } from "@rumi/kernel";
import { BOOK_ACTION, FeedBuilder } from "@rumi/venues";
import { GROUP_HEAD_BYTES, groupBytes, isSound } from "./group.ts";
import { GROUP_BYTES_MAX } from "./limits.ts";
import { readRow, type TapedRow } from "./row.ts";
import { HEADER_BYTES, listSegments, type Segment } from "./segments.ts";

/** Bytes at the tape's end that are no whole group: what a life that was killed had not finished writing. */
export type TornTail = { readonly path: string; readonly offset: number; readonly bytes: number };
/** Rows for which the feed has room at first, and by which it grows at least. */
const FEED_ROWS = 4_096;
/** Rows of format 1: 64 bytes each, with a checksum of their own. */
const ROW_1_BYTES = 64;

export class TapeStream {
  readonly feed: FeedBuilder;
  /** Number of the highest file there is. */
  readonly files: number;
  readonly #segments: readonly Segment[];
  #at = 0;
  #file: OpenFile | undefined;
  #last_seq: number | null = null;
  #received_us = 0;
  #torn: TornTail | null = null;

  private constructor(segments: readonly Segment[], files: number) {
    this.#segments = segments;
    this.files = files;
    const [first] = segments;
    this.feed = new FeedBuilder(FEED_ROWS, { first_row: first?.first_row ?? 0 });
    this.#last_seq = first?.last_seq ?? null;
    this.#received_us = first?.received_us ?? 0;
  }

  /** `from_row`: the first row that is needed; segments that end before it are passed over. Error RUMI-STR-045. */
  static open(run_dir: string, from_row = 0): Result<TapeStream, Failure> {
    const { segments, number } = listSegments(run_dir);
    const begin = segments.findLastIndex((one) => one.first_row <= from_row);
    if (begin < 0 && segments.length > 0)
      return err(corrupt(segments[0], `it begins at row ${segments[0]?.first_row}, and row ${from_row} is needed`));
    return ok(new TapeStream(segments.slice(Math.max(0, begin)), number));
  }

  /** Nothing is left to be read. */
  get ended(): boolean {
    return this.#at >= this.#segments.length;
  }
  /** The venue's count of the last row that was read; `null` when there is none. */
  get last_seq(): number | null {
    return this.#last_seq;
  }
  /** Received time of that row; 0 when there is none. */
  get received_us(): number {
    return this.#received_us;
  }
  /** Known at the end. */
  get torn(): TornTail | null {
    return this.#torn;
  }

  /** Reads on until the feed has `until` rows or the tape ends; error RUMI-STR-045. */
  fill(until: number): Failure | null {
    while (this.feed.length < until && !this.ended) {
      const problem = this.#block();
      if (problem !== null) {
        this.close();
        return problem;
      }
    }
    return null;
  }

  close(): void {
    this.#file?.close();
    this.#file = undefined;
    this.#at = this.#segments.length;
  }

  /** The next group of the segment at hand, or its end. */
  #block(): Failure | null {
    const segment = this.#segments[this.#at];
    if (segment === undefined) return null;
    this.#file ??= new OpenFile(segment.path);
    const file = this.#file;
    const isOver = this.feed.length >= segment.until;
    const took = isOver ? 0 : segment.format === 1 ? this.#row1(file) : this.#group(file, segment);
    if (typeof took !== "number") return took;
    file.skip(took);
    if (took > 0) return null;
    const { offset, left } = file;
    file.close();
    this.#file = undefined;
    this.#at += 1;
    const next = this.#segments[this.#at];
    if (next === undefined) this.#torn = left === 0 || isOver ? null : { path: segment.path, offset, bytes: left };
    else if (next.first_row !== this.feed.length)
      return corrupt(next, `it begins at row ${next.first_row}, and ${this.feed.length} were read`);
    return null;
  }

  #group(file: OpenFile, segment: Segment): number | Failure {
    const bytes = groupBytes(file.peek(GROUP_HEAD_BYTES));
    const group = bytes === 0 || bytes > GROUP_BYTES_MAX ? undefined : file.peek(bytes);
    if (group === undefined || group.length < bytes || !isSound(group)) return 0;
    const view = new DataView(group.buffer, group.byteOffset, group.length);
    for (let at = GROUP_HEAD_BYTES; at < bytes && this.feed.length < segment.until;) {
      const taped = readRow(view, at, bytes);
      if (typeof taped === "string") return corrupt(segment, taped);
      this.#take(taped);
      at += taped.bytes;
    }
    return bytes;
  }

  #row1(file: OpenFile): number {
    const record = file.peek(ROW_1_BYTES);
    if (record.length < ROW_1_BYTES || record.readUInt32LE(60) !== crc32(record.subarray(0, 60))) return 0;
    const row = {
      flags: record.readUInt8(1),
      aggressor: record.readUInt8(2),
      instrument: record.readUInt16LE(4),
      event_time_us: record.readDoubleLE(8),
      received_time_us: record.readDoubleLE(16),
      price: record.readDoubleLE(24),
      quantity: record.readDoubleLE(32),
      trade_id: record.readDoubleLE(40),
    };
    this.#take({ bytes: ROW_1_BYTES, seq: record.readDoubleLE(48), row: { kind: "trade", ...row } });
    return ROW_1_BYTES;
  }

  #take(taped: TapedRow): void {
    const { row } = taped;
    if (row.kind === "carried_book")
      return this.feed.carry(row.instrument, BOOK_ACTION[row.action], row.bids, row.asks);
    this.feed.add(row);
    this.#received_us = row.received_time_us;
    if ("seq" in taped) this.#last_seq = taped.seq;
  }
}

/** A file that is read forwards through one buffer. */
class OpenFile {
  readonly #fd: number;
  readonly #buffer = Buffer.allocUnsafeSlow(GROUP_BYTES_MAX);
  #start = 0;
  #end = 0;
  #offset = HEADER_BYTES;

  constructor(path: string) {
    this.#fd = openSync(path, "r");
  }

  /** Where the next peek begins. */
  get offset(): number {
    return this.#offset;
  }
  /** Bytes from there to the file's end. */
  get left(): number {
    return this.peek(GROUP_BYTES_MAX).length;
  }

  /** The next `bytes`, fewer only at the file's end; they lie still until the next peek. */
  peek(bytes: number): Buffer {
    if (this.#end - this.#start < bytes) this.#refill(bytes);
    return this.#buffer.subarray(this.#start, Math.min(this.#end, this.#start + bytes));
  }

  skip(bytes: number): void {
    this.#start += bytes;
    this.#offset += bytes;
  }

  close(): void {
    closeSync(this.#fd);
  }

  #refill(bytes: number): void {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
    while (this.#end < bytes) {
      const from = this.#offset + this.#end;
      const read = readSync(this.#fd, this.#buffer, this.#end, this.#buffer.length - this.#end, from);
      if (read === 0) return;
      this.#end += read;
    }
  }
}

const corrupt = (segment: Segment | undefined, problem: string): Failure =>
  failure("RUMI-STR-045", { path: segment?.path ?? "", problem }, { reasonCode: "M.TAPE.CORRUPT" });
