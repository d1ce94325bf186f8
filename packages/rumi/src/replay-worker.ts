/** Entry of the replay's thread (dist/replay-worker.js): replays one run and posts the report. */
import { parentPort, workerData } from "node:worker_threads";
import { replayRun, type PythonHome, type ReplayRunOptions } from "@rumi/runtime";
import type { JailWatch } from "@rumi/sandbox";

export type ReplayJob = Omit<ReplayRunOptions, "python"> & {
  readonly python: { readonly home: PythonHome; readonly watch: JailWatch } | null;
};

const { python, ...job } = workerData as ReplayJob;
const result = await replayRun({
  ...job,
  ...(python === null ? {} : { python: { ...python, now_ms: () => Number(process.hrtime.bigint() / 1_000_000n) } }),
});
parentPort?.postMessage(result.ok ? result : { ok: false, error: { ...result.error, cause: undefined } });
