/**
 * The one writer of a run's journal: appends to a buffer, writes in groups, makes groups durable.
 *
 * `append` is memory only; `sync` writes and calls fdatasync off the thread. What was appended before a
 * `sync` that resolved is durable; nothing leaves the runner before that.
 *
 * Invariants
 * - `durableSeq` never runs ahead of the disk (journal.test.ts).
 * - A segment closes only between records, when it is full or old, and gets its Merkle root then.
 */
import {
  closeSync,
  copyFileSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  truncateSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { canonicalJson, type Json, invariant } from "@rumi/kernel";
import type { JournalEntry, SegmentClosed } from "../protocol.ts";
import type { Datasync } from "./datasync.ts";
import { CHAIN_START, encodeFrame, encodeSegmentHeader, RECORD_BYTES_MAX, SEGMENT_HEADER_BYTES } from "./frame.ts";
import { MerkleRoot } from "./merkle.ts";
import { closedSegment, type JournalContents, segmentFile } from "./reader.ts";

export const SEGMENT_BYTES_DEFAULT = 4_194_304;
export const SEGMENT_AGE_MS_DEFAULT = 60_000;

export type JournalWriterOptions = {
  readonly directory: string;
  readonly runId: string;
  readonly segmentBytes: number;
  readonly segmentAgeMs: number;
  /** Monotonic milliseconds. */
  readonly monotonic: () => number;
  /** The system's fdatasync where none is given. */
  readonly datasync?: Datasync;
};

/** An entry before the writer gave it its place. */
export type Unplaced<T> = T extends unknown ? Omit<T, "seq"> : never;
export type NewEntry = Unplaced<JournalEntry>;

export class JournalWriter {
  readonly #options: JournalWriterOptions;
  #fd: number;
  #segment: number;
  #firstSeq: number;
  #bytes: number;
  #merkle: MerkleRoot;
  #openedAt: number;
  #chain: Buffer;
  #seq: number;
  #durable: number;
  #buffer: Buffer[] = [];
  readonly #closed: SegmentClosed[] = [];

  private constructor(
    options: JournalWriterOptions,
    at: {
      fd: number;
      segment: number;
      firstSeq: number;
      bytes: number;
      merkle: MerkleRoot;
      chain: Buffer;
      seq: number;
    },
  ) {
    this.#options = options;
    this.#fd = at.fd;
    this.#segment = at.segment;
    this.#firstSeq = at.firstSeq;
    this.#bytes = at.bytes;
    this.#merkle = at.merkle;
    this.#chain = at.chain;
    this.#seq = at.seq;
    this.#durable = at.seq;
    this.#openedAt = options.monotonic();
  }

  /** A new journal in a directory that must not exist. */
  static create(options: JournalWriterOptions): JournalWriter {
    mkdirSync(options.directory);
    const fd = openSegment(options, 1, 1, CHAIN_START);
    return new JournalWriter(options, {
      fd,
      segment: 1,
      firstSeq: 1,
      bytes: SEGMENT_HEADER_BYTES,
      merkle: new MerkleRoot(),
      chain: CHAIN_START,
      seq: 0,
    });
  }

  /** Continues what {@link readJournal} read; a torn tail is kept as evidence beside it and cut. */
  static resume(options: JournalWriterOptions, contents: JournalContents): JournalWriter {
    invariant(contents.last !== null, "a journal that is resumed has a segment");
    const { last, torn } = contents;
    if (torn !== null) {
      copyFileSync(torn.path, `${torn.path}.torn-${contents.entries.length + 1}`);
      truncateSync(torn.path, torn.offset);
    }
    const seq = contents.entries.length;
    if (contents.closed.at(-1)?.segment === last.segment) {
      const next = openSegment(options, last.segment + 1, seq + 1, contents.chain);
      return new JournalWriter(options, {
        fd: next,
        segment: last.segment + 1,
        firstSeq: seq + 1,
        bytes: SEGMENT_HEADER_BYTES,
        merkle: new MerkleRoot(),
        chain: contents.chain,
        seq,
      });
    }
    const fd = takeOver(options, join(options.directory, segmentFile(last.segment)), last.bytes);
    return new JournalWriter(options, {
      fd,
      segment: last.segment,
      firstSeq: last.firstSeq,
      bytes: last.bytes,
      merkle: last.merkle,
      chain: contents.chain,
      seq,
    });
  }

  get seq(): number {
    return this.#seq;
  }
  /** Everything up to here is on the disk. */
  get durableSeq(): number {
    return this.#durable;
  }
  get chainHex(): string {
    return this.#chain.toString("hex");
  }

  append(entry: NewEntry): JournalEntry {
    const placed = { ...entry, seq: this.#seq + 1 } as JournalEntry;
    const payload = Buffer.from(canonicalJson(placed as unknown as Json), "utf8");
    invariant(payload.length <= RECORD_BYTES_MAX, "a journal record fits its limit");
    const { frame, chain } = encodeFrame(this.#chain, payload);
    this.#seq += 1;
    this.#chain = chain;
    this.#merkle.add(payload);
    this.#bytes += frame.length;
    this.#buffer.push(frame);
    if (this.#bytes >= this.#options.segmentBytes) this.#roll();
    return placed;
  }

  /** Writes what is buffered and resolves with the seq that is durable now. */
  sync(): Promise<number> {
    this.#write();
    const upTo = this.#seq;
    if (upTo === this.#durable) return Promise.resolve(upTo);
    return new Promise((resolve, reject) => {
      (this.#options.datasync ?? fdatasync)(this.#fd, (problem) => {
        if (problem !== null && this.#durable < upTo) return reject(problem);
        this.#durable = Math.max(this.#durable, upTo);
        resolve(this.#durable);
      });
    });
  }

  syncNow(): number {
    this.#write();
    if (this.#durable !== this.#seq) fdatasyncSync(this.#fd);
    this.#durable = this.#seq;
    return this.#durable;
  }

  /** Closes the segment if it is old; call between groups, never while a `sync` is under way. */
  rollIfOld(): void {
    if (this.#merkle.size > 0 && this.#options.monotonic() - this.#openedAt >= this.#options.segmentAgeMs) this.#roll();
  }

  /** Segments closed since the last call. */
  takeClosed(): readonly SegmentClosed[] {
    return this.#closed.splice(0);
  }

  /** Flushes and closes the last segment too, so that a stopped run is wholly under Merkle roots. */
  finish(): void {
    this.syncNow();
    if (this.#merkle.size > 0)
      this.#closed.push(
        closedSegment(this.#options.runId, { segment: this.#segment, firstSeq: this.#firstSeq, merkle: this.#merkle }),
      );
    closeSync(this.#fd);
  }

  /** Gives the file back without closing the segment. */
  release(): void {
    this.syncNow();
    closeSync(this.#fd);
  }

  #write(): void {
    if (this.#buffer.length === 0) return;
    const bytes = Buffer.concat(this.#buffer);
    this.#buffer = [];
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
  }

  #roll(): void {
    this.syncNow();
    closeSync(this.#fd);
    this.#closed.push(
      closedSegment(this.#options.runId, { segment: this.#segment, firstSeq: this.#firstSeq, merkle: this.#merkle }),
    );
    this.#segment += 1;
    this.#firstSeq = this.#seq + 1;
    this.#fd = openSegment(this.#options, this.#segment, this.#firstSeq, this.#chain);
    this.#bytes = SEGMENT_HEADER_BYTES;
    this.#merkle = new MerkleRoot();
    this.#openedAt = this.#options.monotonic();
  }
}

/**
 * The header is written aside and linked in, so that a segment without a sound header is never a crash, and a segment
 * that a successor began already is never replaced: then this writer is the former one, and `linkSync` throws EEXIST.
 */
function openSegment(options: JournalWriterOptions, segment: number, firstSeq: number, chain: Buffer): number {
  const path = join(options.directory, segmentFile(segment));
  const aside = `${path}.${process.pid}.new`;
  const fd = openSync(aside, "w", 0o600);
  writeSync(fd, encodeSegmentHeader({ segment, firstSeq, runId: options.runId, chain }));
  fdatasyncSync(fd);
  closeSync(fd);
  try {
    linkSync(aside, path);
  } finally {
    unlinkSync(aside);
  }
  syncDirectory(dirname(path));
  return openSync(path, "a");
}

/**
 * The segment's proven bytes under a new inode in its place. A former writer that stood still and does not know yet
 * that its lease is over keeps writing into a file that nobody reads any more (M-7.1.2; packages/rumi/test/crash.e2e.test.ts).
 */
function takeOver(options: JournalWriterOptions, path: string, bytes: number): number {
  const aside = `${path}.${process.pid}.new`;
  const fd = openSync(aside, "w", 0o600);
  writeSync(fd, readFileSync(path).subarray(0, bytes));
  fdatasyncSync(fd);
  closeSync(fd);
  renameSync(aside, path);
  syncDirectory(options.directory);
  return openSync(path, "a");
}

export function syncDirectory(path: string): void {
  const fd = openSync(path, "r");
  fsyncSync(fd);
  closeSync(fd);
}
