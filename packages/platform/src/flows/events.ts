/** Audit events of runs: each names its run, its wish and whoever asked for it. */
import type { Clock, Random } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import { PIPELINE_EVENTS, type EventDraft } from "@rumi/operations";
import { systemEvent } from "../system-events.ts";
import type { AskedRun } from "./tables.ts";

/** A run came to its end. */
export const FLOW_EXECUTED = "flow.executed";
/** The operation that runs a flow. */
export const RUN_OPERATION = "flows.run";

export type EventWorld = { readonly clock: Clock; readonly random: Random };

export function eventOf(
  run: Pick<AskedRun, "run_id" | "trace_id" | "command_id">,
  { clock, random, actor }: EventWorld & { readonly actor: string },
  draft: EventDraft,
): ReturnType<typeof systemEvent> {
  const trail = { trace_id: run.trace_id, run_id: run.run_id, request_id: run.command_id };
  return systemEvent({ clock, random, actor }, draft, trail);
}

const OF_A_RUN: ReadonlySet<string> = new Set([PIPELINE_EVENTS.requested, PIPELINE_EVENTS.applied]);

/**
 * Whether an event only tells that a flow was run: then nothing is to be made true because of it. Whoever looks after runs
 * that nobody carries, or after what is due, looks every second anyway.
 */
export function tellsRunOnly({
  action,
  details,
}: Pick<LedgerEvent, "action"> & { readonly details: Readonly<Record<string, unknown>> }): boolean {
  return action === FLOW_EXECUTED || (OF_A_RUN.has(action) && details["operation"] === RUN_OPERATION);
}
