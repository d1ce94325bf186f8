/** One run: what it was, what it said, and its proof. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { CodeRunDetail } from "../../answers/code-runs.ts";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { rumiLine } from "../../rumi-line.ts";
import { dayText, remainingText } from "../../time.ts";
import { useNow } from "../../use-now.ts";
import { Badge } from "../badge.tsx";
import { Panel } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { OutputTab } from "./output-tab.tsx";
import { ProofTab } from "./proof-tab.tsx";
import { STATUS_TONE } from "./runs-page.tsx";

const TABS = ["proof", "output"] as const;
type Tab = (typeof TABS)[number];
const EVERY_MS = 2_000;

export function RunDetail({ id }: { readonly id: number }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const [chosen, setChosen] = useState<Tab | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const run = useQuery({ queryKey: ["runs", id], queryFn: () => api.codeRun(id), refetchInterval: EVERY_MS });
  const { data } = run;
  // While it goes on there is something to read and nothing to judge yet.
  const tab = chosen ?? (data?.status === "running" ? "output" : "proof");
  const stop = (): void =>
    setQuestion({
      title: t("ask_run_stop", { run: id }),
      tone: "danger",
      line: (reason) => rumiLine(`runs stop ${id}`, { reason }),
      onYes: (wish) => api.stopCodeRun(id, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["runs"] }),
    });
  return (
    <Panel
      title={t("code_run", { run: id })}
      name="run-detail"
      problem={run.error}
      line={`rumi runs show ${id}`}
      aside={
        <a className="end" href={hrefOf({ kind: "runs", id: null })}>
          {t("close")}
        </a>
      }
    >
      {data !== undefined && (
        <>
          <div className="row-head">
            <Badge tone={STATUS_TONE[data.status]} text={t(`run_${data.status}`)} testId="detail-status" />
            {data.exit_code !== null && <span className="mono">{t("exit_code", { code: data.exit_code })}</span>}
            <span className="mono wrap">{data.command.join(" ")}</span>
            {data.status === "running" && may.tighten("runs.stop") && (
              <button type="button" className="danger end" onClick={stop}>
                {t("stop_run")}
              </button>
            )}
          </div>
          <p className="mono dim wrap" data-testid="run-facts">
            {data.repo} @ {data.base_ref} · {data.requested_by} · <RunTime run={data} />
          </p>
          {data.problem !== null && <p className="bad wrap">{data.problem}</p>}
          <Tabs label={t("code_run", { run: id })} tab={tab} onTab={setChosen} />
          <div role="tabpanel" id={`tabpanel-${tab}`} aria-labelledby={`tab-${tab}`}>
            {tab === "proof" ? <ProofTab run={data} /> : <OutputTab runId={id} />}
          </div>
        </>
      )}
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

/** With the arrow keys as well, as tabs are. */
function Tabs(props: { readonly label: string; readonly tab: Tab; readonly onTab: (tab: Tab) => void }): JSX.Element {
  const { t } = useConsole();
  const { label, tab, onTab } = props;
  const other = TABS.find((one) => one !== tab) ?? tab;
  return (
    <div
      role="tablist"
      aria-label={label}
      className="tabs"
      onKeyDown={(event) => {
        if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
        event.preventDefault();
        onTab(other);
        document.getElementById(`tab-${other}`)?.focus();
      }}
    >
      {TABS.map((one) => (
        <button
          key={one}
          type="button"
          role="tab"
          id={`tab-${one}`}
          tabIndex={tab === one ? 0 : -1}
          aria-selected={tab === one}
          aria-controls={`tabpanel-${one}`}
          onClick={() => onTab(one)}
        >
          {t(`tab_${one}`)}
        </button>
      ))}
    </div>
  );
}

/** When it began, and how long it took or goes on. */
function RunTime({ run: { started_at, finished_at } }: { readonly run: CodeRunDetail }): JSX.Element {
  const now = useNow();
  const until = finished_at === null ? now : Date.parse(finished_at);
  return (
    <>
      {dayText(started_at)} · {remainingText(until - Date.parse(started_at))}
    </>
  );
}
