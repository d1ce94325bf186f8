/** The one form in which API and console see an instance. */
import { isoFromMicros, micros } from "@rumi/kernel";
import type { InstanceStatus } from "@rumi/runtime";
import { jsonOf } from "../shared/sql.ts";
import type { FailureNote } from "../shared/fields.ts";
import { runbookOf } from "../runbooks.ts";
import type { InstanceRow, StartSpec } from "./tables.ts";

export function statusOf(row: Pick<InstanceRow, "status">): InstanceStatus | null {
  return row.status === null ? null : jsonOf<InstanceStatus>(row.status);
}

function requiredOf({ spec }: InstanceRow) {
  const { isolation, isolation_level } = jsonOf<StartSpec>(spec);
  return { isolation, level: isolation_level ?? null };
}

/** An instance as API and console show it. */
export function instanceView(row: InstanceRow) {
  const status = statusOf(row);
  return {
    bot_id: row.bot_id,
    strategy_id: row.strategy_id,
    instance_id: row.instance_id,
    run_id: row.run_id,
    trace_id: row.trace_id,
    generation: row.generation,
    mode: row.mode,
    desired: row.desired,
    phase: row.phase,
    epoch: row.epoch,
    holder: row.holder,
    health_state: status?.health_state ?? null,
    reason_code: status?.reason_code ?? null,
    /** The page that says what to do about the reason. */
    runbook: runbookOf("", status?.reason_code ?? undefined) ?? null,
    /** What is in force; what was asked for stands beside it. */
    isolation: status?.isolation ?? null,
    isolation_required: requiredOf(row),
    cursor: status?.cursor ?? 0,
    events_total: status?.events_total ?? 0,
    intents_total: status?.intents_total ?? 0,
    orders_open: status?.orders_open ?? 0,
    last_checkpoint: status?.last_checkpoint ?? null,
    shadow: status?.shadow ?? null,
    positions: status?.positions ?? [],
    counters: status?.counters ?? {},
    slo: status?.slo ?? null,
    breaker: status?.breaker ?? null,
    stop_condition: status?.stop_condition ?? null,
    failure: row.failure === null ? null : jsonOf<FailureNote>(row.failure),
    stop_reason: row.stop_reason,
    updated_at: isoFromMicros(micros(row.updated_at)),
  };
}
