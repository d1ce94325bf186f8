/** Entry of the replay's thread (dist/replay-worker.js): replays one run and posts the report. */
import { parentPort, workerData } from "node:worker_threads";
import { replayRun, type ReplayRunOptions } from "@rumi/runtime";
import { jailsOf, type JailsJob } from "./jails.ts";

export type ReplayJob = Omit<ReplayRunOptions, "python" | "native"> & { readonly jails: JailsJob };

const { jails, ...job } = workerData as ReplayJob;
const result = await replayRun({ ...job, ...jailsOf(jails) });
parentPort?.postMessage(result.ok ? result : { ok: false, error: { ...result.error, cause: undefined } });
