/** Entry of the backtest's thread (dist/backtest-worker.js): runs one backtest and posts its result. */
import { parentPort, workerData } from "node:worker_threads";
import { runBacktest, type BacktestOptions } from "@rumi/runtime";
import type { JailWatch } from "@rumi/sandbox";
import type { PythonHome } from "@rumi/runtime";

export type BacktestJob = Omit<BacktestOptions, "python" | "strategy" | "monotonic"> & {
  readonly python: { readonly home: PythonHome; readonly watch: JailWatch } | null;
};

const { python, ...job } = workerData as BacktestJob;
const result = runBacktest({
  ...job,
  monotonic: () => performance.now(),
  ...(python === null ? {} : { python: { ...python, now_ms: () => Number(process.hrtime.bigint() / 1_000_000n) } }),
});
parentPort?.postMessage(result);
