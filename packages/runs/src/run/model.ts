/**
 * Runs, their checks and violations as they are kept, and what is computed of them: nothing that can be derived is stored. Pure.
 *
 * A run goes through its phases in one order, each durable before the next begins: `requested` → `running` → `ended` →
 * `kept` (the snapshot is there) → `checked` → `proved`. `broken`: what it left could not be made into evidence; there is no
 * bundle then.
 */
import { err, ok, type Result } from "@rumi/kernel";
import { RUN_LIMITS } from "../limits.ts";
import type { Scope, ViolationReason } from "../scope/scope.ts";

export const RUN_PHASES = ["requested", "running", "ended", "kept", "checked", "proved", "broken"] as const;
export type RunPhase = (typeof RUN_PHASES)[number];
export const RUN_STATUSES = ["running", "completed", "failed", "cancelled"] as const;
export type RunStatus = (typeof RUN_STATUSES)[number];
export const CHECK_KINDS = ["dod", "lint", "test", "build"] as const;
export type CheckKind = (typeof CHECK_KINDS)[number];
export const CHECK_STATUSES = ["passed", "failed", "pending"] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];
export const APPROVED_STATUSES = ["pending", "approved", "rejected"] as const;
export type ApprovedStatus = (typeof APPROVED_STATUSES)[number];
export const ENFORCEMENTS = ["record", "deny"] as const;
export type Enforcement = (typeof ENFORCEMENTS)[number];

/** A definition of done, frozen when the run begins. */
export type Dod = { readonly required_checks: readonly CheckDefinition[] };
export type CheckDefinition = {
  readonly check_key: string;
  readonly label: string;
  readonly kind: CheckKind;
  /** For `/bin/sh -c`. */
  readonly command: string;
  readonly timeout_sec: number;
  /** Relative to the checkout's root. */
  readonly working_dir: string;
  readonly required: boolean;
};

/** How far the host held the run, a fact and no verdict. */
export type EnforcementFact = {
  /** `kernel`: a write outside the scope's folders was impossible; `after_only`: it is found afterwards. */
  readonly scope: "kernel" | "after_only";
  /** The same for everything outside the worktree. */
  readonly outside: "kernel" | "after_only";
  readonly mechanism: "bubblewrap" | "none";
};

export type Run = {
  readonly run_id: number;
  readonly repo: string;
  readonly base_ref: string;
  readonly base_sha: string;
  readonly command: readonly string[];
  readonly prompt_hash: string;
  readonly scope_snapshot: Scope;
  readonly dod_snapshot: Dod;
  readonly enforce: Enforcement;
  readonly enforcement: EnforcementFact | null;
  readonly timeout_seconds: number;
  readonly phase: RunPhase;
  /** Why it is broken, in words. */
  readonly problem: string | null;
  readonly pid: number | null;
  /** Of /proc/PID/stat: tells a process from a later one of the same number. */
  readonly pid_started: string | null;
  readonly exit_code: number | null;
  readonly cancelled: boolean;
  readonly stop_requested: boolean;
  readonly head_sha: string | null;
  readonly snapshot_sha: string | null;
  readonly worktree_dirty: boolean | null;
  readonly log_ref: string;
  readonly proof_bundle_ref: string | null;
  /** How many decisions on violations there were, and how many of them the newest bundle holds. */
  readonly decisions: number;
  readonly proved_decisions: number;
  readonly requested_by: string;
  readonly trace_id: string;
  readonly started_at: number;
  readonly finished_at: number | null;
};

export type RunCheck = {
  readonly run_id: number;
  readonly ordinal: number;
  readonly check_key: string;
  readonly exit_code: number | null;
  readonly timed_out: boolean;
  readonly executed_nothing: boolean;
  readonly duration_ms: number;
  readonly log_ref: string;
  readonly log_sha256: string;
  readonly finished_at: number;
};

export type Violation = {
  readonly run_id: number;
  readonly violation_id: number;
  readonly path: string;
  readonly reason: ViolationReason;
  readonly approved_status: ApprovedStatus;
  readonly decided_at: number | null;
  readonly decided_by: string | null;
  readonly decision_reason: string | null;
};

export type Bundle = {
  readonly run_id: number;
  readonly revision: number;
  readonly ref: string;
  readonly sha256: string;
  readonly attestation_ref: string;
  readonly generated_at: number;
};

export function statusOf({
  phase,
  finished_at,
  exit_code,
  cancelled,
}: Pick<Run, "phase" | "finished_at" | "exit_code" | "cancelled">): RunStatus {
  if (cancelled && finished_at !== null) return "cancelled";
  if (finished_at === null) return phase === "broken" ? "failed" : "running";
  return exit_code === 0 ? "completed" : "failed";
}

export function checkStatusOf(check: RunCheck | undefined): CheckStatus {
  if (check === undefined) return "pending";
  return check.exit_code === 0 ? "passed" : "failed";
}

/** Of what is required; without a check, or with a result missing, it is pending and never passed. */
export function dodStatusOf({ required_checks }: Dod, checks: readonly RunCheck[]): CheckStatus {
  const found = required_checks
    .filter(({ required }) => required)
    .map(({ check_key }) => checkStatusOf(checks.find((one) => one.check_key === check_key)));
  if (found.includes("failed")) return "failed";
  return found.length === 0 || found.includes("pending") ? "pending" : "passed";
}

export type CheckWish = {
  readonly check_key: string;
  readonly label: string;
  readonly kind: CheckKind;
  readonly command: string;
  readonly timeout_sec?: number;
  readonly working_dir?: string;
  readonly required: boolean;
};

export function freezeDod(
  wishes: readonly CheckWish[],
): Result<Dod, { readonly field: string; readonly problem: string }> {
  const seen = new Set<string>();
  for (const [index, { check_key, working_dir = "" }] of wishes.entries()) {
    const field = `dod.required_checks.${index}`;
    if (seen.has(check_key)) return err({ field: `${field}.check_key`, problem: `${check_key} appears twice` });
    seen.add(check_key);
    const names = working_dir.split("/");
    if (working_dir.includes("\0") || working_dir.startsWith("/") || names.includes(".."))
      return err({ field: `${field}.working_dir`, problem: "it leaves the checkout" });
  }
  return ok({
    required_checks: wishes.map(
      ({ timeout_sec = RUN_LIMITS.default_check_timeout_seconds, working_dir = "", ...rest }) => ({
        ...rest,
        timeout_sec,
        working_dir,
      }),
    ),
  });
}
