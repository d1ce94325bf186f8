/** The moment of an update in place: the former version's run handed over, the new one's takes its place. Pure. */
import type { InstanceStatus } from "@rumi/runtime";
import { botResource } from "../bots/operations.ts";
import { runRowOf } from "../instances/begin.ts";
import { instanceDetails, resource, type Facts, type Observation } from "../instances/observe.ts";
import { isShadow } from "../instances/shards.ts";
import type { NextRun, StartSpec } from "../instances/tables.ts";
import { jsonOf } from "../shared/sql.ts";

/** The runner's own word for "everything is in the checkpoint, another run goes on". */
export const HANDED_OVER = "M.RUN.HANDED_OVER";

/** `undefined` when this report is no hand-over that somebody waits for. */
export function observeHandover(facts: Facts, status: InstanceStatus, now: number): Observation | undefined {
  const { bot, instance } = facts;
  if (status.phase !== "stopped" || status.reason_code !== HANDED_OVER || instance.next === null) return undefined;
  const { spec, command_id, report_id, back } = jsonOf<NextRun>(instance.next);
  const former = jsonOf<StartSpec>(instance.spec);
  const versions = {
    from_version: former.strategy_version,
    to_version: spec.strategy_version,
    from_digest: former.pack_digest,
    digest: spec.pack_digest,
    from_run_id: instance.run_id,
    cursor: status.cursor,
  };
  return {
    bot:
      bot.run_id === instance.run_id && !isShadow(instance)
        ? { run_id: spec.run_id, observed_generation: spec.generation }
        : { observed_generation: spec.generation },
    instance: {
      run_id: spec.run_id,
      trace_id: spec.trace_id,
      spec: JSON.stringify(spec),
      generation: spec.generation,
      next: null,
      back: back === null ? null : JSON.stringify(back),
      holder: null,
      starts: 0,
      phase: "none",
      health_state: null,
      failure: null,
    },
    conditions: [],
    events: [
      {
        action: "instance.stopped",
        ...resource(instance),
        outcome: "SUCCESS",
        details: {
          ...instanceDetails(instance),
          reason_code: HANDED_OVER,
          cursor: status.cursor,
          open_orders: status.orders_open,
        },
      },
      {
        action: "bot.updated",
        ...botResource(bot.bot_id),
        details: { instance_id: instance.instance_id, generation: spec.generation, ...versions },
      },
    ],
    ended: "UPDATED",
    begun: runRowOf(spec, { command_id, report_id, now }),
  };
}
