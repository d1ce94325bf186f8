import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { NO_INSTRUMENT, REFUSAL } from "@rumi/abi";
import { DEMO_INSTRUMENT, FeedBuilder, type MarketFeed } from "@rumi/venues";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import { type Heard, ScriptedStrategy, type ToldReport, type Wish } from "../../test/scripted.ts";
import { descriptor, spec } from "../../test/support.ts";
import { REFUSALS_BEYOND_CAP_MAX, refusedIntent, refusedReport } from "../gate/refused.ts";
import type { IntentBody } from "../gate/intent.ts";
import type { InstanceSpec } from "../protocol.ts";
import { HEALTH_LIMITS } from "./health.ts";
import { RUN_RECORD_FILE } from "./run-record.ts";

const START = 1_767_603_600_000_000;
const SECOND = 1_000_000;
const folders: { remove: () => void }[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) folder.remove();
});

/** A trade a second at 100.00. */
function feed(rows: number): MarketFeed {
  const builder = new FeedBuilder(rows);
  for (let row = 0; row < rows; row += 1)
    builder.trade({
      instrument: 0,
      event_time_us: START + row * SECOND,
      received_time_us: START + row * SECOND + 100,
      flags: 0,
      price: 10_000,
      quantity: 1_000_000,
      aggressor: 0,
      trade_id: row + 1,
    });
  return builder.finish();
}
const buy = (quantity: number, price = 9_000): Wish => ({ side: "buy", type: "limit", price, quantity });
/** More than any capital. */
const HUGE = 2 ** 50;
/** The gate never lets this out. */
const NOTHING = buy(0);

type Script = Readonly<Record<number, readonly Wish[]>>;
type Answer = (report: ToldReport) => readonly Wish[];
type Case = {
  readonly script: Script;
  readonly answer?: Answer;
  readonly rows?: number;
  readonly change?: Partial<InstanceSpec>;
};
/** What it is, what it wishes at once, what it hears. */
type Row = readonly [string, readonly Wish[], readonly string[], Partial<InstanceSpec>];
const rowOf = (event: Heard): number => Math.round((event.event_time_us - START) / SECOND);

/** At the pace of a clock that the test moves: one row a second. */
async function open({ change = {}, ...of }: Case) {
  const folder = temporaryFolder();
  folders.push(folder);
  const base = spec(join(folder.path, "run"), change);
  return live({ ...base, venue: { ...base.venue, pace: { kind: "multiple", factor: 1 } } }, of);
}
async function live(of: InstanceSpec, { script, answer, rows = 20 }: Omit<Case, "change">) {
  const time = { ms: 0 };
  const strategy = new ScriptedStrategy((event) => script[rowOf(event)] ?? [], answer);
  const { host } = await hosted(of, { feed: feed(rows), strategy, monotonic: () => time.ms });
  const from = host.status().cursor;
  const to = async (row: number): Promise<void> => {
    time.ms = Math.max(time.ms, (row - from) * 1_000 + 1);
    while (host.status().cursor <= row && host.status().health_state !== "halted") await host.turn();
    await host.checkpoint("looked at");
  };
  const again = () =>
    live({ ...of, start: "resume", epoch: of.epoch + 1 }, { script, rows, ...(answer && { answer }) });
  return { of, host, strategy, to, again };
}
const intentsOf = (of: InstanceSpec): readonly string[] =>
  journalOf(of).flatMap((entry) =>
    entry.kind === "intent" ? [`${entry.cursor} ${entry.idempotency_key} ${entry.reason_code ?? entry.verdict}`] : [],
  );

describe("refused intents", () => {
  it.each<Row>([
    ["an order of nothing", [buy(0)], [`rejected 1 ${REFUSAL.intent}`], {}],
    ["an order beyond the capital", [buy(HUGE)], [`rejected 1 ${REFUSAL.limit}`], {}],
    ["a position beyond the capital", [{ target: -HUGE }], [`rejected 1 ${REFUSAL.limit}`], {}],
    ["a cancel of what is not there", [{ cancel: 77 }], [`cancel_rejected 77 ${REFUSAL.intent}`], {}],
    [
      "what is more than may be put out at once",
      [...Array<Wish>(8).fill({ target: 0 }), buy(1_000)],
      [`rejected 9 ${REFUSAL.rate}`],
      {},
    ],
    [
      "a type that the strategy may not send",
      [{ side: "buy", type: "market", price: 0, quantity: 1_000 }],
      [`rejected 1 ${REFUSAL.intent}`],
      { descriptor: { ...descriptor(), capabilities: { ...descriptor().capabilities, order_types: ["limit"] } } },
    ],
    [
      "a second one where one may wait for approval",
      [buy(1_000), buy(2_000)],
      [`rejected 2 ${REFUSAL.rate}`],
      { staging: { expires_after_us: 1_000 * SECOND, max_staged: 1 } },
    ],
  ])("[M-8.1.2] [M-1.1.2] %s comes back at once, with its key and its reason", async (_, wishes, expected, change) => {
    const run = await open({ script: { 1: wishes }, change });
    await run.to(1);
    expect(run.strategy.reports.map(({ report, key, reason }) => `${report} ${key} ${reason}`)).toEqual(expected);
    expect(run.strategy.reports.every(({ client_order_id }) => client_order_id === "")).toBe(true);
    // No order ever was: the record is the intent's own.
    expect(journalOf(run.of).filter(({ kind }) => kind === "order")).toEqual([]);
    await run.host.stop("test");
  });

  it("[M-8.1.3] a safety mode's refusal says that the moment forbids it; what the gate changed is told beside the order's reports", async () => {
    const instruments = [{ ...DEMO_INSTRUMENT, lot_size: 10 }];
    const run = await open({ script: { 2: [buy(1_000)], 5: [buy(1_000), buy(1_005)] }, change: { instruments } });
    await run.to(1);
    const safe = run.host.input({ input: "safety", mode: "SAFE", generation: 2 });
    await run.host.turn();
    await run.to(3);
    const normal = run.host.input({ input: "safety", mode: "NORMAL", generation: 3 });
    await run.host.turn();
    await Promise.all([safe, normal]);
    await run.to(8);
    expect(run.strategy.reports.map(({ report, key, reason }) => `${report} ${key} ${reason}`)).toEqual([
      `rejected 1 ${REFUSAL.restricted}`,
      `accepted 2 ${REFUSAL.none}`,
      `accepted 3 ${REFUSAL.changed}`,
    ]);
    await run.host.stop("test");
  });

  it("[M-0.7] [M-8.2.2] what is refused in answer to a refusal waits for the next row; killed there, it is told once and the run comes out again", async () => {
    const answer: Answer = ({ key, report }) => (report === "rejected" && key < 6 ? [NOTHING] : []);
    const script = { 1: [NOTHING], 9: [buy(1_000)], 12: [NOTHING] };
    const whole = await open({ script, answer });
    await whole.to(15);
    const expected = intentsOf(whole.of);
    expect(expected.filter((one) => one.startsWith("1 "))).toHaveLength(2);
    expect(expected.map((one) => one.split(" ")[1])).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
    await whole.host.stop("test");

    const killed = await open({ script, answer });
    await killed.to(1);
    // Nobody closes it: as after kill -9. Its checkpoint holds what was not told yet.
    const resumed = await killed.again();
    await resumed.to(12);
    loseCheckpoints(killed.of);
    const replayed = await resumed.again();
    await replayed.to(15);
    expect(intentsOf(killed.of)).toEqual(expected);
    expect(replayed.strategy.reports.filter(({ report }) => report === "rejected").map(({ key }) => key)).toEqual([
      1, 2, 3, 4, 5, 6, 8,
    ]);
    await replayed.host.stop("test");
  });

  it("[M-8.1.2] [M-5.3.1] a strategy that wishes the same again at every refusal goes at the pace of its events, is degraded and halted", async () => {
    const rows = HEALTH_LIMITS.violations_halt;
    const run = await open({ script: { 0: [NOTHING] }, answer: () => [NOTHING], rows });
    await run.to(0); // alone, or the newest row would be taken in its place
    await run.to(99);
    expect(intentsOf(run.of).length).toBeGreaterThan(100);
    // Twice in a row (before its event and after it), once with an input.
    const inputs = journalOf(run.of).filter(({ kind }) => kind === "input").length;
    expect(intentsOf(run.of).length).toBeLessThanOrEqual(2 * 100 + inputs);
    await run.to(rows - 1);
    expect(run.host.status()).toMatchObject({ health_state: "halted" });
    expect(intentsOf(run.of)).toHaveLength(HEALTH_LIMITS.violations_halt);
    const health = journalOf(run.of).flatMap((entry) => (entry.kind === "health" ? [entry.health_state] : []));
    expect([...new Set(health)]).toEqual(["healthy", "degraded", "halted"]);
  });

  it("[M-8.1.2] [M-5.2.5] one that multiplies with every refusal is halted within its violations, not within its memory", async () => {
    const flood = Array<Wish>(500).fill(NOTHING);
    const run = await open({ script: { 0: flood }, answer: () => flood });
    await run.to(19);
    expect(run.host.status()).toMatchObject({ health_state: "halted" });
    const total = intentsOf(run.of).length;
    expect(total).toBeGreaterThanOrEqual(HEALTH_LIMITS.violations_halt);
    expect(total).toBeLessThan(HEALTH_LIMITS.violations_halt + flood.length);
  });

  it("[M-8.1.2] of a flood, as many come back as the strategy may put out at once and REFUSALS_BEYOND_CAP_MAX more", async () => {
    const run = await open({ script: { 0: Array<Wish>(300).fill(NOTHING) } });
    await run.to(3);
    expect(run.strategy.reports).toHaveLength(descriptor().resources.intents_per_event + REFUSALS_BEYOND_CAP_MAX);
    expect(intentsOf(run.of)).toHaveLength(300);
    await run.host.stop("test");
  });

  it("[M-0.7] a run that began before refusals were told goes on as it was", async () => {
    const script = { 1: [NOTHING], 5: [NOTHING] };
    const before = await open({ script });
    await before.to(0);
    const path = join(before.of.run_dir, RUN_RECORD_FILE);
    const { refusals, ...older } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    expect(refusals).toBe("told");
    rmSync(path);
    writeFileSync(path, JSON.stringify(older));
    loseCheckpoints(before.of);
    const resumed = await before.again();
    await resumed.to(8);
    expect(intentsOf(before.of)).toHaveLength(2);
    expect(resumed.strategy.reports).toEqual([]);
    await resumed.host.stop("test");
  });
});

describe("what a refusal says", () => {
  const moment = {
    now_us: 5,
    safety: "NORMAL",
    kill_switch: "ALLOW",
    restriction: "none",
    open_orders: [{ key: 4, instrument: 1, side: "sell", type: "limit", price: 10, remaining: 7, quantity: 9 }],
    positions: [3, 0],
    last_prices: [10, 10],
  } as const;
  const order = { kind: "order", instrument: 0, side: "sell", quantity: 8 } as IntentBody;
  it.each<readonly [string, IntentBody, number, object | undefined]>([
    ["an order", order, 9, { kind: "rejected", key: 9, instrument: 0, side: "sell", remaining: 8 }],
    [
      "a position: what was missing",
      { kind: "position", instrument: 0, type: "market", target: 1, limit_price: 0 },
      9,
      { kind: "rejected", key: 9, side: "sell", remaining: 2 },
    ],
    [
      "an amendment of an open order: that order",
      { kind: "amend", target_key: 4, instrument: 0, price: 1, quantity: -1 },
      9,
      { kind: "amend_rejected", key: 4, instrument: 1, side: "sell", remaining: 7, client_order_id: "id 4" },
    ],
    [
      "a cancel under a key that is used: its target all the same",
      { kind: "cancel", target_key: 3, instrument: 0 },
      1,
      { kind: "cancel_rejected", key: 3, instrument: 0, client_order_id: "" },
    ],
    ["an order without a key", order, 0, undefined],
    ["an order under a key that was used", order, 8, undefined],
    ["an order under a key of the runtime", order, 2 ** 52, undefined],
    ["an alert", { kind: "alert", code: 1, severity: "info", args: [] }, 9, undefined],
    ["a no-op", { kind: "noop", reason: 1 }, 9, undefined],
  ])("[M-8.1.2] %s", (_, body, key, expected) => {
    const found = refusedIntent({ body, key }, "M.X", { lastKey: 8, moment, idOf: (of) => `id ${of}` });
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject({ ...expected, reason_code: "M.X", event_time_us: 5 });
  });

  it("[M-8.1.2] an instrument that is not in the strategy's table is none", () => {
    const refused = refusedIntent({ body: { ...order, instrument: 2 } as IntentBody, key: 9 }, "M.X", {
      lastKey: 8,
      moment,
      idOf: () => "",
    });
    expect(refused && refusedReport(refused, 2).instrument).toBe(NO_INSTRUMENT);
  });
});
