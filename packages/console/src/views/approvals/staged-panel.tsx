/** Intents that wait for a person, and what became of the newest others. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Staged } from "../../answers/approvals.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import { useStaged } from "../../control-queries.ts";
import { intentWords } from "../../live/feed-rows.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { dayText } from "../../time.ts";
import { Badge, type Tone } from "../badge.tsx";
import { Remaining } from "../outlook.tsx";
import { Panel } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { RunbookLink } from "../runbook-link.tsx";

const STATE_TONE: Readonly<Record<string, Tone>> = { staged: "warn", committed: "good", approved: "good" };
const SETTLED_SHOWN = 10;

export function StagedPanel(): JSX.Element {
  const { api, t } = useConsole();
  const queries = useQueryClient();
  const staged = useStaged();
  const [question, setQuestion] = useState<Question | null>(null);
  const all = staged.data ?? [];
  const shown = [
    ...all.filter(({ state }) => state === "staged"),
    ...all.filter(({ state }) => state !== "staged").slice(0, SETTLED_SHOWN),
  ];
  const ask = (intent: Staged, verdict: "approve" | "reject"): void =>
    setQuestion({
      title: t(verdict === "approve" ? "ask_approve" : "ask_reject", { what: intent.bot_id }),
      detail: wordsOf(intent),
      tone: verdict === "approve" ? "primary" : "danger",
      line: (reason) => commandText(`intents ${verdict}`, [intent.run_id, intent.idempotency_key], { reason }),
      onYes: (wish) => api.judgeStaged(intent, verdict, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["staged"] }),
    });
  return (
    <Panel
      title={t("staged")}
      name="staged"
      problem={staged.error}
      line="rumi intents staged"
      aside={
        <span className="end">
          <RunbookLink page="docs/runbooks/reasons/staging.md" />
        </span>
      }
    >
      {staged.data?.length === 0 && <p className="empty">{t("no_staged")}</p>}
      <ul className="rows" data-testid="staged">
        {shown.map((intent) => (
          <StagedRow key={`${intent.run_id}/${intent.idempotency_key}`} intent={intent} onAsk={ask} />
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

const wordsOf = ({ intent }: Staged): string => intentWords(intent, "", null).words.join(" ");

function StagedRow(props: {
  readonly intent: Staged;
  readonly onAsk: (intent: Staged, verdict: "approve" | "reject") => void;
}): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const { intent, onAsk } = props;
  const { bot_id, state, decision, decided_by, reason_code, staged_at, expires_at, trace_id } = intent;
  const waits = state === "staged" && decision === null;
  return (
    <li data-testid="staged-intent" data-state={state}>
      <div className="row-head">
        <strong>{bot_id}</strong>
        <Badge
          tone={STATE_TONE[state] ?? "dim"}
          look={waits ? "filled" : "outline"}
          text={decision !== null && state === "staged" ? `${state} · ${decision}` : state}
        />
        {waits && <Remaining until={expires_at} />}
        <span className="row-actions end">
          {waits && may.ask("intents.approve") && (
            <button type="button" className="primary" onClick={() => onAsk(intent, "approve")}>
              {t("approve")}
            </button>
          )}
          {waits && may.tighten("intents.reject") && (
            <button type="button" className="danger" onClick={() => onAsk(intent, "reject")}>
              {t("reject")}
            </button>
          )}
        </span>
      </div>
      <div className="mono wrap">{wordsOf(intent)}</div>
      <div className="row-head mono dim">
        {dayText(staged_at)}
        {decided_by === null ? "" : ` · ${decided_by}`}
        {reason_code === null ? "" : ` · ${reason_code}`}
        <a href={hrefOf({ kind: "trace", id: trace_id })}>{t("trace")}</a>
      </div>
    </li>
  );
}
