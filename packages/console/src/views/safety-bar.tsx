/** Always visible: where one is and as whom, whether what is shown is live and proven, and what restrains every bot. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { SafetyMode } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import { useGates, useHolds, useKillSwitch, useSeen, useSessions } from "../control-queries.ts";
import type { Word } from "../i18n.ts";
import type { LiveState } from "../live/stream.ts";
import { useMay } from "../may.ts";
import { hrefOf } from "../page.ts";
import { environmentOf, useBots, useLogVerdict, useSafety } from "../queries.ts";
import { rumiLine } from "../rumi-line.ts";
import { Badge, type Tone } from "./badge.tsx";
import { MeMenu } from "./bar/me-menu.tsx";
import { Restraints, toneOf } from "./bar/restraints.tsx";
import { ReasonDialog, type Question } from "./reason-dialog.tsx";
import { VerificationBadge } from "./verification-badge.tsx";

const LIVE: Readonly<Record<LiveState, { readonly tone: Tone; readonly word: Word }>> = {
  live: { tone: "good", word: "connection_live" },
  connecting: { tone: "warn", word: "connecting" },
  polled: { tone: "warn", word: "connection_polled" },
  lost: { tone: "bad", word: "connection_lost" },
};

export function SafetyBar(props: { readonly onLanguage: () => void }): JSX.Element {
  const { t, live } = useConsole();
  const environment = environmentOf(useLogVerdict().data);
  const running = (useBots().data ?? []).filter(({ state }) => state === "RUNNING_LIVE").length;
  const observed = {
    safety: useSeen(useSafety()),
    kill: useSeen(useKillSwitch()),
    gates: useSeen(useGates()),
    holds: useSeen(useHolds()),
    sessions: useSeen(useSessions()),
  };
  return (
    <header
      className={`bar ${observed.safety === undefined ? "unseen" : toneOf(observed)} ${running > 0 ? "has-live" : ""}`}
    >
      <div className="bar-line">
        <h1>
          <img src="/favicon.svg" width="22" height="22" alt="" /> Rumi
        </h1>
        {running > 0 && (
          <a href={hrefOf({ kind: "bots", bot: null })}>
            <Badge tone="live" look="filled" text={t("live_bots", { count: running })} testId="live-bots" />
          </a>
        )}
        <span className="spacer" />
        <span className="labelled">
          <span className="label">{t("environment")}</span>
          <Badge tone={environmentTone(environment)} text={environment ?? t("unknown")} testId="environment" />
        </span>
        <VerificationBadge />
        <Badge tone={LIVE[live].tone} text={t(LIVE[live].word)} testId="live-state" />
        <MeMenu onLanguage={props.onLanguage} />
        <button type="button" className="quiet" onClick={props.onLanguage} data-testid="language">
          {t("language")}
        </button>
      </div>
      <div className="bar-line strip">
        <Restraints {...observed} />
        <span className="spacer" />
        <SafetyActs mode={observed.safety?.mode} />
      </div>
    </header>
  );
}

function SafetyActs({ mode }: { readonly mode: SafetyMode | undefined }): JSX.Element {
  const { api, t } = useConsole();
  const may = useMay();
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  const ask = (wanted: SafetyMode): void =>
    setQuestion({
      title: t("ask_safety", { mode: wanted }),
      tone: wanted === "NORMAL" ? "primary" : "danger",
      line: (reason) => rumiLine("safety set", { mode: wanted, reason }),
      onTry: (wish) => api.trySafety(wanted, wish),
      onYes: (wish) => api.setSafety(wanted, wish),
      onDone: () => void queries.invalidateQueries({ queryKey: ["safety"] }),
    });
  return (
    <span className="bar-acts">
      {mode === "NORMAL" && may.tighten("safety.set") && (
        <button type="button" onClick={() => ask("SAFE")}>
          {t("set_safe")}
        </button>
      )}
      {mode !== undefined && mode !== "NORMAL" && may.dangerous("safety.set") && (
        <button type="button" onClick={() => ask("NORMAL")}>
          {t("set_normal")}
        </button>
      )}
      {mode !== "EMERGENCY_STOP" && may.tighten("safety.set") && (
        <button type="button" className="danger" onClick={() => ask("EMERGENCY_STOP")}>
          {t("set_emergency")}
        </button>
      )}
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </span>
  );
}

function environmentTone(environment: string | null): Tone {
  if (environment === null) return "warn";
  return /prod|live/.test(environment) ? "live" : "info";
}
