/** Release certificates: what was attested, and what was taken back. */
import { NOTABLE, defineKinds } from "./kind.ts";
import { digest, listOf, oneOf, text, uuid, whole } from "./schema.ts";

const certificate = { cert_id: uuid, bot_id: text(64), version: text(64), manifest_hash: digest } as const;
const mode = oneOf("live", "paper", "shadow");

export const RELEASE_KINDS = defineKinds({
  "release.cert.issued": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: {
      ...certificate,
      signature_ref: text(256),
      artifact_id: digest,
      report_id: uuid,
      scg_id: uuid,
      reason_code: oneOf("L.RELEASE_CERT.ISSUED"),
    },
  },
  "release.cert.revoked": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { ...certificate, reason_code: oneOf("L.RELEASE_CERT.REVOKED") },
  },
  "release.policy.set": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: {
      revision: whole,
      from_revision: whole,
      policy_digest: digest,
      required_for: listOf(mode, 3),
      looser: listOf(mode, 3),
    },
  },
});
