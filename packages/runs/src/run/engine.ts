/**
 * Carries runs from their wish to their bundle, and makes the next revision when somebody decided on a violation.
 *
 * How to think: a run's row says how far it is; `carry` does what comes next, writes it down, and goes on. Every step can be
 * done again: a program that begins carries whatever is not finished. The command itself is never started twice; one whose
 * process was lost with its program is cancelled, and what it left is evidence all the same.
 *
 * Order (P-5): the run ends → checks → violations → bundle → its reference; each with its event.
 *
 * Invariants (engine.test.ts, runs.e2e.test.ts)
 * - A bundle is on the disk, durable, before its row and its event are.
 * - A bundle that was made is never changed; a decision makes the next revision, which names the earlier one's digest.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sha256Hex, type Clock, type Random } from "@rumi/kernel";
import type { Attester } from "@rumi/ledger";
import { causeChain, type EventDraft, type Logger } from "@rumi/operations";
import { systemEvent } from "@rumi/platform";
import { feedWrite, type Store, type Write } from "@rumi/store";
import {
  addWorktree,
  difference,
  openRepository,
  removeWorktree,
  runBranch,
  takeSnapshot,
  type Difference,
  type Snapshot,
  type Worktree,
} from "../git/repository.ts";
import { privateParts, takeCommits } from "../git/private-objects.ts";
import { removeAll } from "../git/tree-walk.ts";
import type { BoxMechanism } from "../process/box.ts";
import { killGroup, startOf } from "../process/child.ts";
import { bundleOf, bundleText, proofStatement } from "../proof/bundle.ts";
import { enforcementOf, keptPrompt, runCheck, startCommand, type Workshop } from "./execute.ts";
import { judge } from "./judge.ts";
import type { Run } from "./model.ts";
import { changedBetween, fingerprints, fromKept, keptText } from "./outside.ts";
import { attestationRef, bundleRef, placesOf, type RunPlaces } from "./places.ts";
import {
  insertBundle,
  insertCheck,
  insertViolation,
  readBundles,
  readChecks,
  readRun,
  readUnfinished,
  readViolations,
  updateRun,
} from "./tables.ts";

export type RunEngineDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly attester: Attester;
  readonly shop: Workshop;
  /** Asked once. */
  readonly mechanism: () => Promise<BoxMechanism>;
  readonly writeDurably: (path: string, text: string) => void;
};

export interface RunEngine {
  /** Carries whatever nobody carries. Returns when all of it is under way. */
  resume(): Promise<void>;
  /** Ends the command of a run whose row asks for it. */
  stop(run_id: number): void;
  /** Resolves once nothing of the run is under way. */
  settled(run_id: number): Promise<void>;
  readonly mechanism: () => Promise<BoxMechanism>;
  /** Commands that run are ended, and cancelled by the next program. */
  close(): Promise<void>;
}

type Live = { readonly stop: AbortController; readonly done: Promise<void> };

export function createRunEngine(deps: RunEngineDeps): RunEngine {
  const live = new Map<number, Live>();
  const closing = new AbortController();
  let found: Promise<BoxMechanism> | undefined;
  const mechanism = (): Promise<BoxMechanism> => (found ??= deps.mechanism());
  const begin = (run: Run): void => {
    const stop = new AbortController();
    const done = carry(run, { ...deps, mechanism, stop: stop.signal, closing: closing.signal })
      .catch(async (error: unknown) => {
        deps.logger.error("a run could not be gone on with", { run: run.run_id, causes: causeChain(error) });
        await breakOff(run.run_id, error, deps);
      })
      .catch((error: unknown) =>
        deps.logger.error("a broken run could not be written down", { run: run.run_id, causes: causeChain(error) }),
      )
      .finally(() => live.delete(run.run_id));
    live.set(run.run_id, { stop, done });
    if (run.stop_requested) stop.abort();
  };
  return {
    mechanism,
    resume: async () => {
      if (closing.signal.aborted) return;
      for (const run of await readUnfinished(deps.store, deps.store)) {
        const known = live.get(run.run_id);
        if (known === undefined) begin(run);
        else if (run.stop_requested) known.stop.abort();
      }
    },
    stop: (run_id) => live.get(run_id)?.stop.abort(),
    settled: async (run_id) => live.get(run_id)?.done,
    close: async () => {
      closing.abort();
      for (const one of live.values()) one.stop.abort();
      await Promise.allSettled([...live.values()].map(({ done }) => done));
    },
  };
}

type World = RunEngineDeps & { readonly stop: AbortSignal; readonly closing: AbortSignal };

/** One phase after the other until there is nothing left to do, or the program ends. */
async function carry(first: Run, world: World): Promise<void> {
  let run: Run | undefined = first;
  let isOwn = false;
  while (run !== undefined && !world.closing.aborted) {
    const places = placesOf(world.shop.root, run.run_id);
    switch (run.phase) {
      case "requested":
        await perform(run, places, world);
        isOwn = true;
        break;
      case "running":
        if (isOwn) throw new Error(`the end of run ${run.run_id} is not written down`);
        await lose(run, world);
        break;
      case "ended":
        await keep(run, places, world);
        break;
      case "kept":
        if ((await check(run, places, world)) === "interrupted") return;
        break;
      case "checked":
        await judgeAndProve(run, places, world);
        break;
      case "proved":
        if (run.decisions === run.proved_decisions) return;
        await prove(run, places, await differenceOf(run, world), world);
        break;
      default:
        return;
    }
    run = await readRun(world.store, world.store, run.run_id);
  }
}

/** Writes down what was done; false where somebody else changed the run meanwhile, who is asked again then. */
async function commit(
  { store, clock, random }: RunEngineDeps,
  run: Run,
  writes: readonly Write[],
  events: readonly EventDraft[],
): Promise<boolean> {
  const by = { clock, random, actor: "system:runs" };
  const told = feedWrite(store, {
    kind: "code_run",
    key: String(run.run_id),
    data: JSON.stringify({ run_id: run.run_id }),
    at: clock.now(),
  });
  const committed = await store.commit({
    writes: [...writes, told],
    events: events.map((event) => systemEvent(by, event, { trace_id: run.trace_id })),
  });
  if (committed.ok) return true;
  if (committed.error.kind === "conflict") return false;
  throw new Error(`a run could not be written down: ${committed.error.failure.code}`, {
    cause: committed.error.failure,
  });
}

const event = (
  run: Run,
  action: string,
  details: Readonly<Record<string, unknown>>,
  outcome: "SUCCESS" | "FAILURE" = "SUCCESS",
): EventDraft => ({
  action,
  resource_type: "code_run",
  resource_id: String(run.run_id),
  outcome,
  details,
});

/** Makes the worktree, starts the command, waits for its end. */
async function perform(run: Run, places: RunPlaces, world: World): Promise<void> {
  const { store, clock, shop } = world;
  if (run.stop_requested) {
    await commit(
      world,
      run,
      [
        updateRun(store, run, {
          phase: "broken",
          problem: "it was stopped before it began",
          cancelled: true,
          finished_at: clock.now(),
        }),
      ],
      [event(run, "run.finished", { exit_code: null, cancelled: true })],
    );
    return;
  }
  const repo = await openRepository(shop.git, run.repo);
  const worktree = await addWorktree(shop.git, repo, {
    run_id: run.run_id,
    path: places.tree,
    base_sha: run.base_sha,
    evidence: places.evidence,
  });
  writeFileSync(join(places.folder, "git-dir"), worktree.git_dir);
  const mechanism = await world.mechanism();
  const enforcement = enforcementOf(mechanism, run);
  if (enforcement.outside === "after_only")
    world.writeDurably(join(places.folder, "outside.json"), keptText(await fingerprints(repo.root, repo.common_dir)));
  // First the word, then the deed: whoever finds the word and no process calls the run cancelled, and nobody starts it again.
  const began = await commit(
    world,
    run,
    [updateRun(store, run, { phase: "running", enforcement })],
    [
      event(run, "run.started", {
        base_sha: run.base_sha,
        branch: runBranch(run.run_id),
        enforcement_scope: enforcement.scope,
        mechanism,
      }),
    ],
  );
  if (!began) return;
  const running = { ...run, phase: "running" } as const;
  const command = startCommand(
    { run, prompt: keptPrompt(places), places, repo, worktree, mechanism, stop: world.stop },
    shop,
  );
  await commit(
    world,
    running,
    [updateRun(store, running, { pid: command.child.pid, pid_started: command.started })],
    [],
  );
  const end = await command.child.ended;
  command.finish(end);
  if (world.closing.aborted) return; // the next program calls it cancelled
  const change = {
    phase: "ended",
    exit_code: end.exit_code,
    cancelled: end.cause === "stopped",
    finished_at: clock.now(),
  } as const;
  await commit(
    world,
    running,
    [updateRun(store, running, change)],
    [
      event(
        run,
        "run.finished",
        { exit_code: end.exit_code, cancelled: change.cancelled, cause: end.cause },
        end.exit_code === 0 ? "SUCCESS" : "FAILURE",
      ),
    ],
  );
}

/** Its program ended while it ran. What is left of its processes is ended before what it left is looked at. */
async function lose(run: Run, world: World): Promise<void> {
  if (run.pid !== null && run.pid_started !== null && startOf(run.pid) === run.pid_started) killGroup(run.pid);
  const change = { phase: "ended", cancelled: true, finished_at: world.clock.now() } as const;
  await commit(
    world,
    run,
    [updateRun(world.store, run, change)],
    [event(run, "run.finished", { exit_code: null, cancelled: true, cause: "lost" }, "FAILURE")],
  );
}

function worktreeOf(run: Run, places: RunPlaces): Worktree {
  return {
    path: places.tree,
    git_dir: readFileSync(join(places.folder, "git-dir"), "utf8"),
    branch: runBranch(run.run_id),
    base_sha: run.base_sha,
  };
}

async function keep(run: Run, places: RunPlaces, world: World): Promise<void> {
  const { store, shop } = world;
  const repo = await openRepository(shop.git, run.repo);
  const worktree = worktreeOf(run, places);
  const parts = privateParts(places.folder);
  const boxed = existsSync(parts.objects)
    ? { head_sha: await takeCommits(shop.git, repo, worktree, { parts, evidence: places.evidence }) }
    : {};
  const snapshot = await takeSnapshot(shop.git, repo, worktree, {
    run_id: run.run_id,
    evidence: places.evidence,
    at_seconds: Math.floor((run.finished_at ?? run.started_at) / 1_000_000),
    ...boxed,
  });
  const baseline = join(places.folder, "outside.json");
  const outside = existsSync(baseline)
    ? changedBetween(fromKept(readFileSync(baseline, "utf8")), await fingerprints(repo.root, repo.common_dir))
    : [];
  const found: Found = { nested: snapshot.nested, special: snapshot.special, outside };
  world.writeDurably(join(places.folder, "found.json"), JSON.stringify(found));
  const { head_sha, snapshot_sha, worktree_dirty } = snapshot;
  await commit(world, run, [updateRun(store, run, { phase: "kept", head_sha, snapshot_sha, worktree_dirty })], []);
}

type Found = Pick<Snapshot, "nested" | "special"> & { readonly outside: readonly string[] };

async function check(run: Run, places: RunPlaces, world: World): Promise<"done" | "interrupted"> {
  const { store, shop } = world;
  const known = new Set((await readChecks(store, store, run.run_id)).map(({ ordinal }) => ordinal));
  const repo = await openRepository(shop.git, run.repo);
  for (const [ordinal, definition] of run.dod_snapshot.required_checks.entries()) {
    if (known.has(ordinal)) continue;
    const result = await runCheck(
      {
        run,
        ordinal,
        check: definition,
        places,
        mechanism: await world.mechanism(),
        stop: world.closing,
        snapshot_sha: run.snapshot_sha ?? "",
        repo,
      },
      shop,
    );
    if (result === "interrupted") return result;
    const { check_key, exit_code, duration_ms, executed_nothing, log_sha256 } = result;
    await commit(
      world,
      run,
      [insertCheck(store, result)],
      [
        event(
          run,
          "run.check_finished",
          { check_key, exit_code, duration_ms, executed_nothing, log_sha256 },
          exit_code === 0 ? "SUCCESS" : "FAILURE",
        ),
      ],
    );
  }
  await commit(world, run, [updateRun(store, run, { phase: "checked" })], []);
  return "done";
}

async function differenceOf(run: Run, { shop }: World): Promise<Difference> {
  const repo = await openRepository(shop.git, run.repo);
  return difference(shop.git, repo, run.base_sha, run.snapshot_sha ?? "");
}

async function judgeAndProve(run: Run, places: RunPlaces, world: World): Promise<void> {
  const { store, shop } = world;
  const repo = await openRepository(shop.git, run.repo);
  await removeWorktree(shop.git, repo, places.tree, worktreeOf(run, places).git_dir); // what it held is in the snapshot
  for (const path of [places.checkout, places.home, places.evidence, join(places.folder, "private")])
    await removeAll(path);
  const made = await differenceOf(run, world);
  const known = await readViolations(store, store, run.run_id);
  if (known.length === 0) {
    const found = JSON.parse(readFileSync(join(places.folder, "found.json"), "utf8")) as Found;
    const judged = await judge(run.scope_snapshot, made.changed, found, found.outside);
    const undecided = {
      approved_status: "pending",
      decided_at: null,
      decided_by: null,
      decision_reason: null,
    } as const;
    const writes = judged.map(({ path, reason }, index) =>
      insertViolation(store, { run_id: run.run_id, violation_id: index + 1, path, reason, ...undecided }),
    );
    const events = judged.length === 0 ? [] : [event(run, "run.violations_found", { violations: judged.length })];
    if (!(await commit(world, run, writes, events))) return;
  }
  await prove(run, places, made, world);
}

/** The next revision: the file, then its signed form, then the row, the event and the reference at once. */
async function prove(run: Run, places: RunPlaces, { changed, diff_stat }: Difference, world: World): Promise<void> {
  const { store, clock, shop } = world;
  const [checks, violations, bundles] = await store.snapshot(async (reader) => [
    await readChecks(reader, store, run.run_id),
    await readViolations(reader, store, run.run_id),
    await readBundles(reader, store, run.run_id),
  ]);
  const log = readFileSync(places.log);
  const previous = bundles.at(-1);
  const revision = (previous?.revision ?? 0) + 1;
  const generated_at = clock.now();
  const bundle = bundleOf({
    run,
    checks,
    violations,
    changed_files: changed.map(({ text }) => text),
    diff_stat,
    log: { sha256: sha256Hex(log), bytes: log.length },
    revision,
    previous_sha256: previous?.sha256 ?? null,
    generated_at,
  });
  const text = bundleText(bundle);
  const references = Object.fromEntries([
    ["log.jsonl", sha256Hex(log)],
    ...checks.map(({ ordinal, log_sha256 }) => [`check-${ordinal}.jsonl`, log_sha256]),
  ]);
  const envelope = JSON.stringify(world.attester.sign(proofStatement(text, bundle, references)));
  const [ref, attestation_ref] = [bundleRef(run.run_id, revision), attestationRef(run.run_id, revision)];
  world.writeDurably(join(shop.root, ref), text);
  world.writeDurably(join(shop.root, attestation_ref), `${envelope}\n`);
  const sha256 = sha256Hex(text);
  const decisions = violations.filter(({ decided_at }) => decided_at !== null).length;
  await commit(
    world,
    run,
    [
      insertBundle(store, { run_id: run.run_id, revision, ref, sha256, attestation_ref, generated_at }),
      updateRun(store, run, { phase: "proved", proof_bundle_ref: ref, proved_decisions: decisions }),
    ],
    [
      event(run, "run.proof_generated", {
        revision,
        bundle_sha256: sha256,
        previous_sha256: previous?.sha256 ?? null,
        snapshot_sha: run.snapshot_sha,
      }),
    ],
  );
}

/** What stands in the way is kept with the run: there is no bundle of it, and nobody waits for one. */
async function breakOff(run_id: number, error: unknown, deps: RunEngineDeps): Promise<void> {
  const run = await readRun(deps.store, deps.store, run_id);
  if (run === undefined || run.phase === "proved" || run.phase === "broken") return;
  const problem = (error instanceof Error ? error.message : String(error)).slice(0, 1_000);
  const change = {
    phase: "broken",
    problem,
    ...(run.finished_at === null ? { finished_at: deps.clock.now() } : {}),
  } as const;
  await commit(
    deps,
    run,
    [updateRun(deps.store, run, change)],
    [event(run, "run.evidence_failed", { problem }, "FAILURE")],
  );
}
