/** What a host says of its instance, from the machine and the few facts that only the host knows. */
import {
  canonicalJson,
  type Digest,
  digestOf,
  type JsonObject,
  type Failure,
  failure,
  FailureError,
  failureText,
} from "@rumi/kernel";
import type { InstanceStatus } from "../protocol.ts";
import type { StrategyFault } from "../strategy/strategy.ts";
import type { HostOptions } from "./host-options.ts";
import type { InstanceMachine } from "./machine.ts";
import { metricsOf, positionsOf } from "./metrics.ts";
import type { FeedPace } from "./pace.ts";
import type { Watch } from "./watch.ts";

export type HostFacts = {
  readonly options: HostOptions;
  readonly machine: InstanceMachine;
  readonly phase: InstanceStatus["phase"];
  readonly isHalted: boolean;
  readonly reason: string | null;
  readonly failure: InstanceStatus["failure"];
  readonly lastCheckpoint: InstanceStatus["last_checkpoint"];
  /** Inputs that wait for the next slice. */
  readonly inputs: number;
  readonly pace: FeedPace;
  readonly watch: Watch;
};

export function statusOf(facts: HostFacts): InstanceStatus {
  const { machine, options } = facts;
  const { bot_id, strategy_id, instance_id, run_id, epoch, instruments } = options.spec;
  const { counters } = machine;
  const health_state = facts.isHalted ? "halted" : machine.health.state;
  return {
    bot_id,
    strategy_id,
    instance_id,
    run_id,
    epoch,
    phase: facts.phase,
    health_state,
    reason_code: facts.reason ?? machine.health.reason_code,
    failure: facts.failure ?? brokenBody(machine),
    isolation: options.strategy.isolation,
    in_force: inForce(options, machine.config),
    cursor: machine.cursor,
    events_total: counters.events_total,
    intents_total: counters.intents_total,
    orders_open: machine.ordersOpen,
    last_checkpoint: facts.lastCheckpoint,
    slo: facts.watch.status(),
    breaker: machine.restraints.status(),
    ...(machine.restraints.stops.tripped === null ? {} : { stop_condition: machine.restraints.stops.tripped }),
    ...(options.live?.openThere === undefined ? {} : { venue_open: options.live.openThere }),
    ...(options.live?.shadow === undefined ? {} : { shadow: options.live.shadow() }),
    positions: positionsOf(options.venue.positions(), instruments),
    counters: {
      ...options.live?.counters(),
      ...metricsOf({
        counters,
        health_state,
        queued: facts.inputs + eventsDue(facts),
        checkpoint_bytes: facts.lastCheckpoint?.bytes ?? 0,
        checkpoints: facts.watch.observatory.checkpoints,
        restore_ms: facts.watch.observatory.restoreMs,
        latency: facts.watch.observatory.latency,
      }),
    },
  };
}

/** Of each configuration once: a status is said every few moments, a configuration stays for days. */
const hashes = new WeakMap<JsonObject, Digest>();

function inForce({ spec }: HostOptions, config: JsonObject): NonNullable<InstanceStatus["in_force"]> {
  const config_hash = hashes.get(config) ?? digestOf(canonicalJson(config));
  hashes.set(config, config_hash);
  return { pack_digest: spec.pack_digest, config_hash, capital: spec.limits.capital };
}

/** The status with a look inside (M-14.2). */
export function inspectedOf(facts: HostFacts): InstanceStatus {
  const queue = { inputs: facts.inputs, events_due: eventsDue(facts) };
  return { ...statusOf(facts), inspection: facts.watch.observatory.inspect(facts.machine, queue) };
}

/** Events whose time has come; a recording without a pace is pulled and waits for nobody. */
function eventsDue({ phase, pace, machine }: HostFacts): number {
  return phase === "running" && pace.limited ? pace.due(machine.cursor) - machine.cursor : 0;
}

/** Why a strategy is restricted or stopped, with the tail of what it said; a fault that only warned is in the journal. */
export function brokenBody({
  health,
  lastFault,
}: Pick<InstanceMachine, "health" | "lastFault">): InstanceStatus["failure"] {
  if (health.state === "healthy" || lastFault === null) return null;
  const { callback, detail, evidence, reason_code } = lastFault;
  const { text, next } = failureText(failure("RUMI-STR-032", { callback, fault: detail }), "en");
  return {
    error_code: "RUMI-STR-032",
    reason_code,
    error: evidence === null ? text : `${text}\n${evidence}`,
    suggestion: next,
  };
}

/** A strategy that refused its own beginning, in its own words where it said any. */
export const refusedInit = ({ detail, evidence, reason_code }: StrategyFault): Failure =>
  failure(
    "RUMI-STR-032",
    { callback: "on_init", fault: evidence === undefined ? detail : `${detail}: ${evidence}` },
    { reasonCode: reason_code },
  );

/** A failure as a status and an answer carry it; one that was thrown on its way keeps its own code, reason and words. */
export function failureNote(of: Failure): NonNullable<InstanceStatus["failure"]> {
  const told = of.code === "RUMI-SYS-001" && of.cause instanceof FailureError ? of.cause.failure : of;
  const { text, next } = failureText(told, "en");
  return { error_code: told.code, reason_code: told.reasonCode ?? null, error: text, suggestion: next };
}
