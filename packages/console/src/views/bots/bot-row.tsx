/** One line of the table: a bot with its state, health, position and profit, and the acts that its state allows. */
import { memo, type JSX } from "react";
import type { Bot, Instance, Position } from "../../answers/answers.ts";
import { useConsole } from "../../context.ts";
import { shownDecimal, sumDecimals } from "../../numbers.ts";
import { sinceText } from "../../time.ts";
import { Badge, ModeBadge } from "../badge.tsx";
import { Money } from "../money.tsx";
import { HEALTH_TONE, STATE_TONE, type Act } from "./states.ts";

export type BotRowProps = {
  readonly bot: Bot;
  readonly instance: Instance | undefined;
  readonly positions: readonly Position[];
  readonly acts: readonly Act[];
  readonly isOpen: boolean;
  readonly isChosen: boolean;
  /** From 1, among all rows of the table. */
  readonly place: number;
  readonly onOpen: (bot: Bot) => void;
  /** null where nothing can be asked for several. */
  readonly onChoose: ((bot: Bot) => void) | null;
  readonly onAct: (bot: Bot, act: Act) => void;
};

export const BotRow = memo(function BotRow(props: BotRowProps): JSX.Element {
  const { t } = useConsole();
  const { bot, instance, positions, acts, isOpen, isChosen, place, onOpen, onChoose, onAct } = props;
  const sum = (pick: (held: Position) => string): JSX.Element | string =>
    positions.length === 0 ? "–" : <Money amount={sumDecimals(positions.map(pick))} />;
  const fills = instance?.counters["fills_total"];
  return (
    <tr
      className={`${isOpen ? "chosen" : ""} ${bot.state === "RUNNING_LIVE" ? "is-live" : ""}`}
      data-testid={`bot-${bot.bot_id}`}
      aria-rowindex={place + 1}
    >
      <td data-label={t("bot")}>
        <div className="bot-name">
          {onChoose !== null && (
            <input
              type="checkbox"
              checked={isChosen}
              aria-label={t("choose_bot", { bot: bot.bot_id })}
              onChange={() => onChoose(bot)}
            />
          )}
          <div>
            <button type="button" className="name" aria-expanded={isOpen} onClick={() => onOpen(bot)}>
              {bot.display_name}
            </button>
            <div className="mono dim">
              {bot.bot_id} · {bot.spec.venue}
            </div>
          </div>
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
              onClick={() => onAct(bot, act)}
              aria-label={`${t(act.word)}: ${bot.display_name}`}
            >
              {t(act.word)}
            </button>
          ))}
        </div>
      </td>
    </tr>
  );
});

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
