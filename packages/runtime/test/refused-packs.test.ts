/** The default strategies when the Intent Gate refuses them: they hear it, wait, and try again; none hangs on a lost order. */
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StrategyDescriptor } from "@rumi/abi";
import { detectPython } from "@rumi/sandbox";
import { DEMO_INSTRUMENT, FLAG_CLOCK_DRIFT } from "@rumi/venues";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { type BacktestOptions, type BacktestResult, runBacktest } from "../src/backtest.ts";
import { type Guarding, startGuard } from "./guard.ts";
import { market, spec } from "./support.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const PACK = join(ROOT, "packs/default");
const { strategies } = JSON.parse(readFileSync(join(PACK, "ecosystem.json"), "utf8")) as {
  readonly strategies: readonly StrategyDescriptor[];
};
/** Shortest time that they wait after a refusal of the gate, and after a restriction of the moment. */
const QUIET_US = 300_000_000;
const RESTRICTED_QUIET_US = 30_000_000;

/** What the gate said of their wishes, and the shortest time between two. */
function wishesOf(entries: BacktestResult["entries"]) {
  const wishes = entries.flatMap((entry) => (entry.kind === "intent" ? [entry] : []));
  const gaps = wishes.slice(1).map((wish, i) => wish.event_time_us - (wishes[i]?.event_time_us ?? 0));
  const reasons = [...new Set(wishes.map(({ reason_code }) => reason_code))];
  return { reasons, count: wishes.length, shortest_us: Math.min(...gaps) };
}

describe.runIf(requires("python3") && requires("bubblewrap"))("default strategies, refused", () => {
  const folder = temporaryFolder();
  let guard: Guarding;
  beforeAll(async () => {
    chmodSync(folder.path, 0o755);
    guard = await startGuard();
  });
  afterAll(async () => {
    await guard.stop();
    folder.remove();
  });

  function backtested(
    descriptor: StrategyDescriptor,
    { capital, ...over }: { readonly capital: string } & Partial<Pick<BacktestOptions, "feed" | "data_quality">>,
  ): BacktestResult {
    const python = detectPython(process.env["PATH"] ?? "");
    if (!python.ok) throw new Error("no Python");
    const { venue, limits } = spec("");
    const result = runBacktest({
      descriptor,
      pack_dir: PACK,
      config: { order_quantity: "1", budget: "1000", cooldown: 1_000 },
      seed: "s",
      instruments: [DEMO_INSTRUMENT],
      feed: market(40_000),
      venue,
      limits: { ...limits, capital },
      keep: "all",
      monotonic: () => performance.now(),
      ...over,
      python: {
        ...guard,
        home: {
          python: python.value,
          mechanism: "bubblewrap",
          sdk_dir: join(ROOT, "sdk/python"),
          runner_dir: join(ROOT, "packages/sandbox/python"),
        },
      },
    });
    if (!result.ok) throw new Error(JSON.stringify(result.error));
    return result.value;
  }

  it.each(strategies.map((one) => [one.strategy_id, one] as const))(
    "[M-8.1.2] %s goes on after a refusal: it wishes again, five minutes later at the earliest, and stays healthy",
    { timeout: 180_000 },
    (_, descriptor) => {
      expect(backtested(descriptor, { capital: "1000000" }).fills, "with capital enough it trades").toBeGreaterThan(2);
      const { entries, fills, health_state } = backtested(descriptor, { capital: "1" });
      const wishes = wishesOf(entries);
      expect(wishes.reasons).toEqual(["M.LIMIT.CAPITAL"]);
      expect(wishes.count).toBeGreaterThan(2);
      expect(wishes.shortest_us).toBeGreaterThanOrEqual(QUIET_US);
      expect({ fills, health_state }).toEqual({ fills: 0, health_state: "healthy" });
    },
  );

  it.each(strategies.map((one) => [one.strategy_id, one] as const))(
    "[M-8.1.2] %s wishes again half a minute after a restriction of the moment: it may be over",
    { timeout: 180_000 },
    (_, descriptor) => {
      const feed = market(40_000);
      const doubtful = { ...feed, flags: feed.flags.map(() => FLAG_CLOCK_DRIFT) };
      const { entries, fills } = backtested(descriptor, {
        capital: "1000000",
        feed: doubtful,
        data_quality: { clock_drift: "no_trade" },
      });
      const wishes = wishesOf(entries);
      expect([wishes.reasons, fills]).toEqual([["M.DATA.CLOCK_DRIFT"], 0]);
      expect(wishes.count).toBeGreaterThan(2);
      expect(wishes.shortest_us).toBeGreaterThanOrEqual(RESTRICTED_QUIET_US);
      expect(wishes.shortest_us).toBeLessThan(QUIET_US);
    },
  );
});
