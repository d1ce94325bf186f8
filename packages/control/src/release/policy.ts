/**
 * In which modes a bot needs a release certificate: immutable revisions. Pure.
 *
 * How to think: by default none is required, so that a home works before anybody issued one; but one that was revoked
 * stops every start of its bot, whatever the policy says. Requiring more is one person's; requiring less takes two.
 */
import { canonicalJson, digestOf } from "@rumi/kernel";
import { iso } from "../challenges/model.ts";
import { jsonOf } from "../shared/sql.ts";
import type { ReleasePolicyRow } from "./tables.ts";

export const RELEASE_MODES = ["live", "paper", "shadow"] as const;
export type ReleaseMode = (typeof RELEASE_MODES)[number];
export type ReleasePolicy = { readonly required_for: readonly ReleaseMode[] };
export const DEFAULT_RELEASE_POLICY: ReleasePolicy = { required_for: [] };

export type ReleasePolicyInForce = { readonly revision: number; readonly policy: ReleasePolicy };

export function releasePolicyInForce(row: ReleasePolicyRow | undefined): ReleasePolicyInForce {
  return row === undefined
    ? { revision: 0, policy: DEFAULT_RELEASE_POLICY }
    : { revision: row.revision, policy: jsonOf<ReleasePolicy>(row.policy) };
}

/** Modes in which `next` asks for a certificate no more. */
export function looserModes(before: ReleasePolicy, next: ReleasePolicy): readonly ReleaseMode[] {
  return before.required_for.filter((mode) => !next.required_for.includes(mode));
}

/** In the one order, each once. */
export function policyOfModes(modes: readonly ReleaseMode[]): ReleasePolicy {
  return { required_for: RELEASE_MODES.filter((mode) => modes.includes(mode)) };
}

export function releasePolicyView(row: ReleasePolicyRow | undefined) {
  const { revision, policy } = releasePolicyInForce(row);
  return {
    revision,
    required_for: policy.required_for,
    policy_digest: digestOf(canonicalJson({ required_for: [...policy.required_for] })),
    reason: row?.reason ?? null,
    set_by: row?.set_by ?? null,
    approval_id: row?.approval_id ?? null,
    set_at: row === undefined ? null : iso(row.set_at),
  };
}
