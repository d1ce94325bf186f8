/**
 * The order gateway of one live instance: what the desk decided goes out once, and what became of it comes back.
 *
 * How to think: every answer is one of three. The venue's word that it was done, its word that nothing was done, or
 * nobody knows. What nobody knows is never a rejection: the venue is asked by client order id until it speaks, and only
 * its word that it does not know the id lets the same order go again, under the same id. The fence is asked right before
 * each request leaves. Nothing in here changes the instance: it emits inputs, which are recorded first.
 *
 * Invariants (gateway.test.ts, live.test.ts)
 * - One client order id is one order at the venue, whatever was lost on the way.
 * - After the lease's own deadline nothing leaves; the successor asks about what was on its way.
 * - Nothing beyond the capital leaves, whoever let it come so far (gateway.test.ts "[L-07]").
 * - 429 is obeyed by everything, and the queue is bounded: what never left is refused and says so.
 */
import { type ClientOrderId, pause, SYSTEM_TIMERS, type Timers } from "@rumi/kernel";
import type { Asked, ExecutionVenue, OrderSnapshot, VenueAnswer } from "@rumi/venues";
import { causeText } from "../cause-text.ts";
import { type CapitalFence, isBeyondCapital } from "./capital-fence.ts";
import type { ExternalVenue } from "./external-venue.ts";
import type { GatewayLimits } from "./limits.ts";
import { RateBudget } from "./rate-budget.ts";
import type { GatewayCondition, GatewayInput, Outgoing, VenueReport } from "./reports.ts";
import { type Task, TaskBoard, taskOf } from "./task.ts";

export type GatewayOptions = {
  readonly venue: ExecutionVenue;
  /** What is known of the venue so far; only read here. */
  readonly book: ExternalVenue;
  /** What the instance may have at the venue at most. */
  readonly fence: CapitalFence;
  readonly mayEmit: () => boolean;
  /** Milliseconds. */
  readonly monotonic: () => number;
  /** Microseconds since the epoch. */
  readonly wallNow: () => number;
  readonly emit: (input: GatewayInput) => void;
  readonly limits: GatewayLimits;
  readonly timers?: Timers;
};

type Refused = Extract<VenueAnswer, { kind: "refused" }>;
/** A report or a note that something was left out is followed by a comparison this soon. */
const SOON_MS = 100;

export class OrderGateway {
  readonly #o: GatewayOptions;
  readonly #board = new TaskBoard();
  readonly #budget: RateBudget;
  /** How much of an order the venue said was filled. */
  readonly #heardFilled = new Map<ClientOrderId, number>();
  readonly #foreign = new Set<string>();
  #lead_us = 0;
  readonly #timers: Timers;
  #cancelWake: () => void = () => undefined;
  #reconcileAt_ms = Infinity;
  #reconciling = false;
  #reconcileTries = 0;
  #closed = false;
  #fenced = 0;

  constructor(options: GatewayOptions) {
    this.#o = options;
    this.#timers = options.timers ?? SYSTEM_TIMERS;
    this.#budget = new RateBudget(options.limits.requests_per_second, options.monotonic());
  }

  /** Requests that the fence held back. */
  get fenced(): number {
    return this.#fenced;
  }
  get queued(): number {
    return this.#board.size;
  }

  /** Listens to the venue, and compares everything before anything is sent. */
  begin(): void {
    this.#adopt();
    this.#reconcileAt_ms = this.#o.monotonic();
    this.#o.venue.listen({
      ready: () => {
        this.#note("connected", null, null, "");
        this.#reconcileSoon(0);
      },
      order: (order) => this.#heard(order),
      fill: (fill) => this.#report({ kind: "fill", fill }),
      gap: () => {
        this.#note("update_gap", "M.GATEWAY.UPDATE_GAP", null, "");
        this.#reconcileSoon(0);
      },
      lost: (problem) => this.#note("disconnected", "M.GATEWAY.DISCONNECTED", null, problem),
    });
    this.#pump();
  }

  /** Takes a request, unless it is one too many or beyond the capital; nothing is sent in here. */
  accept(request: Outgoing): void {
    const now_us = this.#o.wallNow();
    if (request.kind === "submit" && this.#board.size >= this.#o.limits.queue)
      return this.#refuse("submit", request.order.client_order_id, "M.GATEWAY.QUEUE_FULL");
    if (isBeyondCapital(this.#o.book, this.#o.fence, request))
      return this.#refuse(request.kind, idOf(request), "M.GATEWAY.CAPITAL");
    this.#board.add(taskOf(request, "send", now_us));
    this.#wake(0);
  }

  /**
   * The venue's own word, asked now that nothing more is sent: orders of ours that it still holds; `null`: it did not say.
   * Each is cancelled once more. What that is answered proves nothing; how many are left is for the next question.
   */
  async askOpen(): Promise<number | null> {
    const { venue, book, mayEmit } = this.#o;
    const open = await this.#ask(() => venue.openOrders());
    if (open === undefined) return null;
    const ours = open.flatMap(({ client_order_id: id }) =>
      book.order(id) !== undefined || book.isFinished(id) ? [id] : [],
    );
    for (const id of ours) {
      this.#note("still_open", "M.GATEWAY.STILL_OPEN", id, "");
      if (!(await this.#turn()) || !mayEmit()) break;
      await venue.cancel(id);
    }
    return ours.length;
  }

  close(): void {
    this.#closed = true;
    this.#cancelWake();
    this.#o.venue.close();
  }

  /** What an earlier life left unsettled: the venue is asked first. */
  #adopt(): void {
    for (const { order, state, submitted_us, cancel_wished, amend_wished } of this.#o.book.live()) {
      const { client_order_id, instrument } = order;
      if (state === "sent" && !this.#board.has(client_order_id, "submit")) {
        const task = taskOf({ kind: "submit", order }, "ask", submitted_us);
        task.void_at_us = this.#voidAt();
        this.#board.add(task);
      }
      if (amend_wished !== null && !this.#board.has(client_order_id, "amend"))
        this.#board.add(taskOf({ kind: "amend", client_order_id, instrument, ...amend_wished }, "ask", submitted_us));
      if (cancel_wished && !this.#board.has(client_order_id, "cancel"))
        this.#board.add(taskOf({ kind: "cancel", client_order_id }, "send", submitted_us));
    }
  }

  #wake(after_ms: number): void {
    if (this.#closed) return;
    this.#cancelWake();
    this.#cancelWake = this.#timers.after(Math.min(after_ms, 1_000), () => this.#pump());
  }

  #pump(): void {
    if (this.#closed) return;
    const now_ms = this.#o.monotonic();
    if (!this.#reconciling && now_ms >= this.#reconcileAt_ms) void this.#reconcile();
    while (this.#board.inFlight < this.#o.limits.in_flight) {
      const task = this.#board.next(now_ms);
      if (task === undefined) break;
      const wait_ms = this.#budget.take(now_ms);
      if (wait_ms > 0) return this.#wake(wait_ms);
      // The fence: asked here, in the same turn of the loop in which the request leaves.
      if (!this.#o.mayEmit()) return this.#fence();
      const submits = task.action === "submit" && task.phase === "send";
      this.#board.take(task);
      void this.#perform(task)
        .catch((problem: unknown) => this.#doubt(task, causeText(problem)))
        .then((isOver) => {
          this.#board.back(task, submits, isOver);
          this.#pump();
        });
    }
    // While a comparison is under way the next one's moment is nothing to wake for; its end wakes.
    const compareIn_ms = this.#reconciling ? Infinity : Math.max(0, this.#reconcileAt_ms - now_ms);
    this.#wake(Math.min(this.#board.rest(now_ms), compareIn_ms));
  }

  /** The lease is over: what waits belongs to the successor, which finds it unsettled and asks. */
  #fence(): void {
    this.#fenced += this.#board.size;
    this.close();
  }

  /** Answers whether the task is over. */
  #perform(task: Task): Promise<boolean> {
    switch (task.action) {
      case "submit":
        return this.#submit(task);
      case "cancel":
        return this.#cancel(task);
      case "amend":
        return this.#amend(task);
    }
  }

  async #submit(task: Extract<Task, { action: "submit" }>): Promise<boolean> {
    const { client_order_id: id, order } = task;
    const { limits, wallNow, venue, book } = this.#o;
    const known = book.order(id);
    if (known === undefined || known.state === "open") {
      this.#settled(task, "told");
      return true;
    }
    const isUnwanted = known.cancel_wished || wallNow() - task.submitted_us > limits.order_wait_ms * 1_000;
    if (task.phase === "ask") return this.#askAfterSubmit(task, isUnwanted);
    if (isUnwanted && task.sends === 0)
      return this.#giveUp(id, known.cancel_wished ? "M.GATEWAY.CANCELLED_UNSENT" : "M.GATEWAY.EXPIRED");
    if (isUnwanted) {
      // It was wanted when the venue was asked and is not any more: nothing leaves, a copy is still waited for.
      task.phase = "ask";
      return false;
    }
    task.sends += 1;
    task.void_at_us = this.#voidAt();
    const answer = await venue.place(order);
    switch (answer.kind) {
      case "done":
        this.#settled(task, "accepted");
        this.#heard(answer.order);
        return true;
      case "rate_limited":
        task.sends -= 1;
        return this.#slowDown(answer.retry_after_ms);
      case "unknown":
        return this.#doubt(task, answer.problem);
      case "refused":
        task.sends -= 1;
        return this.#submitRefused(task, answer);
    }
  }

  async #submitRefused(task: Extract<Task, { action: "submit" }>, answer: Refused): Promise<boolean> {
    const id = task.client_order_id;
    if (answer.refusal === "duplicate") {
      // The id is known there: an earlier copy arrived.
      task.phase = "ask";
      return false;
    }
    if (answer.refusal === "clock" && (await this.#correctClock(task))) return false;
    // A copy that nobody knows the outcome of may still be on its way: its word is awaited, not this one's.
    if (task.sends > 0) return this.#doubt(task, answer.reason_code);
    if (answer.refusal === "key") this.#note("key_refused", answer.reason_code, id, "");
    this.#note("order_rejected", answer.reason_code, id, answer.refusal);
    return this.#giveUp(id, answer.reason_code);
  }

  async #askAfterSubmit(task: Extract<Task, { action: "submit" }>, isUnwanted: boolean): Promise<boolean> {
    const id = task.client_order_id;
    const asked = await this.#o.venue.query(id);
    if (asked.kind !== "answer") return this.#askAgain(task, asked);
    if (asked.value !== null) {
      this.#settled(task, asked.value.state);
      this.#heard(asked.value);
      return true;
    }
    if (!isUnwanted && task.sends < this.#o.limits.sends) {
      // The venue's word that it does not know the id: the same order, under the same id, once more.
      task.phase = "send";
      return false;
    }
    if (asked.time_us <= task.void_at_us) return this.#rest(task);
    this.#settled(task, "never_arrived");
    return this.#giveUp(id, "M.GATEWAY.NEVER_ARRIVED");
  }

  async #cancel(task: Task): Promise<boolean> {
    const id = task.client_order_id;
    if (this.#o.book.order(id) === undefined) return true;
    const answer = await this.#o.venue.cancel(id);
    switch (answer.kind) {
      case "done":
        this.#heard(answer.order);
        return true;
      case "rate_limited":
        return this.#slowDown(answer.retry_after_ms);
      // A cancel is sent again until the venue says how the order stands: twice does no harm, never does.
      case "unknown":
        return this.#doubt(task, answer.problem);
      case "refused":
        if (answer.refusal === "order_closed" || answer.refusal === "unknown_order") {
          if (answer.order !== null) this.#heard(answer.order);
          this.#refuse("cancel", id, answer.reason_code);
          return true;
        }
        if (answer.refusal === "key") this.#note("key_refused", answer.reason_code, id, "");
        if (answer.refusal === "clock") await this.#correctClock(task);
        return this.#rest(task);
    }
  }

  async #amend(task: Extract<Task, { action: "amend" }>): Promise<boolean> {
    const id = task.client_order_id;
    const { instrument, price, quantity } = task;
    const known = this.#o.book.order(id);
    if (known === undefined) return true;
    if (task.phase === "ask") {
      const asked = await this.#o.venue.query(id);
      if (asked.kind !== "answer") return this.#askAgain(task, asked);
      if (asked.value !== null) this.#heard(asked.value);
      if (asked.value?.state !== "open" || (asked.value.price === price && asked.value.quantity === quantity))
        return true;
      task.phase = "send";
      return false;
    }
    const answer = await this.#o.venue.amend(id, { instrument, price, quantity });
    switch (answer.kind) {
      case "done":
        this.#heard(answer.order);
        return true;
      case "rate_limited":
        return this.#slowDown(answer.retry_after_ms);
      case "unknown":
        return this.#doubt(task, answer.problem);
      case "refused":
        if (answer.refusal === "clock" && (await this.#correctClock(task))) return false;
        if (answer.order !== null) this.#heard(answer.order);
        this.#refuse("amend", id, answer.reason_code);
        return true;
    }
  }

  #doubt(task: Task, problem: string): boolean {
    if (task.phase === "send" && task.tries === 0)
      this.#note("outcome_unknown", "M.GATEWAY.OUTCOME_UNKNOWN", task.client_order_id, `${task.action}: ${problem}`);
    if (task.action !== "cancel") task.phase = "ask";
    return this.#rest(task);
  }

  #askAgain(task: Task, asked: Exclude<Asked<unknown>, { kind: "answer" }>): boolean {
    if (asked.kind === "rate_limited") return this.#slowDown(asked.retry_after_ms);
    if (asked.kind === "refused" && asked.refusal === "clock") void this.#correctClock(task);
    if (asked.kind === "refused" && asked.refusal === "key" && task.tries === 0)
      this.#note("key_refused", asked.reason_code, task.client_order_id, "");
    return this.#rest(task);
  }

  #rest(task: Task): false {
    const { backoff_ms, backoff_max_ms } = this.#o.limits;
    task.not_before_ms = this.#o.monotonic() + Math.min(backoff_max_ms, backoff_ms * 2 ** task.tries);
    task.tries += 1;
    return false;
  }

  #slowDown(retry_after_ms: number): false {
    this.#budget.pause(this.#o.monotonic() + retry_after_ms);
    this.#note("rate_limited", "M.GATEWAY.RATE_LIMITED", null, `${retry_after_ms} ms`);
    return false;
  }

  /** Whether it is worth another try. */
  async #correctClock(task: Task): Promise<boolean> {
    if (task.clock_syncs >= this.#o.limits.clock_syncs) return false;
    task.clock_syncs += 1;
    return this.#syncClock();
  }

  async #syncClock(): Promise<boolean> {
    const asked = await this.#o.venue.syncClock();
    if (asked.kind !== "answer") return false;
    const moved_us = asked.value - this.#lead_us;
    this.#lead_us = asked.value;
    if (Math.abs(moved_us) > 250_000)
      this.#note("clock_corrected", "M.GATEWAY.CLOCK", null, `${Math.round(asked.value / 1_000)} ms ahead of ours`);
    return true;
  }

  #giveUp(id: ClientOrderId, reason_code: string): true {
    this.#refuse("submit", id, reason_code);
    return true;
  }

  #settled(task: Task, how: string): void {
    if (task.phase === "ask") this.#note("outcome_resolved", null, task.client_order_id, how);
  }

  #heard(order: OrderSnapshot): void {
    const id = order.client_order_id;
    this.#report({ kind: "order", order });
    if (order.filled === 0 || this.#o.book.order(id) === undefined) return;
    this.#heardFilled.set(id, Math.max(order.filled, this.#heardFilled.get(id) ?? 0));
    this.#reconcileSoon(SOON_MS);
  }

  #reconcileSoon(after_ms: number): void {
    this.#reconcileAt_ms = Math.min(this.#reconcileAt_ms, this.#o.monotonic() + after_ms);
    this.#wake(0);
  }

  /** Whether the venue said of some order that it is filled further than we have fills for. */
  #missesFills(): boolean {
    for (const [id, filled] of this.#heardFilled) {
      const known = this.#o.book.order(id);
      if (known === undefined) this.#heardFilled.delete(id);
      else if (known.filled < filled) return true;
    }
    return false;
  }

  /** Compares everything: fills since the last comparison, open orders there and here. */
  async #reconcile(): Promise<void> {
    this.#reconciling = true;
    this.#reconcileAt_ms = Infinity;
    const done = await this.#compare();
    this.#reconciling = false;
    this.#reconcileTries = done ? 0 : this.#reconcileTries + 1;
    const { backoff_ms, backoff_max_ms, reconcile_every_ms } = this.#o.limits;
    const wait_ms = done ? reconcile_every_ms : Math.min(backoff_max_ms, backoff_ms * 2 ** this.#reconcileTries);
    this.#reconcileAt_ms = Math.min(this.#reconcileAt_ms, this.#o.monotonic() + wait_ms);
    if (done && this.#missesFills()) this.#reconcileSoon(SOON_MS * 5);
    this.#wake(0);
  }

  async #compare(): Promise<boolean> {
    const { venue, book } = this.#o;
    if (!(await this.#syncClock())) return false;
    let upTo = book.fillsUpTo;
    for (;;) {
      const page = await this.#ask(() => venue.fillsAfter(upTo));
      if (page === undefined) return false;
      if (page.length === 0) break;
      for (const fill of page) this.#report({ kind: "fill", fill });
      upTo = page.at(-1)?.number ?? upTo;
    }
    const open = await this.#ask(() => venue.openOrders());
    if (open === undefined) return false;
    for (const order of open) {
      if (book.order(order.client_order_id) !== undefined) this.#heard(order);
      else if (!book.isFinished(order.client_order_id)) this.#tellForeign(order);
    }
    const there = new Set(open.map((order) => order.client_order_id));
    for (const { order, state } of book.live()) {
      const id = order.client_order_id;
      if (state !== "open" || there.has(id)) continue;
      const now = await this.#ask(() => venue.query(id));
      if (now === undefined) return false;
      if (now !== null) this.#heard(now);
    }
    this.#adopt();
    this.#report({ kind: "fills_up_to", number: upTo });
    this.#note("reconciled", null, null, `${open.length} open there`);
    return true;
  }

  /** Waits until the budget lets a request out; false when there is nobody left to send it. */
  async #turn(): Promise<boolean> {
    for (let wait_ms = this.#budget.take(this.#o.monotonic()); wait_ms > 0;) {
      await pause(this.#timers, wait_ms);
      wait_ms = this.#budget.take(this.#o.monotonic());
    }
    return !this.#closed;
  }

  /** A question within the budget; `undefined` when it was not answered. */
  async #ask<T>(question: () => Promise<Asked<T>>): Promise<T | undefined> {
    if (!(await this.#turn())) return undefined;
    const asked = await question();
    if (asked.kind === "rate_limited") this.#slowDown(asked.retry_after_ms);
    if (asked.kind === "refused" && asked.refusal === "key" && this.#reconcileTries === 0)
      this.#note("key_refused", asked.reason_code, null, "");
    return asked.kind === "answer" ? asked.value : undefined;
  }

  /** A difference is told, never adopted: whoever sent it must say what it is for. */
  #tellForeign(order: OrderSnapshot): void {
    if (this.#foreign.has(order.client_order_id) || this.#foreign.size >= this.#o.limits.finished_orders) return;
    this.#foreign.add(order.client_order_id);
    this.#note("foreign_order", "M.GATEWAY.FOREIGN_ORDER", order.client_order_id, order.venue_order_id);
  }

  #voidAt(): number {
    return this.#o.wallNow() + this.#lead_us + this.#o.venue.recv_window_ms * 1_000;
  }

  #refuse(action: "submit" | "cancel" | "amend", client_order_id: ClientOrderId, reason_code: string): void {
    this.#report({ kind: "refused", action, client_order_id, reason_code, time_us: this.#o.wallNow() });
  }

  #report(report: VenueReport): void {
    this.#o.emit({ input: "venue_report", report, received_time_us: this.#o.wallNow() });
  }

  #note(condition: GatewayCondition, reason_code: string | null, client_order_id: string | null, detail: string): void {
    this.#o.emit({
      input: "gateway",
      condition,
      reason_code,
      client_order_id,
      detail,
      received_time_us: this.#o.wallNow(),
    });
  }
}

const idOf = (request: Outgoing): ClientOrderId =>
  request.kind === "submit" ? request.order.client_order_id : request.client_order_id;
