/** Every bot with its state, health, position and profit, and the acts that its state allows. */
import { useQueryClient } from "@tanstack/react-query";
import { useState, type JSX } from "react";
import type { Bot, BotState, Instance, Position } from "../answers/answers.ts";
import { useConsole } from "../context.ts";
import type { Word } from "../i18n.ts";
import { shownDecimal, sumDecimals } from "../numbers.ts";
import { useMay } from "../may.ts";
import { useBots, useInstances, usePositions, useVenues } from "../queries.ts";
import { sinceText } from "../time.ts";
import { Badge, ModeBadge, type Tone } from "./badge.tsx";
import { Money } from "./money.tsx";
import { Panel } from "./panel.tsx";
import { ReasonDialog, type Question } from "./reason-dialog.tsx";

type Act = {
  readonly word: Word;
  readonly to: BotState;
  readonly tone: "primary" | "danger" | "live";
  /** Confirmed by typing the bot's name, and only an administrator may ask for it. */
  readonly isDangerous?: true;
};

const START: readonly Act[] = [
  { word: "start_paper", to: "RUNNING_PAPER", tone: "primary" },
  { word: "start_shadow", to: "RUNNING_SHADOW", tone: "primary" },
];
/** Offered only where live is possible at all: on a venue that takes orders. */
const START_LIVE: Act = { word: "start_live", to: "RUNNING_LIVE", tone: "live", isDangerous: true };
const RELEASE: Act = { word: "release", to: "IDLE", tone: "primary", isDangerous: true };
const STOP: Act = { word: "stop", to: "STOPPING", tone: "danger" };
const PAUSE: Act = { word: "pause", to: "PAUSED", tone: "primary" };
const QUARANTINE: Act = { word: "quarantine", to: "QUARANTINED", tone: "danger" };

/** What a person may ask for in each state (docs/formats/bot-states.md); the server decides. */
const ACTS: Readonly<Record<BotState, readonly Act[]>> = {
  CREATED: [QUARANTINE],
  IDLE: [...START, START_LIVE, QUARANTINE],
  RUNNING_PAPER: [PAUSE, STOP, QUARANTINE],
  RUNNING_SHADOW: [PAUSE, STOP, QUARANTINE],
  RUNNING_LIVE: [PAUSE, STOP, QUARANTINE],
  PAUSED: [...START, START_LIVE, STOP, QUARANTINE],
  STOPPING: [QUARANTINE],
  ERROR: [...START, START_LIVE, STOP, QUARANTINE],
  QUARANTINED: [RELEASE],
};

const STATE_TONE: Readonly<Record<BotState, Tone>> = {
  CREATED: "dim",
  IDLE: "dim",
  RUNNING_PAPER: "good",
  RUNNING_SHADOW: "good",
  RUNNING_LIVE: "live",
  PAUSED: "warn",
  STOPPING: "warn",
  ERROR: "bad",
  QUARANTINED: "bad",
};
const HEALTH_TONE = { healthy: "good", degraded: "warn", halted: "bad" } as const;

export function BotsTable(props: {
  readonly chosen: string | null;
  readonly onChoose: (botId: string) => void;
}): JSX.Element {
  const { api, t } = useConsole();
  const { chosen, onChoose } = props;
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  const may = useMay();
  const [bots, instances, positions, venues] = [useBots(), useInstances(), usePositions(), useVenues()];
  const actsOf = (bot: Bot): readonly Act[] =>
    ACTS[bot.state].filter(({ to, isDangerous }) => {
      const isStart = to.startsWith("RUNNING");
      const allowed = isDangerous ? may.dangerous : isStart ? may.ask : may.tighten;
      if (!allowed("commands.submit")) return false;
      const isOutside = venues.data?.find(({ venue_id }) => venue_id === bot.spec.venue)?.kind === "venue_sim";
      return to === "RUNNING_LIVE" ? isOutside : to !== "RUNNING_PAPER" || !isOutside;
    });
  const ask = (bot: Bot, act: Act): void =>
    setQuestion({
      title: t("ask_command", { what: t(act.word), bot: bot.bot_id }),
      detail: `${bot.state} → ${act.to}`,
      tone: act.tone,
      onYes: (wish) => api.move(bot, act.to, wish),
      onDone: () => {
        for (const key of ["bots", "bot", "instances"]) void queries.invalidateQueries({ queryKey: [key] });
      },
    });
  return (
    <Panel title={t("bots")} name="bots" problem={bots.error ?? instances.error ?? positions.error}>
      {bots.data === undefined ? (
        <p className="empty">{t("loading")}</p>
      ) : bots.data.length === 0 ? (
        <p className="empty">{t("no_bots")}</p>
      ) : (
        <div className="scroll-x">
          <table className="cards" data-testid="bots">
            <thead>
              <tr>
                <th scope="col">{t("bot")}</th>
                <th scope="col">{t("state")}</th>
                <th scope="col">{t("health")}</th>
                <th scope="col" className="number">
                  {t("position")}
                </th>
                <th scope="col" className="number">
                  {t("realised")}
                </th>
                <th scope="col" className="number">
                  {t("unrealised")}
                </th>
                <th scope="col" className="number">
                  {t("fees")}
                </th>
                <th scope="col" className="number">
                  {t("fills")}
                </th>
                <th scope="col">{t("actions")}</th>
              </tr>
            </thead>
            <tbody>
              {bots.data.map((bot) => (
                <BotRow
                  key={bot.bot_id}
                  bot={bot}
                  instance={instances.data?.find((one) => one.bot_id === bot.bot_id)}
                  positions={(positions.data ?? []).filter((held) => held.bot_id === bot.bot_id)}
                  acts={actsOf(bot)}
                  isChosen={bot.bot_id === chosen}
                  onChoose={() => onChoose(bot.bot_id)}
                  onAct={(act) => ask(bot, act)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

function BotRow(props: {
  readonly bot: Bot;
  readonly instance: Instance | undefined;
  readonly positions: readonly Position[];
  readonly acts: readonly Act[];
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly onAct: (act: Act) => void;
}): JSX.Element {
  const { t } = useConsole();
  const { bot, instance, positions, acts, isChosen, onChoose, onAct } = props;
  const sum = (pick: (held: Position) => string): JSX.Element | string =>
    positions.length === 0 ? "–" : <Money amount={sumDecimals(positions.map(pick))} />;
  const fills = instance?.counters["fills_total"];
  return (
    <tr
      className={`${isChosen ? "chosen" : ""} ${bot.state === "RUNNING_LIVE" ? "is-live" : ""}`}
      data-testid={`bot-${bot.bot_id}`}
    >
      <td data-label={t("bot")}>
        <button type="button" className="name" aria-expanded={isChosen} onClick={onChoose}>
          {bot.display_name}
        </button>
        <div className="mono dim">
          {bot.bot_id} · {bot.spec.venue}
        </div>
      </td>
      <td data-label={t("state")}>
        <span className="pair">
          <Badge
            tone={STATE_TONE[bot.state]}
            text={bot.state}
            title={`${bot.status.reason}, ${bot.status.since}`}
            testId="state"
          />
          {bot.status.mode !== null && <ModeBadge mode={bot.status.mode} />}
        </span>
        <div className="mono dim">
          {bot.status.reason} · {sinceText(bot.status.since, Date.now())}
        </div>
      </td>
      <td data-label={t("health")}>
        <HealthCell instance={instance} />
      </td>
      <td data-label={t("position")} className="number mono">
        {positions.length === 0
          ? "–"
          : positions.map((held) => (
              <div key={`${held.instance_id}/${held.instrument_id}`}>
                {held.quantity} <span className="dim">{held.instrument_id}</span>
              </div>
            ))}
      </td>
      <td data-label={t("realised")} className="number mono" data-testid="realised">
        {sum((held) => held.realised_profit)}
      </td>
      <td data-label={t("unrealised")} className="number mono" data-testid="unrealised">
        {sum((held) => held.unrealised_profit)}
      </td>
      <td data-label={t("fees")} className="number mono dim">
        {positions.length === 0 ? "–" : shownDecimal(sumDecimals(positions.map((held) => held.fees)), 2)}
      </td>
      <td data-label={t("fills")} className="number mono" data-testid="fill-count">
        {fills === undefined ? "–" : shownDecimal(String(fills), 0)}
      </td>
      <td data-label={t("actions")}>
        <div className="row-actions">
          {acts.map((act) => (
            <button
              key={act.to}
              type="button"
              className={act.tone === "primary" ? "" : act.tone}
              onClick={() => onAct(act)}
              aria-label={`${t(act.word)}: ${bot.display_name}`}
            >
              {t(act.word)}
            </button>
          ))}
        </div>
      </td>
    </tr>
  );
}

function HealthCell({ instance }: { readonly instance: Instance | undefined }): JSX.Element {
  const { t } = useConsole();
  const health = instance?.health_state ?? null;
  if (instance === undefined || health === null) return <span className="dim">{t("unknown")}</span>;
  const { reason_code, failure, isolation, phase } = instance;
  // What does not run is not healthy either; its last health is history.
  if (phase === "stopped") return <Badge tone="dim" text={phase} title={health} testId="health" />;
  return (
    <>
      <Badge tone={HEALTH_TONE[health]} text={health} title={failure?.error ?? ""} testId="health" />
      <div className={`mono ${health === "healthy" ? "dim" : HEALTH_TONE[health]}`}>
        {failure?.error_code ?? reason_code ?? phase}
        {isolation === null ? "" : ` · ${isolation.level} ${isolation.mechanism}`}
      </div>
      {failure !== null && <div className="dim wrap">{failure.suggestion}</div>}
    </>
  );
}
