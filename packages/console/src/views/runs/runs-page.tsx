/** Runs that carry their proof: the newest first, and the one that is chosen. */
import type { JSX } from "react";
import type { CodeRun } from "../../answers/code-runs.ts";
import { useConsole } from "../../context.ts";
import { useCodeRuns } from "../../control-queries.ts";
import { hrefOf } from "../../page.ts";
import { dayText } from "../../time.ts";
import { Badge, type Tone } from "../badge.tsx";
import { Panel } from "../panel.tsx";
import { RunDetail } from "./run-detail.tsx";

export const STATUS_TONE = {
  running: "info",
  completed: "good",
  failed: "bad",
  cancelled: "warn",
} as const satisfies Readonly<Record<CodeRun["status"], Tone>>;

export function RunsPage({ id }: { readonly id: number | null }): JSX.Element {
  const { t } = useConsole();
  const runs = useCodeRuns();
  return (
    <>
      {id !== null && <RunDetail key={id} id={id} />}
      <Panel title={t("code_runs")} name="runs" problem={runs.error} line="rumi runs list">
        {runs.data?.length === 0 && <p className="empty">{t("no_code_runs")}</p>}
        <ul className="rows" data-testid="runs">
          {(runs.data ?? []).map((run) => (
            <li key={run.run_id} data-testid="run" data-id={run.run_id}>
              <div className="row-head">
                <a href={hrefOf({ kind: "runs", id: run.run_id })}>
                  <strong>#{run.run_id}</strong>
                </a>
                <Badge tone={STATUS_TONE[run.status]} text={t(`run_${run.status}`)} testId="run-status" />
                {run.exit_code !== null && <span className="mono dim">{t("exit_code", { code: run.exit_code })}</span>}
                <span className="mono wrap">{run.command.join(" ").slice(0, 120)}</span>
              </div>
              <div className="mono dim wrap">
                {run.repo} · {run.requested_by} · {dayText(run.started_at)}
              </div>
            </li>
          ))}
        </ul>
      </Panel>
    </>
  );
}
