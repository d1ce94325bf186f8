/** One run: what it was, what it said, and its proof. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { useConsole } from "../../context.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
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
  const [tab, setTab] = useState<Tab>("proof");
  const [question, setQuestion] = useState<Question | null>(null);
  const run = useQuery({ queryKey: ["runs", id], queryFn: () => api.codeRun(id), refetchInterval: EVERY_MS });
  const { data } = run;
  const stop = (): void =>
    setQuestion({
      title: t("ask_run_stop", { run: id }),
      tone: "danger",
      onYes: (wish) => api.stopCodeRun(id, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["runs"] }),
    });
  return (
    <Panel
      title={t("code_run", { run: id })}
      name="run-detail"
      problem={run.error}
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
          {data.problem !== null && <p className="bad wrap">{data.problem}</p>}
          <div role="tablist" aria-label={t("code_run", { run: id })} className="tabs">
            {TABS.map((one) => (
              <button
                key={one}
                type="button"
                role="tab"
                id={`tab-${one}`}
                aria-selected={tab === one}
                aria-controls={`tabpanel-${one}`}
                onClick={() => setTab(one)}
              >
                {t(`tab_${one}`)}
              </button>
            ))}
          </div>
          <div role="tabpanel" id={`tabpanel-${tab}`} aria-labelledby={`tab-${tab}`}>
            {tab === "proof" ? <ProofTab run={data} /> : <OutputTab run={data} />}
          </div>
        </>
      )}
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}
