/** TypeScript strategies as the machine sees them: the default pack's, and scripts that break. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { digestOf, type JsonObject } from "@rumi/kernel";
import { DEMO_INSTRUMENT } from "@rumi/venues";
import type { StrategyDescriptor } from "@rumi/abi";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { market, spec } from "../../test/support.ts";
import { bundleTypeScript } from "../../test/toolchains.ts";
import { runBacktest, type BacktestResult } from "../backtest.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const PACK = join(ROOT, "packs/default");
const folder = temporaryFolder();
afterAll(folder.remove);

function described(id: string): StrategyDescriptor {
  const manifest = JSON.parse(readFileSync(join(PACK, "ecosystem.json"), "utf8")) as {
    strategies: StrategyDescriptor[];
  };
  const found = manifest.strategies.find((one) => one.strategy_id === id);
  if (found === undefined) throw new Error(`no ${id}`);
  return found;
}

type Run = {
  readonly descriptor: StrategyDescriptor;
  readonly pack_dir: string;
  readonly config: JsonObject;
  readonly rows: number;
};
function backtested({ rows, ...what }: Run): BacktestResult {
  const { venue, limits } = spec("");
  const feed = market(rows);
  const result = runBacktest({
    ...what,
    seed: "s",
    instruments: [DEMO_INSTRUMENT],
    feed,
    venue,
    limits,
    keep: "all",
    monotonic: () => performance.now(),
  });
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

/** A script of its own in a pack of its own, against 400 trades. */
function against(onEvent: string, changes: Partial<StrategyDescriptor["resources"]> = {}): BacktestResult {
  const pack_dir = join(folder.path, digestOf(onEvent).slice(7, 20));
  mkdirSync(pack_dir, { recursive: true });
  const script = `globalThis.rumi_strategy = (memory, inputAt, outputAt) => {
    const head = new Uint32Array(memory, inputAt - 8, 2), out = new Uint32Array(memory, outputAt, 8);
    let events = 0;
    return () => { if (head[0] === 6) { out[0] = 20; out[1] = 24; out[2] = 1; out[3] = 8; out[4] = events; out[5] = 0; return 24; }
      if (head[0] !== 2) return 0; events += 1; ${onEvent} return 0; };
  };`;
  writeFileSync(join(pack_dir, "strategy.js"), script);
  const of = described("ema_cross_typescript");
  return backtested({
    descriptor: {
      ...of,
      entrypoint: "strategy.js",
      binary_hash: digestOf(script),
      state_schema_version: 1,
      config_schema: {},
      capabilities: { ...of.capabilities, subscribe: ["trade"] },
      resources: { ...of.resources, ...changes },
    },
    pack_dir,
    config: {},
    rows: 400,
  });
}

describe("TypeScript in the lane's thread", () => {
  it("[M-2.1.5] bundling the default pack's source gives the committed bytes", async () => {
    const outfile = join(folder.path, "bundled.js");
    const strategy = join(PACK, "strategies/ema_cross_typescript");
    await bundleTypeScript({ entry: join(strategy, "src/strategy.ts"), outfile });
    // `npm run gen` writes it, because the SDK's generated codecs are part of it.
    expect(digestOf(readFileSync(outfile, "utf8"))).toBe(described("ema_cross_typescript").binary_hash);
  });

  it("[M-0.1] [M-15.2] the moving-average cross decides in TypeScript what it decides in Rust, entry for entry", () => {
    const config = { order_quantity: "1", budget: "1000", threshold_ppm: 20, allow_short: true };
    const limit = { ...config, order_type: "limit", order_timeout: 2_000 };
    for (const settings of [config, limit]) {
      const [rust, typescript] = ["ema_cross", "ema_cross_typescript"].map((id) =>
        backtested({
          descriptor: { ...described(id), strategy_id: "ema_cross" },
          pack_dir: PACK,
          config: settings,
          rows: 60_000,
        }),
      );
      expect(rust?.fills).toBeGreaterThan(5);
      expect(typescript?.entries).toEqual(rust?.entries);
    }
  }, 180_000);

  it("[M-5.2.1] a loop without end is stopped by fuel, told by its reason, and the next event is served", () => {
    const { counters, entries, events } = against("if (events === 300) for (;;) {}", { fuel_per_event: 5_000_000 });
    expect(events).toBe(400);
    expect(counters.faults).toEqual({ fuel: 1 });
    expect(JSON.stringify(entries)).toContain("M.SANDBOX.FUEL_EXHAUSTED");
  });

  it("[M-5.2.6] a throw outside the SDK, a full heap and a wild answer are faults of the strategy alone", () => {
    expect(against(`if (events === 300) throw new Error("x");`).counters.faults).toEqual({ trap: 1 });
    expect(against("if (events === 300) return 0.5;").counters.faults).toEqual({ trap: 1 });
    const hog = "if (events === 300) { const all = []; for (;;) all.push(new Uint8Array(1e6)); }";
    expect(against(hog, { memory_bytes: 16_777_216 }).counters.faults).toEqual({ trap: 1 });
    // Beyond the room for output: refused before anything is read.
    expect(against("if (events === 300) return 2 ** 30;").counters.faults).toEqual({ pointer: 1 });
  });

  it("[M-5.2.6] what the SDK catches comes with its words", () => {
    const broken = { order_quantity: "1", fast_trades: 200, slow_trades: 100 };
    const run = (): BacktestResult =>
      backtested({ descriptor: described("ema_cross_typescript"), pack_dir: PACK, config: broken, rows: 10 });
    expect(run).toThrow(/M\.STRATEGY\.STATUS_8/);
  });
});
