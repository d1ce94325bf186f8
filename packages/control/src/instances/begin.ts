/** The rows that one instance's start leaves: the run that is there goes on, or a new one takes its place. Pure. */
import type { Uuid } from "@rumi/kernel";
import type { DecideContext, Decision } from "@rumi/operations";
import { startSpecOf, type StartFacts } from "./start-spec.ts";
import {
  endRun,
  insertRun,
  putInstance,
  updateInstance,
  type InstanceRow,
  type RunRow,
  type StartSpec,
} from "./tables.ts";

export type BeginFacts = Omit<StartFacts, "run_id" | "trace_id"> & {
  readonly context: Pick<DecideContext, "now" | "store" | "newId">;
  readonly command_id: string;
  readonly trace_id: string;
  readonly report_id: string;
  readonly instance: InstanceRow | undefined;
  /** The run that is there goes on. */
  readonly continues: boolean;
  /** State that a new run begins with. */
  readonly from?: StartSpec["from"] | undefined;
  readonly follows?: StartSpec["follows"] | undefined;
};

export type Begun = { readonly run_id: string; readonly writes: Decision["writes"] };

export function beginInstance(facts: BeginFacts): Begun {
  const { context, instance, bot, command_id } = facts;
  const { now, store } = context;
  const former = instance === undefined ? undefined : (JSON.parse(instance.spec) as StartSpec);
  const wish = {
    desired: "running",
    desired_since: now,
    generation: bot.generation,
    trace_id: facts.trace_id,
    stop_reason: null,
    failure: null,
  } as const;
  if (facts.continues && instance !== undefined && former !== undefined) {
    // A run that goes on keeps the trace it began under: its records bear it, and a replay must make them again.
    const again = startSpecOf({ ...facts, run_id: instance.run_id as Uuid, trace_id: former.trace_id });
    // With another version waiting, what runs is still the former one: it hands over first.
    const spec = instance.next === null ? JSON.stringify({ ...again, ...originOf(former) }) : instance.spec;
    // A person starts this version: that it once followed another by an update is over, and so is the way back.
    const phase = instance.desired === "stopped" ? { phase: "none" as const, back: null } : {};
    return { run_id: instance.run_id, writes: [updateInstance(store, instance, { ...wish, ...phase, spec }, now)] };
  }
  const run_id = context.newId();
  const start: StartSpec = { ...startSpecOf({ ...facts, run_id }), ...originOf(facts) };
  const row: InstanceRow = {
    bot_id: bot.bot_id,
    strategy_id: start.strategy_id,
    instance_id: start.instance_id,
    run_id,
    mode: facts.mode,
    epoch: 0,
    holder: null,
    starts: 0,
    config: null,
    config_actor: null,
    config_at: null,
    next: null,
    back: null,
    breaker: null,
    phase: "none",
    health_state: null,
    status: null,
    updated_at: now,
    row_version: 1,
    ...wish,
    spec: JSON.stringify(start),
  };
  return {
    run_id,
    writes: [
      putInstance(store, row, instance),
      ...(instance === undefined ? [] : [endRun(store, instance.run_id, "REPLACED", now)]),
      insertRun(store, runRowOf(start, { command_id, report_id: facts.report_id, now })),
    ],
  };
}

/** A run that has not begun yet. */
export function runRowOf(
  start: StartSpec,
  { command_id, report_id, now }: { readonly command_id: string; readonly report_id: string; readonly now: number },
): RunRow {
  return {
    run_id: start.run_id,
    bot_id: start.bot_id,
    strategy_id: start.strategy_id,
    instance_id: start.instance_id,
    mode: start.mode,
    trace_id: start.trace_id,
    command_id,
    generation: start.generation,
    pack_digest: start.pack_digest,
    report_id,
    from_run_id: start.from?.run_id ?? null,
    holder: null,
    started_at: now,
    ended_at: null,
    end_reason: null,
    journal_seq: 0,
    journal_at: now,
  };
}

const originOf = ({
  from,
  follows,
}: {
  readonly from?: StartSpec["from"] | undefined;
  readonly follows?: StartSpec["follows"] | undefined;
}): Pick<StartSpec, "from" | "follows"> => ({
  ...(from === undefined ? {} : { from }),
  ...(follows === undefined ? {} : { follows }),
});
