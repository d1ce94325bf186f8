/** Always visible: the safety mode, the environment, whether the log verifies, whether what is shown is live. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { SafetyMode } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import type { Word } from "../i18n.ts";
import type { LiveState } from "../live/stream.ts";
import { environmentOf, useLogVerdict, useSafety } from "../queries.ts";
import { dayText } from "../time.ts";
import { Badge, type Tone } from "./badge.tsx";
import { ReasonDialog, type Question } from "./reason-dialog.tsx";
import { VerificationBadge } from "./verification-badge.tsx";

const SAFETY_TONE: Readonly<Record<SafetyMode, Tone>> = {
  NORMAL: "good",
  SAFE: "warn",
  EMERGENCY_STOP: "bad",
};
const LIVE: Readonly<Record<LiveState, { readonly tone: Tone; readonly word: Word }>> = {
  live: { tone: "good", word: "connection_live" },
  connecting: { tone: "warn", word: "connecting" },
  lost: { tone: "bad", word: "connection_lost" },
};

export function SafetyBar(props: { readonly onLanguage: () => void }): JSX.Element {
  const { api, t, live } = useConsole();
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  const safety = useSafety();
  const environment = environmentOf(useLogVerdict().data);
  // A state that cannot be observed is unknown, never the last one that was seen.
  const seen = safety.isError || live === "lost" ? undefined : safety.data;
  const ask = (mode: SafetyMode): void =>
    setQuestion({
      title: t("ask_safety", { mode }),
      tone: mode === "NORMAL" ? "primary" : "danger",
      onYes: (wish) => api.setSafety(mode, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["safety"] }),
    });
  return (
    <header className={`bar ${seen === undefined ? "unseen" : SAFETY_TONE[seen.mode]}`}>
      <h1>
        <img src="/favicon.svg" width="22" height="22" alt="" /> Rumi
      </h1>
      <span className="labelled">
        <span className="label">{t("environment")}</span>
        <Badge tone={environmentTone(environment)} text={environment ?? t("unknown")} testId="environment" />
      </span>
      <span className="labelled" aria-live="polite">
        <span className="label">{t("safety")}</span>
        <Badge
          tone={seen === undefined ? "bad" : SAFETY_TONE[seen.mode]}
          look={seen?.mode === "NORMAL" ? "outline" : "filled"}
          text={seen === undefined ? t("unknown") : seen.mode}
          title={seen === undefined ? t("unknown_safety") : seen.reason}
          testId="safety-mode"
        />
      </span>
      <span className="bar-note dim" data-testid="safety-reason">
        {seen === undefined
          ? t("unknown_safety")
          : seen.mode === "NORMAL"
            ? ""
            : `${seen.reason} — ${seen.activated_by}, ${dayText(seen.activated_at)}`}
      </span>
      <span className="bar-acts">
        {seen?.mode === "NORMAL" && (
          <button type="button" onClick={() => ask("SAFE")}>
            {t("set_safe")}
          </button>
        )}
        {seen !== undefined && seen.mode !== "NORMAL" && (
          <button type="button" onClick={() => ask("NORMAL")}>
            {t("set_normal")}
          </button>
        )}
        {seen?.mode !== "EMERGENCY_STOP" && (
          <button type="button" className="danger" onClick={() => ask("EMERGENCY_STOP")}>
            {t("set_emergency")}
          </button>
        )}
      </span>
      <span className="spacer" />
      <VerificationBadge />
      <Badge tone={LIVE[live].tone} text={t(LIVE[live].word)} testId="live-state" />
      <button type="button" className="quiet" onClick={props.onLanguage} data-testid="language">
        {t("language")}
      </button>
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </header>
  );
}

function environmentTone(environment: string | null): Tone {
  if (environment === null) return "warn";
  return /prod|live/.test(environment) ? "live" : "info";
}
