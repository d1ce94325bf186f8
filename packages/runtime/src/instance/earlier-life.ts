/**
 * What an instance begins with: nothing (a fresh run directory), or the checkpoint and journal of an earlier life.
 *
 * Nothing is replayed here and nothing is written: this only reads, checks that it belongs to this run, and opens the
 * journal at its end.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { digestOf, err, type Failure, failure, type JsonObject, ok, type Result } from "@rumi/kernel";
import { type Checkpoint, decodeCheckpoint } from "../checkpoint/format.ts";
import { CheckpointSlots, newestSlot, type Restored } from "../checkpoint/slots.ts";
import { listSegments, readJournal } from "../journal/reader.ts";
import { JournalWriter, SEGMENT_AGE_MS_DEFAULT, SEGMENT_BYTES_DEFAULT } from "../journal/writer.ts";
import type { InstanceSpec, JournalEntry, SegmentClosed } from "../protocol.ts";
import type { Datasync } from "../journal/datasync.ts";
import { carryTape } from "../tape/carried.ts";
import type { Began } from "./recorder.ts";
import {
  mismatchWith,
  ORIGIN_FILE,
  readRunRecord,
  runRecordOf,
  tellsRefused,
  writeOnce,
  writeRunRecord,
} from "./run-record.ts";

export type LifeOptions = {
  readonly spec: InstanceSpec;
  readonly monotonic: () => number;
  readonly datasync?: Datasync;
  readonly onSegment: (segment: SegmentClosed) => void;
};

export type Life = {
  readonly writer: JournalWriter;
  readonly slots: CheckpointSlots;
  /** Entries after the checkpoint, to be regenerated. */
  readonly expected: readonly JournalEntry[];
  /** Epoch in force where they begin. */
  readonly epochBefore: number;
  readonly began: Began;
  /** The checkpoint of another run that this one begins with. */
  readonly origin: Checkpoint | null;
  readonly tellsRefused: boolean;
  /** The configuration that the run was begun with; later ones are inputs of its journal. */
  readonly config: JsonObject;
};
export type EarlierLife = Life & { readonly restored: Restored };

/** A run directory without a single journal segment is what a start left that died at once: it is made anew. */
export function beginLife({ spec, ...around }: LifeOptions): Result<Life, Failure> {
  if (listSegments(join(spec.run_dir, "journal")).length > 0)
    return err(failure("RUMI-STR-022", { path: spec.run_dir }, { reasonCode: "M.RUN.EXISTS" }));
  const origin = spec.from === undefined ? ok(null) : readOrigin(spec.from);
  if (!origin.ok) return origin;
  rmSync(spec.run_dir, { recursive: true, force: true });
  mkdirSync(spec.run_dir, { recursive: true, mode: 0o700 });
  if (origin.value !== null) writeOnce(join(spec.run_dir, ORIGIN_FILE), origin.value);
  if (spec.from !== undefined && spec.venue.live !== undefined && spec.follows === undefined)
    carryTape(spec.from.run_dir, spec.run_dir);
  const record = writeRunRecord(spec.run_dir, runRecordOf(spec, origin.value === null ? null : digestOf(origin.value)));
  const slots = CheckpointSlots.create(join(spec.run_dir, "checkpoints"));
  return ok({
    writer: JournalWriter.create(writerOptions(spec, around)),
    slots,
    expected: [],
    epochBefore: spec.epoch,
    began: { run: record },
    origin: origin.value === null ? null : decoded(origin.value),
    tellsRefused: true,
    config: spec.config,
  });
}

/** The newest sound checkpoint of the run that this one begins with. */
function readOrigin(from: NonNullable<InstanceSpec["from"]>): Result<Buffer, Failure> {
  const path = newestSlot(join(from.run_dir, "checkpoints"));
  return path === undefined
    ? err(
        failure(
          "RUMI-STR-023",
          { path: from.run_dir, problem: "no sound checkpoint of the earlier run is left" },
          { reasonCode: "M.STATE.CORRUPT" },
        ),
      )
    : ok(readFileSync(path));
}

function decoded(bytes: Buffer): Checkpoint | null {
  const checkpoint = decodeCheckpoint(bytes);
  return typeof checkpoint === "string" ? null : checkpoint;
}

export function readEarlierLife({ spec, onSegment, ...around }: LifeOptions): Result<EarlierLife, Failure> {
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
  const record = readRunRecord(spec.run_dir);
  if (!record.ok) return record;
  const mismatch =
    record.value === null
      ? checkpoint === null || checkpoint.header.run_id === spec.run_id
        ? undefined
        : "run_id"
      : mismatchWith(record.value.record, spec);
  if (mismatch !== undefined)
    return err(failure("RUMI-STR-037", { path: spec.run_dir, field: mismatch }, { reasonCode: "M.RUN.MISMATCH" }));
  const origin = originOf(spec.run_dir, record.value);
  if (!origin.ok) return origin;
  for (const segment of read.value.closed) onSegment(segment);
  const writer = JournalWriter.resume(writerOptions(spec, around), read.value);
  const began: Began = {
    ...(record.value === null ? {} : { run: record.value.digest }),
    ...(checkpoint === null ? {} : { checkpoint: checkpoint.header.generation }),
  };
  const epochBefore = epochAt(entries, from) ?? spec.epoch;
  return ok({
    writer,
    slots,
    restored,
    expected,
    epochBefore,
    began,
    origin: origin.value,
    tellsRefused: record.value !== null && tellsRefused(record.value.record),
    config: record.value?.record.config ?? spec.config,
  });
}

/** The state that the run began with, if it was another run's; RUMI-STR-070 when it is not the one on record. */
export function originOf(
  run_dir: string,
  read: { readonly record: { readonly from: { readonly checkpoint: string } | null } } | null,
): Result<Checkpoint | null, Failure> {
  if (read === null || read.record.from === null) return ok(null);
  const path = join(run_dir, ORIGIN_FILE);
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const checkpoint = digestOf(bytes) === read.record.from.checkpoint ? decoded(bytes) : null;
  return checkpoint === null
    ? err(failure("RUMI-STR-070", { path, problem: "it is not the state on record" }, { reasonCode: "M.RUN.RECORD" }))
    : ok(checkpoint);
}

function writerOptions(
  spec: InstanceSpec,
  { monotonic, datasync }: Pick<LifeOptions, "monotonic" | "datasync">,
): Parameters<typeof JournalWriter.create>[0] {
  return {
    directory: join(spec.run_dir, "journal"),
    runId: spec.run_id,
    segmentBytes: SEGMENT_BYTES_DEFAULT,
    segmentAgeMs: SEGMENT_AGE_MS_DEFAULT,
    monotonic,
    ...(datasync === undefined ? {} : { datasync }),
  };
}

function epochAt(entries: readonly JournalEntry[], seq: number): number | undefined {
  let epoch: number | undefined;
  for (const entry of entries.slice(0, seq))
    if (entry.kind === "run_started" || entry.kind === "run_resumed") epoch = entry.epoch;
  return epoch;
}
