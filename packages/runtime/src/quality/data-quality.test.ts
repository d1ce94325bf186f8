/** Flags of every kind reach the strategy, and each flag × reaction is seen at the simulated exchange. */
import type { StrategyDescriptor } from "@rumi/abi";
import type { InstrumentId } from "@rumi/kernel";
import { DEMO_INSTRUMENT, FeedBuilder, MARKET_KIND, type MarketFeed } from "@rumi/venues";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import { descriptor, FIXTURE_DIR, market, spec } from "../../test/support.ts";
import { type Heard, ScriptedStrategy, type Wish } from "../../test/scripted.ts";
import { type BacktestResult, runBacktest } from "../backtest.ts";
import type { MachineEntry } from "../instance/entry.ts";
import {
  type DataQuality,
  parseDataQuality,
  QUALITY_FLAGS,
  QUALITY_LIMITS,
  QUALITY_REACTIONS,
  type QualityFlag,
  type QualityReaction,
} from "./policy.ts";

const START = 1_767_603_600_000_000;
const SECOND = 1_000_000;
const FLAGS = Object.keys(QUALITY_FLAGS) as readonly QualityFlag[];
const OTHER = { ...DEMO_INSTRUMENT, instrument_id: "OTHER.SIM" as InstrumentId };
const ALL_KINDS: StrategyDescriptor["capabilities"] = {
  ...descriptor().capabilities,
  subscribe: ["trade", "quote", "bar", "book", "execution"],
};

function backtest(
  feed: MarketFeed,
  strategy: ScriptedStrategy,
  data_quality?: DataQuality,
  instruments = [DEMO_INSTRUMENT],
): BacktestResult {
  const { venue, limits } = spec("");
  const result = runBacktest({
    descriptor: descriptor({ capabilities: ALL_KINDS }),
    pack_dir: FIXTURE_DIR,
    config: {},
    seed: "seed",
    instruments,
    feed,
    venue: { ...venue, latency_us: 0, latency_jitter_us: 0 },
    limits: { ...limits, capital: "1000000000000", max_open_orders: 1_000 },
    strategy,
    keep: "all",
    monotonic: () => performance.now(),
    ...(data_quality === undefined ? {} : { data_quality }),
  });
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

/** One trade a second, `flags[row]` on the rows named. */
function trades(rows: number, flags: Readonly<Record<number, number>>, instruments = 1): MarketFeed {
  const builder = new FeedBuilder(rows);
  for (let row = 0; row < rows; row += 1)
    builder.trade({
      instrument: row % instruments,
      event_time_us: START + row * SECOND,
      received_time_us: START + row * SECOND + 100,
      flags: flags[row] ?? 0,
      price: 10_000,
      quantity: 1_000_000,
      aggressor: 0,
      trade_id: row + 1,
    });
  return builder.finish();
}
/** A market order, then a limit order, then a market order, … */
const inTurns = (_: Heard, nth: number): readonly Wish[] =>
  nth % 2 === 0
    ? [{ side: "buy", type: "market", price: 0, quantity: 1_000 }]
    : [{ side: "buy", type: "limit", price: 9_000, quantity: 1_000 }];

type Intent = Extract<MachineEntry, { kind: "intent" }>;
const intents = (result: BacktestResult): readonly Intent[] =>
  result.entries.filter((entry): entry is Intent => entry.kind === "intent");
/** By the row that brought them: what reached the exchange, as `type×quantity`. */
function reached(result: BacktestResult): ReadonlyMap<number, string> {
  const types = new Map(
    intents(result).map((one) => {
      const after = one.intent["normalised"] as { readonly order_type?: string } | undefined;
      return [one.client_order_id, [one.cursor, after?.order_type ?? String(one.intent["order_type"])] as const];
    }),
  );
  const sent = new Map<number, string>();
  for (const entry of result.entries) {
    if (entry.kind !== "order" || entry.report["report"] !== "accepted") continue;
    const [row, type] = types.get(String(entry.report["client_order_id"])) ?? [-1, ""];
    sent.set(row, `${type}×${String(entry.report["remaining"])}`);
  }
  return sent;
}

const FLAGGED = 10;
const usual = (row: number): string => (row % 2 === 0 ? "market×1" : "limit×1");
/** What reaches the exchange from a row under a reaction; `null`: nothing. */
const UNDER: Readonly<Record<QualityReaction, (row: number) => string | null>> = {
  ignore: usual,
  limit_only: () => "limit×1",
  reduce_size: (row) => (row % 2 === 0 ? "market×0.5" : "limit×0.5"),
  no_trade: () => null,
  resync: () => null,
};
const ROWS_HELD: Readonly<Record<QualityReaction, number>> = {
  ignore: 0,
  limit_only: QUALITY_LIMITS.clean_rows,
  reduce_size: QUALITY_LIMITS.clean_rows,
  no_trade: QUALITY_LIMITS.clean_rows,
  resync: QUALITY_LIMITS.resync_clean_rows,
};

describe("reactions to flawed data", () => {
  for (const flag of FLAGS)
    for (const reaction of QUALITY_REACTIONS)
      it(`[M-11.2] [M-8.1.3] ${flag} × ${reaction}: from the flagged row on, until so many clean rows, seen at the exchange`, () => {
        const rows = 100;
        const strategy = new ScriptedStrategy(inTurns);
        const others = Object.fromEntries(FLAGS.map((one) => [one, "no_trade"] as const));
        const result = backtest(trades(rows, { [FLAGGED]: QUALITY_FLAGS[flag] }), strategy, {
          ...others,
          [flag]: reaction,
        });
        const held = ROWS_HELD[reaction];
        const sent = reached(result);
        const reason = `M.DATA.${flag.toUpperCase()}`;
        for (const intent of intents(result)) {
          const row = intent.cursor;
          // The clean row that completes the count is free again.
          const isHeld = reaction !== "ignore" && row >= FLAGGED && row < FLAGGED + held;
          const expected = isHeld ? UNDER[reaction](row) : usual(row);
          expect([row, row + 1 < rows ? (sent.get(row) ?? null) : expected]).toEqual([row, expected]);
          const verdict = expected === null ? "discarded" : expected === usual(row) ? "forwarded" : "degraded";
          expect([row, intent.verdict, intent.reason_code]).toEqual([
            row,
            verdict,
            verdict === "forwarded" ? null : reason,
          ]);
          if (verdict === "degraded") {
            expect(intent.intent, "before").toMatchObject({ quantity: "1", order_type: usual(row).split("×")[0] });
            expect(intent.intent["normalised"], "after").toMatchObject(
              reaction === "limit_only"
                ? { order_type: "limit", time_in_force: "ioc", price: "100.1", quantity: "1" }
                : { quantity: "0.5" },
            );
          }
        }
        expect(strategy.heard[FLAGGED]?.flags).toBe(QUALITY_FLAGS[flag]);
        const health = result.entries.flatMap((entry) =>
          entry.kind === "health" ? [[entry.cursor, entry.health_state, entry.reason_code]] : [],
        );
        expect(health).toEqual(
          reaction === "ignore"
            ? []
            : [
                [FLAGGED, "degraded", reason],
                [FLAGGED + held, "healthy", null],
              ],
        );
      });

  it("[M-11.2] without a policy: stale data stops trading, a gap waits for a resync, the others are only shown", () => {
    for (const [flag, refused] of [
      ["stale", "M.DATA.STALE"],
      ["gap", "M.DATA.GAP"],
      ["dup", null],
      ["out_of_order", null],
      ["clock_drift", null],
    ] as const) {
      const result = backtest(trades(30, { [FLAGGED]: QUALITY_FLAGS[flag] }), new ScriptedStrategy(inTurns));
      expect([flag, intents(result)[FLAGGED]?.reason_code]).toEqual([flag, refused]);
    }
  });

  it("[M-11.2] it holds for the instrument whose data it is, and the strictest of several holds", () => {
    const strategy = new ScriptedStrategy(() => [{ side: "buy", type: "market", price: 0, quantity: 1_000 }]);
    const { gap, stale } = QUALITY_FLAGS;
    const result = backtest(
      trades(80, { 10: gap, 20: gap | stale, 22: gap }, 2),
      strategy,
      { stale: "no_trade", gap: "reduce_size" },
      [DEMO_INSTRUMENT, OTHER],
    );
    const reasons = intents(result).map(({ reason_code }) => reason_code);
    expect(reasons.filter((_, row) => row % 2 === 1).every((reason) => reason === null)).toBe(true);
    const held = (from: number, to: number) => reasons.filter((_, row) => row % 2 === 0 && row >= from && row < to);
    expect(new Set(held(10, 20))).toEqual(new Set(["M.DATA.GAP"]));
    expect(new Set(held(20, 54))).toEqual(new Set(["M.DATA.STALE"]));
    expect(new Set(held(54, 80))).toEqual(new Set([null]));
  });

  it("[M-11.2] a smaller position is not cut: what only reduces passes whole", () => {
    const strategy = new ScriptedStrategy((_, nth) =>
      nth === 5
        ? [{ side: "buy", type: "market", price: 0, quantity: 1_000 }]
        : nth === 12
          ? [{ side: "sell", type: "market", price: 0, quantity: 800 }]
          : nth === 14
            ? [{ side: "sell", type: "market", price: 0, quantity: 800 }]
            : [],
    );
    const result = backtest(trades(30, { [FLAGGED]: QUALITY_FLAGS.gap }), strategy, { gap: "reduce_size" });
    expect([...reached(result)]).toEqual([
      [5, "market×1"],
      [12, "market×0.8"],
      [14, "market×0.4"],
    ]);
  });

  it("[M-11.2] a book waits for its snapshot: it ends a resync at once", () => {
    const builder = new FeedBuilder(40);
    for (let row = 0; row < 40; row += 1)
      builder.book({
        instrument: 0,
        event_time_us: START + row * SECOND,
        received_time_us: START + row * SECOND,
        flags: row === 10 ? QUALITY_FLAGS.gap : 0,
        action: row === 0 || row === 25 ? "snapshot" : "increment",
        first_sequence: 0,
        last_sequence: 0,
        bids: [[9_999, 1_000 + row]],
        asks: [[10_001, 100_000]],
      });
    const strategy = new ScriptedStrategy(() => [{ side: "buy", type: "market", price: 0, quantity: 1_000 }]);
    const result = backtest(builder.finish(), strategy, { gap: "resync" });
    const refused = intents(result).flatMap(({ cursor, reason_code }) => (reason_code === null ? [] : [cursor]));
    expect([refused[0], refused.at(-1), refused.length]).toEqual([10, 24, 15]);
  });
});

describe("flags and times of every kind", () => {
  it("[M-11.1] [M-11.3] [M-4.1.1] trade, quote, bar and book rows reach the strategy with each flag and three timestamps", () => {
    const builder = new FeedBuilder(20);
    const bits = Object.values(QUALITY_FLAGS);
    for (const [index, flags] of [0, ...bits, 31].entries()) {
      const at = START + index * 60 * SECOND;
      const head = { instrument: 0, event_time_us: at, received_time_us: at + 700, flags };
      builder.trade({ ...head, price: 10_000, quantity: 5, aggressor: 0, trade_id: index });
      builder.quote({ ...head, bid_price: 9_999, bid_quantity: 5, ask_price: 10_001, ask_quantity: 5 });
      const prices = { open: 10_000, high: 10_000, low: 10_000, close: 10_000 };
      builder.bar({ ...head, duration_us: 60 * SECOND, ...prices, volume: 5, trades: 1 });
      const sequence = { first_sequence: index, last_sequence: index };
      builder.book({ ...head, ...sequence, action: "increment", bids: [[9_999, 5]], asks: [] });
    }
    const strategy = new ScriptedStrategy(() => []);
    backtest(builder.finish(), strategy);
    const kinds = Object.values(MARKET_KIND);
    expect(strategy.heard).toEqual(
      [0, ...bits, 31].flatMap((flags, index) => {
        const event_time_us = START + index * 60 * SECOND;
        const received_time_us = event_time_us + 700;
        return kinds.map((kind) => ({
          kind,
          flags,
          instrument: 0,
          event_time_us,
          received_time_us,
          processed_time_us: received_time_us,
        }));
      }),
    );
  });
});

describe("policy", () => {
  it("[M-11.2] what is unknown is refused, by its field", () => {
    expect(parseDataQuality({ stale: "no_trade", gap: "resync" })).toMatchObject({ ok: true });
    for (const [wrong, field] of [
      [{ late: "ignore" }, "data_quality.late"],
      [{ stale: "panic" }, "data_quality.stale"],
      [{ gap: 1 }, "data_quality.gap"],
      [[], "data_quality"],
    ] as const)
      expect(parseDataQuality(wrong as never)).toMatchObject({
        ok: false,
        error: { code: "RUMI-VAL-002", params: { field } },
      });
  });

  it("[M-11.2] [M-0.7] a paper run reacts at the same rows after a crash without checkpoints, and under the policy it began with", async () => {
    const folder = temporaryFolder();
    try {
      const feed = market(6_000);
      for (let row = 500; row < 6_000; row += 12)
        feed.flags[row] = row % 24 === 8 ? QUALITY_FLAGS.gap : QUALITY_FLAGS.stale;
      const of = spec(`${folder.path}/run`, { data_quality: { gap: "reduce_size", stale: "limit_only" } });
      const first = await hosted(of, { feed });
      while (first.host.phase === "running") await first.host.turn();
      const before = journalOf(of);
      const degraded = before.filter((entry) => entry.kind === "intent" && entry.reason_code === "M.DATA.GAP");
      expect(degraded.length).toBeGreaterThan(3);
      loseCheckpoints(of);
      const again = await hosted({ ...of, start: "resume", epoch: 2, data_quality: { gap: "no_trade" } }, { feed });
      expect(journalOf(of).slice(0, before.length)).toEqual(before);
      const told = journalOf(of).findLast((entry) => entry.kind === "input");
      expect(told).toMatchObject({ input: { input: "data_quality", policy: { gap: "no_trade", stale: "no_trade" } } });
      await again.host.stop("done");
    } finally {
      folder.remove();
    }
  });

  it("[M-11.2] [M-6.1.1] a run that goes on from its checkpoint is still waiting for the resync it was in", async () => {
    const folder = temporaryFolder();
    try {
      const feed = market(6_000);
      for (let row = 500; row < 6_000; row += QUALITY_LIMITS.resync_clean_rows / 2) feed.flags[row] = QUALITY_FLAGS.gap;
      const whole = spec(`${folder.path}/whole`);
      const cut = spec(`${folder.path}/cut`);
      const uncut = await hosted(whole, { feed });
      while (uncut.host.phase === "running") await uncut.host.turn();
      const first = await hosted(cut, { feed });
      while (first.host.status().cursor < 3_000) await first.host.turn();
      await first.host.suspend();
      const again = await hosted({ ...cut, start: "resume" }, { feed });
      expect(again.host.status()).toMatchObject({ health_state: "degraded", reason_code: "M.DATA.GAP" });
      while (again.host.phase === "running") await again.host.turn();
      const told = (of: typeof cut) =>
        journalOf(of).flatMap((entry) => (entry.kind === "intent" ? [[entry.cursor, entry.reason_code]] : []));
      expect(told(cut)).toEqual(told(whole));
    } finally {
      folder.remove();
    }
  });
});
