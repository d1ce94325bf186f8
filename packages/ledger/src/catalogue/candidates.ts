/** What packs bring and a person decides on: capability handlers and libraries. */
import { NOTABLE, USUAL, defineKinds } from "./kind.ts";
import { nullable, optional, text, whole } from "./schema.ts";

const candidate = {
  owner_pack: text(64),
  /** Of its content, as its key says it. */
  sha256: text(64),
  permission_id: optional(text(256)),
  handler_id: optional(text(256)),
} as const;

export const CANDIDATE_KINDS = defineKinds({
  "candidate.found": { category: "approval", severity: USUAL, retention: "standard", details: { ...candidate } },
  "candidate.approved": {
    category: "approval",
    severity: NOTABLE,
    retention: "permanent",
    details: { ...candidate, notes: optional(nullable(text(1_024))) },
  },
  "candidate.rejected": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { ...candidate, rejection_reason: optional(nullable(text(1_024))), rejected_count: whole },
  },
  "candidate.blocked": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { ...candidate, rejection_reason: optional(nullable(text(1_024))), rejected_count: whole },
  },
  "candidate.unblocked": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { ...candidate, status_after: text(32) },
  },
});
