/** A thousand cancels inside a hundred thousand trades: how soon the strategy hears of each, in a live bot's own host. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runBurst } from "@rumi/runtime";
import { DEMO_MARKET, generateMarket } from "@rumi/venues";
import { measured, type Measured, percentile } from "../measure.ts";
import { crowd } from "./density.ts";

const RUNS = 5;
const TRADES = 100_000;
const CANCELS = 1_000;

export async function burstSuite(argument: string): Promise<readonly Measured[]> {
  const { root } = JSON.parse(argument) as { readonly root: string };
  // The lane is measured, not the disk.
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "rumi-burst-"));
  const people = crowd(root, 1);
  const trades = generateMarket({ ...DEMO_MARKET, trades: TRADES, seed: "bench-burst" });
  if (!trades.ok) throw new Error(trades.error.code);
  const p99: number[] = [];
  const p50: number[] = [];
  try {
    for (let run = 0; run <= RUNS; run += 1) {
      const base = people.spec(run + 1, {
        mode: "live",
        run_dir: join(folder, String(run)),
        trace_id: "be".padEnd(32, "0"),
      });
      const { resources } = base.descriptor;
      const generous = { ...resources, intents_per_event: CANCELS, intents_per_second: 1_000_000 };
      const { cancel_us, heard, rows } = await runBurst({
        spec: {
          ...base,
          venue: { ...base.venue, pace: { kind: "max" } },
          descriptor: {
            ...base.descriptor,
            capabilities: {
              ...base.descriptor.capabilities,
              subscribe: ["trade", "execution"],
              order_types: ["limit"],
            },
            resources: generous,
          },
          limits: { capital: "1000000000000", intents_per_second: 1_000_000, max_open_orders: CANCELS },
        },
        trades: trades.value,
        cancels: CANCELS,
      });
      if (rows !== TRADES || heard.length !== CANCELS || heard.some((one) => !one.cancelled))
        throw new Error(`${rows} trades and ${heard.length} words on orders came through`);
      // The first run warms the code up, as a bot that lives has.
      if (run === 0) continue;
      p50.push(percentile(cancel_us, 0.5) / 1e3);
      p99.push(percentile(cancel_us, 0.99) / 1e3);
    }
  } finally {
    people.remove();
    rmSync(folder, { recursive: true, force: true });
  }
  return [measured("burst_cancel_p50_ms", "ms", p50), measured("burst_cancel_p99_ms", "ms", p99)];
}
