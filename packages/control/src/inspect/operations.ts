/**
 * GET /api/instances/{bot_id}/inspect: a bounded look into a living instance, without anything that could be a secret
 * (M-14.2).
 *
 * Think of two halves: what the program knows anyway (last status, intents taken in), and a sample that the runner gives
 * of its instance. The runner is asked at most once per `inspect_every_ms` and instance, however many people watch.
 */
import { err, failure, isoFromMicros, micros, millis, ok, type Clock } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import type { Inspection, InstanceStatus } from "@rumi/runtime";
import { Type } from "@sinclair/typebox";
import { readInstances, type InstanceRow } from "../instances/tables.ts";
import { instanceView, statusOf } from "../instances/view.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { runbookOf } from "../runbooks.ts";
import type { RunnerHub } from "../runners/hub.ts";
import { BotIdField, CLOSED, EVERYONE } from "../shared/fields.ts";
import type { IntentRow, ViewTables } from "../views/tables.ts";
import { InspectionAnswer } from "./answers.ts";

type Sample = { readonly at: number; readonly inspection: Inspection | null };

export function inspectDeclarations(deps: {
  readonly hub: () => Pick<RunnerHub, "ask">;
  readonly clock: Clock;
}): readonly Declaration[] {
  const samples = sampler(deps);
  return [
    defineQuery({
      name: "instances.inspect",
      summary: "A bounded look into a living instance: sampled events, intents, state keys, health; never a secret",
      http: { method: "GET", path: "/api/instances/{bot_id}/inspect" },
      input: Type.Object(
        { bot_id: BotIdField, instance_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })) },
        CLOSED,
      ),
      output: InspectionAnswer,
      permission: EVERYONE,
      read: async (reader, { bot_id, instance_id }, { store }) => {
        const rows = await readInstances(reader, store, bot_id);
        const row = rows.find((one) => instance_id === undefined || one.instance_id === instance_id);
        if (row === undefined)
          return err(
            failure("RUMI-SYS-011", {
              what: "instance",
              id: instance_id === undefined ? bot_id : `${bot_id}/${instance_id}`,
            }),
          );
        const intents = await reader.rows<IntentRow>(
          store
            .builder<ViewTables>()
            .selectFrom("intent_view")
            .selectAll()
            .where("run_id", "=", row.run_id)
            .orderBy("run_id", "desc")
            .orderBy("seq", "desc")
            .limit(CONTROL_LIMITS.inspect_intents),
        );
        const sample = await samples(row);
        return ok({
          ...instanceView(row),
          sampled_at: isoFromMicros(micros(sample.at)),
          /** Null while nobody runs it, or when its runner does not answer in time. */
          live: sample.inspection,
          discarded: reasonsOf(statusOf(row), "intent_discarded_total"),
          faults: reasonsOf(statusOf(row), "strategy_fault_total"),
          recent_intents: intents.map((one) => ({
            schema_version: 1,
            run_id: one.run_id,
            trace_id: one.trace_id,
            seq: one.seq,
            event_time: isoFromMicros(micros(one.event_time_us)),
            verdict: one.verdict,
            reason_code: one.reason_code,
            runbook: runbookOf("", one.reason_code ?? undefined) ?? null,
            client_order_id: one.client_order_id,
            idempotency_key: one.idempotency_key,
            intent: JSON.parse(one.intent) as unknown,
          })),
        });
      },
    }),
  ];
}

/** Counts of one metric by its label, each with the page that says what to do. */
function reasonsOf(status: InstanceStatus | null, metric: string) {
  return Object.entries(status?.counters ?? {}).flatMap(([name, count]) => {
    const word = name.startsWith(`${metric}{`) ? /="([^"]*)"/.exec(name)?.[1] : undefined;
    return word === undefined ? [] : [{ reason: word, count, runbook: runbookOf("", word) ?? null }];
  });
}

/** One sample of each run at a time, kept for a moment. */
function sampler({ hub, clock }: { readonly hub: () => Pick<RunnerHub, "ask">; readonly clock: Clock }) {
  const kept = new Map<string, { readonly since: number; readonly sample: Promise<Sample> }>();
  const take = async ({ holder, run_id, epoch }: InstanceRow): Promise<Sample> => {
    if (holder === null) return { at: clock.now(), inspection: null };
    const silent = new AbortController();
    const late = clock.sleep(millis(CONTROL_LIMITS.inspect_ms), silent.signal).then(() => undefined);
    const asked = hub().ask(holder, {
      type: "inspect",
      run_id: run_id as InstanceStatus["run_id"],
      epoch,
      reason: "inspect",
    });
    const reply = await Promise.race([asked, late]);
    silent.abort();
    const inspection = reply?.type === "reply" && reply.ok ? (reply.status.inspection ?? null) : null;
    return { at: clock.now(), inspection };
  };
  return (row: InstanceRow): Promise<Sample> => {
    const now = clock.now();
    const key = `${row.run_id} ${row.epoch}`;
    for (const [other, { since }] of kept)
      if (now - since >= CONTROL_LIMITS.inspect_every_ms * 1_000) kept.delete(other);
    const found = kept.get(key);
    if (found !== undefined) return found.sample;
    const sample = take(row);
    kept.set(key, { since: now, sample });
    return sample;
  };
}
