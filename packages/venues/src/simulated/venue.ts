/**
 * An exchange that fills against recorded trades (L-30: it has no way to a real one).
 *
 * Think of a line with latency between us and the matching engine. Instructions travel in order and take
 * effect on arrival; then every recorded trade is offered to the orders that are there:
 * - a taker (market order, or limit order that was marketable on arrival) fills at the trade's price;
 * - a resting order fills at its limit when a trade goes through it, or at the limit itself once the queue
 *   that stood before it is used up by trades of the opposite aggressor.
 * Each trade's quantity is given once to our buys and once to our sells. Where quotes or books are recorded, an order
 * that takes is offered the best price in force when it arrives; where there are only bars, the next bar. docs/formats/
 * simulated-exchange.md states the whole model.
 *
 * Invariants (venue-properties.test.ts)
 * - Same options, rows and instructions give the same reports, ids included; so does a run cut by save/restore.
 * - One client order id is one order, for ever; of orders in sequence only the newest that are over are remembered.
 * - Fills of a side never exceed the trade's quantity; an order never fills beyond its quantity or limit.
 * - reduce_only never enlarges or flips a position.
 */
import { failure, FailureError, sha256, type ClientOrderId, type Failure, type Result } from "@rumi/kernel";
import { FLAG_DUPLICATE } from "../columns.ts";
import { VENUE_LIMITS, type VenueLimits } from "../limits.ts";
import {
  MARKET_KIND,
  type ExecutionReport,
  type MarketFeed,
  type MixedColumns,
  type NewOrder,
  type PositionView,
  type SimulatedVenue,
  type SimulatedVenueOptions,
} from "../types.ts";
import { feeOf } from "./account.ts";
import { arriving, Market, type Order, type Side, type StandingQuote } from "./market.ts";
import { amendProblem, crossesOwn, optionProblem, orderProblem, sameOrder } from "./rules.ts";
import { fillPrice, mix, offer, queueAhead, type Offered } from "./matching.ts";
import { barAt, quoteAt } from "./rows.ts";
import { reportOf, sideName, unknownOrder, type ReportExtra } from "./reports.ts";
import { VENUE_REASONS, type VenueReason } from "./reasons.ts";
import { decodeState, encodeState, type Command, type VenueState } from "./state.ts";

/** Error RUMI-MKT-011. Tests lower the limits. */
export function createSimulatedVenue(
  options: SimulatedVenueOptions,
  limits: VenueLimits = VENUE_LIMITS,
): Result<SimulatedVenue, Failure> {
  const problem = optionProblem(options, limits);
  return problem === undefined ? { ok: true, value: new Exchange(options, limits) } : { ok: false, error: problem };
}

class Exchange implements SimulatedVenue {
  readonly #options: SimulatedVenueOptions;
  readonly #limits: VenueLimits;
  readonly #prefix: string;
  readonly #jitterSeed: number;
  #markets: Market[];
  #orders = new Map<ClientOrderId, Order>();
  #open = new Map<ClientOrderId, Order>();
  #commands: Command[] = [];
  /** First command not yet arrived; the ones before are done. */
  #head = 0;
  #nextArrival_us = Infinity;
  /** Whether a walk over the orders filled or ended one, so that their lists need sweeping. */
  #ended = false;
  #lastArrival_us = 0;
  #reported_us = 0;
  #draws = 0;
  #orderNumber = 0;
  #fillNumber = 0;
  #priority = 0;
  /** Highest sequence of an order that arrived. */
  #sequence = 0;

  constructor(options: SimulatedVenueOptions, limits: VenueLimits) {
    this.#options = options;
    this.#limits = limits;
    const seed = Buffer.from(sha256(`rumi-venue-1/${options.seed}`));
    this.#prefix = seed.toString("hex", 0, 4);
    this.#jitterSeed = seed.readUInt32LE(4);
    this.#markets = options.instruments.map(() => new Market());
  }

  submit(order: NewOrder, at_us: number): void {
    this.#send({ kind: "submit", arrival_us: this.#arrival(at_us), order });
  }

  cancel(client_order_id: ClientOrderId, at_us: number): void {
    this.#send({ kind: "cancel", arrival_us: this.#arrival(at_us), client_order_id });
  }

  amend(
    client_order_id: ClientOrderId,
    change: { readonly price: number; readonly quantity: number },
    at_us: number,
  ): void {
    this.#send({
      kind: "amend",
      arrival_us: this.#arrival(at_us),
      client_order_id,
      price: change.price,
      quantity: change.quantity,
    });
  }

  cancelAll(at_us: number): void {
    this.#send({ kind: "cancel_all", arrival_us: this.#arrival(at_us) });
  }

  isQuiet(): boolean {
    return this.#nextArrival_us === Infinity && this.#open.size === 0;
  }

  onRow(feed: MarketFeed, row: number, out: ExecutionReport[]): void {
    const time_us = feed.event_time_us[row] ?? 0;
    if (this.#nextArrival_us <= time_us) this.advanceTo(time_us, out);
    // A repeated print is no second trade: it brings no quantity and no news.
    if (((feed.flags[row] ?? 0) & FLAG_DUPLICATE) !== 0) return;
    const index = feed.instrument[row] ?? 0;
    const market = this.#markets[index];
    if (market === undefined)
      throw new RangeError(`row ${row} names instrument ${index}, which the exchange does not list`);
    const { mixed } = feed;
    if (mixed !== undefined && mixed.kind[row] !== MARKET_KIND.trade)
      return this.#onOtherKind(market, { feed, mixed, row, time_us }, out);
    const price = feed.price[row] ?? 0;
    const quantity = feed.quantity[row] ?? 0;
    const aggressor = feed.aggressor[row] ?? 0;
    if (market.buys.length > 0 || market.sells.length > 0) {
      const trade = { of: "trade", price, quantity, aggressor, time_us } as const;
      if (market.buys.length > 0) this.#match(market, 1, trade, out);
      if (market.sells.length > 0) this.#match(market, -1, trade, out);
      this.#sweep(market, time_us, out);
    }
    market.hasTicks = true;
    market.see(price, quantity, aggressor, time_us);
  }

  /** A quote or a book row puts new best prices in force; a bar is matched where nothing finer is recorded. */
  #onOtherKind(
    market: Market,
    { feed, mixed, row, time_us }: { feed: MarketFeed; mixed: MixedColumns; row: number; time_us: number },
    out: ExecutionReport[],
  ): void {
    const worth = feed.price[row] ?? 0;
    if (mixed.kind[row] !== MARKET_KIND.bar) {
      const quote = quoteAt(mixed, row, time_us);
      // Older than what is in force: news of the past.
      if (time_us < (market.quote?.time_us ?? 0)) return;
      market.quote = quote;
      market.hasTicks = true;
      market.mark(worth, time_us);
      return this.#matchQuote(market, quote, time_us, out);
    }
    if (market.hasTicks) return;
    const bar = barAt(feed, mixed, row);
    this.#match(market, 1, bar, out);
    this.#match(market, -1, bar, out);
    this.#sweep(market, time_us, out);
    market.mark(worth, time_us);
  }

  /** Offers the best prices in force to both sides; what is taken is gone. */
  #matchQuote(market: Market, quote: StandingQuote, at_us: number, out: ExecutionReport[]): void {
    const ask = { of: "quote", price: quote.ask_price, quantity: quote.ask_quantity, time_us: at_us } as const;
    quote.ask_quantity = this.#match(market, 1, ask, out);
    const bid = { of: "quote", price: quote.bid_price, quantity: quote.bid_quantity, time_us: at_us } as const;
    quote.bid_quantity = this.#match(market, -1, bid, out);
    this.#sweep(market, at_us, out);
  }

  /** Forgets what a walk over the orders ended. */
  #sweep(market: Market, at_us: number, out: ExecutionReport[]): void {
    if (!this.#ended) return;
    this.#dropIrreducible(market, at_us, out);
    market.sweep();
    this.#ended = false;
  }

  advanceTo(at_us: number, out: ExecutionReport[]): void {
    while (this.#nextArrival_us <= at_us) {
      const command = this.#commands[this.#head] as Command;
      this.#head += 1;
      this.#nextArrival_us = this.#commands[this.#head]?.arrival_us ?? Infinity;
      if (this.#head >= 1_024 || this.#nextArrival_us === Infinity) {
        this.#commands = this.#commands.slice(this.#head);
        this.#head = 0;
      }
      this.#arrive(command, out);
    }
  }

  openOrders(): readonly {
    readonly client_order_id: ClientOrderId;
    readonly instrument: number;
    readonly side: "buy" | "sell";
    readonly price: number;
    readonly remaining: number;
  }[] {
    return [...this.#open.values()].map((order) => ({
      client_order_id: order.client_order_id,
      instrument: order.instrument,
      side: sideName(order.side),
      price: order.price,
      remaining: order.quantity - order.filled,
    }));
  }

  positions(): readonly PositionView[] {
    return this.#markets.map(({ position, last_price }, instrument) => position.view(instrument, last_price));
  }

  quantities(into: Float64Array): void {
    for (let at = 0; at < into.length; at += 1) into[at] = this.#markets[at]?.position.quantity ?? 0;
  }

  save(): Uint8Array {
    return encodeState(this.#options, {
      markets: this.#markets,
      orders: [...this.#orders.values()],
      sequence: this.#sequence,
      commands: this.#commands.slice(this.#head),
      counters: [
        this.#lastArrival_us,
        this.#reported_us,
        this.#draws,
        this.#orderNumber,
        this.#fillNumber,
        this.#priority,
      ],
    });
  }

  /** Throws `FailureError` (RUMI-MKT-008) for bytes that are no state of an exchange with these options. */
  restore(bytes: Uint8Array): void {
    const state: VenueState = decodeState(this.#options, bytes);
    this.#markets = [...state.markets];
    this.#sequence = state.sequence;
    this.#orders = new Map(state.orders.map((order) => [order.client_order_id, order]));
    this.#open = new Map(
      state.orders.filter((order) => order.state === "open").map((order) => [order.client_order_id, order]),
    );
    for (const order of this.#open.values()) this.#markets[order.instrument]?.insert(order);
    this.#commands = [...state.commands];
    this.#head = 0;
    this.#nextArrival_us = this.#commands[0]?.arrival_us ?? Infinity;
    [this.#lastArrival_us, this.#reported_us, this.#draws, this.#orderNumber, this.#fillNumber, this.#priority] =
      state.counters;
  }

  #send(command: Command): void {
    if (this.#commands.length - this.#head >= this.#limits.venue_inflight) {
      throw new FailureError(failure("RUMI-MKT-012", { limit: this.#limits.venue_inflight }));
    }
    this.#commands.push(command);
    if (command.arrival_us < this.#nextArrival_us) this.#nextArrival_us = command.arrival_us;
  }

  /** Instructions share one line: none overtakes another, whatever its jitter. */
  #arrival(at_us: number): number {
    const { latency_us, latency_jitter_us } = this.#options;
    const jitter = latency_jitter_us === 0 ? 0 : mix(this.#jitterSeed, (this.#draws += 1)) % (latency_jitter_us + 1);
    this.#lastArrival_us = Math.max(this.#lastArrival_us, at_us + latency_us + jitter);
    return this.#lastArrival_us;
  }

  #arrive(command: Command, out: ExecutionReport[]): void {
    switch (command.kind) {
      case "submit":
        return this.#enter(command.order, command.arrival_us, out);
      case "cancel": {
        const order = this.#openOrRefuse(command.client_order_id, "cancel_rejected", command.arrival_us, out);
        return order === undefined ? undefined : this.#close(order, "cancelled", null, command.arrival_us, out);
      }
      case "amend":
        return this.#change(command, out);
      case "cancel_all":
        for (const order of this.#open.values()) this.#close(order, "cancelled", null, command.arrival_us, out);
        return;
    }
  }

  #enter(wanted: NewOrder, at_us: number, out: ExecutionReport[]): void {
    const known = this.#orders.get(wanted.client_order_id);
    if (known !== undefined) {
      const reason = sameOrder(known, wanted) ? VENUE_REASONS.duplicate : VENUE_REASONS.duplicate_differs;
      return this.#report(known, known.state === "open" ? "accepted" : known.state, at_us, out, {
        reason,
      });
    }
    const { sequence } = wanted;
    const isForgotten = sequence !== undefined && sequence <= this.#sequence;
    if (sequence !== undefined && !isForgotten) this.#sequence = sequence;
    const order = arriving(wanted, at_us, (this.#orderNumber += 1), (this.#priority += 1));
    const market = this.#markets[wanted.instrument];
    const problem = isForgotten ? VENUE_REASONS.duplicate : this.#refusal(wanted, order, market);
    if (problem !== undefined || market === undefined) {
      order.state = "rejected";
      // Past the limit of remembered orders nothing new is let in, so nothing need be remembered.
      if (!isForgotten && this.#orders.size < this.#limits.venue_known_orders)
        this.#orders.set(order.client_order_id, order);
      this.#forget();
      return this.#report(order, "rejected", at_us, out, {
        reason: problem ?? VENUE_REASONS.instrument,
      });
    }
    this.#orders.set(order.client_order_id, order);
    this.#forget();
    this.#cancelCrossed(market, order, at_us, out);
    this.#open.set(order.client_order_id, order);
    this.#place(market, order);
    this.#report(order, "accepted", at_us, out, {});
    this.#takeStanding(market, order, at_us, out);
  }

  /** Orders that are over and came in sequence leave, oldest first: their numbers alone refuse them from here on. */
  #forget(): void {
    if (this.#orders.size - this.#open.size <= this.#limits.venue_closed_remembered + 1) return;
    for (const [id, order] of this.#orders) {
      if (order.state === "open" || order.sequence === undefined) continue;
      this.#orders.delete(id);
      return;
    }
  }

  #refusal(wanted: NewOrder, order: Order, market: Market | undefined): VenueReason | undefined {
    const spec = this.#options.instruments[wanted.instrument];
    if (market === undefined || spec === undefined) return VENUE_REASONS.instrument;
    if (this.#orders.size >= this.#limits.venue_known_orders || this.#open.size >= this.#limits.venue_open_orders) {
      return VENUE_REASONS.too_many_orders;
    }
    const problem = orderProblem(wanted, spec, market);
    if (problem !== undefined) return problem;
    if (wanted.post_only && (market.marketable(order.side, order.price) || crossesOwn(market, order).length > 0))
      return VENUE_REASONS.post_only;
    if (wanted.reduce_only && market.position.reducible(order.side) === 0) return VENUE_REASONS.reduce_only;
    return undefined;
  }

  #change(command: Extract<Command, { kind: "amend" }>, out: ExecutionReport[]): void {
    const at_us = command.arrival_us;
    const order = this.#openOrRefuse(command.client_order_id, "amend_rejected", at_us, out);
    if (order === undefined) return;
    const market = this.#markets[order.instrument] as Market;
    const moved: Order = { ...order, price: command.price, quantity: command.quantity };
    const problem =
      amendProblem(order, command, this.#options.instruments[order.instrument], market) ??
      (order.post_only &&
      command.price !== order.price &&
      (market.marketable(order.side, command.price) || crossesOwn(market, moved).length > 0)
        ? VENUE_REASONS.post_only
        : undefined);
    if (problem !== undefined) return this.#report(order, "amend_rejected", at_us, out, { reason: problem });
    // A smaller order keeps its place; any other change starts at the end of the queue.
    const keepsPlace = command.price === order.price && command.quantity <= order.quantity;
    order.price = command.price;
    order.quantity = command.quantity;
    if (!keepsPlace) {
      market.remove(order);
      order.priority = this.#priority += 1;
      order.active_us = at_us;
      this.#cancelCrossed(market, order, at_us, out);
      this.#place(market, order);
    }
    this.#report(order, "amended", at_us, out, {});
    if (!keepsPlace) this.#takeStanding(market, order, at_us, out);
  }

  /** An order that takes is offered the best price in force when it arrives, where there is one. */
  #takeStanding(market: Market, order: Order, at_us: number, out: ExecutionReport[]): void {
    if (order.mode === "taker" && market.quote !== undefined) this.#matchQuote(market, market.quote, at_us, out);
  }

  /** Decides whether an order takes or rests, and puts it in its place. */
  #place(market: Market, order: Order): void {
    const takes =
      order.type === "market" ||
      order.time_in_force !== "gtc" ||
      (!order.post_only && (market.isUnknown || market.marketable(order.side, order.price)));
    order.mode = takes ? "taker" : "resting";
    order.ahead = takes ? 0 : queueAhead(market, order.side, order.price, this.#options.queue_ahead);
    market.insert(order);
  }

  /** Self-trade prevention: our older order gives way, so that an exit is never refused. */
  #cancelCrossed(market: Market, order: Order, at_us: number, out: ExecutionReport[]): void {
    for (const crossed of crossesOwn(market, order))
      this.#close(crossed, "cancelled", VENUE_REASONS.self_trade, at_us, out);
  }

  /** Offers something to the orders of a side; answers what is left of its quantity. */
  #match(market: Market, side: Side, offered: Offered, out: ExecutionReport[]): number {
    let budget = offered.quantity;
    for (const order of market.of(side)) {
      if (order.active_us > offered.time_us || order.state !== "open") continue;
      const quantity = offer(order, offered, budget, market, this.#options.queue_ahead);
      if (quantity > 0) {
        budget -= quantity;
        this.#fill(market, order, fillPrice(order, offered), quantity, offered.time_us, out);
      }
      if (order.filled === order.quantity || order.time_in_force === "gtc") continue;
      const reason = order.time_in_force === "fok" ? "fill_or_kill" : "immediate";
      this.#end(order, "cancelled", VENUE_REASONS[reason], offered.time_us, out);
    }
    return budget;
  }

  #fill(market: Market, order: Order, price: number, quantity: number, at_us: number, out: ExecutionReport[]): void {
    const maker = order.mode === "resting";
    const fee = feeOf(price, quantity, maker ? this.#options.maker_fee_ppm : this.#options.taker_fee_ppm);
    this.#ended = true;
    order.filled += quantity;
    market.position.fill(order.side, price, quantity, fee);
    const done = order.filled === order.quantity;
    if (done) {
      order.state = "filled";
      this.#open.delete(order.client_order_id);
    }
    const fill = {
      price,
      quantity,
      fee,
      liquidity: maker ? ("maker" as const) : ("taker" as const),
      id: `${this.#prefix}-F${(this.#fillNumber += 1)}`,
    };
    this.#report(order, done ? "filled" : "partially_filled", at_us, out, { fill });
  }

  /** A reduce-only order that has nothing left to reduce ends. */
  #dropIrreducible(market: Market, at_us: number, out: ExecutionReport[]): void {
    for (const orders of [market.buys, market.sells]) {
      for (const order of orders) {
        if (order.reduce_only && order.state === "open" && market.position.reducible(order.side) === 0) {
          this.#end(order, "cancelled", VENUE_REASONS.reduce_only, at_us, out);
        }
      }
    }
  }

  #openOrRefuse(
    id: ClientOrderId,
    kind: "cancel_rejected" | "amend_rejected",
    at_us: number,
    out: ExecutionReport[],
  ): Order | undefined {
    const order = this.#open.get(id);
    if (order !== undefined) return order;
    const known = this.#orders.get(id);
    if (known !== undefined) this.#report(known, kind, at_us, out, { reason: VENUE_REASONS.order_closed });
    else out.push(unknownOrder(id, kind, this.#stamp(at_us)));
    return undefined;
  }

  #close(order: Order, state: "cancelled", reason: VenueReason | null, at_us: number, out: ExecutionReport[]): void {
    this.#markets[order.instrument]?.remove(order);
    this.#end(order, state, reason, at_us, out);
  }

  /** Ends an order but leaves it in its list, which may be being walked; the walker sweeps. */
  #end(order: Order, state: "cancelled", reason: VenueReason | null, at_us: number, out: ExecutionReport[]): void {
    this.#ended = true;
    order.state = state;
    this.#open.delete(order.client_order_id);
    this.#report(order, state, at_us, out, { reason });
  }

  #report(
    order: Order,
    kind: ExecutionReport["kind"],
    at_us: number,
    out: ExecutionReport[],
    extra: ReportExtra,
  ): void {
    out.push(reportOf(this.#prefix, order, kind, this.#stamp(at_us), extra));
  }

  /** Times of reports never run backwards, even where the recording's do. */
  #stamp(at_us: number): number {
    this.#reported_us = Math.max(this.#reported_us, at_us);
    return this.#reported_us;
  }
}
