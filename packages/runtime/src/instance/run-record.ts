/**
 * What a run was begun with, kept beside its journal: everything a replay needs and the journal does not say.
 *
 * `run.json` is written once, before the first journal record, which names its digest: a changed record is found by
 * the chain. A run that began with another run's state keeps that state as `origin.checkpoint`, named by its digest.
 * Where packs and recordings lie is not in it; their digests are. Format: docs/formats/run-record.md.
 *
 * Invariants
 * - A record that was changed, or that belongs to another run, is refused (replay-run.test.ts).
 * - A run is continued only with what it was begun with, its configuration apart (recovery.test.ts).
 */
import { closeSync, existsSync, fdatasyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import {
  canonicalJson,
  type Digest,
  digestOf,
  err,
  type Failure,
  failure,
  type Json,
  ok,
  type Result,
} from "@rumi/kernel";
import { syncDirectory } from "../journal/writer.ts";
import type { InstanceSpec } from "../protocol.ts";

export const RUN_RECORD_FILE = "run.json";
export const ORIGIN_FILE = "origin.checkpoint";

export type RunRecord = Omit<
  InstanceSpec,
  "start" | "begin" | "lease" | "epoch" | "pack_dir" | "run_dir" | "from" | "follows" | "admission"
> & {
  readonly schema_version: 1;
  /**
   * The strategy hears what the gate refused or changed, and its state is kept at each intent and report; absent in a run
   * that began before that was so.
   */
  readonly refusals?: "told";
  /** The run whose events a shadow takes. */
  readonly follows: string | null;
  /** The run whose state it began with, and the digest of that checkpoint. */
  readonly from: { readonly run_id: string; readonly checkpoint: Digest } | null;
};

export function runRecordOf(spec: InstanceSpec, origin: Digest | null): RunRecord {
  const {
    start: _s,
    begin: _b,
    lease: _l,
    epoch: _e,
    pack_dir: _p,
    run_dir: _r,
    admission: _a,
    follows,
    from,
    ...rest
  } = spec;
  return {
    ...rest,
    schema_version: 1,
    refusals: "told",
    follows: follows === undefined ? null : follows.run_id,
    from: from === undefined || origin === null ? null : { run_id: from.run_id, checkpoint: origin },
  };
}

export const tellsRefused = (record: Pick<RunRecord, "refusals">): boolean => record.refusals === "told";

/** Writes it once and durably; answers its digest. */
export function writeRunRecord(run_dir: string, record: RunRecord): Digest {
  const text = canonicalJson(record);
  writeOnce(join(run_dir, RUN_RECORD_FILE), Buffer.from(text, "utf8"));
  syncDirectory(run_dir);
  return digestOf(text);
}

export function writeOnce(path: string, bytes: Uint8Array): void {
  const fd = openSync(path, "wx", 0o600);
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  fdatasyncSync(fd);
  closeSync(fd);
}

export type ReadRecord = { readonly record: RunRecord; readonly digest: Digest };

/** `null` for a run that began before records were kept. Error RUMI-STR-070. */
export function readRunRecord(run_dir: string): Result<ReadRecord | null, Failure> {
  const path = join(run_dir, RUN_RECORD_FILE);
  if (!existsSync(path)) return ok(null);
  const text = readFileSync(path, "utf8");
  try {
    const record = JSON.parse(text) as RunRecord;
    if (record.schema_version === 1 && canonicalJson(record) === text) return ok({ record, digest: digestOf(text) });
  } catch {
    // told below: it is no record of ours
  }
  return err(
    failure(
      "RUMI-STR-070",
      { path, problem: "it is not canonical, or of another version" },
      { reasonCode: "M.RUN.RECORD" },
    ),
  );
}

/** What a continued run must be begun with again, by name; its configuration and where files lie may differ. */
const KEPT = [
  "run_id",
  "bot_id",
  "strategy_id",
  "strategy_version",
  "instance_id",
  "trace_id",
  "mode",
  "descriptor",
  "pack_digest",
  "seed",
  "environment",
  "instruments",
  "limits",
  "breaker",
  "stop_conditions",
  "staging",
] as const;

/** The first thing in which `spec` is not what the run was begun with. */
export function mismatchWith(record: RunRecord, spec: InstanceSpec): string | undefined {
  const same = (a: unknown, b: unknown): boolean =>
    a === b || (a !== undefined && b !== undefined && canonicalJson(a as Json) === canonicalJson(b as Json));
  const field = KEPT.find((name) => !same(record[name], spec[name]));
  return field ?? (same(venueOf(record), venueOf(spec)) ? undefined : "venue");
}

function venueOf({ venue }: Pick<InstanceSpec, "venue">): unknown {
  const { pace: _pace, files, ...rest } = venue;
  return { ...rest, files: files.map(({ path: _path, ...file }) => file) };
}
