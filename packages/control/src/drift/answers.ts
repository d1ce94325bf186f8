/** What drift, its rules and its brake answer. */
import { Type } from "@sinclair/typebox";
import { CountField, InstantField, nullable, OPEN } from "../shared/answers.ts";
import { DRIFT_CLASSES } from "./model.ts";

const ClassField = Type.Union(DRIFT_CLASSES.map((one) => Type.Literal(one)));
const ActionField = Type.Union(["repair", "quarantine"].map((word) => Type.Literal(word)));
const Drift = Type.Object(
  {
    drift_key: Type.String(),
    drift_class: ClassField,
    place: Type.String(),
    bot_id: Type.String(),
    strategy_id: Type.String(),
    instance_id: Type.String(),
    run_id: nullable(Type.String()),
    runner_id: nullable(Type.String()),
    epoch: CountField,
    expected: Type.String(),
    found: Type.String(),
    action: ActionField,
    state: Type.Union(["open", "braked", "settled"].map((word) => Type.Literal(word))),
    released: Type.Boolean(),
    detected_at: InstantField,
    attempts: CountField,
    next_attempt_at: nullable(InstantField),
    settled_at: nullable(InstantField),
    outcome: nullable(Type.Union(["repaired", "quarantined", "cleared"].map((word) => Type.Literal(word)))),
  },
  OPEN,
);
const rule = { drift_class: ClassField, action: ActionField, may: Type.Array(ActionField) } as const;
export const DriftAnswer = Type.Object(
  {
    drift: Type.Array(Drift),
    count: CountField,
    rules: Type.Array(Type.Object(rule, OPEN)),
    brake: Type.Object(
      { share: Type.Number(), always: CountField, engaged: Type.Boolean(), bots: Type.Array(Type.String()) },
      OPEN,
    ),
  },
  OPEN,
);
export const DriftRuleAnswer = Type.Object({ ...rule, former: ActionField }, OPEN);
export const DriftReleasedAnswer = Type.Object(
  { released: CountField, bots: Type.Optional(CountField), changed: Type.Boolean() },
  OPEN,
);
