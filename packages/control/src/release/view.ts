/** A certificate as it is shown, and how it stands beside the bot that is there. */
import { isoFromMicros, micros, type Micros } from "@rumi/kernel";
import type { Envelope } from "@rumi/ledger";
import type { Reader } from "@rumi/store";
import { compareVersions } from "../bots/model.ts";
import { readBot, specOf } from "../bots/tables.ts";
import { lookAtChangelog } from "../changelog/look.ts";
import { jsonOf, type Sql } from "../shared/sql.ts";
import type { CertificateManifest, Stands } from "./manifest.ts";
import { releaseFacts, REVOKED, standingOf } from "./standing.ts";
import type { CertificateRow } from "./tables.ts";

export const ISSUED = "L.RELEASE_CERT.ISSUED";
const iso = (at: number): string => isoFromMicros(micros(at));

export function certificateView(row: CertificateRow) {
  const { attested_items, config_hash } = jsonOf<CertificateManifest>(row.manifest);
  return {
    cert_id: row.cert_id,
    bot_id: row.bot_id,
    version: row.version,
    issued_at: iso(row.issued_at),
    attested_items,
    manifest_hash: row.manifest_hash,
    signature_ref: row.signature_ref,
    status: row.status,
    reason_code: row.status === "revoked" ? REVOKED : ISSUED,
    spec_digest: row.spec_digest,
    config_hash,
    artifact_id: row.artifact_id,
    exception_ends_at: row.excepted_until === null ? null : iso(row.excepted_until),
    reason: row.reason,
    issued_by: row.issued_by,
    approval_id: row.approval_id,
    revoked_at: row.revoked_at === null ? null : iso(row.revoked_at),
    revoked_by: row.revoked_by,
    revoke_reason: row.revoke_reason,
  };
}

/** With what can be kept and checked without this home. */
export function wholeView(row: CertificateRow, public_key: string | null) {
  return {
    ...certificateView(row),
    manifest: jsonOf<CertificateManifest>(row.manifest),
    envelope: jsonOf<Envelope>(row.envelope),
    public_key,
  };
}

export type NowStanding = { readonly stands: Stands; readonly why: readonly string[] };

export async function standsNow(reader: Reader, sql: Sql, row: CertificateRow, now: Micros): Promise<NowStanding> {
  const bot = await readBot(reader, sql, row.bot_id);
  if (bot === undefined) return { stands: "stale", why: ["its bot is not there"] };
  const { text } = await lookAtChangelog(reader, sql, bot);
  const own = { bot_id: row.bot_id, version: bot.version, spec: specOf(bot), changelog: text };
  const facts = await releaseFacts(reader, sql, own, now);
  const isAhead = compareVersions(row.version, bot.version) > 0;
  if (!isAhead) return standingOf(row, facts, now);
  // Of what is not there yet, only what does not depend on it can have changed.
  const { version, spec_digest, changelog_digest } = row;
  const found = standingOf(row, { ...facts, version, spec_digest, changelog_digest }, now);
  return found.stands === "in_force" ? { stands: "waiting", why: [`the bot is at version ${bot.version}`] } : found;
}
