/** One flow: its steps, a form to run it with, and the runs that there were. */
import type { JSX } from "react";
import type { FlowDefinition, FlowRun, RunState } from "../../answers/flows.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { dayText } from "../../time.ts";
import { Badge, type Tone } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import { FlowGraph } from "./flow-graph.tsx";
import { useOfFlows } from "./flow-queries.ts";
import { RunForm } from "./run-form.tsx";

const RUN: Readonly<Record<RunState, readonly [Tone, Word]>> = {
  running: ["info", "flow_run_running"],
  waiting: ["warn", "flow_run_waiting"],
  done: ["good", "flow_run_done"],
  failed: ["bad", "flow_run_failed"],
};

export function RunBadge({ state }: { readonly state: RunState }): JSX.Element {
  const { t } = useConsole();
  const [tone, word] = RUN[state];
  return <Badge tone={tone} text={t(word)} testId="run-state" />;
}

export function FlowDetail({ flowId }: { readonly flowId: string }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const flow = useOfFlows(["one", flowId], (of) => of.flow(flowId));
  const { data } = flow;
  return (
    <>
      <Panel
        title={flowId}
        name="flow"
        problem={flow.error}
        aside={
          <a className="end" href={hrefOf({ kind: "flows", name: null, run: null })}>
            {t("all_flows")}
          </a>
        }
      >
        {data !== undefined && <Whole flow={data} />}
      </Panel>
      {data !== undefined && may.ask("flows.run") && (
        <Panel title={t("run_it")} name="flow-run-form">
          <RunForm key={data.digest} flow={data} />
        </Panel>
      )}
      <RunsPanel flowId={flowId} />
    </>
  );
}

function Whole({ flow }: { readonly flow: FlowDefinition }): JSX.Element {
  const { t } = useConsole();
  const schedules = useOfFlows(["schedules"], async (of) => (await of.schedules()).schedules);
  const due = schedules.data?.find(({ flow_id }) => flow_id === flow.flow_id);
  return (
    <>
      <div className="row-head">
        <span className="mono dim wrap">{flow.path}</span>
        {flow.owner_pack !== null && (
          <a href={hrefOf({ kind: "packs", name: flow.owner_pack })}>{t("of_pack", { pack: flow.owner_pack })}</a>
        )}
        {due !== undefined && (
          <span className="small" data-testid="due">
            <Badge tone="info" text={due.schedule} /> {t("due_next", { time: dayText(due.next_at) })}
          </span>
        )}
        {flow.modifiers.length > 0 && (
          <span className="warn small">{t("modified_by", { modifiers: flow.modifiers.join(", ") })}</span>
        )}
      </div>
      <FlowGraph steps={flow.steps} phases={flow.phases} />
      <p className="dim small">
        {t("outputs")}:{" "}
        <span className="mono">{flow.outputs === null ? t("outputs_any") : flow.outputs.join(", ")}</span>
      </p>
      <CopyLine line={commandText("flows definition", [flow.flow_id])} />
    </>
  );
}

function RunsPanel({ flowId }: { readonly flowId: string }): JSX.Element {
  const { t } = useConsole();
  const runs = useOfFlows(["runs", flowId], async (of) => (await of.runs(flowId)).runs, 2_000);
  return (
    <Panel title={t("flow_runs")} name="flow-runs" problem={runs.error}>
      {runs.data?.length === 0 && <p className="empty">{t("no_flow_runs")}</p>}
      <ul className="rows" data-testid="flow-runs">
        {(runs.data ?? []).map((run) => (
          <Row key={run.run_id} run={run} />
        ))}
      </ul>
      <CopyLine line={commandText("flows runs", [flowId])} />
    </Panel>
  );
}

function Row({ run }: { readonly run: FlowRun }): JSX.Element {
  return (
    <li data-testid="flow-run" data-id={run.run_id}>
      <div className="row-head">
        <a href={hrefOf({ kind: "flows", name: run.flow_id, run: run.run_id })}>
          <strong>{dayText(run.requested_at)}</strong>
        </a>
        <RunBadge state={run.state} />
        {run.error_code !== null && <span className="mono bad">{run.error_code}</span>}
        <span className="dim small">{run.actor}</span>
      </div>
    </li>
  );
}
