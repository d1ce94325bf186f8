/** Audit events of runs: each names its run, its wish and whoever asked for it. */
import type { Clock, Random } from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";
import { systemEvent } from "../system-events.ts";
import type { AskedRun } from "./tables.ts";

export type EventWorld = { readonly clock: Clock; readonly random: Random };

export function eventOf(
  run: Pick<AskedRun, "run_id" | "trace_id" | "command_id">,
  { clock, random, actor }: EventWorld & { readonly actor: string },
  draft: EventDraft,
): ReturnType<typeof systemEvent> {
  const trail = { trace_id: run.trace_id, run_id: run.run_id, request_id: run.command_id };
  return systemEvent({ clock, random, actor }, draft, trail);
}
