/** Always visible: the safety mode, whether the log verifies, and whether what is shown is live. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import { RefusedError, commandId, type Api, type Refusal, type SafetyState } from "../api.ts";
import type { Translate } from "../i18n.ts";
import type { LiveState } from "../live.ts";
import { ReasonDialog, type Question } from "./reason-dialog.tsx";
import { VerificationBadge } from "./verification-badge.tsx";

const TONE: Readonly<Record<SafetyState["mode"], string>> = {
  NORMAL: "good",
  SAFE: "warn",
  EMERGENCY_STOP: "bad",
};
const LIVE_TONE: Readonly<Record<LiveState, string>> = {
  live: "good",
  connecting: "warn",
  lost: "bad",
};

export function SafetyBar(props: {
  readonly api: Api;
  readonly t: Translate;
  readonly live: LiveState;
  readonly onLanguage: () => void;
  readonly onRefusal: (of: Refusal) => void;
}): JSX.Element {
  const { api, t, live, onLanguage, onRefusal } = props;
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  const safety = useQuery({
    queryKey: ["safety", api],
    refetchInterval: 5_000,
    queryFn: async () => {
      try {
        return await api.get<SafetyState>("/api/safety");
      } catch (error) {
        if (error instanceof RefusedError && error.refusal.status_code === 401)
          onRefusal(error.refusal);
        throw error;
      }
    },
  });
  const ask = (mode: SafetyState["mode"]): void =>
    setQuestion({
      title: t("ask_safety", { mode }),
      isDangerous: mode !== "NORMAL",
      onYes: async (reason) => {
        try {
          await api.post("/api/safety/set", { command_id: commandId(), mode, reason });
        } catch (error) {
          if (error instanceof RefusedError) onRefusal(error.refusal);
          else throw error;
        }
        await queries.invalidateQueries({ queryKey: ["safety"] });
      },
    });
  const mode = safety.data?.mode;
  return (
    <header>
      <h1>
        <img src="/favicon.svg" width="22" height="22" alt="" /> Rumi
      </h1>
      <span>
        {t("safety")} {/* An unobserved safety state is unknown, never healthy. */}
        <span
          className={`badge ${mode === undefined || safety.isError ? "dim" : TONE[mode]}`}
          data-testid="safety-mode"
          title={safety.data?.reason ?? ""}
        >
          {mode === undefined || safety.isError ? "UNKNOWN" : mode}
        </span>
      </span>
      {mode === "NORMAL" && (
        <button type="button" onClick={() => ask("SAFE")}>
          {t("set_safe")}
        </button>
      )}
      {mode !== undefined && mode !== "EMERGENCY_STOP" && (
        <button type="button" className="danger" onClick={() => ask("EMERGENCY_STOP")}>
          {t("set_emergency")}
        </button>
      )}
      {mode !== undefined && mode !== "NORMAL" && (
        <button type="button" onClick={() => ask("NORMAL")}>
          {t("set_normal")}
        </button>
      )}
      <span className="spacer" />
      <VerificationBadge t={t} />
      <span className={`badge ${LIVE_TONE[live]}`} data-testid="live-state">
        {t(
          live === "live" ? "connection_live" : live === "lost" ? "connection_lost" : "connecting",
        )}
      </span>
      <button type="button" onClick={onLanguage}>
        {t("language")}
      </button>
      {question !== null && (
        <ReasonDialog question={question} t={t} onClose={() => setQuestion(null)} />
      )}
    </header>
  );
}
