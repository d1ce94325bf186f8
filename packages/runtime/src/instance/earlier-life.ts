/**
 * What an instance begins with: nothing (a fresh run directory), or the checkpoint and journal of an earlier life.
 *
 * Nothing is replayed here and nothing is written: this only reads, checks that it belongs to this run, and opens the
 * journal at its end.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { err, type Failure, failure, ok, type Result } from "@rumi/kernel";
import { CheckpointSlots, type Restored } from "../checkpoint/slots.ts";
import { readJournal } from "../journal/reader.ts";
import { JournalWriter, SEGMENT_AGE_MS_DEFAULT, SEGMENT_BYTES_DEFAULT } from "../journal/writer.ts";
import type { InstanceSpec, JournalEntry, SegmentClosed } from "../protocol.ts";
import { isReproduced } from "./recorder.ts";

export type LifeOptions = {
  readonly spec: InstanceSpec;
  readonly monotonic: () => number;
  readonly onSegment: (segment: SegmentClosed) => void;
};

export type Life = {
  readonly writer: JournalWriter;
  readonly slots: CheckpointSlots;
  /** Entries after the checkpoint, to be regenerated. */
  readonly expected: readonly JournalEntry[];
  /** Epoch in force where they begin. */
  readonly epochBefore: number;
};
export type EarlierLife = Life & { readonly restored: Restored };

export function beginLife({ spec, monotonic }: LifeOptions): Result<Life, Failure> {
  if (existsSync(spec.run_dir))
    return err(failure("RUMI-STR-022", { path: spec.run_dir }, { reasonCode: "M.RUN.EXISTS" }));
  mkdirSync(spec.run_dir, { recursive: true, mode: 0o700 });
  const slots = CheckpointSlots.create(join(spec.run_dir, "checkpoints"));
  return ok({
    writer: JournalWriter.create(writerOptions(spec, monotonic)),
    slots,
    expected: [],
    epochBefore: spec.epoch,
  });
}

export function readEarlierLife({ spec, monotonic, onSegment }: LifeOptions): Result<EarlierLife, Failure> {
  const directory = join(spec.run_dir, "journal");
  if (!existsSync(directory))
    return err(failure("RUMI-STR-021", { path: spec.run_dir }, { reasonCode: "M.JOURNAL.MISSING" }));
  const opened = CheckpointSlots.open(join(spec.run_dir, "checkpoints"));
  if (!opened.ok) return opened;
  const { slots, restored } = opened.value;
  const { checkpoint } = restored;
  const from = checkpoint?.header.journal_seq ?? 0;
  const read = readJournal({ directory, runId: spec.run_id, durableSeq: from });
  if (!read.ok) return read;
  const { entries } = read.value;
  if (read.value.last === null)
    return err(failure("RUMI-STR-021", { path: spec.run_dir }, { reasonCode: "M.JOURNAL.MISSING" }));
  const expected = entries.slice(from);
  const mismatch = checkpoint === null ? undefined : mismatchOf(spec, checkpoint.header, expected);
  if (mismatch !== undefined)
    return err(failure("RUMI-STR-037", { path: spec.run_dir, field: mismatch }, { reasonCode: "M.RUN.MISMATCH" }));
  for (const segment of read.value.closed) onSegment(segment);
  const writer = JournalWriter.resume(writerOptions(spec, monotonic), read.value);
  return ok({ writer, slots, restored, expected, epochBefore: epochAt(entries, from) ?? spec.epoch });
}

function writerOptions(spec: InstanceSpec, monotonic: () => number): Parameters<typeof JournalWriter.create>[0] {
  return {
    directory: join(spec.run_dir, "journal"),
    runId: spec.run_id,
    segmentBytes: SEGMENT_BYTES_DEFAULT,
    segmentAgeMs: SEGMENT_AGE_MS_DEFAULT,
    monotonic,
  };
}

/** Another pack may only continue where nothing is left to replay. */
function mismatchOf(
  spec: InstanceSpec,
  header: { readonly run_id: string; readonly pack_digest: string },
  expected: readonly JournalEntry[],
): string | undefined {
  if (header.run_id !== spec.run_id) return "run_id";
  if (
    header.pack_digest !== spec.pack_digest &&
    expected.some((entry) => isReproduced(entry) || entry.kind === "input")
  )
    return "pack_digest";
  return undefined;
}

function epochAt(entries: readonly JournalEntry[], seq: number): number | undefined {
  let epoch: number | undefined;
  for (const entry of entries.slice(0, seq))
    if (entry.kind === "run_started" || entry.kind === "run_resumed") epoch = entry.epoch;
  return epoch;
}
