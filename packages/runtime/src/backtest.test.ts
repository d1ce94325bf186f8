import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { DEMO_INSTRUMENT, createSimulatedVenue } from "@rumi/venues";
import type { StrategyDescriptor } from "@rumi/abi";
import { canonicalJson, failureText, type Json } from "@rumi/kernel";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { descriptor, FIXTURE_DIR, market, spec, WASM } from "../test/support.ts";
import { type BacktestOptions, measureBacktest, runBacktest } from "./backtest.ts";
import { venueOptionsOf } from "./instance/gate-context.ts";
import { InstanceHost } from "./instance/host.ts";
import { comparable, isReproduced } from "./instance/recorder.ts";
import { readJournal } from "./journal/reader.ts";
import { openWasmStrategy } from "./strategy/wasm.ts";

const options = (trades: number): BacktestOptions => {
  const { venue, limits } = spec("");
  return {
    descriptor: descriptor(),
    pack_dir: FIXTURE_DIR,
    config: {},
    seed: "seed",
    instruments: [DEMO_INSTRUMENT],
    feed: market(trades),
    venue,
    limits,
    keep: "all",
    monotonic: () => performance.now(),
  };
};

describe("backtest", () => {
  it("[M-0.7] twice the same: identical entries, profit and fees", () => {
    const [a, b] = [runBacktest(options(20_000)), runBacktest(options(20_000))];
    if (!a.ok || !b.ok) throw new Error("the backtest runs");
    expect(a.value.entries_digest).toBe(b.value.entries_digest);
    expect({ ...a.value, elapsed_ms: 0, events_per_s: 0 }).toEqual({ ...b.value, elapsed_ms: 0, events_per_s: 0 });
    expect(a.value.events).toBe(20_000);
    expect(a.value.fills).toBeGreaterThan(10);
    expect(a.value.profit).toMatch(/^-?\d+(\.\d+)?$/);
  });

  it("[M-15.2] a paper run of the same recording gives the same intents, orders and fills", async () => {
    const folder = temporaryFolder();
    try {
      const of = spec(join(folder.path, "run"));
      const feed = market(10_000);
      const strategy = openWasmStrategy({ bytes: WASM, memory_bytes: 2_097_152, fuel_per_event: 100_000 });
      const venue = createSimulatedVenue(venueOptionsOf(of.instruments, of.venue));
      if (!strategy.ok || !venue.ok) throw new Error("the fixture opens");
      const host = await InstanceHost.open({
        spec: of,
        feed,
        strategy: strategy.value,
        venue: venue.value,
        wallNow: () => 1,
        monotonic: () => performance.now(),
        mayEmit: () => true,
        onDurable: () => undefined,
        onSegment: () => undefined,
      });
      if (!host.ok) throw new Error(JSON.stringify(host.error));
      while (host.value.phase === "running") await host.value.turn();
      const journal = readJournal({ directory: join(of.run_dir, "journal"), runId: of.run_id, durableSeq: 0 });
      const { bot_id, instance_id, run_id, trace_id } = of;
      const tested = runBacktest({ ...options(10_000), feed, identity: { bot_id, instance_id, run_id, trace_id } });
      if (!tested.ok || !journal.ok) throw new Error("both end");
      expect(tested.value.entries.map((entry) => canonicalJson(entry as unknown as Json))).toEqual(
        journal.value.entries.filter(isReproduced).map(comparable),
      );
    } finally {
      folder.remove();
    }
  });

  it("[M-15.2] a strategy that refuses its configuration is told in its own words", () => {
    const pack_dir = fileURLToPath(new URL("../../../packs/default", import.meta.url));
    const { strategies } = JSON.parse(readFileSync(join(pack_dir, "ecosystem.json"), "utf8")) as {
      readonly strategies: readonly StrategyDescriptor[];
    };
    const ema = strategies.find((one) => one.strategy_id === "ema_cross");
    if (ema === undefined) throw new Error("the default pack has it");
    const config = { order_quantity: "1", fast_trades: 50, slow_trades: 40 };
    const refused = runBacktest({ ...options(10), descriptor: ema, pack_dir, config });
    if (refused.ok) throw new Error("it refuses fast above slow");
    expect(refused.error).toMatchObject({ code: "RUMI-STR-032", reasonCode: "M.STRATEGY.STATUS_8" });
    expect(failureText(refused.error, "en").text).toContain("fast_trades must be below slow_trades");
  });

  it("measures events per second over the whole path", () => {
    const measured = measureBacktest({ ...options(200_000) }, 3);
    if (!measured.ok) throw new Error(JSON.stringify(measured.error));
    process.stdout.write(`backtest: ${JSON.stringify(measured.value)}\n`);
    expect(measured.value.best_events_per_s).toBeGreaterThan(10_000);
  });
});
