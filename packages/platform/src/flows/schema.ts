/** The form of a `*.flow.yaml`: closed objects, so that a misspelt field is refused by its name. */
import { ID_PATTERNS } from "@rumi/kernel";
import { Type, type Static, type TObject } from "@sinclair/typebox";
import { FLOW_LIMITS } from "./limits.ts";

const closed = <T extends Parameters<typeof Type.Object>[0]>(members: T): TObject<T> =>
  Type.Object(members, { additionalProperties: false });
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });

export const FLOW_ID_PATTERN = "^[A-Za-z0-9_.-]{1,128}$";
const StepId = Type.String({ pattern: "^[A-Za-z0-9_.-]{1,128}$" });
/** A variable that a step writes, and the name of an input. */
const VariableName = Type.String({ pattern: "^[A-Za-z_][A-Za-z0-9_-]{0,127}$" });

export const STEP_TYPES = [
  "handler",
  "python_file_call",
  "set",
  "if",
  "function",
  "flow",
  "script",
  "approval",
] as const;
export type StepType = (typeof STEP_TYPES)[number];

export const INPUT_TYPES = ["string", "number", "integer", "boolean", "object", "array", "any"] as const;
export type InputType = (typeof INPUT_TYPES)[number];
const TypeWord = Type.Union(INPUT_TYPES.map((word) => Type.Literal(word)));

const InputField = Type.Union([
  TypeWord,
  closed({
    type: TypeWord,
    required: Type.Optional(Type.Boolean()),
    default: Type.Optional(Type.Unknown()),
    description: Type.Optional(text(1_024)),
  }),
]);
const OutputField = Type.Union([
  TypeWord,
  closed({
    type: Type.Optional(TypeWord),
    from: Type.Optional(Type.Unknown()),
    description: Type.Optional(text(1_024)),
  }),
]);
const named = <T extends Parameters<typeof Type.Record>[1]>(of: T) =>
  Type.Record(VariableName, of, { additionalProperties: false });

const STEP_MEMBERS = {
  id: StepId,
  priority: Type.Optional(Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 })),
  type: Type.Union(STEP_TYPES.map((word) => Type.Literal(word))),
  when: Type.Optional(Type.Union([Type.String({ minLength: 1, maxLength: 2_048 }), Type.Boolean()])),
  input: Type.Optional(Type.Unknown()),
  output: Type.Optional(VariableName),
  depends_on: Type.Optional(Type.Array(StepId, { maxItems: 256, uniqueItems: true })),
  owner_pack: Type.Optional(Type.String({ pattern: ID_PATTERNS.pack })),
  file: Type.Optional(text(512)),
  principal_id: Type.Optional(text(256)),
  timeout_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: FLOW_LIMITS.timeout_seconds })),
  runtime: Type.Optional(Type.Literal("python")),
  optional: Type.Optional(Type.Boolean()),
  on_error: Type.Optional(
    closed({ action: Type.Union(["abort", "continue", "disable_target"].map((word) => Type.Literal(word))) }),
  ),
};
const StepField = closed({ phase: text(128), ...STEP_MEMBERS });

export const FLOW_SCHEMA = closed({
  flow_id: Type.String({ pattern: FLOW_ID_PATTERN }),
  inputs: Type.Optional(named(InputField)),
  outputs: Type.Optional(named(OutputField)),
  phases: Type.Array(text(128), { minItems: 1, maxItems: 256, uniqueItems: true }),
  defaults: Type.Optional(
    closed({
      fail_soft: Type.Optional(Type.Boolean()),
      on_missing_step: Type.Optional(Type.Union([Type.Literal("skip"), Type.Literal("error")])),
    }),
  ),
  schedule: Type.Optional(Type.Unknown()),
  steps: Type.Array(StepField, { maxItems: FLOW_LIMITS.yaml_nodes }),
});
export type FlowFile = Static<typeof FLOW_SCHEMA>;
export type StepFile = Static<typeof StepField>;

export const MODIFIER_ACTIONS = ["inject_before", "inject_after", "append", "replace", "remove"] as const;
export type ModifierAction = (typeof MODIFIER_ACTIONS)[number];
const ModifierIds = Type.Optional(
  Type.Array(Type.String({ pattern: FLOW_ID_PATTERN }), { maxItems: 256, uniqueItems: true }),
);
const Names = Type.Optional(Type.Array(text(256), { maxItems: 256, uniqueItems: true }));

/** The form of a `*.modifier.yaml`. */
export const MODIFIER_SCHEMA = closed({
  modifier_id: Type.String({ pattern: FLOW_ID_PATTERN }),
  target_flow_id: Type.String({ pattern: FLOW_ID_PATTERN }),
  phase: text(128),
  priority: Type.Optional(Type.Integer({ minimum: -1_000_000, maximum: 1_000_000 })),
  action: Type.Union(MODIFIER_ACTIONS.map((word) => Type.Literal(word))),
  target_step_id: Type.Optional(StepId),
  step: Type.Optional(closed({ phase: Type.Optional(text(128)), ...STEP_MEMBERS })),
  requires: Type.Optional(closed({ interfaces: Names, capabilities: Names })),
  conflicts_with: ModifierIds,
  compatible_with: ModifierIds,
});
export type ModifierFile = Static<typeof MODIFIER_SCHEMA>;
