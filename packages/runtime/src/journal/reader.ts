/**
 * Reading a run's journal back: every record proven by the chain, a torn tail named, damage inside refused.
 *
 * Invariants
 * - A tail is only called torn when nothing durable is lost by cutting it: a record at or below
 *   `durableSeq` that is gone is damage (journal.test.ts).
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { err, failure, type Failure, ok, type Result } from "@rumi/kernel";
import type { JournalEntry, SegmentClosed } from "../protocol.ts";
import { CHAIN_START, decodeSegmentHeader, readFrame, SEGMENT_HEADER_BYTES } from "./frame.ts";
import { MerkleRoot } from "./merkle.ts";

export const SEGMENT_NAME = /^(\d{8})\.journal$/;
export const segmentFile = (segment: number): string => `${String(segment).padStart(8, "0")}.journal`;

export type JournalContents = {
  readonly entries: readonly JournalEntry[];
  readonly chain: Buffer;
  /** All but the last segment are closed; the last one is too when it ends in `run_stopped`. */
  readonly closed: readonly SegmentClosed[];
  readonly last: {
    readonly segment: number;
    readonly firstSeq: number;
    readonly bytes: number;
    readonly merkle: MerkleRoot;
    readonly chain: Buffer;
  } | null;
  /** Bytes after the last sound record, if the last append never finished. */
  readonly torn: { readonly path: string; readonly offset: number; readonly problem: string } | null;
};

export type ReadOptions = {
  readonly directory: string;
  readonly runId: string;
  /** Highest seq known to have been durable. */ readonly durableSeq: number;
};

export function listSegments(directory: string): readonly number[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .flatMap((name) => SEGMENT_NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

export function readJournal(options: ReadOptions): Result<JournalContents, Failure> {
  const segments = listSegments(options.directory);
  const entries: JournalEntry[] = [];
  const closed: SegmentClosed[] = [];
  let chain: Buffer = CHAIN_START;
  let last: JournalContents["last"] = null;
  let torn: JournalContents["torn"] = null;
  for (const [index, segment] of segments.entries()) {
    const path = join(options.directory, segmentFile(segment));
    const bytes = readFileSync(path);
    const isLast = index === segments.length - 1;
    const damage = (offset: number, problem: string): Result<never, Failure> =>
      err(failure("RUMI-STR-020", { path, offset, problem }, { reasonCode: "M.JOURNAL.CORRUPT" }));
    const header = decodeSegmentHeader(bytes);
    if (header === undefined) return damage(0, "the segment header is not sound");
    if (header.runId !== options.runId) return damage(0, "the segment belongs to another run");
    if (header.segment !== index + 1 || header.firstSeq !== entries.length + 1 || !header.chain.equals(chain))
      return damage(0, "the segment does not continue the one before");
    const merkle = new MerkleRoot();
    let offset = SEGMENT_HEADER_BYTES;
    for (;;) {
      const read = readFrame(bytes, offset, chain);
      if (read.kind === "end") break;
      if (read.kind === "corrupt" || (read.kind === "torn" && (!isLast || entries.length < options.durableSeq)))
        return damage(offset, read.problem);
      if (read.kind === "torn") {
        torn = { path, offset, problem: read.problem };
        break;
      }
      const entry = JSON.parse(read.payload.toString("utf8")) as JournalEntry;
      if (entry.seq !== entries.length + 1)
        return damage(offset, `the record says ${entry.seq} and stands at ${entries.length + 1}`);
      entries.push(entry);
      merkle.add(read.payload);
      chain = read.chain;
      offset = read.end;
    }
    last = { segment, firstSeq: header.firstSeq, bytes: offset, merkle, chain: header.chain };
    if (!isLast || entries.at(-1)?.kind === "run_stopped") closed.push(closedSegment(options.runId, last));
  }
  if (entries.length < options.durableSeq) {
    return err(
      failure(
        "RUMI-STR-020",
        {
          path: options.directory,
          offset: last?.bytes ?? 0,
          problem: `records ${entries.length + 1}…${options.durableSeq} are gone`,
        },
        { reasonCode: "M.JOURNAL.CORRUPT" },
      ),
    );
  }
  return ok({ entries, chain, closed, last, torn });
}

export function closedSegment(
  runId: string,
  segment: { readonly segment: number; readonly firstSeq: number; readonly merkle: MerkleRoot },
): SegmentClosed {
  const { merkle, firstSeq } = segment;
  return {
    run_id: runId as SegmentClosed["run_id"],
    segment: segment.segment,
    first_seq: firstSeq,
    last_seq: firstSeq + merkle.size - 1,
    root: merkle.rootHex(),
    records: merkle.size,
  };
}
