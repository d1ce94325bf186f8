import { join } from "node:path";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { hosted, type Hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import { market, spec } from "../../test/support.ts";
import type { BreakerConfig, BreakerMode } from "../breaker/config.ts";
import type { InstanceSpec, JournalEntry } from "../protocol.ts";
import { comparable, isReproduced } from "./recorder.ts";

const folders: { remove: () => void }[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));
const run = (change: Partial<InstanceSpec> = {}): InstanceSpec => {
  const folder = temporaryFolder();
  folders.push(folder);
  return spec(join(folder.path, "run"), change);
};
const of = <Kind extends JournalEntry["kind"]>(
  entries: readonly JournalEntry[],
  kind: Kind,
): readonly Extract<JournalEntry, { kind: Kind }>[] =>
  entries.filter((entry): entry is Extract<JournalEntry, { kind: Kind }> => entry.kind === kind);

const position = ({ venue }: Hosted): number => venue.positions()[0]?.quantity ?? 0;

/** Runs until it holds something and has an order at the market, then a person trips its breaker. */
async function tripped(one: InstanceSpec, mode: BreakerMode): Promise<Hosted> {
  const it = await hosted(one);
  while (position(it) === 0 || it.venue.openOrders().length === 0) {
    await it.host.turn();
    if (it.host.phase !== "running") throw new Error("it never held anything");
  }
  const told = it.host.input({ input: "breaker", action: "trip", mode, actor: "root", reason: "drill" });
  await it.host.turn();
  expect((await told).ok).toBe(true);
  return it;
}
/** Takes so many rows. What the test has seen is on the disk then, however seldom a busy machine gets to it. */
async function rows({ host }: Pick<Hosted, "host">, count: number): Promise<void> {
  const until = host.status().cursor + count;
  while (host.status().cursor < until && host.phase === "running") await host.turn();
  await host.checkpoint("seen");
}
const afterTrip = (one: InstanceSpec): readonly JournalEntry[] => {
  const entries = journalOf(one);
  return entries.slice(entries.findIndex((entry) => entry.kind === "breaker"));
};
const strategyOrders = (entries: readonly JournalEntry[]) =>
  of(entries, "intent").filter(({ intent }) => intent["kind"] === "order" && intent["origin"] === undefined);

describe("circuit breaker at the simulated exchange", () => {
  it("[M-9.2.1] NoTrade: no order leaves, what is open stays open; health says why", async () => {
    const one = run();
    const it = await tripped(one, "no_trade");
    expect(it.host.status()).toMatchObject({ health_state: "degraded", reason_code: "M.BREAKER.OPERATOR" });
    await rows(it, 4_000);
    const orders = strategyOrders(afterTrip(one));
    expect(orders.length).toBeGreaterThan(5);
    expect(new Set(orders.map(({ verdict, reason_code }) => `${verdict} ${reason_code}`))).toEqual(
      new Set(["discarded M.DEGRADE.NO_TRADE"]),
    );
    const ended = of(afterTrip(one), "order").filter(({ report }) => report["report"] === "cancelled");
    // The strategy itself may cancel; nobody else did.
    expect(ended.length).toBeLessThanOrEqual(
      of(afterTrip(one), "intent").filter((e) => e.intent["kind"] === "cancel").length,
    );
  });

  it("[M-9.2.1] ReduceOnly: only what shrinks the position leaves, marked reduce-only", async () => {
    const one = run();
    const it = await tripped(one, "reduce_only");
    await rows(it, 6_000);
    const orders = strategyOrders(afterTrip(one));
    const sent = orders.filter(({ verdict }) => verdict !== "discarded");
    expect(orders.some(({ reason_code }) => reason_code === "M.DEGRADE.REDUCE_ONLY")).toBe(true);
    for (const { intent } of sent) expect(intent["normalised"] ?? intent).toMatchObject({ reduce_only: true });
  });

  it("[M-9.2.1] CancelAll: the exchange has no order of it any more, and none follows", async () => {
    const one = run();
    const it = await tripped(one, "cancel_all");
    await rows(it, 3_000);
    expect(it.venue.openOrders()).toEqual([]);
    expect(of(afterTrip(one), "order").some(({ report }) => report["report"] === "cancelled")).toBe(true);
    expect(strategyOrders(afterTrip(one)).every(({ verdict }) => verdict === "discarded")).toBe(true);
  });

  it("[M-9.2.1] [M-15.4] HedgeToFlat: reduce-only orders of the runtime, with the same ids in every life, until nothing is held", async () => {
    const one = run();
    const first = await tripped(one, "hedge_to_flat");
    await rows(first, 3_000);
    expect([position(first), first.venue.openOrders()]).toEqual([0, []]);
    const own = of(afterTrip(one), "intent").filter(({ intent }) => intent["origin"] === "runtime");
    expect(own.length).toBeGreaterThan(0);
    for (const { intent, reason_code, verdict } of own) {
      expect([verdict, reason_code]).toEqual(["forwarded", "M.BREAKER.HEDGE"]);
      expect(intent).toMatchObject({ reduce_only: true, order_type: "market" });
      expect(Number(intent["idempotency_key"])).toBeGreaterThanOrEqual(2 ** 52);
    }
    const filled = of(afterTrip(one), "fill").filter(({ fill }) => Number(fill["idempotency_key"]) >= 2 ** 52);
    expect(filled.length).toBeGreaterThan(0);
    // [M-0.7] The process dies; another life makes the same orders from the journal and does not send a second set.
    const before = journalOf(one);
    loseCheckpoints(one);
    const again = await hosted({ ...one, start: "resume", epoch: 2 });
    expect(journalOf(one).slice(0, before.length)).toEqual(before);
    expect(position(again)).toBe(0);
    const ids = (entries: readonly JournalEntry[]) =>
      of(entries, "intent").flatMap((e) => (e.intent["origin"] === "runtime" ? [e.client_order_id] : []));
    expect(ids(journalOf(one))).toEqual(ids(before));
    // A person closes it; the strategy trades again.
    const told = again.host.input({ input: "breaker", action: "reset", actor: "root", reason: "looked at" });
    await again.host.turn();
    expect((await told).ok).toBe(true);
    await rows(again, 6_000);
    const closed = of(journalOf(one), "breaker").at(-1);
    expect(closed?.breaker).toEqual({
      state: "closed",
      mode: null,
      trigger: null,
      reason_code: "M.BREAKER.BACK_OPERATOR",
    });
    expect(again.host.status().health_state).toBe("healthy");
    expect(strategyOrders(journalOf(one)).at(-1)?.verdict).toBe("forwarded");
  });

  it("[M-9.2.2] [M-0.7] it opens by flagged rows, comes back after its cooldown by event time, and a replay makes the same of it", async () => {
    const feed = market(20_000);
    for (let row = 4_000; row < 4_010; row += 1) feed.flags[row] = 2;
    const breaker: BreakerConfig = {
      rules: { input_quality: { count: 5, within_us: 60_000_000, mode: "cancel_all" } },
      back: { kind: "cooldown", after_us: 600_000_000 },
    };
    // The breaker alone is looked at here.
    const one = run({ breaker, data_quality: { gap: "ignore" } });
    const { host } = await hosted(one, { feed });
    while (host.phase === "running") await host.turn();
    const [open, back] = of(journalOf(one), "breaker");
    expect(open).toMatchObject({
      cursor: 4_004,
      breaker: { state: "open", mode: "cancel_all", trigger: "input_quality" },
    });
    expect(back?.breaker).toMatchObject({ state: "closed", reason_code: "M.BREAKER.BACK_COOLDOWN" });
    expect((back?.event_time_us ?? 0) - (open?.event_time_us ?? 0)).toBeGreaterThanOrEqual(600_000_000);
    const health = of(journalOf(one), "health").map((entry) => [entry.health_state, entry.reason_code]);
    expect(health.slice(0, 2)).toEqual([
      ["degraded", "M.BREAKER.INPUT_QUALITY"],
      ["healthy", null],
    ]);
    const before = journalOf(one).filter(isReproduced).map(comparable);
    loseCheckpoints(one);
    await hosted({ ...one, start: "resume", epoch: 2 }, { feed });
    expect(journalOf(one).filter(isReproduced).map(comparable)).toEqual(before);
  });

  it("[M-9.1.1] a flood of intents trips it by the gate's own count, without a clock", async () => {
    const feed = market(20_000);
    // The fixture answers this price with 64 orders at once; the descriptor allows 8 an event.
    for (let row = 300; row < 310; row += 1) feed.price[row] = 666_668;
    const one = run({
      breaker: {
        rules: { excess_intents: { count: 100, within_us: 60_000_000, mode: "no_trade" } },
        back: { kind: "manual" },
      },
    });
    await rows(await hosted(one, { feed }), 2_000);
    const [open] = of(journalOf(one), "breaker");
    expect(open?.breaker).toMatchObject({ trigger: "excess_intents", reason_code: "M.BREAKER.EXCESS_INTENTS" });
    expect(DEMO_INSTRUMENT.tick_size).toBe(1);
  });
});

describe("newest first", () => {
  it("[M-3.1.1] [M-4.2.1] [M-0.7] conflated rows reach the venue and not the strategy, are counted, and a replay passes over the same", async () => {
    const one = run();
    const plain = run();
    const it = await hosted(one);
    await rows(it, 3_000);
    const from = it.host.status().cursor;
    const told = it.host.input({ input: "conflate", until: from + 2_500 });
    await it.host.turn();
    expect((await told).ok).toBe(true);
    while (it.host.phase === "running") await it.host.turn();
    expect(it.host.status().counters["events_conflated_total"]).toBe(2_499);
    expect(it.host.status().events_total).toBe(20_000);
    const whole = await hosted(plain);
    while (whole.host.phase === "running") await whole.host.turn();
    const reproduced = (x: InstanceSpec) => journalOf(x).filter(isReproduced).map(comparable);
    expect(reproduced(one), "the strategy saw other rows").not.toEqual(reproduced(plain));
    const before = journalOf(one);
    loseCheckpoints(one);
    const again = await hosted({ ...one, start: "resume", epoch: 2 });
    expect(journalOf(one).slice(0, before.length)).toEqual(before);
    expect(again.host.status().counters["events_conflated_total"]).toBe(2_499);
  });
});
