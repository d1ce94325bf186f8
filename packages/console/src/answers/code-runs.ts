/** Answers about proof-carrying runs, and the proof bundle as it is served. */
import { flag, integer, list, nullable, object, oneOf, text, type Of } from "./shape.ts";

const CHECK = oneOf("passed", "failed", "pending");
const APPROVED = oneOf("pending", "approved", "rejected");
const summary = {
  run_id: integer,
  status: oneOf("running", "completed", "failed", "cancelled"),
  phase: text,
  repo: text,
  base_ref: text,
  command: list(text),
  exit_code: nullable(integer),
  requested_by: text,
  started_at: text,
  finished_at: nullable(text),
} as const;

const codeRun = object({ ...summary, violations_pending: integer });
export type CodeRun = Of<typeof codeRun>;
export const codeRunsAnswer = object({ runs: list(codeRun) });

const violation = object({
  violation_id: integer,
  path: text,
  reason: text,
  approved_status: APPROVED,
  decided_at: nullable(text),
  decided_by: nullable(text),
});
export type Violation = Of<typeof violation>;
export const codeRunDetail = object({
  ...summary,
  dod_status: CHECK,
  problem: nullable(text),
  violations: list(violation),
  revisions: list(object({ revision: integer, sha256: text, generated_at: text })),
});
export type CodeRunDetail = Of<typeof codeRunDetail>;

export const proofBundle = object({
  run_id: integer,
  revision: integer,
  generated_at: text,
  changed_files: list(text),
  diff_stat: object({ added: integer, removed: integer, files: integer }),
  head_sha: nullable(text),
  snapshot_sha: nullable(text),
  scope_snapshot: object({ read: list(text), write: list(text), exclude: list(text) }),
  dod_results: list(
    object({
      check_key: text,
      label: text,
      kind: text,
      required: flag,
      status: CHECK,
      exit_code: nullable(integer),
      executed_nothing: nullable(flag),
    }),
  ),
  scope_violations: list(violation),
  enforcement: object({ scope: text, outside: text, mechanism: text }),
});
export type ProofBundle = Of<typeof proofBundle>;
