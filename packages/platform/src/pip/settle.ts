/**
 * Carries out an approval that is durable: installs, and writes down what came of it.
 *
 * An approval is kept as `failed` with a note until its environment is in place, so a program that dies in between leaves
 * something that a scan makes pending again, and never one that looks installed.
 */
import { join } from "node:path";
import {
  err,
  failure,
  failureText,
  ok,
  sha256Hex,
  type Clock,
  type Failure,
  type Random,
  type Result,
} from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";
import type { Store, Write } from "@rumi/store";
import { readCandidate, readCandidates, removeCandidate, saveCandidate } from "../candidates/tables.ts";
import { readPlain } from "../packs/files.ts";
import type { PackLibrary } from "../packs/library.ts";
import { systemEvent } from "../system-events.ts";
import { pipView } from "./answers.ts";
import { install, type InstallDeps } from "./install.ts";
import type { PipCandidate, PipFacts } from "./scan.ts";

export const INSTALLING = "approved; its installation has not ended";

export type SettleDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly library: Pick<PackLibrary, "verify">;
  readonly install: InstallDeps;
};
/** What an approval was for. */
export type Approved = {
  readonly candidate_key: string;
  readonly generation: number;
  readonly index_url: string;
  readonly allow_sdist: boolean;
  readonly notes: string | null;
};

export function pipSettler(deps: SettleDeps): (approved: Approved) => Promise<Result<unknown, Failure>> {
  const under = new Map<string, Promise<Result<unknown, Failure>>>();
  return (approved) => {
    const key = `${approved.candidate_key} ${approved.generation}`;
    const running = under.get(key) ?? settle(approved, deps).finally(() => under.delete(key));
    under.set(key, running);
    return running;
  };
}

async function settle(approved: Approved, deps: SettleDeps): Promise<Result<unknown, Failure>> {
  const { store, clock } = deps;
  const { candidate_key, generation, index_url, allow_sdist, notes } = approved;
  const before = await readCandidate<PipFacts>(store, store, "pip", candidate_key);
  if (before === undefined) return err(failure("RUMI-PIP-001", { candidate_key }));
  // Asked again, after it had ended.
  if (before.state === "installed") return ok(pipView(before, clock.now()));
  if (before.generation !== generation || before.note !== INSTALLING)
    return err(failure("RUMI-PIP-007", { problem: before.note ?? `the candidate is ${before.state}` }));
  const done = await installed(before, approved, deps);
  const next: PipCandidate = done.ok
    ? {
        ...before,
        state: "installed",
        note: notes,
        facts: { ...before.facts, installed: { index_url, allow_sdist, environment: done.value } },
        generation: generation + 1,
      }
    : {
        ...before,
        state: "failed",
        note: failureText(done.error, "en").text.slice(0, 1_024),
        generation: generation + 1,
      };
  const older = done.ok ? await replaced(before, deps) : [];
  const event = pipEvent("candidate.approved", next, { notes }, done.ok ? "SUCCESS" : "FAILURE");
  const committed = await store.commit({
    writes: [saveCandidate(store, "pip", next, before, clock.now()), ...older],
    events: [systemEvent({ clock, random: deps.random, actor: "system:pip" }, event)],
  });
  if (!committed.ok)
    return err(
      committed.error.kind === "failed"
        ? committed.error.failure
        : failure("RUMI-PIP-007", { problem: "the candidate was changed meanwhile" }),
    );
  return done.ok ? ok(pipView(next, clock.now())) : done;
}

/** The lock is still what was approved, in a pack that still is. */
async function installed({ candidate_key, pack_id, facts }: PipCandidate, approved: Approved, deps: SettleDeps) {
  const pack = await deps.library.verify(pack_id);
  if (!pack.ok) return pack;
  const lock = await readPlain(join(pack.value.directory, facts.path));
  const found = lock === undefined ? "none" : sha256Hex(lock);
  if (found !== facts.sha256) return err(failure("RUMI-PIP-003", { candidate_key, found }));
  return install({ ...approved, packages: facts.packages }, deps.install);
}

/** What an older lock of the same place brought is no longer in force. */
async function replaced(by: PipCandidate, { store }: SettleDeps): Promise<readonly Write[]> {
  return (await readCandidates<PipFacts>(store, store, "pip"))
    .filter(
      (one) =>
        one.pack_id === by.pack_id &&
        one.facts.path === by.facts.path &&
        one.candidate_key !== by.candidate_key &&
        one.state === "installed",
    )
    .map((one) => removeCandidate(store, "pip", one));
}

export function pipEvent(
  action: string,
  one: PipCandidate,
  details: EventDraft["details"],
  outcome: EventDraft["outcome"] = "SUCCESS",
): EventDraft {
  return {
    action,
    resource_type: "pip_candidate",
    resource_id: one.candidate_key,
    outcome,
    details: { owner_pack: one.pack_id, sha256: one.facts.sha256, ...details },
  };
}
