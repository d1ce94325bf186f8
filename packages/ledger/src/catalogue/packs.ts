/** Packs: import, scan, approval, and what happens when an approved tree changes. */
import { NOTABLE, USUAL, defineKinds } from "./kind.ts";
import { digest, facts, flag, listOf, matching, nullable, optional, text, whole } from "./schema.ts";

const pack = {
  version: optional(text(128)),
  digest: optional(nullable(digest)),
  owner_pack: optional(text(64)),
} as const;

/** Of the file that says from which run the pack comes. */
const provenance = { provenance_sha256: optional(matching("^[0-9a-f]{64}$")), code_run_id: optional(whole) } as const;

export const PACK_KINDS = defineKinds({
  "pack.imported": {
    category: "approval",
    severity: USUAL,
    retention: "financial",
    details: {
      ...pack,
      files: optional(whole),
      bytes: optional(whole),
      source: optional(text(1_024)),
      ...provenance,
      backup: optional(nullable(text(1_024))),
    },
  },
  "pack.scanned": {
    category: "approval",
    severity: USUAL,
    retention: "standard",
    details: { ...pack, found: optional(whole), pending: optional(listOf(text(64), 1_000)), skipped: optional(whole) },
  },
  "pack.approved": {
    category: "approval",
    severity: NOTABLE,
    retention: "permanent",
    details: {
      ...pack,
      files: optional(whole),
      ...provenance,
      permissions: optional(facts),
      previous_digest: optional(nullable(digest)),
    },
  },
  "pack.rejected": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: {
      ...pack,
      rejection_reason: optional(nullable(text(1_024))),
      rejected_count: optional(whole),
      blocked: optional(flag),
    },
  },
  "pack.modified": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: {
      ...pack,
      approved_digest: optional(digest),
      found_digest: optional(nullable(digest)),
      changed: optional(listOf(text(1_024), 100)),
    },
  },
  "pack.removed": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { ...pack, backup: optional(nullable(text(1_024))) },
  },
  "pack.blocked": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { ...pack, rejected_count: optional(whole) },
  },
  "pack.unblocked": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { ...pack, status_after: optional(text(32)) },
  },
});
