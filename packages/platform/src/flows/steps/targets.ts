/**
 * What steps call no more: a step with `on_error: {action: disable_target}` failed on it. Somebody enables it again.
 *
 * Think of a fuse: whichever step finds its target here fails at once and says why; its own on_error decides what follows.
 */
import { err, failure, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { compiledText, write, type Migrations, type Reader, type Store, type Write } from "@rumi/store";
import { Type } from "@sinclair/typebox";

export type DisabledTarget = {
  readonly target: string;
  readonly flow_id: string;
  readonly step_id: string;
  readonly problem: string;
  readonly at: number;
};
type TargetTables = {
  flow_disabled_target: { target: string; flow_id: string; step_id: string; problem: string; at: number };
};
type Sql = Pick<Store, "builder">;

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE flow_disabled_target (
    target TEXT NOT NULL PRIMARY KEY, flow_id TEXT NOT NULL, step_id TEXT NOT NULL, problem TEXT NOT NULL, at ${integer} NOT NULL)`,
];
export const TARGET_MIGRATIONS: Migrations = {
  owner: "platform.step_targets",
  steps: [{ name: "001-step-targets", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

const SELECT_ONE = compiledText<TargetTables>((db) =>
  db.selectFrom("flow_disabled_target").selectAll().where("target", "=", ""),
);

export async function readDisabledTarget(
  reader: Reader,
  sql: Sql,
  target: string,
): Promise<DisabledTarget | undefined> {
  const [row] = await reader.rows<DisabledTarget>({ sql: SELECT_ONE(sql), parameters: [target] });
  return row;
}

/** The first failure stays: it is why. */
export function disableTarget(sql: Sql, of: DisabledTarget): Write {
  const insert = sql.builder<TargetTables>().insertInto("flow_disabled_target").values(of);
  return write(
    insert.onConflict((on) => on.column("target").doNothing()),
    "any",
  );
}

const OPEN = { additionalProperties: true } as const;
const TargetAnswer = Type.Object(
  {
    target: Type.String(),
    flow_id: Type.String(),
    step_id: Type.String(),
    problem: Type.String(),
    disabled_at: Type.String(),
  },
  OPEN,
);
const viewOf = ({ target, flow_id, step_id, problem, at }: DisabledTarget) => ({
  target,
  flow_id,
  step_id,
  problem,
  disabled_at: isoFromMicros(micros(at)),
});

export function targetDeclarations(): readonly Declaration[] {
  return [listTargets(), enableTarget()];
}

const listTargets = (): Declaration =>
  defineQuery({
    name: "flows.disabled_targets",
    summary: "What steps of flows call no more, since it failed and its step said disable_target",
    http: { method: "GET", path: "/api/flows/targets/disabled" },
    input: Type.Object({}, { additionalProperties: false }),
    output: Type.Object({ targets: Type.Array(TargetAnswer), count: Type.Integer({ minimum: 0 }) }, OPEN),
    permission: ["view_only", "operator", "admin"],
    read: async (reader, _input, { store }) => {
      const all = store.builder<TargetTables>().selectFrom("flow_disabled_target").selectAll().orderBy("target");
      const targets = (await reader.rows<DisabledTarget>(all)).map(viewOf);
      return ok({ targets, count: targets.length });
    },
  });

const enableTarget = (): Declaration =>
  defineOperation({
    name: "flows.enable_target",
    summary: "Let steps call again what was disabled",
    http: { method: "POST", path: "/api/flows/targets/enable" },
    input: Type.Object(
      {
        target: Type.String({ minLength: 1, maxLength: 1_024 }),
        reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })),
      },
      { additionalProperties: false },
    ),
    output: TargetAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target: ({ target }) => ({ resource_type: "step_target", resource_id: target }),
    gates: [],
    load: (reader, { target }, { store }) => readDisabledTarget(reader, store, target),
    decide: (disabled, { target }, context) => {
      if (disabled === undefined) return err(failure("RUMI-SYS-011", { what: "disabled target", id: target }));
      const gone = context.store
        .builder<TargetTables>()
        .deleteFrom("flow_disabled_target")
        .where("target", "=", target);
      return ok({
        writes: [write(gone, 1)],
        events: [
          {
            action: "step_target.enabled",
            resource_type: "step_target",
            resource_id: target,
            outcome: "SUCCESS",
            details: { flow_id: disabled.flow_id, step_id: disabled.step_id },
          },
        ],
        outbox: [],
        data: viewOf(disabled),
      });
    },
  });
