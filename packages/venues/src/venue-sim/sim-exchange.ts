/**
 * The exchange inside the simulator: one market, an account per key, everything that happened kept in the order log.
 *
 * How to think: a line of the log is the only thing that changes anything (`#apply`); a restart applies the same lines
 * again and stands where it stood. Matching is the simulated exchange's own price-time engine, one per account: accounts
 * do not trade with each other, each trades with the market.
 *
 * Invariants (server.test.ts)
 * - One client order id is one order, for ever; a second one is refused, whatever it says.
 * - The same log over the same market gives the same orders, fills and positions.
 */
import type { InstrumentSpec } from "@rumi/abi";
import {
  canonicalJson,
  failure,
  FailureError,
  formatDecimal,
  parseDecimal,
  sha256Hex,
  type ClientOrderId,
} from "@rumi/kernel";
import { createSimulatedVenue } from "../simulated/venue.ts";
import { VENUE_REASONS } from "../simulated/reasons.ts";
import type { ExecutionReport, NewOrder, SimulatedVenue, TradeColumns } from "../types.ts";
import type { LogLine, OrderLog } from "./order-log.ts";
import type { WireFill, WireOrder, WirePosition, WireTrade } from "./wire.ts";

export type SimExchangeOptions = {
  readonly accounts: readonly string[];
  readonly instruments: readonly InstrumentSpec[];
  readonly feed: TradeColumns;
  readonly maker_fee_ppm: number;
  readonly taker_fee_ppm: number;
  readonly seed: string;
  readonly wallNow_us: () => number;
};

/** What an account is told of; in the order in which it happened. */
export type SimEvent = { readonly account: string; readonly time_us: number } & (
  | {
      readonly type: "order";
      readonly event: "accepted" | "amended" | "cancelled" | "rejected";
      readonly order: WireOrder;
    }
  | { readonly type: "fill"; readonly fill: WireFill; readonly order: WireOrder }
);

/** The outcome of an instruction. */
export type Outcome =
  | { readonly done: true; readonly order: WireOrder }
  | {
      readonly done: false;
      readonly code: "DUPLICATE_CLIENT_ORDER_ID" | "UNKNOWN_ORDER" | "ORDER_CLOSED" | "REJECTED";
      readonly reason_code: string | null;
      readonly order: WireOrder | null;
    };

type Account = {
  readonly engine: SimulatedVenue;
  readonly orders: Map<string, WireOrder>;
  readonly fills: WireFill[];
};

const AGGRESSOR = ["unknown", "buyer", "seller"] as const;

export class SimExchange {
  readonly #o: SimExchangeOptions;
  readonly #log: OrderLog;
  readonly #accounts = new Map<string, Account>();
  readonly #reports: ExecutionReport[] = [];
  #events: SimEvent[] = [];
  #row = 0;
  #at_us = 0;
  #wall_us = 0;
  /** First row and wall time of each stretch of market. */
  readonly #stretches: { readonly from: number; readonly wall_us: number }[] = [];

  /** Errors RUMI-MKT-011 and RUMI-MKT-020 are thrown: a simulator that cannot open does not start. */
  constructor(options: SimExchangeOptions, opened: { readonly log: OrderLog; readonly lines: readonly LogLine[] }) {
    this.#o = options;
    this.#log = opened.log;
    const { instruments, maker_fee_ppm, taker_fee_ppm, seed } = options;
    for (const account of options.accounts) {
      const made = createSimulatedVenue({
        instruments,
        maker_fee_ppm,
        taker_fee_ppm,
        latency_us: 0,
        latency_jitter_us: 0,
        seed: `${seed}/${account}`,
      });
      if (!made.ok) throw new FailureError(made.error);
      this.#accounts.set(account, { engine: made.value, orders: new Map(), fills: [] });
    }
    this.#open(opened.lines);
  }

  get row(): number {
    return this.#row;
  }
  get rows(): number {
    return this.#o.feed.length;
  }
  /** Time of the market itself: that of the last row. */
  get market_us(): number {
    return this.#at_us;
  }

  /** What happened since the last call, to be told once the log is synced. */
  takeEvents(): readonly SimEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  advance(to: number): void {
    if (to > this.#row) this.#write({ k: "rows", to: Math.min(to, this.rows), wall_us: this.#now() });
  }

  submit(account: string, order: NewOrder): Outcome {
    const known = this.#account(account).orders.get(order.client_order_id);
    if (known !== undefined)
      return { done: false, code: "DUPLICATE_CLIENT_ORDER_ID", reason_code: VENUE_REASONS.duplicate, order: known };
    this.#write({ k: "submit", account, at_us: this.#at_us, wall_us: this.#now(), order });
    const placed = this.order(account, order.client_order_id);
    if (placed === undefined)
      return { done: false, code: "REJECTED", reason_code: VENUE_REASONS.too_many_orders, order: null };
    return placed.state === "rejected"
      ? { done: false, code: "REJECTED", reason_code: placed.reason_code, order: placed }
      : { done: true, order: placed };
  }

  cancel(account: string, client_order_id: string): Outcome {
    const closed = this.#closed(account, client_order_id);
    if (closed !== undefined) return closed;
    this.#write({ k: "cancel", account, at_us: this.#at_us, wall_us: this.#now(), client_order_id });
    return { done: true, order: this.order(account, client_order_id) as WireOrder };
  }

  /** `price` and total `quantity`, scaled. */
  amend(
    account: string,
    client_order_id: string,
    change: { readonly price: number; readonly quantity: number },
  ): Outcome {
    const closed = this.#closed(account, client_order_id);
    if (closed !== undefined) return closed;
    this.#refusal = null;
    this.#write({ k: "amend", account, at_us: this.#at_us, wall_us: this.#now(), client_order_id, ...change });
    const order = this.order(account, client_order_id) as WireOrder;
    return this.#refusal === null
      ? { done: true, order }
      : { done: false, code: "REJECTED", reason_code: this.#refusal, order };
  }
  /** Reason of the amendment that was just refused. */
  #refusal: string | null = null;

  order(account: string, client_order_id: string): WireOrder | undefined {
    return this.#account(account).orders.get(client_order_id);
  }
  orders(account: string): readonly WireOrder[] {
    return [...this.#account(account).orders.values()];
  }
  fills(account: string, after: number, limit: number): readonly WireFill[] {
    return this.#account(account).fills.slice(after, after + limit);
  }
  fillCount(account: string): number {
    return this.#account(account).fills.length;
  }
  positions(account: string): readonly WirePosition[] {
    return this.#account(account)
      .engine.positions()
      .map(({ instrument, quantity, cash }) => {
        const spec = this.#spec(instrument);
        return {
          instrument_id: spec.instrument_id,
          quantity: formatDecimal(quantity, spec.quantity_digits),
          cash: formatDecimal(cash, spec.price_digits + spec.quantity_digits),
        };
      });
  }

  /** Rows that have happened, from `from` (0-based), at most `limit`. */
  trades(from: number, limit: number): readonly WireTrade[] {
    const { feed } = this.#o;
    const until = Math.min(this.#row, from + limit);
    const trades: WireTrade[] = [];
    let at = this.#stretches.findLastIndex((stretch) => stretch.from <= from);
    for (let row = from; row < until; row += 1) {
      while ((this.#stretches[at + 1]?.from ?? Infinity) <= row) at += 1;
      const spec = this.#spec(feed.instrument[row] ?? 0);
      trades.push({
        seq: row + 1,
        instrument_id: spec.instrument_id,
        price: formatDecimal(feed.price[row] ?? 0, spec.price_digits),
        quantity: formatDecimal(feed.quantity[row] ?? 0, spec.quantity_digits),
        aggressor: AGGRESSOR[feed.aggressor[row] ?? 0] ?? "unknown",
        trade_id: feed.trade_id[row] ?? 0,
        time_us: this.#stretches[at]?.wall_us ?? 0,
      });
    }
    return trades;
  }

  sync(): Promise<void> {
    return this.#log.sync();
  }

  #open(lines: readonly LogLine[]): void {
    const { feed, instruments, maker_fee_ppm, taker_fee_ppm, seed } = this.#o;
    const market = [
      feed.length,
      feed.price[0] ?? 0,
      feed.price[feed.length - 1] ?? 0,
      feed.trade_id[feed.length - 1] ?? 0,
    ];
    const options = sha256Hex(canonicalJson({ instruments, maker_fee_ppm, taker_fee_ppm, seed, market }));
    const [head, ...rest] = lines;
    if (head === undefined) return this.#log.append({ k: "venue", version: 1, options });
    if (head.k !== "venue" || head.version !== 1 || head.options !== options)
      throw new FailureError(
        failure("RUMI-MKT-020", { path: "orders.log", problem: "it belongs to a simulator with other options" }),
      );
    for (const line of rest) this.#apply(line);
    this.#events = [];
  }

  #write(line: LogLine): void {
    this.#log.append(line);
    this.#apply(line);
  }

  #apply(line: LogLine): void {
    if (line.k === "venue") return;
    this.#wall_us = line.wall_us;
    if (line.k === "rows") return this.#through(line.to);
    const { engine } = this.#account(line.account);
    const id = (line.k === "submit" ? line.order.client_order_id : line.client_order_id) as ClientOrderId;
    if (line.k === "submit") {
      engine.submit(line.order, line.at_us);
      this.#account(line.account).orders.set(id, this.#fresh(line.order));
    } else if (line.k === "cancel") engine.cancel(id, line.at_us);
    else engine.amend(id, { price: line.price, quantity: line.quantity }, line.at_us);
    engine.advanceTo(line.at_us, this.#reports);
    this.#follow(line.account, line.k === "amend" ? line : undefined);
  }

  #through(to: number): void {
    const { feed } = this.#o;
    this.#stretches.push({ from: this.#row, wall_us: this.#wall_us });
    for (const [account, { engine }] of this.#accounts) {
      for (let row = this.#row; row < to; row += 1) engine.onRow(feed, row, this.#reports);
      this.#follow(account, undefined);
    }
    for (let row = this.#row; row < to; row += 1) this.#at_us = Math.max(this.#at_us, feed.event_time_us[row] ?? 0);
    this.#row = to;
  }

  #follow(account: string, amendment: Extract<LogLine, { k: "amend" }> | undefined): void {
    const { orders, fills } = this.#account(account);
    for (const report of this.#reports.splice(0)) {
      const before = orders.get(report.client_order_id);
      if (before === undefined) continue;
      const spec = this.#spec(report.instrument);
      const time_us = this.#wall_us;
      const change = { venue_order_id: report.venue_order_id, reason_code: report.reason_code, updated_us: time_us };
      const tell = (order: WireOrder, event: "accepted" | "amended" | "cancelled" | "rejected"): void => {
        orders.set(order.client_order_id, order);
        this.#events.push({ account, time_us, type: "order", event, order });
      };
      switch (report.kind) {
        case "accepted":
          tell({ ...before, ...change, state: "open" }, "accepted");
          break;
        case "rejected":
        case "cancelled":
          tell({ ...before, ...change, state: report.kind }, report.kind);
          break;
        case "amended":
          if (amendment !== undefined)
            tell(
              {
                ...before,
                ...change,
                price: formatDecimal(amendment.price, spec.price_digits),
                quantity: formatDecimal(amendment.quantity, spec.quantity_digits),
              },
              "amended",
            );
          break;
        case "amend_rejected":
          this.#refusal = report.reason_code;
          break;
        case "cancel_rejected":
          break;
        case "filled":
        case "partially_filled": {
          const total = (parseDecimal(before.filled, spec.quantity_digits) ?? 0) + report.quantity;
          const order: WireOrder = {
            ...before,
            ...change,
            filled: formatDecimal(total, spec.quantity_digits),
            state: report.kind === "filled" ? "filled" : "open",
          };
          const fill: WireFill = {
            number: fills.length + 1,
            fill_id: report.fill_id ?? "",
            client_order_id: report.client_order_id,
            venue_order_id: report.venue_order_id,
            instrument_id: spec.instrument_id,
            side: report.side,
            price: formatDecimal(report.price, spec.price_digits),
            quantity: formatDecimal(report.quantity, spec.quantity_digits),
            fee: formatDecimal(report.fee, spec.price_digits + spec.quantity_digits),
            liquidity: report.liquidity === "maker" ? "maker" : "taker",
            time_us,
          };
          fills.push(fill);
          orders.set(order.client_order_id, order);
          this.#events.push({ account, time_us, type: "fill", fill, order });
        }
      }
    }
  }

  #closed(account: string, id: string): Outcome | undefined {
    const order = this.order(account, id);
    if (order === undefined)
      return { done: false, code: "UNKNOWN_ORDER", reason_code: VENUE_REASONS.unknown_order, order: null };
    return order.state === "open"
      ? undefined
      : { done: false, code: "ORDER_CLOSED", reason_code: VENUE_REASONS.order_closed, order };
  }

  #fresh(order: NewOrder): WireOrder {
    const spec = this.#spec(order.instrument);
    return {
      client_order_id: order.client_order_id,
      venue_order_id: "",
      instrument_id: spec.instrument_id,
      side: order.side,
      type: order.type,
      time_in_force: order.time_in_force,
      price: formatDecimal(order.price, spec.price_digits),
      quantity: formatDecimal(order.quantity, spec.quantity_digits),
      filled: "0",
      state: "open",
      reason_code: null,
      updated_us: this.#wall_us,
    };
  }

  #account(name: string): Account {
    const account = this.#accounts.get(name);
    if (account === undefined)
      throw new FailureError(
        failure("RUMI-MKT-020", { path: "orders.log", problem: `no key has the account ${name}` }),
      );
    return account;
  }

  #spec(index: number): InstrumentSpec {
    const spec = this.#o.instruments[index];
    if (spec === undefined) throw new RangeError(`the market names instrument ${index}, which is not listed`);
    return spec;
  }

  /** Wall time, never backwards. */
  #now(): number {
    return Math.max(this.#wall_us, this.#o.wallNow_us());
  }
}
