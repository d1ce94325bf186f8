/** Fields of requests about runs. */
import { Type, type Static } from "@sinclair/typebox";
import { RUN_LIMITS } from "../limits.ts";
import { GLOB_LIMITS } from "../scope/glob.ts";

export const closed = { additionalProperties: false } as const;
export const RunIdField = Type.Integer({ minimum: 1, maximum: 2_147_483_647 });
export const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const Patterns = Type.Array(Type.String({ minLength: 1, maxLength: GLOB_LIMITS.characters }), {
  maxItems: GLOB_LIMITS.patterns,
});
const CheckField = Type.Object(
  {
    check_key: Type.String({ pattern: "^[a-z0-9][a-z0-9_.-]{0,63}$" }),
    label: Type.String({ minLength: 1, maxLength: 200 }),
    kind: Type.Union([Type.Literal("dod"), Type.Literal("lint"), Type.Literal("test"), Type.Literal("build")]),
    command: Type.String({ minLength: 1, maxLength: RUN_LIMITS.check_characters, description: "For /bin/sh -c." }),
    timeout_sec: Type.Optional(Type.Integer({ minimum: 1, maximum: RUN_LIMITS.check_timeout_seconds })),
    working_dir: Type.Optional(Type.String({ maxLength: 1_024, description: "Relative to the checkout." })),
    required: Type.Boolean(),
  },
  closed,
);
export const StartInput = Type.Object(
  {
    repo: Type.String({ minLength: 1, maxLength: 4_096, description: "Absolute path of a git repository." }),
    base_ref: Type.Optional(Type.String({ minLength: 1, maxLength: 256, description: "HEAD where nothing is said." })),
    prompt: Type.String({ maxLength: RUN_LIMITS.prompt_characters }),
    scope: Type.Object({ read: Type.Optional(Patterns), write: Patterns, exclude: Type.Optional(Patterns) }, closed),
    dod: Type.Object({ required_checks: Type.Array(CheckField, { maxItems: RUN_LIMITS.checks }) }, closed),
    command: Type.Array(Type.String({ maxLength: RUN_LIMITS.word_characters }), {
      minItems: 1,
      maxItems: RUN_LIMITS.command_words,
    }),
    timeout_seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: RUN_LIMITS.timeout_seconds })),
    enforce: Type.Optional(Type.Union([Type.Literal("record"), Type.Literal("deny")])),
    reason: ReasonField,
  },
  closed,
);
export type Start = Static<typeof StartInput>;
