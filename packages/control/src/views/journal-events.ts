/**
 * What of a run's journal is an event of the audit log by itself: that an instance was held back, and
 * let go again; that its state was rolled back; at which row a configuration took effect.
 *
 * It commits with the place in the journal, so each is told exactly once, however often a runner repeats itself.
 */
import type { JsonObject } from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";
import type { JournalEntry } from "@rumi/runtime";
import type { RunRow } from "../instances/tables.ts";

export function eventsOf(run: RunRow, entries: readonly JournalEntry[]): readonly EventDraft[] {
  const of = {
    resource_type: "instance",
    resource_id: `${run.bot_id}/${run.strategy_id}/${run.instance_id}`,
    outcome: "SUCCESS" as const,
  };
  const place = { bot_id: run.bot_id, strategy_id: run.strategy_id, instance_id: run.instance_id };
  return entries.flatMap((entry): readonly EventDraft[] => {
    const where = { ...place, seq: entry.seq, cursor: entry.cursor, event_time_us: entry.event_time_us };
    if (entry.kind === "breaker") {
      const { state, mode, trigger, reason_code } = entry.breaker;
      return [
        state === "open"
          ? {
              action: "instance.breaker.opened",
              ...of,
              details: { ...where, reason_code, breaker_mode: mode, trigger },
            }
          : { action: "instance.breaker.closed", ...of, details: { ...where, reason_code } },
      ];
    }
    // What a policy approves by itself is in the journal's segments only: nobody decided anything.
    if (entry.kind === "staging" && entry.staging.by !== "policy") {
      const { idempotency_key, state, by, reason_code } = entry.staging;
      const details = { ...where, staged_run_id: run.run_id, idempotency_key, state, by, reason_code };
      return [{ action: "intent.staging.changed", ...of, details }];
    }
    if (entry.kind === "intent" && entry.verdict === "staged" && isForPerson(entry.intent)) {
      const { idempotency_key, reason_code } = entry;
      const details = { ...where, staged_run_id: run.run_id, idempotency_key, state: "staged", by: null, reason_code };
      return [{ action: "intent.staging.changed", ...of, details }];
    }
    if (entry.kind === "input" && entry.input["input"] === "pressure") {
      const { source, level, reason_code, measured } = entry.input;
      return [
        { action: "instance.pressure.changed", ...of, details: { ...where, source, level, reason_code, measured } },
      ];
    }
    if (entry.kind === "checkpoint" && entry.checkpoint["event"] === "rolled_back") {
      const { reason_code, slot, problem, evidence } = entry.checkpoint;
      const told = {
        ...where,
        reason_code,
        problem: [slot, problem].filter((word) => typeof word === "string").join(": "),
        evidence,
      };
      return [{ action: "instance.checkpoint.rolled_back", ...of, details: told }];
    }
    if (entry.kind === "input" && entry.input["input"] === "config") {
      const { actor, generation } = entry.input;
      return [{ action: "instance.config.effective", ...of, details: { ...where, by: actor, generation } }];
    }
    return [];
  });
}

const isForPerson = ({ staging }: JsonObject): boolean =>
  typeof staging === "object" && staging !== null && "approves" in staging && staging["approves"] === "person";
