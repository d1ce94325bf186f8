/**
 * Carries out what waits in the spool, in its order, once the log can be written, and records the time between as a gap.
 *
 * How to think: an entry goes when its command is done or when the rows are at least as strict as it is; until then it
 * stays in force. One that is refused for good stays too, said once in the program's log: a person sets it under a new id,
 * and those behind it do not wait. The gap is on record before anything is forgotten.
 */
import { isoFromMicros, micros, type Micros } from "@rumi/kernel";
import type { Answer, EmergencyEntry, Logger, Pipeline, SafetyMode } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";
import type { Store } from "@rumi/store";
import { readKillSwitch, wireRules } from "../kill-switch/tables.ts";
import type { Recorder } from "../runners/recorder.ts";
import { readSafety } from "../safety/tables.ts";
import { isInForce, type EmergencySpool } from "./spool.ts";

export type EmergencyDeps = {
  readonly spool: EmergencySpool;
  readonly store: Store;
  readonly recorder: Pick<Recorder, "commit">;
  readonly logger: Pick<Logger, "error">;
  readonly now: () => Micros;
};

export function emergencyReconciler({ spool, store, recorder, logger, now }: EmergencyDeps, pipeline: Pipeline) {
  const refused = new Set<string>();
  return {
    name: "emergency",
    run: async () => {
      const done: EmergencyEntry[] = [];
      for (const entry of spool.waiting.filter(({ command_id }) => !refused.has(command_id))) {
        const answer = await carriedOut(entry, pipeline);
        const end = endOf(answer);
        if (end === "unlogged") break;
        if (end === "done") done.push(entry);
        if (end !== "refused") continue;
        refused.add(entry.command_id);
        logger.error("a spooled tightening was refused; it stays in force until it is set under a new id", {
          command_id: entry.command_id,
          operation: entry.operation,
          error_code: answer?.kind === "refused" ? answer.failure.code : null,
        });
      }
      if (spool.waiting.some(({ command_id }) => refused.has(command_id))) {
        const { mode } = await readSafety(store, store);
        const rules = wireRules(await readKillSwitch(store, store));
        const inRows = (one: EmergencyEntry): boolean => isInForce(one, mode as SafetyMode, rules);
        done.push(...spool.waiting.filter((one) => refused.has(one.command_id) && inRows(one)));
      }
      if (done.length === 0 || !(await recorder.commit("system:emergency", [], [gap(done, now())]))) return;
      const over = new Set(done.map(({ command_id }) => command_id));
      spool.done(over);
      for (const command_id of over) refused.delete(command_id);
    },
  } satisfies Reconciler;
}

function carriedOut(entry: EmergencyEntry, pipeline: Pipeline): Promise<Answer> | null {
  const operation = pipeline.settings.registry.operations.get(entry.operation);
  if (operation === undefined) return null;
  return pipeline.execute(operation, {
    raw: { params: {}, query: {}, body: entry.input },
    principal: entry.principal,
    idempotencyKey: entry.command_id,
    trace_id: entry.trace_id,
    remote: "emergency spool",
    continues: true,
  });
}

/** `unlogged`: the log still takes nothing. `later`: worth another round under the same id. */
function endOf(answer: Answer | null): "done" | "unlogged" | "later" | "refused" {
  if (answer === null) return "refused";
  if (answer.kind === "done") return (answer.data as { spooled?: boolean }).spooled === true ? "unlogged" : "done";
  const { code } = answer.failure;
  // What is stored under its id, a fault of ours too, is answered for ever.
  if (answer.duplicate_suppressed || code === "RUMI-CMD-010") return "refused";
  return answer.status >= 500 || code === "RUMI-CMD-001" ? "later" : "refused";
}

function gap(done: readonly EmergencyEntry[], until: Micros) {
  const from = micros(Math.min(...done.map(({ at }) => at)));
  return {
    action: "audit.gap",
    resource_type: "home",
    resource_id: "audit",
    outcome: "FAILURE",
    details: {
      lost: 0,
      from: isoFromMicros(from),
      to: isoFromMicros(until),
      cause: `the log could not be written; ${done.length} tightenings waited in the emergency spool`,
    },
  } as const;
}
