/** Orders and fills of a run in words, newest first: what the chart draws, for whoever does not see it. */
import type { JSX } from "react";
import type { Fill } from "../../../answers/answers.ts";
import type { BotOrder, OrderState } from "../../../answers/bot-page.ts";
import { useConsole } from "../../../context.ts";
import type { Word } from "../../../i18n.ts";
import { hrefOf } from "../../../page.ts";
import { marketTime } from "../../../time.ts";
import { Badge, type Tone } from "../../badge.tsx";
import { Reason } from "../reason.tsx";

/** Rows shown at most; the API has all of them. */
const ROWS_SHOWN = 200;

const STATE: Readonly<Record<OrderState, readonly [Word, Tone]>> = {
  submitted: ["order_submitted", "info"],
  open: ["order_open", "info"],
  filled: ["order_filled", "good"],
  cancelled: ["order_cancelled", "dim"],
  rejected: ["order_rejected", "bad"],
  over: ["order_over", "dim"],
  unknown: ["order_unknown", "warn"],
};

export function RunTable(props: {
  readonly fills: readonly Fill[];
  readonly orders: readonly BotOrder[];
}): JSX.Element {
  const { t } = useConsole();
  const rows = [
    ...props.orders.map((order) => ({ time_us: order.last_time_us ?? order.sent_time_us ?? 0, order, fill: null })),
    ...props.fills.map((fill) => ({ time_us: fill.event_time_us, order: null, fill })),
  ].toSorted((a, b) => b.time_us - a.time_us);
  return (
    <div className="scroll run-table" tabIndex={0} role="group" aria-label={t("chart")}>
      <table data-testid="run-table">
        <thead>
          <tr>
            {(["market_time", "kind", "side", "price", "quantity", "state", "trace"] as const).map((word) => (
              <th key={word} scope="col">
                {t(word)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows
            .slice(0, ROWS_SHOWN)
            .map(({ order, fill }) =>
              fill === null ? (
                order !== null && <OrderRow key={order.client_order_id} order={order} />
              ) : (
                <FillRow key={`${fill.run_id}/${fill.seq}`} of={fill} />
              ),
            )}
        </tbody>
      </table>
      {rows.length > ROWS_SHOWN && <p className="dim">{t("rows_cut", { count: ROWS_SHOWN, of: rows.length })}</p>}
    </div>
  );
}

function OrderRow({ order }: { readonly order: BotOrder }): JSX.Element {
  const { t } = useConsole();
  const { state, side, price, quantity, remaining, sent_time_us, last_time_us, reason_code, by, trace_id } = order;
  const [word, tone] = STATE[state];
  return (
    <tr data-kind="order">
      <td className="mono">
        {sent_time_us === null ? "–" : marketTime(sent_time_us)}
        {last_time_us !== null && last_time_us !== sent_time_us && (
          <div className="dim">{t("last_word", { time: marketTime(last_time_us) })}</div>
        )}
      </td>
      <td>
        {t("an_order")}
        {by === "runtime" && <div className="dim">{t("by_runtime")}</div>}
      </td>
      <td className={`mono ${side === "sell" ? "sell" : "buy"}`}>{side ?? "–"}</td>
      <td className="mono">{price ?? t("at_market")}</td>
      <td className="mono">
        {quantity ?? "–"}
        {remaining !== null && remaining !== quantity && <div className="dim">{t("left", { count: remaining })}</div>}
      </td>
      <td>
        <Badge tone={tone} text={t(word)} />
        {reason_code !== null && <Reason code={reason_code} page={order.runbook} />}
      </td>
      <td>
        <a href={hrefOf({ kind: "trace", id: trace_id })}>{t("trace")}</a>
      </td>
    </tr>
  );
}

function FillRow({ of: { fill, event_time_us, trace_id } }: { readonly of: Fill }): JSX.Element {
  const { t } = useConsole();
  return (
    <tr data-kind="fill">
      <td className="mono">{marketTime(event_time_us)}</td>
      <td>{t("a_fill")}</td>
      <td className={`mono ${fill.side}`}>{fill.side}</td>
      <td className="mono">{fill.price}</td>
      <td className="mono">{fill.quantity}</td>
      <td className="mono dim">
        {[fill.liquidity, `${t("fees")} ${fill.fee}`].filter((one) => one !== null).join(" · ")}
      </td>
      <td>{trace_id !== null && <a href={hrefOf({ kind: "trace", id: trace_id })}>{t("trace")}</a>}</td>
    </tr>
  );
}
