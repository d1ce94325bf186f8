/**
 * What a report of a runner changes. Pure: report and rows in, writes and events out.
 *
 * Invariants
 * - The same report twice changes nothing the second time; only changed conditions are audited (hub.test.ts).
 * - A failed or unexpectedly stopped instance takes its bot to ERROR, where it stays until a person acts (G-2.1b;
 *   hub.test.ts, observe.test.ts).
 * - STOPPING becomes IDLE only through a report of this very run under this very epoch, or its proof of death
 *   (observe.test.ts).
 */
import type { EventDraft } from "@rumi/operations";
import type { InstanceStatus } from "@rumi/runtime";
import { botResource, transitionEvent } from "../bots/operations.ts";
import type { Condition } from "../bots/model.ts";
import type { BotConditionRow, BotRow } from "../bots/tables.ts";
import { isRunning, mayMove, type BotState } from "../lifecycle/states.ts";
import type { FailureNote } from "../shared/fields.ts";
import { jsonOf } from "../shared/sql.ts";
import type { SiblingChange } from "../updates/siblings.ts";
import { isShadow } from "./shards.ts";
import { statusOf } from "./view.ts";
import type { Seen, StopRow } from "../risk/stop-tables.ts";
import type { InstanceRow, RunRow, WayBack } from "./tables.ts";

export type Facts = {
  readonly bot: BotRow;
  readonly instance: InstanceRow;
  readonly conditions: readonly BotConditionRow[];
  /** The bot's other instances: shards of its own, and shadows. */
  readonly others: readonly InstanceRow[];
  /** What its stop conditions saw; absent where it runs under none. */
  readonly stops?: StopRow;
};

export type Observation = {
  readonly bot: Partial<Omit<BotRow, "bot_id" | "row_version">> | null;
  readonly instance: Partial<InstanceRow>;
  readonly conditions: readonly Omit<Condition, "last_transition_time">[];
  readonly events: readonly EventDraft[];
  /** The run is over: its lease may go and its row be closed. */
  readonly ended: string | null;
  /** Other shards of the bot that this concerns too. */
  readonly siblings?: readonly SiblingChange[];
  /** A run that takes its place. */
  readonly begun?: RunRow;
  /** The bot's row as another generation of itself. */
  readonly version?: BotRow;
  readonly version_reason?: string;
  /** What the bot's stop conditions saw of it. */
  readonly seen?: Seen;
};

/** The runner's own word for "my lease is over". */
const LEASE_LOST = "M.LEASE.LOST";

export function observeStatus(facts: Facts, status: InstanceStatus, now: number): Observation {
  const { bot, instance } = facts;
  const base = {
    phase: status.phase,
    health_state: status.health_state,
    status: JSON.stringify(status),
    failure: status.failure === null ? null : JSON.stringify(status.failure),
    // A version that ran once has no way back but a person's, or its siblings' (updates/siblings.ts).
    ...(status.phase === "running" && instance.back !== null ? { back: afterRunning(instance.back, facts) } : {}),
  };
  const conditions = ownConditions(facts, [runningCondition(status, instance), healthCondition(status, instance)]);
  const events: EventDraft[] = conditions.map((one) => conditionEvent(facts, one));
  if (status.phase !== instance.phase) events.push(...phaseEvents(instance, status));
  if (status.health_state !== instance.health_state && instance.health_state !== null) {
    events.push({
      action: "instance.health.changed",
      ...resource(instance),
      outcome: "SUCCESS",
      details: {
        ...instanceDetails(instance),
        from: instance.health_state,
        to: status.health_state,
        reason_code: status.reason_code,
      },
    });
  }
  events.push(...shadowEvents(instance, status));
  const over = status.phase === "stopped" || status.phase === "failed";
  // [M-7.1.3] It fenced itself because its lease ran out: the same generation is taken up again, the bot keeps its state.
  if (
    over &&
    status.reason_code === LEASE_LOST &&
    instance.desired !== "stopped" &&
    (isRunning(bot.state) || bot.state === "PAUSED")
  ) {
    return { bot: null, conditions, events, instance: { ...base, failure: null, holder: null }, ended: null };
  }
  const move = over && instance.holder !== null ? endOf(facts, status, now) : null;
  if (move !== null)
    events.push(transitionEvent(bot.bot_id, bot.state, move.state, bot.generation, null, move.state_reason));
  return {
    bot: move,
    conditions,
    events,
    instance:
      over && instance.holder !== null
        ? { ...base, holder: null, desired: "stopped", stop_reason: status.reason_code ?? instance.stop_reason }
        : base,
    ended: over && instance.holder !== null ? (status.reason_code ?? status.phase.toUpperCase()) : null,
  };
}

/** Siblings keep the way back, marked: what the phase says is forgotten with the next start. */
function afterRunning(back: string, { others }: Facts): string | null {
  if (others.every(isShadow)) return null;
  return JSON.stringify({ ...jsonOf<WayBack>(back), ran: true } satisfies WayBack);
}

/** The runner is proven gone, or its lease is over, and nobody shall take the run up again. */
export function observeGone(facts: Facts, reason: string, now: number): Observation {
  const { bot, instance } = facts;
  const stopping = bot.state === "STOPPING" || instance.desired === "stopped";
  const move = stopping ? stoppedMove(facts, now, reason) : faultMove(facts, reason, now);
  const note: FailureNote = {
    error_code: "RUMI-BOT-031",
    reason_code: reason,
    error: `The run of ${bot.bot_id} ended: ${reason}.`,
    suggestion: "Look at the cause, then start the bot explicitly.",
  };
  const conditions = ownConditions(facts, [
    { type: "Running", status: "False", reason, message: "", observed_generation: instance.generation },
  ]);
  return {
    bot: move,
    instance: {
      holder: null,
      desired: "stopped",
      phase: stopping ? "stopped" : "failed",
      stop_reason: reason,
      ...(stopping ? {} : { failure: JSON.stringify(note) }),
    },
    conditions,
    events: [
      ...conditions.map((one) => conditionEvent(facts, one)),
      {
        action: stopping ? "instance.stopped" : "instance.failed",
        ...resource(instance),
        outcome: stopping ? "SUCCESS" : "FAILURE",
        details: { ...instanceDetails(instance), reason_code: reason },
      },
      ...(move === null
        ? []
        : [transitionEvent(bot.bot_id, bot.state, move.state, bot.generation, null, move.state_reason)]),
    ],
    ended: reason,
  };
}

/** [M-7.1.3] A lease was over before its start was there: nothing was begun, nobody is at fault, and the next epoch begins it. */
export function observeTooLate({ instance }: Facts, failure: FailureNote): Observation | undefined {
  if (failure.reason_code !== LEASE_LOST || instance.desired === "stopped") return undefined;
  return { bot: null, instance: { holder: null }, conditions: [], events: [], ended: null };
}

/** The runner said no to a start. */
export function observeRefusal(facts: Facts, failure: FailureNote, now: number): Observation {
  const gone = observeGone(facts, failure.reason_code ?? failure.error_code, now);
  return { ...gone, instance: { ...gone.instance, phase: "failed", failure: JSON.stringify(failure) } };
}

type Move = Partial<BotRow> & { readonly state: BotState; readonly state_reason: string };

function endOf(facts: Facts, status: InstanceStatus, now: number): Move | null {
  const { bot, instance } = facts;
  if (status.phase === "stopped" && bot.state === "STOPPING") return stoppedMove(facts, now, "STOP_PROVEN");
  // A shadow or a single shard that somebody stopped is no fault of the bot's.
  if (status.phase === "stopped" && instance.desired === "stopped") return null;
  const failed = status.phase === "failed" || isRunning(bot.state) || bot.state === "PAUSED";
  return failed ? faultMove(facts, status.reason_code ?? status.failure?.error_code ?? "INSTANCE_ENDED", now) : null;
}

/** STOPPING is over when the last instance is. */
function stoppedMove({ bot, others }: Facts, now: number, state_reason: string): Move | null {
  return bot.state === "STOPPING" && others.every(({ holder }) => holder === null)
    ? { state: "IDLE", state_reason, state_since: now, run_id: null, mode: null }
    : null;
}

/** A shadow's end is nobody's; a shard's is the bot's only when no other is left that runs (M-2.2.1). */
function faultMove({ bot, instance, others }: Facts, state_reason: string, now: number): Move | null {
  const left = others.some((one) => !isShadow(one) && one.desired !== "stopped");
  if (isShadow(instance) || left || !mayMove("fault", bot.state, "ERROR")) return null;
  return { state: "ERROR", state_reason, state_since: now };
}

/** Conditions are the bot's: a shadow has none, shards speak through the one that is worst off. */
function ownConditions(
  facts: Facts,
  wanted: readonly Omit<Condition, "last_transition_time">[],
): readonly Omit<Condition, "last_transition_time">[] {
  const { instance, others } = facts;
  if (isShadow(instance)) return [];
  const worse = others.some((one) => !isShadow(one) && (one.phase === "failed" || one.health_state === "halted"));
  return changedConditions(facts, worse ? wanted.filter(({ status }) => status !== "True") : wanted);
}

/** The first row where a shadow and its primary parted is told once. */
function shadowEvents(instance: InstanceRow, { shadow }: InstanceStatus): readonly EventDraft[] {
  const first = shadow?.first_difference ?? null;
  const before = statusOf(instance);
  if (first === null || shadow === undefined) return [];
  if (before?.run_id === instance.run_id && (before.shadow?.first_difference ?? null) !== null) return [];
  const { primary_run_id, matched, only_primary, only_shadow } = shadow;
  return [
    {
      action: "instance.shadow.diverged",
      ...resource(instance),
      outcome: "SUCCESS",
      details: {
        ...instanceDetails(instance),
        primary_run_id,
        cursor: first.cursor,
        matched,
        only_primary,
        only_shadow,
        primary: first.primary,
        shadow: first.shadow,
      },
    },
  ];
}

function phaseEvents(instance: InstanceRow, status: InstanceStatus): readonly EventDraft[] {
  const details = instanceDetails(instance);
  if (status.phase === "running" && (instance.phase === "none" || instance.phase === "starting")) {
    return [
      {
        action: "instance.started",
        ...resource(instance),
        outcome: "SUCCESS",
        details: {
          ...details,
          isolation: status.isolation === null ? null : `${status.isolation.level} ${status.isolation.mechanism}`,
        },
      },
    ];
  }
  if (status.phase === "stopped") {
    return [
      {
        action: "instance.stopped",
        ...resource(instance),
        outcome: "SUCCESS",
        details: {
          ...details,
          reason_code: status.reason_code,
          cursor: status.cursor,
          open_orders: status.orders_open,
          events: status.events_total,
          intents: status.intents_total,
        },
      },
    ];
  }
  if (status.phase === "failed") {
    const failure =
      status.failure === null ? {} : { error_code: status.failure.error_code, error: status.failure.error };
    return [
      {
        action: "instance.failed",
        ...resource(instance),
        outcome: "FAILURE",
        details: { ...details, reason_code: status.reason_code, ...failure },
      },
    ];
  }
  return [];
}

function runningCondition(status: InstanceStatus, instance: InstanceRow): Omit<Condition, "last_transition_time"> {
  const runs = status.phase === "running" || status.phase === "feed_ended";
  return {
    type: "Running",
    status: runs ? "True" : "False",
    reason: status.phase.toUpperCase(),
    message: status.failure?.error ?? "",
    observed_generation: instance.generation,
  };
}

function healthCondition(status: InstanceStatus, instance: InstanceRow): Omit<Condition, "last_transition_time"> {
  const healthy = status.health_state === "healthy";
  return {
    type: "Healthy",
    status: healthy ? "True" : "False",
    reason: status.reason_code ?? status.health_state.toUpperCase(),
    message: "",
    observed_generation: instance.generation,
  };
}

export function changedConditions(
  facts: Pick<Facts, "conditions">,
  wanted: readonly Omit<Condition, "last_transition_time">[],
): readonly Omit<Condition, "last_transition_time">[] {
  return wanted.filter((one) => {
    const known = facts.conditions.find((row) => row.type === one.type);
    return known === undefined || known.status !== one.status || known.reason !== one.reason;
  });
}

export function conditionEvent(
  { bot, conditions }: Pick<Facts, "bot" | "conditions">,
  one: Omit<Condition, "last_transition_time">,
): EventDraft {
  const previous = conditions.find((row) => row.type === one.type)?.status ?? null;
  return {
    action: "bot.condition.changed",
    ...botResource(bot.bot_id),
    details: {
      type: one.type,
      status: one.status,
      previous,
      message: one.message,
      reason_code: one.reason,
      observed_generation: one.observed_generation,
    },
  };
}

export function resource(instance: InstanceRow): { readonly resource_type: string; readonly resource_id: string } {
  return {
    resource_type: "instance",
    resource_id: `${instance.bot_id}/${instance.strategy_id}/${instance.instance_id}`,
  };
}

export function instanceDetails(instance: InstanceRow): Readonly<Record<string, unknown>> {
  return {
    bot_id: instance.bot_id,
    strategy_id: instance.strategy_id,
    instance_id: instance.instance_id,
    epoch: instance.epoch,
    generation: instance.generation,
    runner_id: instance.holder,
    mode: instance.mode,
  };
}
