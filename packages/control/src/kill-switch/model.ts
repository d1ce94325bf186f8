/**
 * The kill switch as the control plane keeps it: one rule for each scope that somebody restrained. Pure.
 *
 * How to think: what a rule means for an instance is the runtime's (`strictestKill`), asked here before risk may grow and
 * there for every order. A rule set to ALLOW is no rule. A home is one environment, so `all` is the environment.
 *
 * Invariant (kill-switch.test.ts): for every pair of levels, the stricter is set at once and the milder only as an
 * administrator's confirmed act.
 */
import { invariant } from "@rumi/kernel";
import {
  isStricter,
  KILL_LEVELS,
  KILL_RULES_MAX,
  KILL_SCOPES,
  type KillLevel,
  type KillRule,
  type KillScope,
} from "@rumi/runtime";
import { Type, type Static } from "@sinclair/typebox";
import { BotIdField, CLOSED, VenueIdField } from "../shared/fields.ts";

export const KILL_LIMITS = {
  /** Runners take `KILL_RULES_MAX` at once: room is left for `all`, which is never refused, and for what is spooled. */
  rules: KILL_RULES_MAX - 2_048,
} as const;

export const ScopeField = Type.Object(
  {
    all: Type.Optional(Type.Literal(true)),
    venue: Type.Optional(VenueIdField),
    group_id: Type.Optional(BotIdField),
    bot_id: Type.Optional(BotIdField),
    strategy_id: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  },
  { ...CLOSED, minProperties: 1, maxProperties: 1, description: "Exactly one of its fields." },
);
export type ScopeInput = Static<typeof ScopeField>;
export const LevelField = Type.Union(KILL_LEVELS.map((level) => Type.Literal(level)));

export function scopeOf(input: ScopeInput): Pick<KillRule, "scope" | "id"> {
  const scope = KILL_SCOPES.find((one) => input[one] !== undefined);
  invariant(scope !== undefined, "the schema asks for exactly one scope");
  return { scope, id: scope === "all" ? "" : String(input[scope]) };
}

/** As it is written in requests and in the audit log. */
export function scopeView({ scope, id }: { readonly scope: KillScope; readonly id: string }): Record<string, unknown> {
  return { [scope]: scope === "all" ? true : id };
}
export const scopeText = ({ scope, id }: { readonly scope: KillScope; readonly id: string }): string =>
  scope === "all" ? "all" : `${scope}:${id}`;

export const isLoosening = (from: KillLevel, to: KillLevel): boolean => isStricter(from, to);
