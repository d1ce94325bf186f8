/**
 * Whether a bot's version may be released: the one question that every start, update, shadow and change of what runs asks.
 *
 * How to think: of a bot's certificates the newest of this very version and specification speaks; where there is none, the
 * newest of all does. What was revoked stops, whatever the policy says; what is missing or stale stops where the policy
 * asks for one. Nothing is remembered: what a certificate attests is compared with what is there at each question.
 *
 * Invariants (packages/rumi/test/release.test.ts)
 * - A certificate of another bot, version, configuration or artifact never counts.
 * - A denial of the supply chain after the attested report, an exception that ended and a clock before the issue make it
 *   stale, with or without anybody looking.
 */
import {
  digestOf,
  err,
  failure,
  isoFromMicros,
  micros,
  ok,
  type Failure,
  type Micros,
  type Result,
} from "@rumi/kernel";
import type { InstanceMode } from "@rumi/runtime";
import type { Reader } from "@rumi/store";
import type { BotSpec } from "../bots/model.ts";
import type { Sql } from "../shared/sql.ts";
import { supplyCheck } from "../supply-chain/standing.ts";
import { readDeniedAt } from "../supply-chain/tables.ts";
import { RELEASE_LIMITS } from "./limits.ts";
import { digestOfSpec } from "./manifest.ts";
import { releasePolicyInForce, type ReleasePolicy } from "./policy.ts";
import { readCertificatesOf, readReleasePolicy, type CertificateRow } from "./tables.ts";

export const REVOKED = "L.RELEASE_CERT.REVOKED";

/** What is to be released. */
export type Release = {
  readonly bot_id: string;
  readonly version: string;
  readonly spec: BotSpec;
  /** The text of its changelog. */
  readonly changelog: string;
};
/** What can have changed since a certificate was issued. */
export type ReleaseFacts = {
  readonly spec_digest: string;
  readonly version: string;
  readonly changelog_digest: string;
  /** Whether the supply chain lets the artifact be used now. */
  readonly supply_ok: boolean;
  /** When the artifact was denied last; null where it never was. */
  readonly denied_at: number | null;
};

export async function releaseFacts(reader: Reader, sql: Sql, of: Release, now: Micros): Promise<ReleaseFacts> {
  const { digest } = of.spec.strategy;
  return {
    spec_digest: digestOfSpec(of.spec),
    version: of.version,
    changelog_digest: digestOf(of.changelog),
    supply_ok: (await supplyCheck(reader, sql, digest, now)).ok,
    denied_at: (await readDeniedAt(reader, sql, digest)) ?? null,
  };
}

/** Why a certificate that was not revoked does not count; empty where it does. */
export function whyStale(row: CertificateRow, facts: ReleaseFacts, now: Micros): readonly string[] {
  return [
    ...(row.version === facts.version ? [] : [`it is of version ${row.version}`]),
    ...(row.spec_digest === facts.spec_digest ? [] : ["its specification is another one"]),
    ...(row.changelog_digest === facts.changelog_digest ? [] : ["its changelog is another one"]),
    ...(facts.supply_ok ? [] : ["the supply chain denies its artifact"]),
    ...(facts.denied_at !== null && facts.denied_at >= row.reported_at
      ? ["the supply chain denied its artifact after the report that it attests"]
      : []),
    ...(row.excepted_until !== null && row.excepted_until <= now
      ? ["the exception by which its artifact was used has ended"]
      : []),
    ...(row.issued_at > now + RELEASE_LIMITS.clock_slack_us ? ["it was issued later than it is now"] : []),
  ];
}

export type CertificateStanding = {
  readonly stands: "in_force" | "stale" | "revoked";
  readonly why: readonly string[];
};

export function standingOf(row: CertificateRow, facts: ReleaseFacts, now: Micros): CertificateStanding {
  if (row.status === "revoked") return { stands: "revoked", why: [row.revoke_reason ?? ""] };
  const why = whyStale(row, facts, now);
  return { stands: why.length === 0 ? "in_force" : "stale", why };
}

/** The one that speaks for this version: newest first is what comes in. */
export function speakingOf(rows: readonly CertificateRow[], facts: ReleaseFacts): CertificateRow | undefined {
  return rows.find((row) => row.version === facts.version && row.spec_digest === facts.spec_digest) ?? newestWord(rows);
}

/** A revocation is a newer word than what was issued before it. */
function newestWord([newest, ...older]: readonly CertificateRow[]): CertificateRow | undefined {
  if (newest === undefined) return undefined;
  const revoked = older.find(({ revoked_at }) => revoked_at !== null && revoked_at >= newest.issued_at);
  return revoked ?? newest;
}

export type ReleaseCheck = Result<{ readonly note: string }, Failure>;

/** Pure: certificates newest first. */
export function judgeRelease(
  rows: readonly CertificateRow[],
  of: {
    readonly bot_id: string;
    readonly facts: ReleaseFacts;
    readonly policy: ReleasePolicy;
    readonly mode: InstanceMode;
    readonly now: Micros;
  },
): ReleaseCheck {
  const { bot_id, facts, mode } = of;
  const isRequired = of.policy.required_for.some((one) => one === mode);
  const row = speakingOf(rows, facts);
  if (row === undefined)
    return isRequired
      ? err(failure("RUMI-REL-001", { bot_id, version: facts.version, mode }, { reasonCode: "L.RELEASE_CERT.MISSING" }))
      : ok({ note: "none is required" });
  const { stands, why } = standingOf(row, facts, of.now);
  const { cert_id } = row;
  const details = { cert_id, manifest_hash: row.manifest_hash, why };
  if (stands === "revoked") {
    const at = isoFromMicros(micros(row.revoked_at ?? 0));
    return err(failure("RUMI-REL-002", { bot_id, cert_id, at }, { reasonCode: REVOKED, details }));
  }
  if (stands === "in_force") return ok({ note: `certificate ${cert_id}` });
  if (!isRequired) return ok({ note: `none is required; certificate ${cert_id} is stale: ${why.join("; ")}` });
  return err(
    failure(
      "RUMI-REL-003",
      { bot_id, cert_id, problem: why.join("; ") },
      { reasonCode: "L.RELEASE_CERT.STALE", details },
    ),
  );
}

/** What every start asks. */
export async function releaseCheck(
  reader: Reader,
  sql: Sql,
  of: Release,
  { mode, now }: { readonly mode: InstanceMode; readonly now: Micros },
): Promise<ReleaseCheck> {
  const { policy } = releasePolicyInForce(await readReleasePolicy(reader, sql));
  const rows = await readCertificatesOf(reader, sql, of.bot_id);
  if (rows.length === 0 && policy.required_for.length === 0) return ok({ note: "none is required" });
  return judgeRelease(rows, { bot_id: of.bot_id, facts: await releaseFacts(reader, sql, of, now), policy, mode, now });
}
