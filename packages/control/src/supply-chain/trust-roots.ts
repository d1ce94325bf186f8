/**
 * Whose signature counts: P-256 public keys, each for a time (L-51.1). Pure.
 *
 * How to think: a signature counts while its key counts, and that is asked anew at every judgement. To rotate, add the
 * new key while the old one still counts, sign anew, then retire the old one. A retired key had its time; a revoked one
 * was lost to somebody, and nothing that it ever signed counts from then on.
 *
 * Invariants (trust-roots.test.ts)
 * - Adding a key takes two people; retiring and revoking only shrink what counts, and one person does them at once.
 * - A key's time is never made longer, and a key that is known is not added again.
 */
import { err, failure, microsFromIso, ok, type Failure, type Micros, type Result } from "@rumi/kernel";
import { publicKeyOf } from "@rumi/ledger";
import { iso } from "../challenges/model.ts";
import { SUPPLY_LIMITS } from "./limits.ts";
import type { Reader } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";
import { readRoots, type TrustRootRow } from "./tables.ts";

export const ROOT_STATES = ["NOT_YET_VALID", "VALID", "RETIRED", "REVOKED"] as const;
export type RootState = (typeof ROOT_STATES)[number];

export function rootState(
  { revoked_at, valid_from, valid_until }: Pick<TrustRootRow, "revoked_at" | "valid_from" | "valid_until">,
  now: Micros,
): RootState {
  if (revoked_at !== null) return "REVOKED";
  if (valid_until <= now) return "RETIRED";
  return valid_from > now ? "NOT_YET_VALID" : "VALID";
}

/** The keys whose signatures count now. */
export async function trustedKeys(
  reader: Reader,
  sql: Sql,
  now: Micros,
): Promise<readonly Pick<TrustRootRow, "keyid" | "public_pem">[]> {
  return (await readRoots(reader, sql)).filter((row) => rootState(row, now) === "VALID");
}

export type RootWish = {
  readonly name: string;
  readonly public_key_pem: string;
  readonly valid_from?: string;
  readonly valid_until: string;
};
export type NewRoot = Pick<TrustRootRow, "keyid" | "name" | "public_pem" | "valid_from" | "valid_until">;

const DAY_US = 86_400_000_000;

/** What would be added, or why it is not taken. */
export function judgeNewRoot(
  { name, public_key_pem, valid_from, valid_until }: RootWish,
  known: readonly TrustRootRow[],
  now: Micros,
): Result<NewRoot, Failure> {
  const refused = (field: string, problem: string): Result<never, Failure> =>
    err(failure("RUMI-VAL-002", { field: `$.${field}`, problem }));
  const key = publicKeyOf(public_key_pem);
  if (key === undefined) return refused("public_key_pem", "it is no P-256 public key in PEM form");
  const from = valid_from === undefined ? now : microsFromIso(valid_from);
  if (from === undefined) return refused("valid_from", "there is no such instant");
  const until = microsFromIso(valid_until);
  if (until === undefined) return refused("valid_until", "there is no such instant");
  if (until <= from || until <= now) return refused("valid_until", "it is over before it begins");
  if (until - from > SUPPLY_LIMITS.root_validity_days * DAY_US)
    return refused("valid_until", `it is more than ${SUPPLY_LIMITS.root_validity_days} days after valid_from`);
  const same = known.find((row) => row.keyid === key.keyid || row.name === name);
  if (same !== undefined)
    return err(failure("RUMI-SUP-051", { name: same.name, keyid: same.keyid, state: rootState(same, now) }));
  if (known.length >= SUPPLY_LIMITS.trust_roots)
    return err(
      failure(
        "RUMI-CMD-027",
        { what: "trust roots", limit: SUPPLY_LIMITS.trust_roots },
        { reasonCode: "L.SUPPLY_CHAIN.FULL" },
      ),
    );
  return ok({ keyid: key.keyid, name, public_pem: key.public_pem, valid_from: from, valid_until: until });
}

export function rootView(row: TrustRootRow, now: Micros) {
  return {
    keyid: row.keyid,
    name: row.name,
    state: rootState(row, now),
    public_key_pem: row.public_pem,
    valid_from: iso(row.valid_from),
    valid_until: iso(row.valid_until),
    added_by: row.added_by,
    approval_id: row.approval_id,
    added_at: iso(row.added_at),
    retired_by: row.retired_by,
    revoked_at: row.revoked_at === null ? null : iso(row.revoked_at),
    revoked_by: row.revoked_by,
    reason: row.reason,
  };
}
