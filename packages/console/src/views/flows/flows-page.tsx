/** Flows: all of them with what waits for a person and what runs by itself; one of them; one of its runs. */
import type { JSX } from "react";
import type { FlowRow, FlowSchedule } from "../../answers/flows.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { hrefOf } from "../../page.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { CopyLine } from "../copy-line.tsx";
import { Panel } from "../panel.tsx";
import "../../styles/work.css";
import { FlowDetail, RunBadge } from "./flow-detail.tsx";
import { useOfFlows } from "./flow-queries.ts";
import { RunPage } from "./run-page.tsx";
import { WaitingPanel } from "./waiting-panel.tsx";

export function FlowsPage(props: { readonly name: string | null; readonly run: string | null }): JSX.Element {
  const { name, run } = props;
  if (name === null)
    return (
      <>
        <WaitingPanel />
        <FlowsPanel />
        <SchedulesPanel />
      </>
    );
  return run === null ? <FlowDetail key={name} flowId={name} /> : <RunPage key={run} flowId={name} runId={run} />;
}

function FlowsPanel(): JSX.Element {
  const { t } = useConsole();
  const flows = useOfFlows(["rows"], (of) => of.flows());
  const { data } = flows;
  return (
    <Panel title={t("flows")} name="flow-list" problem={flows.error}>
      {data?.flows.length === 0 && data.problems.length === 0 && (
        <div className="empty" data-testid="no-flows">
          <p>{t("flows_teach")}</p>
          <pre className="whole">{EXAMPLE}</pre>
          <p>{t("flows_teach_pack")}</p>
          <CopyLine line="rumi packs new my-pack --template flow --output-dir made" />
        </div>
      )}
      {(data?.problems ?? []).length > 0 && (
        <ul className="rows" data-testid="flow-problems">
          {(data?.problems ?? []).map((one) => (
            <li key={`${one.path} ${one.error_code}`} className="alarm">
              <strong className="mono bad">{one.error_code}</strong> <span className="mono">{one.path}</span>
              <div className="wrap">{one.error}</div>
              <div className="wrap">
                <strong>{t("next_step")}:</strong> {one.suggestion}
              </div>
            </li>
          ))}
        </ul>
      )}
      <ul className="rows" data-testid="flow-rows">
        {(data?.flows ?? []).map((flow) => (
          <Row key={flow.flow_id} flow={flow} />
        ))}
      </ul>
      <CopyLine line={commandText("flows list")} />
    </Panel>
  );
}

const EXAMPLE = `flow_id: hello
inputs: { name: string }
phases: [main]
steps:
  - { id: greet, phase: main, type: set, input: { message: "Hello, \${ctx.name}!" }, output: greeting }`;

function Row({ flow }: { readonly flow: FlowRow }): JSX.Element {
  const { t } = useConsole();
  return (
    <li data-testid="flow-row" data-id={flow.flow_id}>
      <div className="row-head">
        <a href={hrefOf({ kind: "flows", name: flow.flow_id, run: null })}>
          <strong>{flow.flow_id}</strong>
        </a>
        <span className="dim small">{t("step_count", { count: flow.steps.length })}</span>
        {flow.owner_pack !== null && (
          <a href={hrefOf({ kind: "packs", name: flow.owner_pack })}>{t("of_pack", { pack: flow.owner_pack })}</a>
        )}
        {flow.schedule !== null && <Badge tone="info" text={flow.schedule} />}
        {flow.modifiers.length > 0 && (
          <span className="warn small">{t("modified_by", { modifiers: flow.modifiers.join(", ") })}</span>
        )}
      </div>
      <div className="mono dim wrap">{flow.path}</div>
      {flow.warnings.map((warning) => (
        <div key={warning} className="warn wrap">
          {warning}
        </div>
      ))}
    </li>
  );
}

function SchedulesPanel(): JSX.Element {
  const { t } = useConsole();
  const schedules = useOfFlows(["schedules"], async (of) => (await of.schedules()).schedules);
  return (
    <Panel title={t("schedules")} name="flow-schedules" problem={schedules.error}>
      {schedules.data?.length === 0 && <p className="empty">{t("schedules_teach")}</p>}
      <ul className="rows" data-testid="schedules">
        {(schedules.data ?? []).map((due) => (
          <ScheduleRow key={due.flow_id} due={due} />
        ))}
      </ul>
      <CopyLine line={commandText("flows schedules")} />
    </Panel>
  );
}

/** When it is due, and what came of the newest run there was, by itself or asked for. */
function ScheduleRow({ due }: { readonly due: FlowSchedule }): JSX.Element {
  const { t } = useConsole();
  const { flow_id, schedule, next_at, last_at } = due;
  const [newest] = useOfFlows(["runs", flow_id], async (of) => (await of.runs(flow_id)).runs).data ?? [];
  return (
    <li data-testid="schedule" data-id={flow_id}>
      <div className="row-head">
        <a href={hrefOf({ kind: "flows", name: flow_id, run: null })}>
          <strong>{flow_id}</strong>
        </a>
        <span className="mono">{schedule}</span>
        {newest !== undefined && (
          <a
            className="row-head end"
            href={hrefOf({ kind: "flows", name: flow_id, run: newest.run_id })}
            title={t("flow_run", { flow: flow_id })}
          >
            <RunBadge state={newest.state} />
          </a>
        )}
      </div>
      <div className="dim small">
        {t("due_next", { time: dayText(next_at) })}
        {last_at !== null && ` · ${t("due_last", { time: dayText(last_at) })}`}
        {newest?.error_code != null && <span className="mono bad"> · {newest.error_code}</span>}
      </div>
    </li>
  );
}
