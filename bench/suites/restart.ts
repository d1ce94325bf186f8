/**
 * How soon a strategy answers again after its end: a Python process by its warm standby, a Wasm box by a fresh memory.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "@rumi/kernel";
import { loadStrategy } from "@rumi/runtime";
import { openQuietBox } from "@rumi/sandbox";
import { measured, type Measured, repeat } from "../measure.ts";
import { pythonHome } from "./backtest-languages.ts";
import { described } from "./ema-cross.ts";

const RUNS = 5;
const RESETS = 200;
const ON_EVENT = 4;
const HEALTHCHECK = 5;
/** A standby gets ready in this time on a machine that has some to spare. */
const READY_MS = 1_000;

export async function restartSuite(argument: string): Promise<readonly Measured[]> {
  const { root } = JSON.parse(argument) as { readonly root: string };
  return [...(await jailRestart(root)), measured("wasm_reset_ms", "ms", await repeat(RUNS, wasmReset))];
}

/** Milliseconds of one reset and the first call after it, the mean of many. */
function wasmReset(): number {
  const box = openQuietBox(1_000_000);
  if (!box.ok) throw new Error(box.error.code);
  const began = performance.now();
  for (let turn = 0; turn < RESETS; turn += 1) {
    if (box.value.reset() !== null) throw new Error("the box did not begin again");
    box.value.call(ON_EVENT, 96);
  }
  return (performance.now() - began) / RESETS;
}

async function jailRestart(root: string): Promise<readonly Measured[]> {
  const python = await pythonHome(root);
  if (python === null) return [];
  const pack_dir = join(root, "bench/strategies");
  const entrypoint = "ema_cross.py";
  const base = described(join(root, "packs/default"), "ema_cross");
  const opened = loadStrategy({
    pack_dir,
    isolation: "strict",
    python: { ...python, standby: "warm" },
    descriptor: {
      ...base,
      runtime_kind: "python",
      entrypoint,
      binary_hash: digestOf(new Uint8Array(readFileSync(join(pack_dir, entrypoint)))),
      resources: { ...base.resources, memory_bytes: 268_435_456, event_timeout_ms: 5_000 },
    },
  });
  if (!opened.ok) throw new Error(opened.error.code);
  const strategy = opened.value;
  const runs: number[] = [];
  try {
    for (let run = 0; run < RUNS; run += 1) {
      await new Promise((resolve) => setTimeout(resolve, READY_MS));
      const began = performance.now();
      // Kills the process with everything in it, and goes on with the one that waits.
      const broken = strategy.reset();
      if (broken !== null) throw new Error(broken.detail);
      strategy.room(16);
      // Nothing was begun in it: it refuses the frame, and that is an answer.
      strategy.invoke(HEALTHCHECK, 16);
      if (strategy.fault()?.kind !== "status") throw new Error(JSON.stringify(strategy.fault()));
      runs.push(performance.now() - began);
    }
  } finally {
    strategy.close();
  }
  return [measured("jail_restart_ms", "ms", runs)];
}
