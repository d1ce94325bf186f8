/**
 * An override: for a while, one bot may start although one named check of its preflight fails, or one artifact may be used
 * although the supply chain denies it (L-40, L-N14, L-51.2). Pure.
 *
 * How to think: only checks that protect an operator's comfort can be overridden, never those that protect money or proof
 * (safety, gates, digests, leases, limits); that of the supply chain only inside an open break-glass session. It is granted by one person and approved by another, has an end from its first
 * moment, and is judged by that end and the clock alone: nobody has to end it. It lets a start pass; what was started goes
 * on, and its next start is checked anew.
 *
 * Invariants (overrides.test.ts)
 * - At its end and after it an override counts for nothing, whether or not this program ran meanwhile.
 * - A check that is not in the list cannot be overridden, nor another bot's.
 */
import { isoFromMicros, micros, type Micros } from "@rumi/kernel";
import type { OverridableCheck } from "./checks.ts";
import type { OverrideRow } from "./tables.ts";

export const OVERRIDE_LIMITS = {
  /** In force at once in one home: more than a few is a rule that should be changed. */
  in_force: 64,
  min_seconds: 60,
  /** A week. */
  max_seconds: 604_800,
} as const;

export type OverrideState = "IN_FORCE" | "EXPIRED" | "REVOKED";
export type OverrideInForce = {
  readonly override_id: string;
  readonly check: OverridableCheck;
  readonly ends_at: string;
};

export function stateOf({ ended_by, ends_at }: Pick<OverrideRow, "ended_by" | "ends_at">, now: Micros): OverrideState {
  if (ended_by !== null && ended_by !== EXPIRED_BY) return "REVOKED";
  return ended_by === null && ends_at > now ? "IN_FORCE" : "EXPIRED";
}

/** What is said in the log of an override, under the names of what it is of. */
export function overrideEvent(
  act: "granted" | "revoked" | "expired",
  row: Pick<OverrideRow, "override_id" | "bot_id" | "artifact_id" | "check_name" | "ends_at">,
) {
  const { override_id, bot_id, artifact_id, check_name: check } = row;
  const [kind, of] = artifact_id === null ? ["override", { bot_id }] : ["supply_chain.exception", { artifact_id }];
  return {
    action: `${kind}.${act}`,
    resource_type: "override",
    resource_id: override_id,
    outcome: "SUCCESS",
    details: { override_id, ...of, check, ends_at: iso(row.ends_at) },
  } as const;
}

/** Who says in the log that a time is over. */
export const EXPIRED_BY = "system:overrides";

export function inForce(rows: readonly OverrideRow[], bot_id: string, now: Micros): readonly OverrideInForce[] {
  return rows
    .filter((row) => row.bot_id === bot_id && stateOf(row, now) === "IN_FORCE")
    .map(({ override_id, check_name, ends_at }) => ({ override_id, check: check_name, ends_at: iso(ends_at) }));
}

export function overrideView(row: OverrideRow & { readonly approver?: string | null }, now: Micros) {
  return {
    override_id: row.override_id,
    state: stateOf(row, now),
    bot_id: row.bot_id,
    artifact_id: row.artifact_id,
    check: row.check_name,
    reason: row.reason,
    granted_by: row.granted_by,
    approver: row.approver ?? null,
    approval_id: row.approval_id,
    granted_at: iso(row.granted_at),
    ends_at: iso(row.ends_at),
    ended_at: row.ended_at === null ? null : iso(row.ended_at),
    ended_by: row.ended_by,
  };
}

export const iso = (at: number): string => isoFromMicros(micros(at));
