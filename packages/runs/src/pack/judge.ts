/** Whether a pack may be made of what a run left: it has its proof, every check that counts passed, everything outside its scope was approved. Pure. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { dodStatusOf, statusOf, type Bundle, type Run, type RunCheck, type Violation } from "../run/model.ts";

export type Evidence = {
  readonly run: Run | undefined;
  readonly checks: readonly RunCheck[];
  readonly violations: readonly Violation[];
  readonly bundles: readonly Bundle[];
};
export type Proven = Omit<Evidence, "run"> & {
  readonly run: Run & { readonly snapshot_sha: string; readonly head_sha: string };
  readonly newest: Bundle;
};

export function judgeEvidence(run_id: number, { run, checks, violations, bundles }: Evidence): Result<Proven, Failure> {
  if (run === undefined) return err(failure("RUMI-RUN-001", { run_id }));
  const newest = bundles.at(-1);
  const { snapshot_sha, head_sha, phase } = run;
  const isProven = phase === "proved" && run.decisions === run.proved_decisions;
  if (!isProven || newest === undefined || snapshot_sha === null || head_sha === null)
    return err(failure("RUMI-RUN-013", { run_id, status: statusOf(run), phase }));
  const open = violations.find(({ approved_status }) => approved_status !== "approved");
  if (open !== undefined)
    return err(
      failure("RUMI-RUN-014", {
        run_id,
        violation_id: open.violation_id,
        path: open.path.slice(0, 200),
        status: open.approved_status,
      }),
    );
  const status = dodStatusOf(run.dod_snapshot, checks);
  if (status !== "passed") return err(failure("RUMI-RUN-015", { run_id, status }));
  return ok({ run: { ...run, snapshot_sha, head_sha }, checks, violations, bundles, newest });
}
