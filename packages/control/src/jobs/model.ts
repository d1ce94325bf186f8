/**
 * A job: a wish for many bots that is written down once, and started, paused, resumed and stopped like a bot. Pure.
 *
 * How to think: the job has no state of its own. What its present bulk is says what the job is, so that nothing can say
 * otherwise after a crash. A stop ends what has not begun; what is under way arrives or fails, and is told.
 *
 * Invariant (jobs.test.ts): a transition that is not in the table is refused, and so is one that was meant for another state.
 */
import type { Bulk } from "../bulk/model.ts";
import type { Selector } from "../bulk/begin.ts";

export const JOB_STATES = ["IDLE", "RUNNING", "PAUSED", "STOPPING", "ERROR"] as const;
export type JobState = (typeof JOB_STATES)[number];

export type JobSpec = {
  readonly selector: Selector;
  readonly requested_transition: { readonly from: string; readonly to: string };
  readonly max_errors: number;
};

/** `bulk` is its present or last one with how that stands; undefined where it never ran. */
export function stateOf(bulk: (Bulk & { readonly state: "running" | "over" }) | undefined): JobState {
  if (bulk === undefined) return "IDLE";
  if (bulk.state === "over") return bulk.errors > 0 ? "ERROR" : "IDLE";
  if (bulk.aborted) return "STOPPING";
  return bulk.paused ? "PAUSED" : "RUNNING";
}

export type JobAct = "start" | "pause" | "resume" | "stop";

/** What a person may ask; STOPPING becomes IDLE or ERROR by itself, when nothing is under way any more. */
const ACTS: Readonly<Record<JobState, Partial<Readonly<Record<JobState, JobAct>>>>> = {
  IDLE: { RUNNING: "start" },
  ERROR: { RUNNING: "start" },
  RUNNING: { PAUSED: "pause", STOPPING: "stop" },
  PAUSED: { RUNNING: "resume", STOPPING: "stop" },
  STOPPING: {},
};

export const actOf = (from: JobState, to: JobState): JobAct | undefined => ACTS[from][to];
