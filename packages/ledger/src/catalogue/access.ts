/** People, tokens, keys and reads of what is sensitive. */
import { ALARMING, NOTABLE, USUAL, defineKinds } from "./kind.ts";
import { digest, flag, instant, listOf, nullable, oneOf, optional, tableOf, text, uuid, whole } from "./schema.ts";

const role = oneOf("view_only", "operator", "admin", "break_glass");

export const ACCESS_KINDS = defineKinds({
  "authentication.summary": {
    category: "security",
    severity: USUAL,
    retention: "standard",
    details: {
      window_start: instant,
      window_seconds: whole,
      accepted: whole,
      refused: whole,
      refused_by_code: tableOf(whole, 100),
      addresses: whole,
    },
  },
  "operator.created": {
    category: "permission",
    severity: NOTABLE,
    retention: "financial",
    details: { roles: listOf(role, 8), display_name: optional(nullable(text(256))) },
  },
  "operator.roles_changed": {
    category: "permission",
    severity: NOTABLE,
    retention: "financial",
    details: { from: listOf(role, 8), to: listOf(role, 8) },
  },
  "operator.disabled": { category: "permission", severity: NOTABLE, retention: "financial", details: {} },
  "token.issued": {
    category: "permission",
    severity: NOTABLE,
    retention: "financial",
    details: { token_id: text(128), valid_until: nullable(instant) },
  },
  "token.revoked": {
    category: "permission",
    severity: NOTABLE,
    retention: "financial",
    details: { token_id: text(128) },
  },
  "break_glass.opened": {
    category: "security",
    severity: ALARMING,
    retention: "financial",
    details: { session_id: uuid, verbs: listOf(text(128), 20), ends_at: instant },
  },
  "break_glass.ended": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { session_id: uuid },
  },
  "break_glass.reviewed": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { session_id: uuid, holder: text(256) },
  },
  "policy.activated": {
    category: "permission",
    severity: NOTABLE,
    retention: "financial",
    details: { version: whole, from_version: whole, digest: text(128), policies: listOf(text(256), 200) },
  },
  "guardrail.policy.set": {
    category: "permission",
    severity: NOTABLE,
    retention: "financial",
    details: {
      guardrail_id: uuid,
      version: whole,
      from_version: whole,
      digest,
      actions: listOf(text(128), 200),
      loosened: flag,
    },
  },
  "key.rotated": {
    category: "security",
    severity: NOTABLE,
    retention: "permanent",
    details: {
      key: oneOf("hmac", "secrets", "log", "attestation", "runner"),
      old_key_id: nullable(text(256)),
      new_key_id: text(256),
    },
  },
  "secret.set": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { encrypted: flag, replaced: flag },
  },
  "secret.deleted": { category: "security", severity: NOTABLE, retention: "financial", details: {} },
  "query.sensitive_read": {
    category: "security",
    severity: USUAL,
    retention: "standard",
    details: { query: text(128), fields: listOf(text(128), 100), rows: optional(whole) },
  },
  principal_id_overridden: {
    category: "security",
    severity: NOTABLE,
    retention: "standard",
    details: { owner_pack: text(64), claimed_principal: text(256), used_principal: text(256) },
  },
});
