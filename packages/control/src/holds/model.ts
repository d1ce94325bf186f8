/**
 * Freezes, incidents and locks: what holds bots as they are, or down. Pure.
 *
 * How to think: all three refuse whatever would let risk grow, for whoever asks, administrators included, and only a
 * confirmed act lifts them. A freeze or an incident lets what runs run on; a lock also ends it. None ends by itself: a
 * freeze whose time is over waits for a review and holds until then.
 *
 * Invariants (holds.test.ts)
 * - Stopping, pausing, quarantining and every tightening pass every hold.
 * - Strictest wins: lifting or loosening something wider never gives room to a bot that a hold is on.
 */
import { isoFromMicros, micros, type Micros } from "@rumi/kernel";
import { isStricter, matchesKill, strictestKill, type KillRule, type KillScope, type KillTarget } from "@rumi/runtime";
import { scopeText, scopeView } from "../kill-switch/model.ts";
import { HOLD_KINDS, type HoldKind, type HoldRow } from "./tables.ts";

export const HOLD_LIMITS = {
  /** In force at once. */
  holds: 1_024,
  valid_for_seconds: 30 * 86_400,
} as const;

export type HoldState = "IN_FORCE" | "REVIEW_NEEDED" | "LIFTED";

/** Past its time it holds on, and says that somebody has to look. */
export function holdState({ lifted_at, ends_at }: Pick<HoldRow, "lifted_at" | "ends_at">, now: Micros): HoldState {
  if (lifted_at !== null) return "LIFTED";
  return ends_at !== null && ends_at <= now ? "REVIEW_NEEDED" : "IN_FORCE";
}

/**
 * The strictest that matches, the oldest of equally strict ones; `target` is null for what is about no bot, which only a
 * hold for all matches.
 */
export function holdOn(
  rows: readonly HoldRow[],
  target: KillTarget | null,
  kinds: readonly HoldKind[] = HOLD_KINDS,
): HoldRow | undefined {
  return rows
    .filter((row) => kinds.includes(row.kind) && (target === null ? row.scope === "all" : matchesKill(row, target)))
    .reduce<HoldRow | undefined>(
      (strictest, row) => (strictest === undefined || isStricterHold(row, strictest) ? row : strictest),
      undefined,
    );
}

const isStricterHold = (one: Pick<HoldRow, "kind">, other: Pick<HoldRow, "kind">): boolean =>
  HOLD_KINDS.indexOf(one.kind) > HOLD_KINDS.indexOf(other.kind);

/**
 * Whom a milder kill switch would give room although a hold is on it, and that hold. Strictest wins: what a rule of its
 * own, or of any other scope, restrains as before is given none, however wide the rule that goes.
 */
export function heldAgainst(
  holds: readonly HoldRow[],
  moving: readonly KillTarget[],
  { before, after }: { readonly before: readonly KillRule[]; readonly after: readonly KillRule[] },
): { readonly bot_id: string; readonly hold: HoldRow } | undefined {
  for (const target of moving) {
    const [was, is] = [before, after].map((rules) => strictestKill(rules, target)?.level ?? "ALLOW");
    if (was === undefined || is === undefined || !isStricter(was, is)) continue;
    const hold = holdOn(holds, target);
    if (hold !== undefined) return { bot_id: target.bot_id, hold };
  }
  return undefined;
}

export function holdView(row: HoldRow, now: Micros) {
  return {
    hold_id: row.hold_id,
    kind: row.kind,
    state: holdState(row, now),
    scope: scopeView(row),
    reason: row.reason,
    set_by: row.set_by,
    set_at: iso(row.set_at),
    ends_at: row.ends_at === null ? null : iso(row.ends_at),
    lifted_at: row.lifted_at === null ? null : iso(row.lifted_at),
    lifted_by: row.lifted_by,
  };
}

export const holdScopeText = (row: { readonly scope: KillScope; readonly id: string }): string => scopeText(row);
const iso = (at: number): string => isoFromMicros(micros(at));
