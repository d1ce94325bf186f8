/**
 * The proof bundle: facts of a run gathered in one JSON document, and its signed form. Pure.
 *
 * The members that the specification names are its own; what is beside them is there so that a stranger can recompute more.
 * It holds no verdict. Its bytes are canonical JSON (RFC 8785) and one line feed, so that its digest is that of its value.
 */
import { canonicalJson, isoFromMicros, micros, sha256Hex, type Json } from "@rumi/kernel";
import { checkStatusOf, type EnforcementFact, type Run, type RunCheck, type Violation } from "../run/model.ts";
import type { DiffStat } from "../git/repository.ts";

export const BUNDLE_VERSION = "1.0";
export const STATEMENT = "https://in-toto.io/Statement/v1";
export const PROOF_PREDICATE = "urn:rumi:proof-bundle:v1";

export type BundleFacts = {
  readonly run: Run;
  readonly checks: readonly RunCheck[];
  readonly violations: readonly Violation[];
  readonly changed_files: readonly string[];
  readonly diff_stat: DiffStat;
  readonly log: { readonly sha256: string; readonly bytes: number };
  readonly revision: number;
  readonly previous_sha256: string | null;
  readonly generated_at: number;
};

export type ProofBundle = ReturnType<typeof bundleOf>;

export function bundleOf(facts: BundleFacts) {
  const { run, checks, violations } = facts;
  return {
    version: BUNDLE_VERSION,
    run_id: run.run_id,
    generated_at: iso(facts.generated_at),
    prompt_hash: run.prompt_hash,
    scope_snapshot: run.scope_snapshot,
    dod_snapshot: run.dod_snapshot,
    changed_files: facts.changed_files,
    diff_stat: facts.diff_stat,
    head_sha: run.head_sha,
    exit_code: run.exit_code,
    dod_results: run.dod_snapshot.required_checks.map((definition) => {
      const found = checks.find(({ check_key }) => check_key === definition.check_key);
      return {
        check_key: definition.check_key,
        label: definition.label,
        kind: definition.kind,
        required: definition.required,
        status: checkStatusOf(found),
        exit_code: found?.exit_code ?? null,
        timed_out: found?.timed_out ?? null,
        executed_nothing: found?.executed_nothing ?? null,
        duration_ms: found?.duration_ms ?? null,
        finished_at: isoOrNull(found?.finished_at ?? null),
        log_sha256: found?.log_sha256 ?? null,
      };
    }),
    scope_violations: violations.map(({ violation_id, path, reason, approved_status, decided_at, decided_by }) => ({
      violation_id,
      path,
      reason,
      approved_status,
      decided_at: isoOrNull(decided_at),
      decided_by,
    })),
    approval_history: violations
      .filter(({ decided_at }) => decided_at !== null)
      .toSorted((a, b) => (a.decided_at ?? 0) - (b.decided_at ?? 0) || a.violation_id - b.violation_id)
      .map(({ violation_id, path, approved_status, decided_at, decided_by, decision_reason }) => ({
        violation_id,
        path,
        approved_status,
        decided_at: isoOrNull(decided_at),
        decided_by,
        reason: decision_reason,
      })),
    revision: facts.revision,
    previous_sha256: facts.previous_sha256,
    base_sha: run.base_sha,
    snapshot_sha: run.snapshot_sha,
    worktree_dirty: run.worktree_dirty,
    command: run.command,
    cancelled: run.cancelled,
    enforcement: enforcementOf(run),
    log_sha256: facts.log.sha256,
    log_bytes: facts.log.bytes,
    started_at: iso(run.started_at),
    finished_at: isoOrNull(run.finished_at),
  };
}

function enforcementOf({ enforce, enforcement }: Run): EnforcementFact & { readonly enforce: string } {
  return { enforce, ...(enforcement ?? { scope: "after_only", outside: "after_only", mechanism: "none" }) };
}

export const bundleText = (bundle: ProofBundle): string => `${canonicalJson(bundle)}\n`;

/** An in-toto statement about the bundle's bytes and the snapshot's commit; whoever checks it needs nothing of ours. */
export function proofStatement(text: string, bundle: ProofBundle, digests: Readonly<Record<string, string>>): string {
  return canonicalJson({
    _type: STATEMENT,
    subject: [
      { name: `runs/${bundle.run_id}/proof-${bundle.revision}.json`, digest: { sha256: sha256Hex(text) } },
      { name: `refs/rumi/runs/${bundle.run_id}`, digest: { gitCommit: bundle.snapshot_sha ?? "" } },
    ],
    predicateType: PROOF_PREDICATE,
    predicate: { bundle: bundle as unknown as Json, references: digests },
  });
}

const iso = (at: number): string => isoFromMicros(micros(at));
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));
