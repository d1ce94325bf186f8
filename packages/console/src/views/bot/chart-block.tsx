/** What the run did: fills and orders on price, profit and its deepest fall; drawn, or as a table that says the same. */
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState, type JSX } from "react";
import type { BotDetail, Fill } from "../../answers/answers.ts";
import type { BotOrder } from "../../answers/bot-page.ts";
import { commandText } from "../../command-text.ts";
import { useConsole } from "../../context.ts";
import type { Word } from "../../i18n.ts";
import { shownDecimal } from "../../numbers.ts";
import { drawdownOf, profitLine } from "../../profit-line.ts";
import { useInstances, usePositions } from "../../queries.ts";
import { CopyLine } from "../copy-line.tsx";
import { ProblemNote } from "../panel.tsx";
import { countsOf } from "./chart/order-marks.ts";
import { RunTable } from "./chart/run-table.tsx";

/** Drawing comes when there is something to draw; the page does not wait for it. */
const FillsChart = lazy(async () => ({ default: (await import("../fills-chart.tsx")).FillsChart }));

const NO_ORDERS: readonly BotOrder[] = [];

export function ChartBlock({ bot }: { readonly bot: BotDetail }): JSX.Element {
  const { t } = useConsole();
  const [isTable, setIsTable] = useState(false);
  const [withOrders, setWithOrders] = useState(true);
  const instrument = bot.spec.instruments[0] ?? "";
  const { fills, orders, start, isComplete, problem, isReading } = useRun(bot, instrument);
  const points = profitLine(
    fills.map(({ event_time_us, fill }) => ({ ...fill, at_us: event_time_us })),
    start,
  );
  const isEmpty = fills.length === 0 && orders.length === 0;
  return (
    <div className="chart-block">
      <div className="block-head">
        <h3>
          {t("chart")} <span className="mono dim">{instrument}</span>
        </h3>
        {!isEmpty && (
          <span className="block-acts">
            <label className="check">
              <input type="checkbox" checked={withOrders} onChange={() => setWithOrders(!withOrders)} />
              {t("show_orders")}
            </label>
            <button
              type="button"
              className="quiet"
              aria-pressed={isTable}
              data-testid="chart-table-toggle"
              onClick={() => setIsTable(!isTable)}
            >
              {t("as_table")}
            </button>
          </span>
        )}
        {points.length > 0 && (
          <span className="end" data-testid="drawdown">
            {t("drawdown")} <span className="mono">{shownDecimal(drawdownOf(points), 2)}</span>
          </span>
        )}
      </div>
      {problem !== null && <ProblemNote problem={problem} t={t} />}
      {isEmpty ? (
        <p className="chart empty">{isReading ? t("loading") : t("no_run_yet")}</p>
      ) : isTable ? (
        <RunTable fills={fills} orders={withOrders ? orders : NO_ORDERS} />
      ) : (
        <>
          <Suspense fallback={<p className="chart empty">{t("loading")}</p>}>
            <FillsChart fills={fills} start={start} orders={withOrders ? orders : NO_ORDERS} />
          </Suspense>
          <Legend fills={fills.length} orders={withOrders ? orders : NO_ORDERS} />
        </>
      )}
      {!isComplete && <p className="dim">{t("chart_partial")}</p>}
      <CopyLine line={commandText("bots orders", [bot.bot_id])} />
    </div>
  );
}

/** Fills and orders of the run in hand, or of the last one, of the bot's first instrument. */
function useRun(bot: BotDetail, instrument: string) {
  const { api } = useConsole();
  const { bot_id } = bot;
  const instance = useInstances().data?.find((one) => one.bot_id === bot_id);
  const run_id = bot.status.run_id ?? instance?.run_id ?? null;
  const positions = usePositions().data ?? [];
  const enabled = run_id !== null;
  const filled = useQuery({
    queryKey: ["fills", bot_id, run_id],
    enabled,
    queryFn: () => api.fillsOfRun(bot_id, run_id ?? ""),
  });
  const ordered = useQuery({
    queryKey: ["orders", bot_id, run_id],
    enabled,
    queryFn: () => api.ordersOfRun(bot_id, run_id ?? ""),
  });
  const last = positions.find((held) => held.bot_id === bot_id && held.instrument_id === instrument);
  const fills: readonly Fill[] = (filled.data?.fills ?? []).filter(({ fill }) => fill.instrument_id === instrument);
  const orders = (ordered.data?.orders ?? NO_ORDERS).filter(({ instrument_id }) => instrument_id === instrument);
  const start =
    filled.data?.complete === false
      ? ({ kind: "unknown", last_quantity: last?.quantity ?? "0" } as const)
      : ({ kind: "flat" } as const);
  return {
    fills,
    orders,
    start,
    isComplete: filled.data?.complete !== false && ordered.data?.complete !== false,
    problem: filled.error ?? ordered.error,
    isReading: filled.isLoading || ordered.isLoading,
  };
}

const ORDER_WORDS = [
  ["open", "legend_open"],
  ["done", "legend_done"],
  ["taken_back", "legend_taken_back"],
  ["refused", "legend_refused"],
] as const satisfies readonly (readonly [string, Word])[];

/** What each sign means, and how many there are: the drawing in words. */
function Legend(props: { readonly fills: number; readonly orders: readonly BotOrder[] }): JSX.Element {
  const { t } = useConsole();
  const counts = countsOf(props.orders);
  return (
    <ul className="legend" data-testid="legend" aria-label={t("legend")}>
      <li>
        <span className="sign price" aria-hidden="true" /> {t("legend_price")}
      </li>
      <li>
        <span className="buy" aria-hidden="true">
          ▲
        </span>
        <span className="sell" aria-hidden="true">
          ▼
        </span>{" "}
        {t("legend_fills", { count: props.fills })}
      </li>
      {ORDER_WORDS.map(([look, word]) => (
        <li key={look}>
          {look === "refused" ? (
            <span className="warn" aria-hidden="true">
              ✕
            </span>
          ) : (
            <span className={`sign ${look}`} aria-hidden="true" />
          )}{" "}
          {t(word, { count: counts[look] })}
        </li>
      ))}
      <li>
        <span className="sign profit" aria-hidden="true" /> {t("legend_profit")}
      </li>
    </ul>
  );
}
