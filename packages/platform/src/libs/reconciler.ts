/**
 * Runs the scripts of approved packs that are to run, one at a time, and keeps the file of records as the rows are.
 *
 * How to think: `run` looks and, where something is to do and nobody does it, begins; it waits for nothing. What a script
 * came to is one commit with its event, which wakes the next look. A program that dies before that commit runs it again.
 *
 * Invariants (libs.test.ts): a script runs from the approved tree, in a box as a block does, and only while its pack is as
 * it was approved; what could not be begun is no record, and is tried again after a while.
 */
import { readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { isoFromMicros, sha256Hex, type Clock, type Random } from "@rumi/kernel";
import { causeChain, type EventDraft, type Logger } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { placesOf, type Blocks } from "../flows/blocks.ts";
import type { BlockOutcome } from "../flows/run.ts";
import { digestFolder, readPlain, writeDurably } from "../packs/files.ts";
import type { Pack } from "../packs/model.ts";
import type { Reconciler } from "../packs/reconciler.ts";
import { packMarks, readPacks } from "../packs/tables.ts";
import { systemEvent } from "../system-events.ts";
import { dueOf, LIB_LIMITS, LIBS, type DueLib, type LibRecord, type LibScript } from "./model.ts";
import { libRecordView } from "./operations.ts";
import { readLibRecords, saveLibRecord } from "./tables.ts";

export type LibDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly blocks: Pick<Blocks, "call">;
  /** `user_data/packs/`: approved trees by their digest. */
  readonly packs: string;
  /** `user_data/settings/lib_execution_records.json` */
  readonly recordsPath: string;
};
export type Libs = { readonly reconciler: Reconciler; readonly close: () => Promise<void> };
type Approved = Pack & { readonly approved: NonNullable<Pack["approved"]> };

export function createLibs(deps: LibDeps): Libs {
  const { store, clock, logger } = deps;
  const stopping = new AbortController();
  const scripts = new Map<string, readonly LibScript[]>();
  const notBefore = new Map<string, number>();
  let busy: Promise<void> | undefined;
  /** Packs and records as they were when there was nothing to do. */
  let left: string | undefined;

  const scriptsOf = async (pack: Approved): Promise<readonly LibScript[]> => {
    const { digest } = pack.approved;
    const known = scripts.get(digest);
    if (known !== undefined) return known;
    const found = await findScripts(join(deps.packs, digestFolder(digest)));
    scripts.set(digest, found);
    return found;
  };
  const next = async (records: readonly LibRecord[]): Promise<{ pack: Approved; due: DueLib } | undefined> => {
    const packs = await readPacks(store, store);
    for (const pack of packs.filter(isApproved)) {
      if (clock.monotonic() < (notBefore.get(pack.pack_id) ?? 0)) continue;
      notBefore.delete(pack.pack_id);
      const own = records.filter(({ pack_id }) => pack_id === pack.pack_id);
      const due = dueOf(await scriptsOf(pack), own);
      if (due !== undefined) return { pack, due };
    }
    return undefined;
  };
  const carry = async (pack: Approved, due: DueLib): Promise<void> => {
    const isRecorded = await runLib(pack, due, stopping.signal, deps);
    if (!isRecorded) notBefore.set(pack.pack_id, clock.monotonic() + LIB_LIMITS.retry_ms);
  };
  return {
    reconciler: {
      name: "libs",
      run: async () => {
        const records = await readLibRecords(store, store);
        const marks = `${(await packMarks(store, store)).text}${JSON.stringify(records)}`;
        if (busy !== undefined || marks === left || stopping.signal.aborted) return;
        await writeRecords(deps.recordsPath, records);
        const found = await next(records);
        left = found === undefined && notBefore.size === 0 ? marks : undefined;
        if (found === undefined) return;
        busy = carry(found.pack, found.due)
          .catch((error: unknown) => logger.error("a pack's script failed inside", { causes: causeChain(error) }))
          .finally(() => (busy = undefined));
      },
    },
    close: async () => {
      stopping.abort();
      await busy;
    },
  };
}

const isApproved = (pack: Pack): pack is Approved => pack.state === "approved" && pack.approved !== null;

/** `lib/` below the root or `backend/`, found as a block's file is. */
async function findScripts(directory: string): Promise<readonly LibScript[]> {
  const found: LibScript[] = [];
  for (const lib of LIBS) {
    for (const file of placesOf(`lib/${lib}.py`)) {
      const bytes = await readPlain(join(directory, file));
      if (bytes === undefined) continue;
      found.push({ lib, file, sha256: sha256Hex(bytes) });
      break;
    }
  }
  return found;
}

/** Whether it came to a record. */
async function runLib(pack: Approved, due: DueLib, signal: AbortSignal, deps: LibDeps): Promise<boolean> {
  const { store, clock, random, logger } = deps;
  const { pack_id } = pack;
  const { lib, file, sha256 } = due.script;
  const began = clock.monotonic();
  const outcome = await deps.blocks.call({
    owner_pack: pack_id,
    principal_id: pack_id,
    file: `lib/${lib}.py`,
    input: { lib, version: pack.approved.manifest.version },
    context: { lib, phase: "lib", owner_pack: pack_id, ts: isoFromMicros(clock.now()) },
    timeout_ms: LIB_LIMITS.timeout_seconds * 1_000,
    signal,
  });
  if (signal.aborted) return false;
  if (outcome.kind === "failed" && outcome.error_code !== null) {
    logger.warning("a pack's script could not be begun", { pack_id, lib, error_code: outcome.error_code });
    return false;
  }
  const duration_us = Math.max(0, Math.round((clock.monotonic() - began) * 1_000));
  const error = problemOf(outcome);
  const executed_at = clock.now();
  const record: LibRecord = {
    pack_id,
    lib,
    file,
    sha256,
    state: error === null ? "success" : "failed",
    error,
    duration_us,
    executed_at,
  };
  const covered: readonly LibRecord[] =
    due.covers === undefined
      ? []
      : [{ ...due.covers, pack_id, state: "covered", error: null, duration_us: 0, executed_at }];
  const event = systemEvent({ clock, random, actor: "system:libs" }, eventOf(record));
  const writes = [record, ...covered].map((one) => saveLibRecord(store, one));
  const committed = await store.commit({ writes, events: [event] });
  if (!committed.ok) throw new Error(`the script ${lib} of ${pack_id} could not be recorded: ${committed.error.kind}`);
  return true;
}

function problemOf(outcome: BlockOutcome): string | null {
  return outcome.kind === "output" ? null : outcome.problem.slice(0, LIB_LIMITS.error_characters);
}

function eventOf({ pack_id, lib, error, duration_us }: LibRecord): EventDraft {
  return {
    action: "lib.executed",
    resource_type: "pack",
    resource_id: pack_id,
    outcome: error === null ? "SUCCESS" : "FAILURE",
    details: {
      owner_pack: pack_id,
      lib,
      trigger: "changed",
      execution_mode: "jail",
      error,
      duration_ms: duration_us / 1_000,
    },
  };
}

/** What is written down is in the store; this is for whoever looks at files. */
async function writeRecords(path: string, records: readonly LibRecord[]): Promise<void> {
  const entries = records.map((one) => [`${one.pack_id}:${one.lib}`, libRecordView(one)]);
  const text = `${JSON.stringify({ version: "1.0", records: Object.fromEntries(entries) as object }, null, 2)}\n`;
  const before = await readFile(path, "utf8").catch(() => undefined);
  if (before === text || (before === undefined && records.length === 0)) return;
  await rm(`${path}.new`, { force: true });
  await writeDurably(`${path}.new`, Buffer.from(text, "utf8"), 0o644);
  await rename(`${path}.new`, path);
}
