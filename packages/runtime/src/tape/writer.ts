/**
 * Writes a tape: rows wait in a group, groups go to the file in one write, full segments are followed by the next.
 *
 * How to think: whoever publishes rows calls `flush` first, so that a row is in the file before the machine can see it;
 * `sync` makes what was flushed durable before anything that depends on it leaves (ahead of the journal's); it writes no
 * row, because only whoever publishes knows whether rows may still be written. A segment that is full is left behind between two groups, and synced with the next `sync`. Then, too, old segments are dropped: beyond
 * the bytes that are kept, and never one with a row that a state checkpoint still needs.
 *
 * Invariants (tape.test.ts)
 * - After kill -9 every row that was flushed is read back; after a power cut every row before the last `sync`.
 * - No row is ever written into a segment of another life.
 */
import { closeSync, fdatasync, mkdirSync, openSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ABI_LIMITS } from "@rumi/abi";
import type { BookLevels, FeedRow } from "@rumi/venues";
import type { Datasync } from "../journal/datasync.ts";
import { GROUP_HEAD_BYTES, sealGroup } from "./group.ts";
import { GROUP_BYTES_MAX, TAPE_LIMITS, type TapeLimits } from "./limits.ts";
import { type CarriedBook, rowBytes, writeRow } from "./row.ts";
import { encodeHeader, listSegments, segmentName, tapeFolder } from "./segments.ts";

type StandingBook = { readonly instrument: number; readonly bids: BookLevels; readonly asks: BookLevels };
/** Levels of each side in one carried row. */
const PART_LEVELS = ABI_LIMITS.book_levels / 2;

export type TapeWriterOptions = {
  readonly run_dir: string;
  readonly epoch: number;
  /** Number of the highest file there is. */
  readonly files: number;
  /** The row that will be the first, and what is known of the one before it. */
  readonly first_row: number;
  readonly last_seq: number | null;
  readonly received_us: number;
  /** The books before the next row; asked at the beginning of each segment. */
  readonly books: () => Iterable<StandingBook>;
  /** The first row that a state checkpoint still needs; asked when segments may be dropped. */
  readonly needed_row: () => number;
  readonly limits?: Partial<TapeLimits>;
  readonly datasync?: Datasync;
};

export class TapeWriter {
  readonly #o: TapeWriterOptions;
  readonly #limits: TapeLimits;
  readonly #datasync: Datasync;
  readonly #group = Buffer.allocUnsafeSlow(GROUP_BYTES_MAX);
  readonly #view = new DataView(this.#group.buffer);
  #used = GROUP_HEAD_BYTES;
  #waiting = 0;
  #number: number;
  #fd: number;
  #bytes = 0;
  /** Rows in files, and what is known of the last of them. */
  #rows: number;
  #last: { seq: number | null; received_us: number };
  #newest = { seq: 0, received_us: 0 };
  /** Full segments that are not on the disk yet. */
  #full: number[] = [];
  #dirty = true;
  /** The newest file's name is not on the disk yet. */
  #nameless = true;

  constructor(options: TapeWriterOptions) {
    this.#o = options;
    this.#limits = { ...TAPE_LIMITS, ...options.limits };
    this.#datasync = options.datasync ?? fdatasync;
    this.#number = options.files;
    this.#rows = options.first_row;
    this.#last = { seq: options.last_seq, received_us: options.received_us };
    mkdirSync(tapeFolder(options.run_dir), { recursive: true, mode: 0o700 });
    this.#fd = this.#begin();
  }

  /** The group is full: it is time to flush. */
  get isFull(): boolean {
    return this.#used >= this.#limits.group_bytes;
  }

  /** In the file after the next `flush`, on the disk after the `sync` that follows it. */
  append(row: FeedRow, seq: number): void {
    writeRow(this.#view, this.#used, row, seq);
    this.#used += rowBytes(row);
    this.#waiting += 1;
    this.#newest.seq = seq;
    this.#newest.received_us = row.received_time_us;
  }

  /** Everything appended is in the file. To be called before its rows are published: a new segment asks for the books. */
  flush(): void {
    if (this.#waiting === 0) return;
    if (this.#bytes >= this.#limits.segment_bytes) this.#roll();
    const group = this.#group.subarray(0, this.#used);
    sealGroup(group, this.#waiting);
    this.#write(group);
    this.#rows += this.#waiting;
    this.#last = { ...this.#newest };
    this.#used = GROUP_HEAD_BYTES;
    this.#waiting = 0;
  }

  /** Everything flushed is on the disk. */
  async sync(): Promise<void> {
    if (!this.#dirty) return;
    this.#dirty = false;
    try {
      for (let fd = this.#full[0]; fd !== undefined; fd = this.#full[0]) {
        await this.#durable(fd);
        this.#full.shift();
        closeSync(fd);
      }
      if (this.#nameless) await this.#durableNames();
      await this.#durable(this.#fd);
    } catch (problem) {
      this.#dirty = true;
      throw problem;
    }
  }

  /** What was not flushed is nobody's: the next life asks for it. Writes nothing, because a full disk may be why it ends. */
  close(): void {
    for (const fd of [...this.#full.splice(0), this.#fd]) closeSync(fd);
  }

  #durable(fd: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#datasync(fd, (problem) => (problem === null ? resolve() : reject(problem)));
    });
  }

  async #durableNames(): Promise<void> {
    this.#nameless = false;
    const fd = openSync(tapeFolder(this.#o.run_dir), "r");
    try {
      await this.#durable(fd);
    } catch (problem) {
      this.#nameless = true;
      throw problem;
    } finally {
      closeSync(fd);
    }
  }

  #write(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    this.#bytes += bytes.length;
    this.#dirty = true;
  }

  #roll(): void {
    const full = this.#fd;
    try {
      this.#fd = this.#begin();
    } finally {
      // Where there is no room for another file, the one at hand is still closed once.
      if (this.#fd !== full) this.#full.push(full);
    }
    this.#drop();
  }

  /** A new file after those that there are: its header, and the books as they stand. */
  #begin(): number {
    const { run_dir, epoch, books } = this.#o;
    this.#number += 1;
    this.#fd = openSync(join(tapeFolder(run_dir), segmentName(this.#number, epoch)), "wx", 0o600);
    this.#bytes = 0;
    this.#nameless = true;
    const { seq, received_us } = this.#last;
    this.#write(encodeHeader({ epoch, first_row: this.#rows, last_seq: seq, received_us }));
    for (const book of books()) for (const part of carriedParts(book)) this.#write(groupOf(part));
    return this.#fd;
  }

  #drop(): void {
    const { keep_bytes } = this.#limits;
    if (keep_bytes === Number.POSITIVE_INFINITY) return;
    const { segments } = listSegments(this.#o.run_dir);
    const needed = this.#o.needed_row();
    let bytes = segments.reduce((sum, one) => sum + one.bytes, 0);
    for (const segment of segments) {
      bytes -= segment.bytes;
      if (segment.until > needed || bytes < keep_bytes) return;
      unlinkSync(segment.path);
    }
  }
}

/** A whole book as rows that each fit a frame: a snapshot, and increments where there are more levels. */
function carriedParts({ instrument, bids, asks }: StandingBook): readonly CarriedBook[] {
  const parts: CarriedBook[] = [];
  for (let at = 0; at === 0 || at < Math.max(bids.length, asks.length); at += PART_LEVELS)
    parts.push({
      kind: "carried_book",
      instrument,
      action: at === 0 ? "snapshot" : "increment",
      bids: bids.slice(at, at + PART_LEVELS),
      asks: asks.slice(at, at + PART_LEVELS),
    });
  return parts;
}

function groupOf(row: CarriedBook): Buffer {
  const group = Buffer.alloc(GROUP_HEAD_BYTES + rowBytes(row));
  writeRow(new DataView(group.buffer, group.byteOffset), GROUP_HEAD_BYTES, row, 0);
  sealGroup(group, 0);
  return group;
}
