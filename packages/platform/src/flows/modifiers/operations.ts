/** Every modifier of a home, what became of it and why. */
import { failureText, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import { Type, type TNull, type TSchema, type TUnion } from "@sinclair/typebox";
import { FLOW_ID_PATTERN, MODIFIER_ACTIONS } from "../schema.ts";
import type { FlowSources } from "../sources.ts";
import type { ModifierEntry } from "./catalogue.ts";

const OPEN = { additionalProperties: true } as const;
const nullable = <T extends TSchema>(of: T): TUnion<[T, TNull]> => Type.Union([of, Type.Null()]);
const Words = Type.Array(Type.String());

const ModifiersAnswer = Type.Object(
  {
    modifiers: Type.Array(
      Type.Object(
        {
          modifier_id: Type.String(),
          target_flow_id: Type.String(),
          phase: Type.String(),
          priority: Type.Integer(),
          action: Type.Union(MODIFIER_ACTIONS.map((action) => Type.Literal(action))),
          target_step_id: nullable(Type.String()),
          step_id: nullable(Type.String()),
          source: Type.String(),
          path: Type.String(),
          owner_pack: nullable(Type.String()),
          digest: Type.String(),
          state: Type.Union([Type.Literal("applied"), Type.Literal("skipped")]),
          skip_reason: nullable(Type.String({ description: "The word before the colon is one of docs/flows.md." })),
          conflicts: Words,
          untested_with: Words,
          warnings: Words,
        },
        OPEN,
      ),
    ),
    count: Type.Integer({ minimum: 0 }),
    problems: Type.Array(
      Type.Object(
        {
          modifier_id: nullable(Type.String()),
          path: Type.String(),
          error_code: Type.String(),
          error: Type.String(),
          suggestion: Type.String(),
        },
        OPEN,
      ),
    ),
  },
  OPEN,
);

export const listModifiers = (sources: FlowSources): Declaration =>
  defineQuery({
    name: "flows.modifiers",
    summary: "Every modifier of this home: whether it changes its flow, or why it does not",
    http: { method: "GET", path: "/api/flows/modifiers" },
    input: Type.Object(
      { flow_id: Type.Optional(Type.String({ pattern: FLOW_ID_PATTERN })) },
      { additionalProperties: false },
    ),
    output: ModifiersAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (_reader, { flow_id }) => {
      const catalogue = await sources.refresh();
      const modifiers = catalogue.modifiers
        .filter(({ modifier }) => flow_id === undefined || modifier.target_flow_id === flow_id)
        .map(viewOf);
      const problems = catalogue.modifier_problems.map(({ modifier_id, source, path, failure }) => {
        const { text, next } = failureText(failure, "en");
        return { modifier_id, source, path, error_code: failure.code, error: text, suggestion: next };
      });
      return ok({ modifiers, count: modifiers.length, problems });
    },
  });

function viewOf(one: ModifierEntry) {
  const { modifier_id, target_flow_id, phase, priority, action, target_step_id, step } = one.modifier;
  const { source, path, owner_pack, digest, skip_reason, conflicts, untested_with, warnings } = one;
  return {
    modifier_id,
    target_flow_id,
    phase,
    priority,
    action,
    target_step_id,
    step_id: step?.id ?? null,
    source,
    path,
    owner_pack,
    digest,
    state: skip_reason === null ? ("applied" as const) : ("skipped" as const),
    skip_reason,
    conflicts,
    untested_with,
    warnings,
  };
}
