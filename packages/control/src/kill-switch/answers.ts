/** What the kill switch answers. */
import { KILL_LEVELS } from "@rumi/runtime";
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, InstantField, OPEN } from "../shared/answers.ts";

const Rule = Type.Object(
  {
    scope: AnythingField,
    level: Type.Union(KILL_LEVELS.map((level) => Type.Literal(level))),
    reason: Type.String(),
    set_by: Type.String(),
    set_at: InstantField,
    generation: CountField,
  },
  OPEN,
);
export const KillSwitchAnswer = Type.Object(
  { generation: CountField, rules: Type.Array(Rule), runners: Type.Array(AnythingField) },
  OPEN,
);
const LevelAnswer = Type.Union(KILL_LEVELS.map((level) => Type.Literal(level)));
const Matched = {
  generation: CountField,
  bots_matched: CountField,
  bots: Type.Array(Type.Object({ bot_id: Type.String(), state: Type.String() }, OPEN)),
} as const;
export const KillSetAnswer = Type.Union([
  Type.Object(
    { changed: Type.Literal(true), scope: AnythingField, from: LevelAnswer, level: LevelAnswer, ...Matched },
    OPEN,
  ),
  Type.Object({ changed: Type.Literal(false), rules: Type.Array(Rule), ...Matched }, OPEN),
]);
