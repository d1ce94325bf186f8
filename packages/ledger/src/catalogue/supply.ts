/** The supply chain: whose signatures count, what the gate demands, what it found. */
import { NOTABLE, USUAL, defineKinds } from "./kind.ts";
import { digest, instant, listOf, nullable, oneOf, shape, text, uuid, whole } from "./schema.ts";

const root = { keyid: text(64), name: text(64) } as const;

/** Until when which artifact is used although it is denied. */
const exception = { override_id: uuid, artifact_id: digest, check: text(64), ends_at: instant } as const;

export const SUPPLY_KINDS = defineKinds({
  "supply_chain.trust_root.added": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { ...root, valid_from: instant, valid_until: instant },
  },
  "supply_chain.trust_root.retired": {
    category: "security",
    severity: USUAL,
    retention: "permanent",
    details: { ...root, valid_until: instant },
  },
  "supply_chain.trust_root.revoked": { category: "security", severity: NOTABLE, retention: "permanent", details: root },
  "supply_chain.signature.added": {
    category: "security",
    severity: USUAL,
    retention: "permanent",
    details: { artifact_id: digest, signature_id: text(64), keyids: listOf(text(256), 16) },
  },
  "supply_chain.gate.run": {
    category: "security",
    severity: USUAL,
    retention: "permanent",
    details: {
      scg_id: uuid,
      artifact_id: digest,
      pack_id: text(64),
      policy_revision: whole,
      policy_decision: oneOf("allow", "deny", "allow_with_exception"),
      exception_ref: nullable(uuid),
      signature_verified: oneOf("yes", "no"),
      vulnerabilities: shape({ critical: whole, high: whole, medium: whole, low: whole, unknown: whole }),
      sbom_ref: nullable(digest),
      vulnerability_summary_ref: digest,
      triage: listOf(text(64), 64),
    },
  },
  "supply_chain.exception.granted": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: exception,
  },
  "supply_chain.exception.revoked": {
    category: "security",
    severity: USUAL,
    retention: "permanent",
    details: exception,
  },
  "supply_chain.exception.expired": {
    category: "security",
    severity: USUAL,
    retention: "permanent",
    details: exception,
  },
  "supply_chain.policy.set": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { revision: whole, from_revision: whole, policy_digest: digest, looser: listOf(text(64), 16) },
  },
});
