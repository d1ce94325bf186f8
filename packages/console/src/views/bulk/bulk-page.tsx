/** Wishes for many bots at once: how far each has come, what failed and why; aborted and retried from here. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Bulk } from "../../answers/people.ts";
import type { BulkWord } from "../../api/people.ts";
import { useConsole } from "../../context.ts";
import { useBulks } from "../../control-queries.ts";
import type { Word } from "../../i18n.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { rumiLine } from "../../rumi-line.ts";
import { dayText } from "../../time.ts";
import { Badge } from "../badge.tsx";
import { Panel } from "../panel.tsx";
import { BulkForm } from "./bulk-form.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";

const ASK = {
  abort: "ask_bulk_abort",
  pause: "ask_bulk_pause",
  resume: "ask_bulk_resume",
  retry: "ask_bulk_retry",
} as const satisfies Readonly<Record<BulkWord, Word>>;
const WORD = { abort: "abort", pause: "pause", resume: "resume", retry: "retry_failed" } as const;

const TIGHTENS: readonly BulkWord[] = ["abort", "pause"];

/** What may be said of a bulk as it stands. */
function wordsFor({ state, aborted, paused, failed }: Bulk): readonly BulkWord[] {
  if (state === "over") return failed.length > 0 ? ["retry"] : [];
  return aborted ? [] : [paused === true ? "resume" : "pause", "abort"];
}

export function BulkPage(): JSX.Element {
  const { api, t } = useConsole();
  const queries = useQueryClient();
  const bulks = useBulks();
  const may = useMay();
  const [question, setQuestion] = useState<Question | null>(null);
  const ask = ({ bulk_id, failed, in_flight }: Bulk, word: BulkWord): void =>
    setQuestion({
      title: t(ASK[word], { count: failed.length }),
      detail:
        word === "retry"
          ? failed.map(({ bot_id }) => bot_id).join(", ")
          : t("bulk_in_flight", { bots: in_flight.join(", ") || "–" }),
      tone: word === "abort" ? "danger" : "primary",
      line: (reason) => rumiLine(`bulk ${word} ${bulk_id}`, { reason }),
      onYes: (wish) => api.wordOnBulk(bulk_id, word, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["bulks"] }),
    });
  return (
    <Panel title={t("bulk")} name="bulk" problem={bulks.error} line="rumi bulk list">
      {may.tighten("bulk.start") && <BulkForm />}
      {bulks.data?.length === 0 && <p className="empty">{t("no_bulks")}</p>}
      <ul className="rows" data-testid="bulks">
        {(bulks.data ?? []).map((bulk) => (
          <BulkRow key={bulk.bulk_id} bulk={bulk} onAsk={ask} />
        ))}
      </ul>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

function BulkRow(props: { readonly bulk: Bulk; readonly onAsk: (bulk: Bulk, word: BulkWord) => void }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const { bulk, onAsk } = props;
  const { bulk_id, state, requested_transition, wave, errors, max_errors, aborted, failed, reason } = bulk;
  const isBraked = errors >= max_errors;
  return (
    <li data-testid="bulk" data-id={bulk_id}>
      <div className="row-head">
        <strong>
          {requested_transition.from} → {requested_transition.to}
        </strong>
        <Badge tone={state === "running" ? "info" : failed.length === 0 ? "good" : "bad"} text={state} />
        {bulk.paused === true && state === "running" && <Badge tone="warn" text={t("paused")} />}
        {bulk.group_id !== null && <span className="mono dim">{bulk.group_id}</span>}
        {aborted && !isBraked && <Badge tone="warn" look="filled" text={t("aborted")} />}
        {isBraked && <Badge tone="bad" look="filled" text={t("braked", { errors, limit: max_errors })} />}
        <span className="dim">{t("wave", { wave })}</span>
        <span className="row-actions end">
          {wordsFor(bulk)
            .filter((word) => (TIGHTENS.includes(word) ? may.tighten : may.ask)(`bulk.${word}`))
            .map((word) => (
              <button
                key={word}
                type="button"
                className={word === "abort" ? "danger" : word === "retry" ? "primary" : ""}
                onClick={() => onAsk(bulk, word)}
              >
                {t(WORD[word])}
              </button>
            ))}
        </span>
      </div>
      <Progress bulk={bulk} />
      <div className="wrap">{reason}</div>
      <div className="mono dim wrap">
        {bulk.actor} · {dayText(bulk.created_at)} · {bulk_id}
      </div>
      {failed.map(({ bot_id, error_code, reason_code }) => (
        <div key={bot_id} className="wrap" data-testid="bulk-failed">
          <a href={hrefOf({ kind: "bots", bot: bot_id })}>{bot_id}</a>{" "}
          <span className="mono bad">{reason_code ?? error_code ?? ""}</span>
        </div>
      ))}
    </li>
  );
}

function Progress({ bulk: { done, failed, in_flight, waiting } }: { readonly bulk: Bulk }): JSX.Element {
  const { t } = useConsole();
  const parts = [
    { name: "good", label: t("bulk_done"), count: done.length },
    { name: "bad", label: t("bulk_failed"), count: failed.length },
    { name: "info", label: t("bulk_under_way"), count: in_flight.length },
    { name: "dim", label: t("bulk_waiting"), count: waiting.length },
  ] as const;
  return (
    <div className="progress-block" data-testid="progress">
      <div className="progress" aria-hidden="true">
        {parts.map(({ name, count }) => (
          <span key={name} className={name} style={{ flexGrow: count }} />
        ))}
      </div>
      <div className="row-head mono">
        {parts.map(({ name, label, count }) => (
          <span key={name} className={count === 0 ? "dim" : name}>
            {label} {count}
          </span>
        ))}
      </div>
    </div>
  );
}
