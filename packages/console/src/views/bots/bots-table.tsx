/**
 * Every bot, found, grouped and chosen. Ten thousand are one list of which only what is in sight is drawn; up to a
 * hundred are drawn whole, and on a phone each of them is a card.
 */
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState, type JSX, type ReactNode } from "react";
import type { Bot, BotState, Instance, Position } from "../../answers/answers.ts";
import { choose, useChosen } from "../../chosen-bots.ts";
import { useConsole } from "../../context.ts";
import { grouped } from "../../grouped.ts";
import { useBots, useInstances, usePositions, useVenues } from "../../queries.ts";
import { moveLine } from "../../rumi-line.ts";
import { Panel } from "../panel.tsx";
import { ReasonDialog, type Question } from "../reason-dialog.tsx";
import { BotRow } from "./bot-row.tsx";
import { BotsToolbar, CHOSEN_AT_MOST } from "./bots-toolbar.tsx";
import { matching, NO_FILTER, rowsOf, type Filter, type Grouping, type Row } from "./rows.ts";
import type { Act } from "./states.ts";
import { useActs } from "./use-acts.ts";
import { DRAWN_WHOLE, ROW_PX, useWindow } from "./use-window.ts";

const NOTHING_HELD: readonly Position[] = [];
/** Of the table. */
const COLUMNS = 9;

export function BotsTable(props: {
  readonly chosen: string | null;
  /** Only the bots in this state. */
  readonly state: BotState | undefined;
  readonly onChoose: (botId: string) => void;
}): JSX.Element {
  const { api, t } = useConsole();
  const { chosen, state, onChoose } = props;
  const queries = useQueryClient();
  const [question, setQuestion] = useState<Question | null>(null);
  const [filter, setFilter] = useState<Filter>({ ...NO_FILTER, state: state ?? "" });
  const [grouping, setGrouping] = useState<Grouping>("none");
  const [bots, instances, positions] = [useBots(), useInstances(), usePositions()];
  const all = bots.data;
  const shown = useMemo(() => matching(all ?? [], filter), [all, filter]);
  const ask = useCallback(
    (bot: Bot, act: Act): void =>
      setQuestion({
        title: t("ask_command", { what: t(act.word), bot: bot.bot_id }),
        detail: `${bot.state} → ${act.to}`,
        tone: act.tone,
        line: (reason) => moveLine(bot.bot_id, act.to, reason),
        onTry: (wish) => api.tryMove(bot, act.to, wish),
        onYes: (wish) => api.move(bot, act.to, wish),
        onDone: () => {
          for (const key of ["bots", "bot", "instances"]) void queries.invalidateQueries({ queryKey: [key] });
        },
      }),
    [api, t, queries],
  );
  return (
    <Panel
      title={t("bots")}
      name="bots"
      problem={bots.error ?? instances.error ?? positions.error}
      line="rumi bots list"
    >
      {all === undefined ? (
        <p className="empty">{t("loading")}</p>
      ) : all.length === 0 ? (
        <p className="empty">{t("no_bots")}</p>
      ) : (
        <>
          <BotsToolbar
            bots={all}
            shown={shown}
            filter={filter}
            onFilter={setFilter}
            grouping={grouping}
            onGrouping={setGrouping}
          />
          {shown.length === 0 ? (
            <p className="empty">{t("nothing_matches")}</p>
          ) : (
            <Rows shown={shown} grouping={grouping} opened={chosen} onOpen={onChoose} onAct={ask} />
          )}
        </>
      )}
      {question !== null && <ReasonDialog question={question} onClose={() => setQuestion(null)} />}
    </Panel>
  );
}

function Rows(props: {
  readonly shown: readonly Bot[];
  readonly grouping: Grouping;
  readonly opened: string | null;
  readonly onOpen: (botId: string) => void;
  readonly onAct: (bot: Bot, act: Act) => void;
}): JSX.Element {
  const { t } = useConsole();
  const { shown, grouping, opened, onOpen, onAct } = props;
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const picked = useChosen();
  const { actsOf, mayBulk } = useActs(useVenues().data);
  const rows = useMemo(() => rowsOf(shown, grouping, folded), [shown, grouping, folded]);
  const { place, onScroll, first, end } = useWindow(rows.length);
  const isLong = rows.length > DRAWN_WHOLE;
  const { instanceOf, heldBy } = useByBot();
  const open = useCallback((bot: Bot) => onOpen(bot.bot_id), [onOpen]);
  const pick = useCallback((bot: Bot) => choose(toggled(picked, bot.bot_id)), [picked]);
  return (
    <div
      className={isLong ? "long" : "scroll-x"}
      ref={place}
      onScroll={onScroll}
      {...(isLong ? { tabIndex: 0, role: "group", "aria-label": t("bots") } : {})}
    >
      <table className="cards bots" data-testid="bots" aria-rowcount={rows.length + 1}>
        <BotsHead />
        <tbody>
          <Gap rows={first} />
          {rows
            .slice(first, end)
            .map((row, at) =>
              row.kind === "group" ? (
                <GroupRow
                  key={`group ${row.name}`}
                  row={row}
                  isFolded={folded.has(row.name)}
                  onFold={() => setFolded(toggled(folded, row.name))}
                />
              ) : (
                <BotRow
                  key={row.bot.bot_id}
                  bot={row.bot}
                  instance={instanceOf.get(row.bot.bot_id)}
                  positions={heldBy.get(row.bot.bot_id) ?? NOTHING_HELD}
                  acts={actsOf(row.bot)}
                  isOpen={row.bot.bot_id === opened}
                  isChosen={picked.has(row.bot.bot_id)}
                  place={first + at + 1}
                  onOpen={open}
                  onChoose={mayBulk ? pick : null}
                  onAct={onAct}
                />
              ),
            )}
          <Gap rows={rows.length - end} />
        </tbody>
      </table>
    </div>
  );
}

function toggled(of: ReadonlySet<string>, name: string): ReadonlySet<string> {
  const next = new Set(of);
  if (!next.delete(name) && next.size < CHOSEN_AT_MOST) next.add(name);
  return next;
}

function useByBot(): {
  readonly instanceOf: ReadonlyMap<string, Instance>;
  readonly heldBy: ReadonlyMap<string, readonly Position[]>;
} {
  const [instances, positions] = [useInstances().data, usePositions().data];
  const instanceOf = useMemo(
    // The first of a bot's instances stands for it; its page shows all.
    () => new Map((instances ?? []).toReversed().map((one) => [one.bot_id, one])),
    [instances],
  );
  const heldBy = useMemo(() => grouped(positions ?? [], ({ bot_id }) => bot_id), [positions]);
  return { instanceOf, heldBy };
}

/** As high as the rows that are not drawn. */
function Gap({ rows }: { readonly rows: number }): ReactNode {
  if (rows <= 0) return null;
  return (
    <tr className="gap" aria-hidden="true">
      <td colSpan={COLUMNS} style={{ height: rows * ROW_PX }} />
    </tr>
  );
}

function GroupRow(props: {
  readonly row: Extract<Row, { kind: "group" }>;
  readonly isFolded: boolean;
  readonly onFold: () => void;
}): JSX.Element {
  const { row, isFolded, onFold } = props;
  return (
    <tr className="group-row" data-testid="bot-group">
      <th scope="rowgroup" colSpan={COLUMNS}>
        <button type="button" className="name" aria-expanded={!isFolded} onClick={onFold}>
          {row.name}
        </button>{" "}
        <span className="mono dim">{row.bots.length}</span>
      </th>
    </tr>
  );
}

function BotsHead(): JSX.Element {
  const { t } = useConsole();
  return (
    <thead>
      <tr>
        <th scope="col">{t("bot")}</th>
        <th scope="col">{t("state")}</th>
        <th scope="col">{t("health")}</th>
        {(["position", "realised", "unrealised", "fees", "fills"] as const).map((word) => (
          <th key={word} scope="col" className="number">
            {t(word)}
          </th>
        ))}
        <th scope="col">{t("actions")}</th>
      </tr>
    </thead>
  );
}
