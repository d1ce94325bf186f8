/** Begins a bulk with the bots that were chosen in their table: those of them that are in one state become another. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Bot } from "../../answers/answers.ts";
import { choose, useChosen } from "../../chosen-bots.ts";
import { useConsole } from "../../context.ts";
import { grouped } from "../../grouped.ts";
import { useMay } from "../../may.ts";
import { hrefOf } from "../../page.ts";
import { useBots } from "../../queries.ts";
import { rumiLine } from "../../rumi-line.ts";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";

/** What a bulk can ask for in each state; live is asked for one by one. */
const TO: Readonly<Record<string, readonly string[]>> = {
  IDLE: ["RUNNING_PAPER", "RUNNING_SHADOW", "QUARANTINED"],
  RUNNING_PAPER: ["PAUSED", "STOPPING", "QUARANTINED"],
  RUNNING_SHADOW: ["PAUSED", "STOPPING", "QUARANTINED"],
  RUNNING_LIVE: ["PAUSED", "STOPPING", "QUARANTINED"],
  PAUSED: ["RUNNING_PAPER", "RUNNING_SHADOW", "STOPPING", "QUARANTINED"],
  ERROR: ["RUNNING_PAPER", "RUNNING_SHADOW", "STOPPING", "QUARANTINED"],
};

export function BulkForm(): JSX.Element {
  const { t } = useConsole();
  const chosen = useChosen();
  const bots = (useBots().data ?? []).filter(({ bot_id }) => chosen.has(bot_id));
  if (bots.length === 0)
    return (
      <p className="dim inline-form">
        <a href={hrefOf({ kind: "bots", bot: null })}>{t("bulk_none_chosen")}</a>
      </p>
    );
  return <Form bots={bots} />;
}

function Form({ bots }: { readonly bots: readonly Bot[] }): JSX.Element {
  const { t } = useConsole();
  const may = useMay();
  const byState = grouped(bots, ({ state }) => state as string);
  const froms = Object.keys(TO).filter((state) => byState.has(state));
  const [wantedFrom, setFrom] = useState("");
  const [wantedTo, setTo] = useState("");
  const [errors, setErrors] = useState(1);
  const [question, setQuestion] = useState<Question | null>(null);
  const makeQuestion = useBulkQuestion();
  const from = froms.includes(wantedFrom) ? wantedFrom : (froms[0] ?? "");
  // Who may only tighten is offered nothing that starts.
  const tos = (TO[from] ?? []).filter((one) => !one.startsWith("RUNNING") || may.ask("bulk.start"));
  const to = tos.includes(wantedTo) ? wantedTo : (tos[0] ?? "");
  const moved = byState.get(from) ?? [];
  const asked = question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />;
  return (
    <>
      {asked}
      <form
        className="inline-form"
        data-testid="bulk-form"
        onSubmit={(event) => {
          event.preventDefault();
          setQuestion(makeQuestion({ bots: moved, from, to, max_errors: errors }));
        }}
      >
        <strong>{t("bulk_chosen", { count: bots.length })}</strong>
        <label>
          {t("bulk_from")}{" "}
          <select value={from} onChange={(event) => setFrom(event.target.value)}>
            {froms.map((state) => (
              <option key={state} value={state}>
                {state} ({byState.get(state)?.length ?? 0})
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("bulk_to")}{" "}
          <select value={to} onChange={(event) => setTo(event.target.value)}>
            {tos.map((state) => (
              <option key={state}>{state}</option>
            ))}
          </select>
        </label>
        <label>
          {t("bulk_max_errors")}{" "}
          <input
            type="number"
            min={1}
            max={1_000}
            value={errors}
            onChange={(event) => setErrors(Math.max(1, Math.min(1_000, event.target.valueAsNumber || 1)))}
          />
        </label>
        <button type="submit" className="primary" disabled={to === "" || moved.length === 0}>
          {t("bulk_begin")}
        </button>
      </form>
    </>
  );
}

function useBulkQuestion(): (of: {
  readonly bots: readonly Bot[];
  readonly from: string;
  readonly to: string;
  readonly max_errors: number;
}) => Question {
  const { api, t } = useConsole();
  const queries = useQueryClient();
  return ({ bots, from, to, max_errors }) => {
    const selector = { bot_ids: bots.map(({ bot_id }) => bot_id) };
    const wish = { selector, requested_transition: { from, to }, max_errors };
    return {
      title: t("ask_bulk_start", { count: bots.length, from, to }),
      detail: selector.bot_ids.join(", "),
      tone: to.startsWith("RUNNING") || to === "PAUSED" ? "primary" : "danger",
      line: (reason) => rumiLine("bulk start", { ...wish, reason }),
      onTry: (asked) => api.tryBulk(wish, asked),
      onYes: (asked) => api.startBulk(wish, asked),
      onDone: () => {
        choose(new Set());
        void queries.invalidateQueries({ queryKey: ["bulks"] });
      },
    };
  };
}
