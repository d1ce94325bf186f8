/**
 * Climbs the stop ladder of every run that is to be stopped, writes down each rung as a fact of its own, and signs the
 * record once everything below it stands.
 *
 * Stops that can never be proven (a runner that is lost) stay and do not starve new ones (stops.test.ts): half of a round
 * is for what is new, the other half goes through all in turn.
 *
 * Level-triggered: facts come from rows, so a restart in the middle goes on where it was. What holds a stop up is on the
 * row with its beginning, and in the bot's condition StopProven.
 */
import type { Clock } from "@rumi/kernel";
import type { Attester } from "@rumi/ledger";
import type { EventDraft } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";
import { readLease, type Store } from "@rumi/store";
import { sql as rawSql } from "kysely";
import type { Condition } from "../bots/model.ts";
import { conditionWrite, readBot, readConditions } from "../bots/tables.ts";
import { changedConditions, conditionEvent, instanceDetails, resource } from "../instances/observe.ts";
import { isShadow } from "../instances/shards.ts";
import type { InstanceRow, InstanceTables } from "../instances/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import type { RunnerHub } from "../runners/hub.ts";
import { stopFacts } from "./facts.ts";
import { blockedBy, climb, NO_STOP, STOP_RUNGS, type StopState } from "./model.ts";
import { rungsOf, stopStatement } from "./statement.ts";
import { putLadder, readLadder, type LadderRow, type LadderTables } from "./tables.ts";

const SYSTEM = "system:stops";

export type StopDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly environment: string;
  readonly hub: Pick<RunnerHub, "recorder">;
  /** Absent: nothing is signed, and no stop is attested. */
  readonly attester?: Attester;
};

export function stopReconciler(deps: StopDeps, per_round: number = CONTROL_LIMITS.stops_per_round): Reconciler {
  let after = "";
  return {
    name: "stops",
    run: async () => {
      const newest = await newestUnproven(deps.store, Math.ceil(per_round / 2));
      for (const instance of newest) await climbOf(deps, instance);
      if (newest.length < Math.ceil(per_round / 2)) return;
      const older = await unprovenAfter(deps.store, after, Math.floor(per_round / 2));
      after = older.length < Math.floor(per_round / 2) ? "" : (older.at(-1)?.run_id ?? "");
      const seen = new Set(newest.map(({ run_id }) => run_id));
      for (const instance of older) if (!seen.has(instance.run_id)) await climbOf(deps, instance);
    },
  };
}

/** Those that nobody has looked at come first, then the newest wishes. */
function newestUnproven(store: Store, limit: number): Promise<readonly InstanceRow[]> {
  const isLooked = rawSql<number>`CASE WHEN stop_ladder.run_id IS NULL THEN 0 ELSE 1 END`;
  return store.rows<InstanceRow>(
    unproven(store).orderBy(isLooked).orderBy("instance.desired_since", "desc").orderBy("instance.run_id").limit(limit),
  );
}

/** The others in turn, so that an old one that can be proven at last is. */
function unprovenAfter(store: Store, run_id: string, limit: number): Promise<readonly InstanceRow[]> {
  return store.rows<InstanceRow>(
    unproven(store).where("instance.run_id", ">", run_id).orderBy("instance.run_id").limit(limit),
  );
}

/** Instances that are to be stopped, ever ran, and whose stop is neither proven nor asserted. */
function unproven(store: Store) {
  return store
    .builder<InstanceTables & LadderTables>()
    .selectFrom("instance")
    .selectAll("instance")
    .leftJoin("stop_ladder", "stop_ladder.run_id", "instance.run_id")
    .where("instance.desired", "=", "stopped")
    .where("instance.epoch", ">", 0)
    .where("stop_ladder.attested_at", "is", null)
    .where("stop_ladder.asserted_by", "is", null);
}

async function climbOf(deps: StopDeps, instance: InstanceRow): Promise<void> {
  const { store, clock, hub } = deps;
  const now = clock.now();
  const before = await readLadder(store, store, instance.run_id);
  const facts = stopFacts(instance, await readLease(store, store, instance), now);
  const start: StopState =
    before === undefined ? NO_STOP : { epoch: before.epoch, rung: before.rung, open_orders: before.open_orders };
  let state = facts.reduce(climb, start);
  if (deps.attester !== undefined) state = climb(state, { kind: "attest" });
  const next = ladderOf(instance, before, state, now);
  if (before !== undefined && sameAs(before, next)) return;
  const signed = state.rung === "StopAttested" ? sign(deps, next, now) : next;
  const conditions = await conditionOf(store, instance, signed);
  await hub.recorder.commit(
    SYSTEM,
    [
      putLadder(store, before, signed),
      ...conditions.map(({ condition }) => conditionWrite(store, instance.bot_id, condition, now)),
    ],
    [...stepEvents(instance, before, signed), ...conditions.map(({ event }) => event)],
    { run_id: instance.run_id, trace_id: instance.trace_id },
  );
}

function ladderOf(instance: InstanceRow, before: LadderRow | undefined, state: StopState, now: number): LadderRow {
  const blocked = blockedBy(state);
  const reached = state.rung === null ? [] : STOP_RUNGS.slice(0, STOP_RUNGS.indexOf(state.rung) + 1);
  // Another epoch begins the ladder anew.
  const known = before?.epoch === state.epoch ? rungsOf(before) : [];
  const rungs = reached.map((rung) => ({ rung, at: known.find((one) => one.rung === rung)?.at ?? now }));
  const waits = before !== undefined && blocked?.why === before.blocked_why && before.epoch === state.epoch;
  return {
    run_id: instance.run_id,
    bot_id: instance.bot_id,
    strategy_id: instance.strategy_id,
    instance_id: instance.instance_id,
    mode: instance.mode,
    venue: instance.mode === "live" ? "outside" : "in_process",
    epoch: state.epoch ?? instance.epoch,
    rung: state.rung ?? "StopRequested",
    open_orders: state.open_orders,
    rungs: JSON.stringify(rungs),
    blocked_rung: blocked?.rung ?? null,
    blocked_why: blocked?.why ?? null,
    blocked_since: blocked === null ? null : waits ? before.blocked_since : now,
    envelope: null,
    attested_at: null,
    asserted_by: null,
    row_version: (before?.row_version ?? 0) + 1,
  };
}

const sameAs = (a: LadderRow, b: LadderRow): boolean =>
  a.rung === b.rung && a.epoch === b.epoch && a.open_orders === b.open_orders && a.blocked_why === b.blocked_why;

function sign({ attester, environment }: StopDeps, row: LadderRow, now: number): LadderRow {
  const envelope = attester?.sign(stopStatement(row, environment, now));
  return envelope === undefined ? row : { ...row, envelope: JSON.stringify(envelope), attested_at: now };
}

function stepEvents(instance: InstanceRow, before: LadderRow | undefined, next: LadderRow): readonly EventDraft[] {
  const known = before?.epoch === next.epoch ? rungsOf(before).map(({ rung }) => rung) : [];
  const details = instanceDetails(instance);
  const steps = rungsOf(next)
    .filter(({ rung }) => !known.includes(rung))
    .map(({ rung }) => ({
      action: "instance.stop.step",
      ...resource(instance),
      outcome: "SUCCESS" as const,
      details: { ...details, rung, open_orders: next.open_orders },
    }));
  if (next.blocked_why === null || next.blocked_why === before?.blocked_why) return steps;
  return [
    ...steps,
    {
      action: "instance.stop.blocked",
      ...resource(instance),
      outcome: "FAILURE",
      details: { ...details, rung: next.blocked_rung, why: next.blocked_why },
    },
  ];
}

/**
 * The bot's own word on whether its stop is proven; a shadow has none. One proof is not enough where another run's is
 * missing, also of a run that was followed by this one: its orders may be open still.
 */
async function conditionOf(
  store: Store,
  instance: InstanceRow,
  row: LadderRow,
): Promise<readonly { readonly condition: Omit<Condition, "last_transition_time">; readonly event: EventDraft }[]> {
  const bot = isShadow(instance) ? undefined : await readBot(store, store, instance.bot_id);
  if (bot === undefined) return [];
  const conditions = await readConditions(store, store, bot.bot_id);
  const held = row.attested_at === null ? row : await unprovenBeside(store, row);
  const wanted = {
    type: "StopProven",
    status: held === undefined ? "True" : "False",
    reason: held === undefined ? "ATTESTED" : `WAITS_FOR_${(held.blocked_rung ?? held.rung).toUpperCase()}`,
    message: messageOf(row, held),
    observed_generation: instance.generation,
  } as const;
  return changedConditions({ conditions }, [wanted]).map((condition) => ({
    condition,
    event: conditionEvent({ bot, conditions }, condition),
  }));
}

type Held = Pick<LadderRow, "run_id" | "rung" | "blocked_rung" | "blocked_why">;

/** Another stop of the same bot that is neither proven nor asserted: the oldest that was looked at, or one that was not. */
async function unprovenBeside(store: Store, { bot_id, run_id }: LadderRow): Promise<Held | undefined> {
  const ladders = await store.rows<LadderRow>(
    store
      .builder<LadderTables>()
      .selectFrom("stop_ladder")
      .selectAll()
      .where("bot_id", "=", bot_id)
      .where("attested_at", "is", null)
      .where("asserted_by", "is", null)
      .orderBy("run_id"),
  );
  const instances = await store.rows<InstanceRow>(unproven(store).where("instance.bot_id", "=", bot_id));
  const asked: Held = {
    run_id: "",
    rung: "StopRequested",
    blocked_rung: "StopAcknowledged",
    blocked_why: "nobody has looked at it",
  };
  const all = [...ladders, ...instances.map((one) => ({ ...one, ...asked, run_id: one.run_id }))];
  return all.find((one) => one.run_id !== run_id && !isShadow(one));
}

function messageOf({ run_id }: LadderRow, held: Held | undefined): string {
  const why = held?.blocked_why ?? "";
  return held === undefined || held.run_id === run_id ? why : `run ${held.run_id}: ${why}`;
}
