/** The supply chain: whose signatures count, what the gate demands, what it found. */
import { NOTABLE, USUAL, defineKinds } from "./kind.ts";
import { digest, instant, listOf, text, whole } from "./schema.ts";

const root = { keyid: text(64), name: text(64) } as const;

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
  "supply_chain.policy.set": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: { revision: whole, from_revision: whole, policy_digest: digest, looser: listOf(text(64), 16) },
  },
});
