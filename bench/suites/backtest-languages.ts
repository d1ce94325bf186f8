/**
 * The EMA cross in TypeScript (interpreted in its engine) and in Python (in its jail), trade by trade and as a backtest
 * hands them over (`batched`), with the Rust one of the same run beside them, so that the ratio survives a disturbed
 * machine. For TypeScript the two are one path: its fuel is an event's own, so an engine takes one event a call.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { digestOf } from "@rumi/kernel";
import type { PythonHome } from "@rumi/runtime";
import { createJailWatch, detectJails, detectPython, type JailWatch } from "@rumi/sandbox";
import { measured, repeat, type Measured } from "../measure.ts";
import { described, emaCross } from "./ema-cross.ts";
import type { MeasuredMarket } from "./market.ts";

const RUNS = 3;
/** One by one a whole day would take half a minute. */
const ROWS_ONE_BY_ONE = 60_000;

export type Guarded = { readonly guard: JailWatch };

export async function backtestLanguagesSuite(argument: string): Promise<readonly Measured[]> {
  const market = JSON.parse(argument) as MeasuredMarket & { readonly root: string };
  const { pass, descriptor, feed } = await emaCross(market);
  const speed = (once: () => number): Promise<readonly number[]> => {
    once();
    return repeat(RUNS, () => {
      const began = performance.now();
      const events = once();
      return (events * 1_000) / (performance.now() - began);
    });
  };
  const name = (of: string): string => `backtest_${market.name}_${of}_events_per_s`;
  const found: Measured[] = [];
  const typescript = described(join(market.root, "packs/default"), "ema_cross_typescript");
  found.push(
    measured(
      name("typescript"),
      "events/s",
      await speed(() => pass({ descriptor: typescript, delivery: "one_by_one" })),
    ),
    measured(name("typescript_batched"), "events/s", await speed(() => pass({ descriptor: typescript }))),
  );
  const python = await pythonHome(market.root);
  if (python !== null) {
    const pack_dir = join(market.root, "bench/strategies");
    const entrypoint = "ema_cross.py";
    const changes = {
      pack_dir,
      python,
      descriptor: {
        ...descriptor,
        runtime_kind: "python",
        entrypoint,
        binary_hash: digestOf(new Uint8Array(readFileSync(join(pack_dir, entrypoint)))),
        resources: { ...descriptor.resources, memory_bytes: 268_435_456, event_timeout_ms: 250 },
      },
    } as const;
    const rows = Math.min(ROWS_ONE_BY_ONE, feed.length);
    found.push(
      measured(name("python"), "events/s", await speed(() => pass({ ...changes, delivery: "one_by_one" }, rows))),
      measured(name("python_batched"), "events/s", await speed(() => pass(changes))),
    );
  }
  return [...found, measured(name("rust_beside"), "events/s", await speed(() => pass()))];
}

/** What Python strategies need here, with a thread that ends late ones; `null` where there is no strict jail. */
export async function pythonHome(root: string): Promise<{
  readonly home: PythonHome;
  readonly watch: JailWatch;
  readonly now_ms: () => number;
} | null> {
  const found = detectPython(process.env["PATH"] ?? "");
  if (!found.ok) return null;
  const jail = (await detectJails(found)).find((one) => one.available && one.strict);
  if (jail === undefined) return null;
  const watch = createJailWatch();
  const guard = new Worker(new URL(import.meta.url), { workerData: { guard: watch } satisfies Guarded });
  guard.unref();
  return {
    home: {
      python: found.value,
      mechanism: jail.mechanism,
      sdk_dir: join(root, "sdk/python"),
      runner_dir: join(root, "packages/sandbox/python"),
    },
    watch,
    now_ms: () => Number(process.hrtime.bigint() / 1_000_000n),
  };
}
