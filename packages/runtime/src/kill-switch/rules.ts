/**
 * The kill switch: what the rules that are in force allow one instance. Pure; asked by the control plane before it lets
 * risk grow and by the runner for every instance it hosts, so that either holds without the other.
 *
 * How to think: a rule is a scope and a level. Whatever matches counts, the strictest of it holds, and nothing that is
 * mild anywhere takes back what is strict elsewhere. A home is one environment, so `all` is the environment too.
 *
 * Invariant (rules.test.ts): adding a rule never makes what holds milder.
 */
export const KILL_LEVELS = ["ALLOW", "CLOSE_ONLY", "FLATTEN", "BLOCK"] as const;
export type KillLevel = (typeof KILL_LEVELS)[number];
export const KILL_SCOPES = ["all", "venue", "group_id", "bot_id", "strategy_id"] as const;
export type KillScope = (typeof KILL_SCOPES)[number];

/** Rules in force at once. */
export const KILL_RULES_MAX = 16_384;

export type KillRule = {
  readonly scope: KillScope;
  /** Whom of its scope; empty for `all`. */
  readonly id: string;
  readonly level: KillLevel;
};
/** Whom a rule may match. */
export type KillTarget = {
  readonly bot_id: string;
  readonly strategy_id: string;
  readonly venue: string;
  readonly group_id?: string | undefined;
};

export const isStricter = (a: KillLevel, b: KillLevel): boolean => KILL_LEVELS.indexOf(a) > KILL_LEVELS.indexOf(b);

export function matchesKill({ scope, id }: Pick<KillRule, "scope" | "id">, target: KillTarget): boolean {
  return scope === "all" || target[scope] === id;
}

/** The rule that holds for it; of equally strict ones the widest, null where nothing is restrained. */
export function strictestKill(rules: readonly KillRule[], target: KillTarget): KillRule | null {
  let holds: KillRule | null = null;
  for (const scope of KILL_SCOPES)
    for (const rule of rules)
      if (rule.scope === scope && matchesKill(rule, target) && isStricter(rule.level, holds?.level ?? "ALLOW"))
        holds = rule;
  return holds;
}
