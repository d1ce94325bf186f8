/** Every bot with its state, health, position and profit, and the acts that its state allows. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import {
  RefusedError,
  sendTransition,
  type Api,
  type Bot,
  type Position,
  type Refusal,
} from "../api.ts";
import type { Translate, Word } from "../i18n.ts";
import { addDecimals, signTone } from "../numbers.ts";
import { ReasonDialog, type Question } from "./reason-dialog.tsx";

type Act = { readonly word: Word; readonly to: string };

const START: readonly Act[] = [
  { word: "start_paper", to: "RUNNING_PAPER" },
  { word: "start_shadow", to: "RUNNING_SHADOW" },
];
const STOP: Act = { word: "stop", to: "STOPPING" };
const PAUSE: Act = { word: "pause", to: "PAUSED" };

/** What a person may ask for in each state; the server decides. */
const ACTS: Readonly<Record<string, readonly Act[]>> = {
  IDLE: START,
  PAUSED: [...START, STOP],
  ERROR: [...START, STOP],
  RUNNING_PAPER: [PAUSE, STOP],
  RUNNING_SHADOW: [PAUSE, STOP],
  RUNNING_LIVE: [PAUSE, STOP],
};

const STATE_TONE: Readonly<Record<string, string>> = {
  RUNNING_PAPER: "info",
  RUNNING_SHADOW: "info",
  RUNNING_LIVE: "live",
  PAUSED: "warn",
  STOPPING: "warn",
  ERROR: "bad",
  QUARANTINED: "bad",
};
const HEALTH_TONE: Readonly<Record<string, string>> = {
  healthy: "good",
  degraded: "warn",
  halted: "bad",
};

export function BotsTable(props: {
  readonly api: Api;
  readonly t: Translate;
  readonly chosen: string | null;
  readonly onChoose: (botId: string) => void;
  readonly onRefusal: (of: Refusal) => void;
}): JSX.Element {
  const { api, t, chosen, onChoose, onRefusal } = props;
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  const bots = useQuery({
    queryKey: ["bots", api],
    queryFn: () => api.get<{ readonly bots: readonly Bot[] }>("/api/bots?limit=200"),
    refetchInterval: 2_000,
  });
  const positions = useQuery({
    queryKey: ["positions", api],
    queryFn: () => api.get<{ readonly positions: readonly Position[] }>("/api/positions"),
    refetchInterval: 2_000,
  });
  const ask = (bot: Bot, act: Act): void =>
    setQuestion({
      title: t("ask_command", { what: t(act.word), bot: bot.bot_id }),
      isDangerous: act.to === "STOPPING",
      onYes: async (reason) => {
        try {
          await sendTransition(api, { bot, to: act.to, reason });
        } catch (error) {
          if (error instanceof RefusedError) onRefusal(error.refusal);
          else throw error;
        }
        await queries.invalidateQueries({ queryKey: ["bots"] });
      },
    });
  const rows = bots.data?.bots ?? [];
  return (
    <section aria-label={t("bots")}>
      <h2>{t("bots")}</h2>
      {bots.data !== undefined && rows.length === 0 && <p className="empty">{t("no_bots")}</p>}
      {rows.length > 0 && (
        <div className="scroll">
          <table data-testid="bots">
            <thead>
              <tr>
                <th>{t("bot")}</th>
                <th>{t("state")}</th>
                <th>{t("health")}</th>
                <th>{t("strategy")}</th>
                <th className="number">{t("position")}</th>
                <th className="number">{t("profit")}</th>
                <th>{t("actions")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((bot) => (
                <BotRow
                  key={bot.bot_id}
                  bot={bot}
                  t={t}
                  isChosen={bot.bot_id === chosen}
                  onChoose={onChoose}
                  onAct={(act) => ask(bot, act)}
                  positions={(positions.data?.positions ?? []).filter(
                    (held) => held.bot_id === bot.bot_id,
                  )}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {question !== null && (
        <ReasonDialog question={question} t={t} onClose={() => setQuestion(null)} />
      )}
    </section>
  );
}

function BotRow(props: {
  readonly bot: Bot;
  readonly positions: readonly Position[];
  readonly t: Translate;
  readonly isChosen: boolean;
  readonly onChoose: (botId: string) => void;
  readonly onAct: (act: Act) => void;
}): JSX.Element {
  const { bot, positions, t, isChosen, onChoose, onAct } = props;
  const profit = positions.reduce(
    (sum, held) => addDecimals(addDecimals(sum, held.realised_profit), held.unrealised_profit),
    "0",
  );
  const health = bot.health_state ?? null;
  return (
    <tr
      className={`clickable ${isChosen ? "chosen" : ""}`}
      data-testid={`bot-${bot.bot_id}`}
      tabIndex={0}
      onClick={() => onChoose(bot.bot_id)}
      onKeyDown={(event) => {
        if (event.key === "Enter") onChoose(bot.bot_id);
      }}
    >
      <td>
        <strong>{bot.display_name ?? bot.bot_id}</strong>
        <div className="mono dim">
          {bot.bot_id} · {bot.venue}
        </div>
      </td>
      <td>
        <span className={`badge ${STATE_TONE[bot.state] ?? "dim"}`} data-testid="state">
          {bot.state}
        </span>
      </td>
      <td>
        {health === null ? (
          <span className="dim">–</span>
        ) : (
          <span className={HEALTH_TONE[health] ?? "dim"} title={bot.reason_code ?? ""}>
            {health}
            {bot.reason_code ? <div className="mono">{bot.reason_code}</div> : null}
          </span>
        )}
      </td>
      <td className="mono">
        {bot.strategy.strategy_id}
        <div className="dim">{bot.strategy.strategy_version}</div>
      </td>
      <td className="number mono">
        {positions.length === 0
          ? "–"
          : positions.map((held) => (
              <div key={held.instrument_id}>
                {held.quantity} {held.instrument_id}
              </div>
            ))}
      </td>
      <td className={`number mono ${signTone(profit)}`} data-testid="profit">
        {positions.length === 0 ? "–" : profit}
      </td>
      <td>
        <div className="row-actions" onClick={(event) => event.stopPropagation()}>
          {(ACTS[bot.state] ?? []).map((act) => (
            <button
              key={act.to}
              type="button"
              className={act.to === "STOPPING" ? "danger" : ""}
              onClick={() => onAct(act)}
            >
              {t(act.word)}
            </button>
          ))}
        </div>
      </td>
    </tr>
  );
}
