/** Trades handed over several at a time: the same entries as one by one, whatever the strategy does in the middle. */
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StrategyDescriptor } from "@rumi/abi";
import { digestOf, type JsonObject } from "@rumi/kernel";
import { detectPython } from "@rumi/sandbox";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { type BacktestResult, runBacktest } from "../src/backtest.ts";
import { type Guarding, startGuard } from "./guard.ts";
import { descriptor, market, spec } from "./support.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const ROWS = 4_000;

describe.runIf(requires("python3") && requires("bubblewrap"))("Python, several trades at a time", () => {
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
    of: { readonly source: string; readonly config: JsonObject; readonly descriptor: StrategyDescriptor },
    delivery: "batched" | "one_by_one",
  ): BacktestResult {
    const python = detectPython(process.env["PATH"] ?? "");
    if (!python.ok) throw new Error("no Python");
    const pack_dir = join(folder.path, digestOf(of.source).slice(7, 20));
    mkdirSync(pack_dir, { recursive: true });
    writeFileSync(join(pack_dir, "s.py"), of.source);
    const { venue, limits } = spec("");
    const result = runBacktest({
      descriptor: { ...of.descriptor, runtime_kind: "python", entrypoint: "s.py", binary_hash: digestOf(of.source) },
      pack_dir,
      config: of.config,
      seed: "s",
      instruments: [DEMO_INSTRUMENT],
      feed: market(ROWS),
      venue: { ...venue, latency_us: 20_000 },
      limits,
      keep: "all",
      delivery,
      monotonic: () => performance.now(),
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

  const base = descriptor();
  const process_: StrategyDescriptor = {
    ...base,
    capabilities: { ...base.capabilities, subscribe: ["trade", "execution", "timer"] },
    resources: { ...base.resources, event_timeout_ms: 500, memory_bytes: 268_435_456, log_bytes_per_run: 100_000 },
    config_schema: {},
    state_schema_version: 1,
  };
  const own = (body: string): string => `import rumi_sdk as rumi
RISK = rumi.RiskContext(50, 1_000_000, 60_000_000, 10**15)
class S(rumi.Strategy):
    STATE_VERSION = 1
    def on_init(self, ctx, config, restored):
        self.n = int.from_bytes(restored[1], "little") if restored else 0
    def on_event(self, ctx, event):
        if not isinstance(event, rumi.TradeEvent):
            return
        self.n += 1
        n = self.n
${body
  .split("\n")
  .map((line) => `        ${line}`)
  .join("\n")}
    def on_timer(self, ctx, timer_id, due_us):
        print("timer", timer_id, due_us, self.n)
        ctx.timer(timer_id, due_us + 700_000)
    def save_state(self):
        return self.n.to_bytes(8, "little")
`;

  it("[M-15.2] the moving-average cross: entry for entry, and as in Rust", () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "packs/default/ecosystem.json"), "utf8")) as {
      strategies: StrategyDescriptor[];
    };
    const rust = manifest.strategies.find((one) => one.strategy_id === "ema_cross");
    if (rust === undefined) throw new Error("no ema_cross");
    const of = {
      source: readFileSync(join(ROOT, "bench/strategies/ema_cross.py"), "utf8"),
      config: { order_quantity: "1", budget: "1000", threshold_ppm: 20, cooldown: 1_000 },
      descriptor: { ...rust, resources: { ...rust.resources, memory_bytes: 268_435_456, event_timeout_ms: 500 } },
    };
    const [alone, together] = [backtested(of, "one_by_one"), backtested(of, "batched")];
    expect(alone.fills).toBeGreaterThan(5);
    expect(together.entries).toEqual(alone.entries);
    expect(together.counters).toEqual(alone.counters);
    const { venue, limits } = spec("");
    const module = runBacktest({
      descriptor: rust,
      pack_dir: join(ROOT, "packs/default"),
      config: of.config,
      seed: "s",
      instruments: [DEMO_INSTRUMENT],
      feed: market(ROWS),
      venue: { ...venue, latency_us: 20_000 },
      limits,
      keep: "all",
      monotonic: () => performance.now(),
    });
    expect(module.ok && module.value.entries).toEqual(together.entries);
  }, 120_000);

  it.each([
    [
      "orders, positions, hints and logs at any time",
      `if n % 37 == 0: ctx.position(RISK, 1000 if n % 74 else 0)\nif n % 91 == 0: print("at", n, ctx.now_us, ctx.header.cursor)\nif n % 203 == 0: ctx.request_checkpoint()`,
    ],
    [
      "timers",
      `if n == 10: ctx.timer(1, ctx.now_us + 900_000)\nif n % 50 == 0: ctx.order(RISK, rumi.SIDE_BUY if n % 100 else rumi.SIDE_SELL, 1000)`,
    ],
    ["exceptions", `if n in (333, 334, 1500): raise ValueError(n)\nif n % 40 == 0: ctx.noop(RISK, n % 7)`],
    [
      "limit orders that rest",
      `if n % 60 == 0: ctx.order(RISK, rumi.SIDE_BUY, 1000, rumi.ORDER_TYPE_LIMIT, event.price - 2000, rumi.TIME_IN_FORCE_GTC)`,
    ],
  ])(
    "[M-15.2] %s: the same entries",
    (_, body) => {
      const of = { source: own(body), config: {}, descriptor: process_ };
      const [alone, together] = [backtested(of, "one_by_one"), backtested(of, "batched")];
      expect(alone.entries.length).toBeGreaterThan(3);
      expect(together.entries).toEqual(alone.entries);
      expect(together.counters).toEqual(alone.counters);
    },
    120_000,
  );

  it("[M-5.2.6] a process that dies in the middle is told at the first of what was sent along; the rest goes one by one", () => {
    const of = {
      source: own(`import os\nif ctx.header.cursor == 776: os._exit(3)`),
      config: {},
      descriptor: process_,
    };
    const [alone, together] = [backtested(of, "one_by_one"), backtested(of, "batched")];
    const at = (result: BacktestResult): number[] =>
      result.entries.flatMap((entry) => (entry.kind === "input" ? [entry.cursor] : []));
    expect(at(alone)).toEqual([776]);
    // And once more at its own place, where it came one by one.
    expect(at(together)).toHaveLength(2);
    expect(at(together)[1]).toBe(776);
    expect(at(together)[0]).toBeLessThan(776);
    expect(at(together)[0]).toBeGreaterThan(776 - 60);
    expect(together.events).toBe(ROWS);
  }, 120_000);
});
