/**
 * The two ports of a runner to the exchange, over a way that delays, loses requests and answers, and parts.
 *
 * A request that left arrives although its sender died meanwhile. One that arrives later than its window is void, as its
 * sender was promised; a lost answer and a late one are both `unknown`.
 */
import type { ClientOrderId } from "@rumi/kernel";
import { GATEWAY_LIMITS } from "@rumi/runtime";
import type {
  Asked,
  ExecutionVenue,
  FeedSink,
  MarketFeedSource,
  NewOrder,
  OrderSnapshot,
  UpdateSink,
  VenueAnswer,
  VenueFill,
} from "@rumi/venues";
import { between, happens } from "../world/chance.ts";
import type { SimProcess } from "../world/process.ts";
import { FOREVER } from "../world/world.ts";
import type { Exchange, Outcome } from "./exchange.ts";

export type Sender = {
  readonly runner: SimProcess;
  readonly bot_id: string;
  readonly strategy_id: string;
  readonly instance_id: string;
  readonly run_id: string;
  readonly epoch: number;
};
export type VenueEvents = {
  /** A request leaves the runner. */
  readonly leaves: (of: Sender, action: "place" | "cancel" | "amend" | "query", id: ClientOrderId) => void;
  /** The exchange's word reached the runner: what it said of this order. */
  readonly learns: (of: Sender, id: ClientOrderId, word: "exists" | "nothing_done" | "unknown_id") => void;
};
export type VenueFaults = {
  readonly isCutOff: (runner: SimProcess) => boolean;
  /** Probability that a request, or its answer, is lost or late. */
  readonly loss: () => number;
};

const LATE_US = 3_000_000;
const RETRY_MS = 200;

export class SimExecution implements ExecutionVenue {
  readonly recv_window_ms = GATEWAY_LIMITS.recv_window_ms;
  readonly #of: Sender;
  readonly #exchange: Exchange;
  readonly #events: VenueEvents;
  readonly #faults: VenueFaults;
  #lead_us = 0;
  #closed = false;
  #stopListening: () => void = () => undefined;

  constructor(of: Sender, exchange: Exchange, events: VenueEvents, faults: VenueFaults) {
    this.#of = of;
    this.#exchange = exchange;
    this.#events = events;
    this.#faults = faults;
  }

  async place(order: NewOrder): Promise<VenueAnswer> {
    const id = order.client_order_id;
    this.#events.leaves(this.#of, "place", id);
    const answer = await this.#outcome("place", () => this.#exchange.place(this.#of.bot_id, order));
    if (answer.kind === "done" || (answer.kind === "refused" && answer.refusal === "duplicate"))
      this.#events.learns(this.#of, id, "exists");
    else if (answer.kind === "refused") this.#events.learns(this.#of, id, "nothing_done");
    return answer;
  }

  cancel(id: ClientOrderId): Promise<VenueAnswer> {
    this.#events.leaves(this.#of, "cancel", id);
    return this.#outcome("cancel", () => this.#exchange.cancel(this.#of.bot_id, id));
  }

  amend(id: ClientOrderId): Promise<VenueAnswer> {
    this.#events.leaves(this.#of, "amend", id);
    return this.#outcome("amend", () => ({ kind: "refused", refusal: "rejected", order: null }));
  }

  async query(id: ClientOrderId): Promise<Asked<OrderSnapshot | null>> {
    this.#events.leaves(this.#of, "query", id);
    const asked = await this.#ask(() => this.#exchange.account(this.#of.bot_id).orders.get(id) ?? null);
    if (asked.kind === "answer") this.#events.learns(this.#of, id, asked.value === null ? "unknown_id" : "exists");
    return asked;
  }

  openOrders(): Promise<Asked<readonly OrderSnapshot[]>> {
    return this.#ask(() => this.#exchange.open(this.#of.bot_id));
  }

  fillsAfter(number: number): Promise<Asked<readonly VenueFill[]>> {
    return this.#ask(() => this.#exchange.account(this.#of.bot_id).fills.filter((fill) => fill.number > number));
  }

  async syncClock(): Promise<Asked<number>> {
    const asked = await this.#ask(() => this.#exchange.time_us());
    if (asked.kind !== "answer") return asked;
    this.#lead_us = asked.value - this.#of.runner.wall_us();
    return { ...asked, value: this.#lead_us };
  }

  listen(sink: UpdateSink): void {
    const { runner, bot_id } = this.#of;
    if (this.#closed) return;
    if (this.#faults.isCutOff(runner)) return void runner.timers.after(RETRY_MS, () => this.listen(sink));
    const { listeners } = this.#exchange.account(bot_id);
    const heard = (order: OrderSnapshot, fill: VenueFill | null): void => {
      runner.timers.after(between(runner.random, 1, 20), () => {
        if (this.#closed || !listeners.has(heard)) return;
        if (this.#faults.isCutOff(runner)) {
          listeners.delete(heard);
          sink.lost("the way is cut");
          return void runner.timers.after(RETRY_MS, () => this.listen(sink));
        }
        if (happens(runner.random, this.#faults.loss())) return sink.gap();
        if (fill !== null) sink.fill(fill);
        sink.order(order);
      });
    };
    listeners.add(heard);
    this.#stopListening = () => void listeners.delete(heard);
    runner.timers.after(5, () => (this.#closed ? undefined : sink.ready()));
  }

  close(): void {
    this.#closed = true;
    this.#stopListening();
  }

  async #outcome(action: string, act: () => Outcome): Promise<VenueAnswer> {
    const sent_us = this.#of.runner.wall_us() + this.#lead_us;
    const answer = await this.#travel((): Outcome => {
      const late_us = this.#exchange.time_us() - sent_us;
      const isVoid = late_us > this.recv_window_ms * 1_000 || late_us < -1_000_000;
      const outcome: Outcome = isVoid ? { kind: "refused", refusal: "clock", order: null } : act();
      this.#note(`${action} arrives: ${outcome.kind === "done" ? outcome.order.state : outcome.refusal}`);
      return outcome;
    });
    if (answer === undefined) return { kind: "unknown", problem: "no answer in time" };
    const time_us = this.#exchange.time_us();
    return answer.kind === "done"
      ? { ...answer, time_us }
      : { ...answer, reason_code: `M.VENUE.${answer.refusal.toUpperCase()}`, time_us };
  }

  async #ask<T>(question: () => T): Promise<Asked<T>> {
    const answer = await this.#travel(() => ({ value: question(), time_us: this.#exchange.time_us() }));
    return answer === undefined ? { kind: "unknown", problem: "no answer in time" } : { kind: "answer", ...answer };
  }

  /** There and back; `undefined` when there was no answer in time. */
  #travel<T>(there: () => T): Promise<T | undefined> {
    const { runner } = this.#of;
    const { world, random } = runner;
    return new Promise((resolve) => {
      runner.timers.after(GATEWAY_LIMITS.answer_ms, () => resolve(undefined));
      const loss = this.#faults.loss();
      if (this.#faults.isCutOff(runner) || happens(random, loss)) return;
      const isLate = happens(random, loss);
      world.schedule(isLate ? between(random, 500_000, LATE_US) : between(random, 500, 20_000), FOREVER, () => {
        const value = there();
        if (this.#faults.isCutOff(runner) || happens(random, loss)) return;
        world.schedule(between(random, 500, 20_000), runner, () => resolve(value));
      });
    });
  }

  #note(what: string): void {
    const { runner, bot_id, epoch } = this.#of;
    runner.world.note("exchange", `${bot_id} e${epoch} ${what}`);
  }
}

/** Rows in order, each once; after a cut what was missed is caught up. */
export class SimMarket implements MarketFeedSource {
  readonly #runner: SimProcess;
  readonly #exchange: Exchange;
  readonly #faults: VenueFaults;
  #next = 0;
  #isConnected = false;
  #isClosed = false;
  #stop: () => void = () => undefined;

  constructor(runner: SimProcess, exchange: Exchange, faults: VenueFaults) {
    this.#runner = runner;
    this.#exchange = exchange;
    this.#faults = faults;
  }

  start(after: number | null, sink: FeedSink): void {
    this.#next = after === null ? this.#exchange.rows.length : after;
    const take = (): void => {
      if (this.#isClosed) return;
      if (this.#faults.isCutOff(this.#runner)) {
        if (this.#isConnected) sink.notice("disconnected", "the way is cut");
        this.#isConnected = false;
        return;
      }
      if (!this.#isConnected) sink.notice("connected", "");
      this.#isConnected = true;
      for (const { seq, row } of this.#exchange.rows.slice(this.#next)) {
        this.#next = seq;
        sink.row({ kind: "trade", ...row, received_time_us: this.#runner.wall_us() }, seq);
      }
    };
    this.#runner.timers.after(5, take);
    this.#stop = this.#exchange.follow(() => void this.#runner.timers.after(between(this.#runner.random, 1, 20), take));
  }

  close(): void {
    this.#isClosed = true;
    this.#stop();
  }
}
