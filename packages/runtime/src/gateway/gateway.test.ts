/** The gateway's limits and rules one by one, against a venue whose words the test writes; the real one is in live.test.ts. */
import type { ClientOrderId } from "@rumi/kernel";
import {
  DEMO_INSTRUMENT,
  type Asked,
  type ExecutionVenue,
  type NewOrder,
  type OrderSnapshot,
  type UpdateSink,
  type VenueAnswer,
} from "@rumi/venues";
import { afterEach, describe, expect, it } from "vitest";
import { ExternalVenue } from "./external-venue.ts";
import { OrderGateway } from "./gateway.ts";
import { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import { RateBudget } from "./rate-budget.ts";
import type { GatewayInput } from "./reports.ts";

const id = (text: string): ClientOrderId => text as ClientOrderId;
const order = (text: string): NewOrder => ({
  client_order_id: id(text),
  instrument: 0,
  side: "buy",
  type: "limit",
  time_in_force: "gtc",
  price: 100,
  quantity: 10,
  reduce_only: false,
  post_only: false,
});
const there = (text: string): OrderSnapshot => ({
  client_order_id: id(text),
  venue_order_id: `v-${text}`,
  instrument: 0,
  side: "buy",
  price: 100,
  quantity: 10,
  filled: 0,
  state: "open",
  reason_code: null,
  updated_us: 1,
});
const done = (text: string): VenueAnswer => ({ kind: "done", order: there(text), time_us: 1 });

/** Says what it was told to say, and writes down what it was asked. */
class Script implements ExecutionVenue {
  readonly recv_window_ms = 50;
  readonly asked: string[] = [];
  sink: UpdateSink | undefined;
  open: readonly OrderSnapshot[] = [];
  async place({ client_order_id }: NewOrder): Promise<VenueAnswer> {
    this.asked.push(`place ${client_order_id}`);
    return this.onPlace(client_order_id);
  }
  onPlace: (of: string) => VenueAnswer | Promise<VenueAnswer> = done;
  onQuery: (of: string) => Asked<OrderSnapshot | null> = () => ({
    kind: "answer",
    value: null,
    time_us: Date.now() * 1_000,
  });
  async cancel(of: ClientOrderId): Promise<VenueAnswer> {
    return this.#said(`cancel ${of}`, {
      kind: "done",
      order: { ...there(of), state: "cancelled", updated_us: 2 },
      time_us: 1,
    });
  }
  async amend(of: ClientOrderId): Promise<VenueAnswer> {
    return this.#said(`amend ${of}`, done(of));
  }
  async query(of: ClientOrderId): Promise<Asked<OrderSnapshot | null>> {
    return this.#said(`query ${of}`, this.onQuery(of));
  }
  async openOrders(): Promise<Asked<readonly OrderSnapshot[]>> {
    return { kind: "answer", value: this.open, time_us: 1 };
  }
  async fillsAfter(): Promise<Asked<readonly []>> {
    return { kind: "answer", value: [], time_us: 1 };
  }
  async syncClock(): Promise<Asked<number>> {
    return { kind: "answer", value: 0, time_us: 1 };
  }
  listen(sink: UpdateSink): void {
    this.sink = sink;
  }
  close(): void {
    this.sink = undefined;
  }
  #said<T>(what: string, answer: T): T {
    this.asked.push(what);
    return answer;
  }
}

const open: OrderGateway[] = [];
afterEach(() => open.splice(0).forEach((one) => one.close()));

function scene(change: Partial<GatewayLimits> = {}, mayEmit = (): boolean => true, capital = 10n ** 20n) {
  const venue = new Script();
  const book = new ExternalVenue([DEMO_INSTRUMENT]);
  const inputs: GatewayInput[] = [];
  const gateway = new OrderGateway({
    venue,
    book,
    fence: { instruments: [DEMO_INSTRUMENT], capital },
    mayEmit,
    monotonic: () => performance.now(),
    wallNow: () => Math.round((performance.timeOrigin + performance.now()) * 1_000),
    emit: (input) => {
      inputs.push(input);
      if (input.input === "venue_report") book.take(input.report, []);
    },
    limits: { ...GATEWAY_LIMITS, requests_per_second: 1_000, backoff_ms: 5, ...change },
  });
  open.push(gateway);
  book.onOutgoing = (request) => gateway.accept(request);
  const submit = (text: string): void =>
    book.submit(order(text), Math.round((performance.timeOrigin + performance.now()) * 1_000));
  const reasons = (): string[] =>
    inputs.flatMap((one) =>
      one.input === "venue_report" && one.report.kind === "refused" ? [one.report.reason_code] : [],
    );
  const conditions = (): string[] => inputs.flatMap((one) => (one.input === "gateway" ? [one.condition] : []));
  return { venue, book, gateway, inputs, submit, reasons, conditions };
}
async function until(what: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; !what();) {
    if (performance.now() > end) throw new Error(`waited for ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
const sends = (venue: Script, of: string): number => venue.asked.filter((one) => one === `place ${of}`).length;

describe("outcome policy", () => {
  it("[M-8.2.2] what nobody knows is asked about before anything is sent again, and then under the same id", async () => {
    const { venue, submit, gateway, book } = scene();
    const words: VenueAnswer[] = [{ kind: "unknown", problem: "no answer in time" }, done("a")];
    venue.onPlace = () => words.shift() ?? done("a");
    gateway.begin();
    submit("a");
    await until(() => book.order("a")?.state === "open");
    expect(venue.asked).toEqual(["place a", "query a", "place a"]);
  });

  it("[M-8.2.2] a venue that never answers is no rejection; its word after the last possible arrival is one", async () => {
    const { venue, submit, gateway, reasons, conditions } = scene({ sends: 1 });
    venue.onPlace = () => ({ kind: "unknown", problem: "dropped" });
    let answers = false;
    venue.onQuery = () =>
      answers ? { kind: "answer", value: null, time_us: Date.now() * 1_000 } : { kind: "unknown", problem: "dropped" };
    gateway.begin();
    submit("a");
    await until(() => venue.asked.length > 4);
    expect([reasons(), sends(venue, "a")], "in doubt").toEqual([[], 1]);
    answers = true;
    await until(() => reasons().length > 0);
    expect(reasons()).toEqual(["M.GATEWAY.NEVER_ARRIVED"]);
    expect(sends(venue, "a")).toBe(1);
    expect(conditions().filter((one) => one.startsWith("outcome"))).toEqual(["outcome_unknown", "outcome_resolved"]);
  });

  it("[M-8.2.2] that the venue does not know the id yet proves nothing while a copy may still arrive", async () => {
    const { venue, submit, gateway, reasons } = scene({ sends: 1 });
    venue.onPlace = () => ({ kind: "unknown", problem: "dropped" });
    let venue_us = 1;
    venue.onQuery = () => ({ kind: "answer", value: null, time_us: venue_us });
    gateway.begin();
    submit("a");
    await until(() => venue.asked.length > 5);
    expect([reasons(), sends(venue, "a")]).toEqual([[], 1]);
    venue_us = (Date.now() + 1_000) * 1_000;
    await until(() => reasons().length > 0);
    expect(reasons()).toEqual(["M.GATEWAY.NEVER_ARRIVED"]);
  });

  it("[M-8.2.2] [L-N4] cancelled between the venue's word that it knows nothing and the next sending, it is not sent again", async () => {
    const { venue, submit, gateway, book, reasons } = scene();
    venue.onPlace = () => ({ kind: "unknown", problem: "no answer in time" });
    const time_us = (): number => Math.round((performance.timeOrigin + performance.now()) * 1_000);
    venue.onQuery = () => {
      // In the turn of the loop that follows the answer, as a kill switch's word may come.
      if (sends(venue, "a") === 1) queueMicrotask(() => book.cancel(id("a")));
      return { kind: "answer", value: null, time_us: time_us() };
    };
    gateway.begin();
    submit("a");
    await until(() => reasons().includes("M.GATEWAY.NEVER_ARRIVED"));
    expect(sends(venue, "a")).toBe(1);
  });

  it("[M-8.2.2] what an earlier life left in doubt is asked about first; found, it is not sent", async () => {
    const { venue, submit, gateway, book } = scene();
    book.onOutgoing = null;
    submit("a");
    submit("b");
    venue.onQuery = (of) => ({ kind: "answer", value: of === "a" ? there("a") : null, time_us: 1 });
    gateway.begin();
    await until(() => book.live().every((one) => one.state === "open"));
    expect([sends(venue, "a"), sends(venue, "b")]).toEqual([0, 1]);
    expect(venue.asked.indexOf("query b")).toBeLessThan(venue.asked.indexOf("place b"));
  });

  it("an order of somebody else is told once and left alone", async () => {
    const { venue, gateway, conditions, book } = scene({ reconcile_every_ms: 10 });
    venue.open = [there("foreign")];
    gateway.begin();
    await until(() => conditions().filter((one) => one === "reconciled").length > 2);
    expect(conditions().filter((one) => one === "foreign_order")).toHaveLength(1);
    expect([book.live(), venue.asked]).toEqual([[], []]);
  });
});

describe("limits", () => {
  it("[M-7.1.2] nothing leaves once the lease is over, not even what was accepted before", async () => {
    let held = true;
    const { venue, submit, gateway, book } = scene({}, () => held);
    gateway.begin();
    submit("a");
    await until(() => book.order("a")?.state === "open");
    submit("b");
    held = false;
    book.cancel(id("a"));
    await until(() => gateway.fenced > 0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(venue.asked).toEqual(["place a"]);
    expect(gateway.fenced).toBe(2);
    expect(book.order("b")?.state, "the successor's to resolve").toBe("sent");
  });

  it("the queue is bounded: an order beyond it is refused and never left, a cancel is always taken", async () => {
    const { venue, submit, gateway, reasons, book } = scene({ queue: 3 });
    let release: () => void = () => undefined;
    const wait = new Promise<void>((resolve) => (release = resolve));
    venue.onPlace = async (of) => (await wait, done(of));
    gateway.begin();
    for (const one of ["a", "b", "c", "d"]) submit(one);
    expect(reasons()).toEqual(["M.GATEWAY.QUEUE_FULL"]);
    book.cancel(id("c"));
    expect(gateway.queued).toBe(4);
    release();
    await until(() => gateway.queued === 0);
    expect(venue.asked.filter((one) => one.startsWith("place"))).toEqual(["place a", "place b"]);
    expect(reasons()).toEqual(["M.GATEWAY.QUEUE_FULL", "M.GATEWAY.CANCELLED_UNSENT"]);
  });

  it("an order that waited too long is not sent any more", async () => {
    const { venue, submit, gateway, reasons } = scene({ order_wait_ms: 500 });
    venue.onPlace = () => ({ kind: "rate_limited", retry_after_ms: 900 });
    gateway.begin();
    submit("a");
    await until(() => reasons().length > 0);
    expect([reasons(), sends(venue, "a")]).toEqual([["M.GATEWAY.EXPIRED"], 1]);
  });

  it("cancels go before orders, and orders one after another in their sequence", async () => {
    const { venue, submit, gateway, book } = scene();
    gateway.begin();
    submit("a");
    await until(() => book.order("a")?.state === "open");
    for (const one of ["b", "c", "d"]) submit(one);
    book.cancel(id("a"));
    await until(() => gateway.queued === 0);
    expect(venue.asked).toEqual(["place a", "cancel a", "place b", "place c", "place d"]);
  });

  it("a budget refills with time and rests while it is paused", () => {
    const budget = new RateBudget(2, 0);
    expect([budget.take(0), budget.take(0), budget.take(0)]).toEqual([0, 0, 500]);
    expect(budget.take(500)).toBe(0);
    budget.pause(3_000);
    expect(budget.take(1_000)).toBe(2_000);
    expect([budget.take(3_000), budget.take(3_000)], "no more than a second's worth is saved up").toEqual([0, 0]);
    expect(budget.take(3_000)).toBeGreaterThan(0);
  });
});

describe("[L-07] [L-36] [L-N13] capital where orders leave, with nobody before it", () => {
  /** What two orders are worth; one of them is 1.00 × 0.010. */
  const TWO = 2_000_000n;

  it("what fits leaves; an order beyond the capital never does and says so, to the last unit", async () => {
    const { venue, submit, gateway, book, reasons } = scene({}, undefined, TWO);
    gateway.begin();
    for (const name of ["a", "b", "c"]) submit(name);
    await until(() => book.order("b")?.state === "open");
    expect([reasons(), book.order("c"), sends(venue, "c")]).toEqual([["M.GATEWAY.CAPITAL"], undefined, 0]);
    const short = scene({}, undefined, TWO - 1n);
    short.gateway.begin();
    for (const name of ["a", "b"]) short.submit(name);
    await until(() => short.book.order("a")?.state === "open");
    expect([short.reasons(), sends(short.venue, "b")]).toEqual([["M.GATEWAY.CAPITAL"], 0]);
  });

  it("an amendment that grows beyond it stays here; one that shrinks, a cancel and a reduce-only order leave", async () => {
    const { venue, submit, gateway, book, reasons } = scene({}, undefined, TWO);
    gateway.begin();
    submit("a");
    submit("b");
    await until(() => book.order("b")?.state === "open");
    book.amend(id("a"), { price: 100, quantity: 11 });
    expect(reasons()).toEqual(["M.GATEWAY.CAPITAL"]);
    book.amend(id("a"), { price: 100, quantity: 9 });
    book.submit({ ...order("r"), side: "sell", reduce_only: true }, 0);
    book.cancel(id("b"));
    await until(() => ["amend a", "cancel b"].every((one) => venue.asked.includes(one)));
    expect(reasons().filter((one) => one === "M.GATEWAY.CAPITAL")).toHaveLength(1);
  });
});
