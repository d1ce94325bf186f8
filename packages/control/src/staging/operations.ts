/** Staged intents are listed, approved and rejected (M-8.3.1). A person's word is kept until a runner took it. */
import { isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { readInstance, type InstanceRow } from "../instances/tables.ts";
import { BotIdField, CLOSED, EVERYONE, noDanger } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, jsonOf } from "../shared/sql.ts";
import { type Decision, DecisionInput, judgeDecision } from "./model.ts";
import { readStaged, type StagedRow, type StagingTables, updateStaged } from "./tables.ts";
import { StagedAnswer, StagedListAnswer } from "./answers.ts";

export const stagingDeclarations = (): readonly Declaration[] => [listStaged, decide("approve"), decide("reject")];

/** The instance in whose journal it stands. */
export const stagedResource = (row: Pick<StagedRow, "bot_id" | "strategy_id" | "instance_id">) => ({
  resource_type: "instance",
  resource_id: `${row.bot_id}/${row.strategy_id}/${row.instance_id}`,
});

const decide = (decision: Decision): Declaration =>
  defineOperation({
    name: `intents.${decision}`,
    summary: decision === "approve" ? "Approve a staged intent: it is judged again and sent" : "Reject a staged intent",
    http: { method: "POST", path: `/api/intents/{run_id}/{idempotency_key}/${decision}` },
    input: DecisionInput,
    output: StagedAnswer,
    key: "command_id",
    permission: ["operator", "admin"],
    risk: () => (decision === "approve" ? "increase" : "tighten"),
    ...(decision === "reject" ? { above_policies: () => true } : {}),
    danger: noDanger,
    target: ({ run_id, idempotency_key }) => ({ resource_type: "intent", resource_id: `${run_id}/${idempotency_key}` }),
    bot: (_input, { staged }: { readonly staged: StagedRow | undefined; readonly instance: InstanceRow | undefined }) =>
      staged?.bot_id ?? null,
    gates: [],
    load: async (reader, input, { store }) => {
      const staged = await readStaged(reader, store, input);
      return { staged, instance: staged === undefined ? undefined : await readInstance(reader, store, staged) };
    },
    decide: (facts, input, { now, store, principal }) => {
      const judged = judgeDecision(input, { ...facts, decision, now });
      if (!judged.ok) return judged;
      const row = judged.value;
      const word = {
        decision,
        decided_by: principal.id,
        decided_at: now,
        decision_reason: input.reason,
        delivered: 0,
        failure: null,
      };
      const { run_id, idempotency_key } = row;
      return ok({
        writes: [updateStaged(store, row, word, now)],
        events: [
          {
            action: "intent.staging.asked",
            ...stagedResource(row),
            outcome: "SUCCESS" as const,
            details: {
              bot_id: row.bot_id,
              strategy_id: row.strategy_id,
              instance_id: row.instance_id,
              staged_run_id: run_id,
              idempotency_key,
              asked: decision,
            },
          },
        ],
        outbox: [],
        data: stagedView({ ...row, ...word }),
      });
    },
  });

const ListInput = Type.Object(
  {
    bot_id: Type.Optional(BotIdField),
    run_id: Type.Optional(Type.String({ maxLength: 64 })),
    state: Type.Optional(
      Type.String({
        pattern: "^[a-z]{1,16}$",
        description: "staged, committed, rejected, expired, refused or voided.",
      }),
    ),
    ...PAGE_FIELDS,
  },
  CLOSED,
);

const listStaged = defineQuery({
  name: "intents.staged",
  summary: "Intents that wait for approval, and what became of those that did, newest first",
  http: { method: "GET", path: "/api/intents/staged" },
  input: ListInput,
  output: StagedListAnswer,
  permission: EVERYONE,
  read: async (reader, { bot_id, run_id, state, cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["string", "number"]);
    if (!after.ok) return after;
    let query = store
      .builder<StagingTables>()
      .selectFrom("staged_intent")
      .selectAll()
      .orderBy("run_id", "desc")
      .orderBy("seq", "desc")
      .limit(limit + 1);
    if (bot_id !== undefined) query = query.where("bot_id", "=", bot_id);
    if (run_id !== undefined) query = query.where("run_id", "=", run_id);
    if (state !== undefined) query = query.where("state", "=", state);
    if (after.value !== undefined) {
      const [run, seq] = [String(after.value[0]), Number(after.value[1])];
      query = query.where((of) =>
        of.or([of("run_id", "<", run), of.and([of("run_id", "=", run), of("seq", "<", seq)])]),
      );
    }
    const rows = await reader.rows<StagedRow>(query);
    const { page: shown, next_cursor } = pageOf(rows, limit, (row) => [row.run_id, row.seq]);
    return ok({
      intents: shown.map(stagedView),
      count: shown.length,
      next_cursor,
    });
  },
});

export function stagedView(row: StagedRow): Readonly<Record<string, unknown>> {
  const { delivered, failure, intent, row_version: _v, updated_at: _u, ...rest } = row;
  const moment = (at: number | null): string | null => (at === null ? null : isoFromMicros(micros(at)));
  return {
    ...rest,
    staged_at: moment(row.staged_at),
    expires_at: moment(row.expires_at),
    decided_at: moment(row.decided_at),
    is_delivered: delivered === 1,
    failure: failure === null ? null : jsonOf(failure),
    intent: jsonOf(intent),
  };
}
