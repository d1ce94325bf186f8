/** Answers about what restrains bots. */
import { anything, flag, integer, list, mapOf, nullable, object, oneOf, optional, text, type Of } from "./shape.ts";

/** Weakest first; the strictest that matches holds. */
export const KILL_LEVELS = ["ALLOW", "CLOSE_ONLY", "FLATTEN", "BLOCK"] as const;
export type KillLevel = (typeof KILL_LEVELS)[number];
const level = oneOf(...KILL_LEVELS);

export const SCOPE_KINDS = ["all", "venue", "group_id", "bot_id", "strategy_id"] as const;
export type ScopeKind = (typeof SCOPE_KINDS)[number];
/** Exactly one of {@link SCOPE_KINDS}: `{all: true}` or a name. */
const scope = mapOf(anything);
export type Scope = Of<typeof scope>;

export function scopeText(of: Scope): string {
  const [kind, name] = Object.entries(of)[0] ?? ["?", "?"];
  return kind === "all" ? "all" : `${kind.replace("_id", "")} ${String(name)}`;
}

const killRule = object({
  scope,
  level,
  reason: text,
  set_by: text,
  set_at: text,
  /** In force, and the log could not take it yet. */
  spooled: optional(flag),
});
export type KillRule = Of<typeof killRule>;
export const killSwitch = object({
  generation: integer,
  rules: list(killRule),
  runners: list(object({ runner_id: text, follows: flag, instances: integer })),
});
export type KillSwitch = Of<typeof killSwitch>;

const gate = object({
  gate: text,
  state: oneOf("PASS", "FAIL", "UNKNOWN"),
  required: flag,
  rules: list(object({ rule_id: text, passed: flag, message: optional(text) })),
  evaluated_at: text,
  expires_at: text,
  reported_by: text,
});
export type Gate = Of<typeof gate>;
export const gatesAnswer = object({ gates: list(gate) });

export const HOLD_KINDS = ["freeze", "incident", "lock"] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];
const hold = object({
  hold_id: text,
  kind: oneOf(...HOLD_KINDS),
  state: oneOf("IN_FORCE", "REVIEW_NEEDED", "LIFTED"),
  scope,
  reason: text,
  set_by: text,
  set_at: text,
  ends_at: nullable(text),
});
export type Hold = Of<typeof hold>;
export const holdsAnswer = object({ holds: list(hold) });

const sessionFields = {
  session_id: text,
  state: oneOf("OPEN", "REVIEW_PENDING", "REVIEWED"),
  holder: text,
  verbs: list(text),
  reason: text,
  opened_at: text,
  ends_at: text,
  reviewed_by: nullable(text),
  review: nullable(text),
} as const;
const session = object({ ...sessionFields, training: flag });
export type Session = Of<typeof session>;
export const sessionsAnswer = object({ sessions: list(session) });
export const sessionDetail = object({
  ...sessionFields,
  commands: list(
    object({
      operation: nullable(text),
      command_id: nullable(text),
      occurred_at: text,
      resource_type: text,
      resource_id: text,
      under_session: flag,
    }),
  ),
});
