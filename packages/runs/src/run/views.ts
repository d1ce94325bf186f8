/** Runs as answers show them. Pure. */
import { isoFromMicros, micros } from "@rumi/kernel";
import { checkStatusOf, statusOf, type Bundle, type Run, type RunCheck, type Violation } from "./model.ts";

export function summaryOf(run: Run) {
  const { run_id, phase, repo, base_ref, base_sha, command, exit_code, head_sha, log_ref, proof_bundle_ref } = run;
  const { scope_snapshot, dod_snapshot, enforce, requested_by } = run;
  return {
    run_id,
    status: statusOf(run),
    phase,
    repo,
    base_ref,
    base_sha,
    command,
    exit_code,
    head_sha,
    log_ref,
    proof_bundle_ref,
    scope_snapshot,
    dod_snapshot,
    enforce,
    requested_by,
    started_at: iso(run.started_at),
    finished_at: isoOrNull(run.finished_at),
  };
}

export function checkView(
  { check_key, label, kind, required }: Run["dod_snapshot"]["required_checks"][number],
  checks: readonly RunCheck[],
) {
  const found = checks.find((one) => one.check_key === check_key);
  return {
    check_key,
    label,
    kind,
    required,
    status: checkStatusOf(found),
    exit_code: found?.exit_code ?? null,
    executed_nothing: found?.executed_nothing ?? false,
    timed_out: found?.timed_out ?? false,
    duration_ms: found?.duration_ms ?? null,
    finished_at: isoOrNull(found?.finished_at ?? null),
    log_ref: found?.log_ref ?? null,
  };
}

export function violationView({ violation_id, path, reason, approved_status, decided_at, decided_by }: Violation) {
  return { violation_id, path, reason, approved_status, decided_at: isoOrNull(decided_at), decided_by };
}

export const revisionView = ({ revision, sha256, generated_at }: Bundle) => ({
  revision,
  sha256,
  generated_at: iso(generated_at),
});
const iso = (at: number): string => isoFromMicros(micros(at));
const isoOrNull = (at: number | null): string | null => (at === null ? null : iso(at));
