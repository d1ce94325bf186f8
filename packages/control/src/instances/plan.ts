/**
 * What the reconciler does next for one instance. Pure and level-triggered: it looks at what is wanted and
 * what is reported now, never at what happened before, and may be asked any number of times.
 */
import type { InstanceStatus } from "@rumi/runtime";
import type { InstanceRow } from "./tables.ts";

export type Reported = { readonly runner_id: string; readonly status: InstanceStatus };

export type PlanFacts = {
  readonly instance: InstanceRow;
  readonly reported: Reported | undefined;
  /** Runners that have said what they run and are ready for orders. */
  readonly runners: readonly string[];
  /** The program started a moment ago: living runners may still dial in. */
  readonly adopting: boolean;
  /** No runner was proven gone or adopted for this run since the program started. */
  readonly inherited: boolean;
  /** Nobody can be acting under the instance's epoch any more. */
  readonly lease_over: boolean;
  /** It is to stop, and its venue has not said that it holds nothing of it (attestation/wind-up.ts). */
  readonly owes_word: boolean;
};

export type Action =
  | { readonly kind: "none"; readonly why: string }
  | { readonly kind: "start"; readonly runner_id: string }
  /** Another life of a run that is to stop: it stands still, and is told to stop as soon as it is there. */
  | { readonly kind: "wind_up"; readonly runner_id: string }
  | {
      readonly kind: "stop";
      readonly runner_id: string;
      readonly run_id: string;
      readonly epoch: number;
      readonly why: string;
    }
  | { readonly kind: "pause" | "continue" | "config" | "breaker" | "handover"; readonly runner_id: string }
  | { readonly kind: "gone"; readonly why: string };

export function planInstance(facts: PlanFacts): Action {
  const { instance, runners, adopting, inherited, lease_over, owes_word } = facts;
  let { reported } = facts;
  if (reported !== undefined && !runners.includes(reported.runner_id)) reported = undefined;
  if (reported !== undefined && !isOurs(instance, reported)) {
    const { status, runner_id } = reported;
    if (!isOver(status))
      return { kind: "stop", runner_id, run_id: status.run_id, epoch: status.epoch, why: "SUPERSEDED" };
    if (wanted(instance)) return startOrWait(instance, runners, lease_over);
    reported = undefined; // a former life is over, and says nothing of this one
  }
  if (reported !== undefined) return withReport(instance, reported);
  if (instance.desired === "stopped") {
    if (instance.holder === null) return owes_word ? windUpOrWait(runners, lease_over) : none("it is stopped");
    if (!lease_over) return none("its runner is not there and its lease still runs");
    if (owes_word) return windUpOrWait(runners, lease_over);
    return { kind: "gone", why: adopting || inherited ? "RUNNER_GONE_AT_RESTART" : "RUNNER_GONE" };
  }
  // [M-7.1.1] A runner that only stands still may act until its lease is over: nobody else may start before.
  if (inherited)
    return adopting || !lease_over
      ? none("living runners may still dial in")
      : { kind: "gone", why: "PROGRAM_RESTARTED" };
  return startOrWait(instance, runners, lease_over);
}

function withReport(instance: InstanceRow, { runner_id, status }: Reported): Action {
  if (isOver(status)) return none("it is over");
  if (instance.next !== null && instance.desired !== "stopped")
    return status.phase === "starting" || status.phase === "stopping"
      ? none("it comes to rest")
      : { kind: "handover", runner_id };
  switch (instance.desired) {
    case "stopped":
      return status.phase === "stopping"
        ? none("it is stopping")
        : {
            kind: "stop",
            runner_id,
            run_id: instance.run_id,
            epoch: instance.epoch,
            why: instance.stop_reason ?? "OPERATOR",
          };
    case "paused":
      if (status.phase === "running" || status.phase === "feed_ended") return { kind: "pause", runner_id };
      break;
    case "running":
      if (status.phase === "paused") return { kind: "continue", runner_id };
      break;
  }
  if (instance.breaker !== null) return { kind: "breaker", runner_id };
  return instance.config !== null && (status.phase === "running" || status.phase === "paused")
    ? { kind: "config", runner_id }
    : none("as wanted");
}

function startOrWait(instance: InstanceRow, runners: readonly string[], lease_over: boolean): Action {
  const [runner_id] = runners;
  if (runner_id === undefined) return none("no runner is connected");
  return lease_over || instance.holder === runner_id
    ? { kind: "start", runner_id }
    : none("its last holder's lease still runs");
}

function windUpOrWait([runner_id]: readonly string[], lease_over: boolean): Action {
  if (runner_id === undefined) return none("its venue is not asked: no runner is connected");
  return lease_over ? { kind: "wind_up", runner_id } : none("its last holder's lease still runs");
}

function isOurs(instance: InstanceRow, { runner_id, status }: Reported): boolean {
  return status.run_id === instance.run_id && status.epoch === instance.epoch && instance.holder === runner_id;
}

const isOver = (status: InstanceStatus): boolean => status.phase === "stopped" || status.phase === "failed";
const wanted = (instance: InstanceRow): boolean => instance.desired !== "stopped";
const none = (why: string): Action => ({ kind: "none", why });
