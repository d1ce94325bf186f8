/**
 * Carries out an execution that was admitted, once in the life of a program, and keeps what came of it.
 *
 * One that was under way when a program died is carried out again when it is asked for again.
 */
import { join } from "node:path";
import { err, failure, isoFromMicros, ok, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import type { Store } from "@rumi/store";
import type { Blocks } from "../flows/blocks.ts";
import { packOfPrincipal } from "../grants/model.ts";
import type { PackLimits } from "../packs/limits.ts";
import { readUsedTree } from "../packs/tree-at-once.ts";
import { systemEvent } from "../system-events.ts";
import { fileOfUnit, type Unit } from "./model.ts";
import { endUnitRun, readUnitRun, readUnits, type UnitAnswer, type UnitRun } from "./tables.ts";

export type ExecuteDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** `user_data/stores/`. */
  readonly folder: string;
  readonly limits: PackLimits;
  readonly jails: Pick<Blocks, "callHandler">;
};

export function unitFolder(folder: string, of: Pick<Unit, "store_id" | "namespace" | "name" | "version">): string {
  return join(folder, of.store_id, of.namespace, of.name, of.version);
}

export function unitExecutor(deps: ExecuteDeps): (run_id: string) => Promise<Result<unknown, Failure>> {
  const under = new Map<string, Promise<Result<unknown, Failure>>>();
  return (run_id) => {
    const running = under.get(run_id) ?? carryOut(run_id, deps).finally(() => under.delete(run_id));
    under.set(run_id, running);
    return running;
  };
}

async function carryOut(run_id: string, deps: ExecuteDeps): Promise<Result<unknown, Failure>> {
  const { store, clock, random } = deps;
  const found = await readUnitRun(store, store, run_id);
  if (found === undefined) return err(failure("RUMI-SYS-011", { what: "run", id: run_id }));
  const { run } = found;
  if (found.answer !== null) return told(run, found.answer);
  const answer = await executed(run, deps);
  const { unit_id, version, principal_id, mode, actor, trace_id } = run;
  const event = systemEvent(
    { clock, random, actor },
    {
      action: "unit.executed",
      resource_type: "unit",
      resource_id: `${run.store_id}/${unit_id}/${version}`,
      outcome: answer.kind === "output" ? "SUCCESS" : "FAILURE",
      details: {
        owner_pack: packOfPrincipal(principal_id).slice(0, 64),
        principal_id,
        execution_mode: mode,
        error: answer.kind === "failed" ? answer.problem.slice(0, 2_000) : null,
      },
    },
    { trace_id, run_id },
  );
  const committed = await store.commit({ writes: [endUnitRun(store, run_id, answer)], events: [event] });
  if (!committed.ok)
    return err(failure("RUMI-UNIT-005", { unit_id, version, problem: "its end could not be written" }));
  return told(run, answer);
}

function told(
  { unit_id, version, store_id, principal_id, mode }: UnitRun,
  answer: UnitAnswer,
): Result<unknown, Failure> {
  if (answer.kind === "failed")
    return err(failure("RUMI-UNIT-005", { unit_id, version, problem: answer.problem.slice(0, 2_000) }));
  const { output, execution_time } = answer;
  return ok({ unit_ref: { store_id, unit_id, version }, principal_id, mode, output, execution_time });
}

async function executed(run: UnitRun, { store, clock, folder, limits, jails }: ExecuteDeps): Promise<UnitAnswer> {
  const unit = (await readUnits(store, store)).find(isOf(run));
  if (unit === undefined) return { kind: "failed", problem: "it is there no more" };
  const directory = unitFolder(folder, unit);
  const tree = await readUsedTree(directory, limits, clock);
  if (!tree.ok || tree.value.digest !== unit.digest)
    return { kind: "failed", problem: "its folder is not what was published" };
  const { entrypoint = "" } = unit;
  const began = clock.monotonic();
  const outcome = await jails.callHandler({
    code: { key: `unit:${directory}`, digest: unit.digest, directory, entries: tree.value.entries },
    file: fileOfUnit(unit),
    function: entrypoint.slice(entrypoint.lastIndexOf(":") + 1),
    context: {
      principal_id: run.principal_id,
      unit_id: unit.unit_id,
      version: unit.version,
      mode: run.mode,
      ts: isoFromMicros(clock.now()),
    },
    args: run.args,
    timeout_ms: run.timeout_seconds * 1_000,
    signal: new AbortController().signal,
  });
  if (outcome.kind === "failed") return { kind: "failed", problem: outcome.problem };
  const execution_time = Math.round(clock.monotonic() - began) / 1_000;
  return { kind: "output", output: outcome.output, execution_time };
}

export const isOf =
  (of: Pick<Unit, "store_id" | "unit_id" | "version">) =>
  (unit: Unit): boolean =>
    unit.store_id === of.store_id && unit.unit_id === of.unit_id && unit.version === of.version;
