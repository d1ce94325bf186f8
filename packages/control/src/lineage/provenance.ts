/**
 * The run that a pack comes from, as its approval pinned it: the log holds the digest of the signed statement, the store holds
 * the statement. One that is not what the log names says nothing.
 */
import { sha256Hex } from "@rumi/kernel";
import { signedProvenance } from "@rumi/platform";
import type { AuditEvent } from "../audit/events.ts";

export async function pinnedProvenance(
  approval: Pick<AuditEvent, "details"> | undefined,
  kept: () => Promise<Uint8Array | undefined>,
) {
  const { provenance_sha256, code_run_id: run_id } = approval?.details ?? {};
  if (typeof provenance_sha256 !== "string" || typeof run_id !== "number") return null;
  const file = await kept();
  const isIntact = file !== undefined && sha256Hex(file) === provenance_sha256;
  const signed = isIntact ? signedProvenance(file) : undefined;
  const pinned = { provenance_sha256, run_id };
  if (signed === undefined)
    return { ...pinned, intact: false, keyid: null, run: null, proof: null, checks: [], decisions: [], built: null };
  const { run, proof, checks, decisions, content_digest, built_by, built_at } = signed.provenance;
  return {
    ...pinned,
    intact: true,
    keyid: signed.keyid,
    run,
    proof,
    checks,
    decisions,
    built: { content_digest, built_by, built_at },
  };
}
