/**
 * Stop conditions as the control plane sees them (L-08, the second fence): the same limits, judged by what runners report. Pure.
 *
 * How to think: each runner's instance ends itself by its own share; here all of a bot's instances are added up, from the
 * positions in their status and the entries of their journals, whatever a runner says of itself. What tripped stays on the
 * bot's row until a person has acknowledged it and a new run begins.
 *
 * Invariants (stops.test.ts)
 * - At its limit nothing trips, one unit beyond it does; each condition, over all shards together.
 * - The same entries and statuses again change nothing.
 */
import { formatDecimal } from "@rumi/kernel";
import {
  counted,
  exceeds,
  parseMoney,
  type InstanceStatus,
  type JournalEntry,
  type StopCondition,
  type StopConditions,
  type StopRate,
} from "@rumi/runtime";

export const STOP_CODES: Readonly<Record<StopCondition, string>> = {
  loss: "L.STOP_CONDITION.LOSS",
  drawdown: "L.STOP_CONDITION.DRAWDOWN",
  exposure: "L.STOP_CONDITION.EXPOSURE",
  rejections: "L.STOP_CONDITION.REJECTIONS",
  order_rate: "L.STOP_CONDITION.ORDER_RATE",
};

/** Who said it first. */
export type Tripped = {
  readonly condition: StopCondition;
  readonly reason_code: string;
  readonly observed: string;
  readonly limit: string;
  readonly source: "runtime" | "control_plane";
};

/** What is remembered of a bot between two reports. */
export type Watched = {
  /** The highest that profit and loss have been, at {@link SCALE}. */
  readonly peak: string;
  readonly rejections: readonly number[];
  readonly orders: readonly number[];
};
export const UNWATCHED: Watched = { peak: "0", rejections: [], orders: [] };

/** Decimals in which amounts of any instrument are exact. */
const SCALE = 30;

export type Judged = { readonly watched: Watched; readonly tripped: Tripped | null };

/** After a status: `statuses` are the newest ones of all the bot's instances, this one's included. */
export function judgeStatuses(
  watched: Watched,
  conditions: StopConditions,
  statuses: readonly Pick<InstanceStatus, "positions" | "stop_condition">[],
): Judged {
  const own = statuses.find(({ stop_condition }) => stop_condition !== undefined)?.stop_condition;
  if (own !== undefined) {
    const { condition, reason_code, observed, limit } = own;
    return { watched, tripped: { condition, reason_code, observed, limit, source: "runtime" } };
  }
  let equity = 0n;
  let exposure = 0n;
  for (const one of statuses.flatMap(({ positions }) => positions)) {
    equity += exact(one.realised_profit, SCALE) + exact(one.unrealised_profit, SCALE) - exact(one.fees, SCALE);
    const value = exact(one.quantity, SCALE / 2) * exact(one.last_price, SCALE / 2);
    exposure += value < 0n ? -value : value;
  }
  const before = BigInt(watched.peak);
  const peak = equity > before ? equity : before;
  const { max_loss, max_drawdown, max_exposure } = conditions;
  return {
    watched: peak === before ? watched : { ...watched, peak: String(peak) },
    tripped:
      beyond("loss", -equity, max_loss) ??
      beyond("drawdown", peak - equity, max_drawdown) ??
      beyond("exposure", exposure, max_exposure),
  };
}

/** After entries of a journal that were not seen before, in their order. */
export function judgeEntries(watched: Watched, conditions: StopConditions, entries: readonly JournalEntry[]): Judged {
  const { max_rejections, max_order_rate } = conditions;
  let { rejections, orders } = watched;
  let tripped: Tripped | null = null;
  for (const entry of entries) {
    if (max_rejections !== undefined && entry.kind === "order" && entry.report["report"] === "rejected") {
      rejections = counted(rejections, max_rejections, entry.event_time_us);
      tripped ??= tooMany("rejections", rejections, max_rejections);
    }
    if (max_order_rate !== undefined && entry.kind === "intent" && isOrder(entry)) {
      orders = counted(orders, max_order_rate, entry.event_time_us);
      tripped ??= tooMany("order_rate", orders, max_order_rate);
    }
  }
  const same = rejections === watched.rejections && orders === watched.orders;
  return { watched: same ? watched : { ...watched, rejections, orders }, tripped };
}

/** An order or an amendment that passed the gate and is not the runtime's own. */
function isOrder({ verdict, intent, client_order_id }: Extract<JournalEntry, { kind: "intent" }>): boolean {
  const passed = verdict === "forwarded" || verdict === "degraded";
  return passed && intent["origin"] !== "runtime" && (client_order_id !== null || intent["kind"] === "amend");
}

function beyond(condition: StopCondition, amount: bigint, limit: string | undefined): Tripped | null {
  if (limit === undefined || amount <= exact(limit, SCALE)) return null;
  return told(condition, formatDecimal(amount, SCALE), limit);
}

function tooMany(condition: StopCondition, times: readonly number[], rate: StopRate): Tripped | null {
  return exceeds(times, rate) ? told(condition, String(times.length), String(rate.count)) : null;
}

const told = (condition: StopCondition, observed: string, limit: string): Tripped => ({
  condition,
  reason_code: STOP_CODES[condition],
  observed,
  limit,
  source: "control_plane",
});

/** A decimal string with at most so many decimals. */
function exact(text: string, digits: number): bigint {
  const [, sign = "", whole = "0", fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  const value = BigInt(`${whole}${fraction.padEnd(digits, "0")}`);
  return sign === "-" ? -value : value;
}

/** An instance's part of the bot's amounts, rounded down like its part of the capital; counts are not divided. */
export function shareOf(conditions: StopConditions, of: number): StopConditions {
  if (of === 1) return conditions;
  const part = (text: string): string => formatDecimal((parseMoney(text) ?? 0n) / BigInt(of), 8);
  const { max_loss, max_drawdown, max_exposure } = conditions;
  return {
    ...conditions,
    ...(max_loss === undefined ? {} : { max_loss: part(max_loss) }),
    ...(max_drawdown === undefined ? {} : { max_drawdown: part(max_drawdown) }),
    ...(max_exposure === undefined ? {} : { max_exposure: part(max_exposure) }),
  };
}
