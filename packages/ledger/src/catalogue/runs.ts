/** Proof-carrying runs: what was run, what its checks said, what it did outside its scope, and the digests of its evidence. */
import { NOTABLE, USUAL, defineKinds } from "./kind.ts";
import { digest, flag, matching, nullable, oneOf, optional, text, whole } from "./schema.ts";

const sha256 = matching("^[0-9a-f]{64}$");
const commit = matching("^[0-9a-f]{40}([0-9a-f]{24})?$");
const decided = { violation_id: whole, path: text(1_024) } as const;

export const RUN_KINDS = defineKinds({
  "run.started": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      base_sha: commit,
      branch: text(64),
      enforcement_scope: oneOf("kernel", "after_only"),
      mechanism: oneOf("bubblewrap", "none"),
    },
  },
  "run.finished": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      exit_code: nullable(whole),
      cancelled: flag,
      cause: optional(oneOf("itself", "stopped", "timed_out", "not_started", "lost")),
    },
  },
  "run.check_finished": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: {
      check_key: text(64),
      exit_code: nullable(whole),
      duration_ms: whole,
      executed_nothing: flag,
      log_sha256: sha256,
    },
  },
  "run.violations_found": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { violations: whole },
  },
  "run.violation_approved": { category: "approval", severity: NOTABLE, retention: "financial", details: decided },
  "run.violation_rejected": { category: "approval", severity: NOTABLE, retention: "financial", details: decided },
  "run.proof_generated": {
    category: "system",
    severity: USUAL,
    retention: "permanent",
    details: {
      revision: whole,
      bundle_sha256: sha256,
      previous_sha256: nullable(sha256),
      snapshot_sha: nullable(commit),
    },
  },
  "run.pack_built": {
    category: "system",
    severity: USUAL,
    retention: "permanent",
    details: {
      pack_id: text(64),
      version: text(128),
      digest,
      provenance_sha256: sha256,
      bundle_sha256: sha256,
      snapshot_sha: commit,
    },
  },
  "run.evidence_failed": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { problem: text(1_024) },
  },
});
