/** A thread that ends late jailed processes, so that a test may block on one in its own thread. */
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { createJailWatch } from "@rumi/sandbox";
import type { JailGuard } from "../src/strategy/process.ts";

const SANDBOX = new URL("../../sandbox/src/index.ts", import.meta.url).href;
const TSX = fileURLToPath(import.meta.resolve("tsx/esm/api"));
const GUARD = `
const { workerData, parentPort } = require("node:worker_threads");
import(workerData.tsx).then((api) => { api.register(); return import(workerData.sandbox); }).then(({ startJailWatchdog }) => {
  startJailWatchdog(workerData.watch, { now_ms: () => Number(process.hrtime.bigint() / 1_000_000n), every_ms: 2 });
  setInterval(() => undefined, 1_000);
  parentPort.postMessage("guarding");
});`;

export type Guarding = JailGuard & { readonly stop: () => Promise<unknown> };

export async function startGuard(): Promise<Guarding> {
  const watch = createJailWatch();
  const worker = new Worker(GUARD, { eval: true, workerData: { watch, tsx: TSX, sandbox: SANDBOX } });
  await new Promise((resolve, reject) => {
    worker.once("message", resolve);
    worker.once("error", reject);
  });
  return {
    watch,
    now_ms: () => Number(process.hrtime.bigint() / 1_000_000n),
    stop: () => worker.terminate(),
  };
}
