/** Entry of the backtest's thread (dist/backtest-worker.js): runs one backtest and posts its result. */
import { parentPort, workerData } from "node:worker_threads";
import { runBacktest, type BacktestOptions } from "@rumi/runtime";
import { jailsOf, type JailsJob } from "./jails.ts";

export type BacktestJob = Omit<BacktestOptions, "python" | "native" | "strategy" | "monotonic"> & {
  readonly jails: JailsJob;
};

const { jails, ...job } = workerData as BacktestJob;
const result = runBacktest({ ...job, monotonic: () => performance.now(), ...jailsOf(jails) });
parentPort?.postMessage(result);
