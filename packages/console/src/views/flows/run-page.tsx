/** One run of a flow: where it is, what it waits for, what came of it, and stopping it. */
import type { JSX } from "react";
import type { FlowRunDetail } from "../../answers/flows.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { dayText } from "../../time.ts";
import { CopyLine } from "../copy-line.tsx";
import { Whole } from "../outlook.tsx";
import { Panel } from "../panel.tsx";
import { useQuestion } from "../use-question.tsx";
import { ApprovalRows } from "./approval-rows.tsx";
import { RunBadge } from "./flow-detail.tsx";
import { FlowGraph } from "./flow-graph.tsx";
import { useFlowCalls, useOfFlows } from "./flow-queries.ts";

const LIVE_MS = 700;
const OVER_MS = 10_000;

const isUnderWay = (run: FlowRunDetail | undefined): boolean =>
  run === undefined || run.state === "running" || run.state === "waiting";

export function RunPage(props: { readonly flowId: string; readonly runId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const calls = useFlowCalls();
  const { ask, dialog } = useQuestion("flows");
  const { flowId, runId } = props;
  const known = useOfFlows(["run", runId], (of) => of.run(runId), OVER_MS).data;
  const run = useOfFlows(["run", runId], (of) => of.run(runId), isUnderWay(known) ? LIVE_MS : OVER_MS);
  const { data } = run;
  const stop = (): void =>
    ask({
      title: t("ask_flow_stop", { flow: flowId }),
      detail: t("flow_stop_means"),
      tone: "danger",
      line: (reason) => commandText("flows stop", [runId], { reason }),
      onYes: (wish) => calls.stop(runId, wish),
    });
  return (
    <>
      <Panel
        title={t("flow_run", { flow: flowId })}
        name="flow-run"
        problem={run.error}
        line={commandText("flows run-show", [runId])}
        aside={
          <>
            {data !== undefined && <RunBadge state={data.state} />}
            {data !== undefined && isUnderWay(data) && may.tighten("flows.stop") && (
              <button type="button" className="danger" onClick={stop}>
                {t("stop_run")}
              </button>
            )}
            <a className="end" href={hrefOf({ kind: "flows", name: flowId, run: null })}>
              {t("back_to", { flow: flowId })}
            </a>
          </>
        }
      >
        {data !== undefined && <Shown run={data} />}
        {dialog}
      </Panel>
      {data !== undefined && <InOut run={data} />}
    </>
  );
}

function Shown({ run }: { readonly run: FlowRunDetail }): JSX.Element {
  const { t } = useConsole();
  const flow = useOfFlows(["one", run.flow_id], (of) => of.flow(run.flow_id));
  const over = run.steps.filter(({ state, path }) => !path.includes("/") && state !== "running" && state !== "waiting");
  return (
    <>
      <p className="dim small">
        {t("asked_by", { who: run.actor })} · {dayText(run.requested_at)}
        {run.finished_at !== null && ` – ${dayText(run.finished_at)}`}
        {run.execution_time !== null && ` · ${run.execution_time} s`}
      </p>
      {run.state === "running" && flow.data !== undefined && (
        <div className="row-head" role="status" data-testid="run-progress">
          <progress max={flow.data.steps.length} value={over.length} aria-label={t("progress")} />
          <span className="small">{t("steps_over", { done: over.length, of: flow.data.steps.length })}</span>
        </div>
      )}
      {run.failure !== null && (
        <div className="refusal" data-testid="run-failure">
          <div>
            <strong className="bad">{t("flow_run_failed")}</strong>{" "}
            <span className="mono">{run.failure.error_code}</span>
          </div>
          <div className="wrap">{run.failure.error}</div>
          <div className="wrap">
            <strong>{t("next_step")}:</strong> {run.failure.suggestion}
          </div>
        </div>
      )}
      {run.approvals.length > 0 && <ApprovalRows approvals={run.approvals} />}
      {flow.data !== undefined && <FlowGraph steps={flow.data.steps} phases={flow.data.phases} traced={run.steps} />}
      {flow.error !== null && (
        <ul className="steps mono">
          {run.steps.map(({ path, state }) => (
            <li key={path}>
              {path} {state}
            </li>
          ))}
        </ul>
      )}
      {run.steps_truncated && <p className="warn">{t("steps_truncated")}</p>}
      <CopyLine line={commandText("flows run-show", [run.run_id])} />
    </>
  );
}

function InOut({ run }: { readonly run: FlowRunDetail }): JSX.Element {
  const { t } = useConsole();
  return (
    <>
      <Panel title={t("inputs")} name="flow-run-inputs">
        {Object.keys(run.inputs).length === 0 ? (
          <p className="empty">{t("inputs_not_given")}</p>
        ) : (
          <Whole of={run.inputs} />
        )}
      </Panel>
      <Panel title={t("outputs")} name="flow-run-outputs">
        {run.result === null ? (
          <p className="empty">{t(run.state === "failed" ? "no_outputs" : "outputs_later")}</p>
        ) : (
          <div data-testid="run-result">
            <Whole of={run.result} />
          </div>
        )}
        {run.truncated && <p className="warn">{t("result_truncated")}</p>}
      </Panel>
    </>
  );
}
