/**
 * Freezes, incidents and locks: what holds bots as they are, or down. Pure.
 *
 * How to think: all three refuse whatever would let risk grow, for whoever asks, administrators included, and only a
 * confirmed act lifts them. A freeze or an incident lets what runs run on; a lock also ends it. None ends by itself: a
 * freeze whose time is over waits for a review and holds until then.
 *
 * Invariant (holds.test.ts): stopping, pausing, quarantining and every tightening pass every hold.
 */
import { isoFromMicros, micros, type Micros } from "@rumi/kernel";
import type { KillScope, KillTarget } from "@rumi/runtime";
import { matchesKill } from "@rumi/runtime";
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

/** The first that matches; `target` is null for what is about no bot, which only a hold for all matches. */
export function holdOn(
  rows: readonly HoldRow[],
  target: KillTarget | null,
  kinds: readonly HoldKind[] = HOLD_KINDS,
): HoldRow | undefined {
  return rows.find(
    (row) => kinds.includes(row.kind) && (target === null ? row.scope === "all" : matchesKill(row, target)),
  );
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
