/** One suite in a process of its own: `node suites.js NAME ARGUMENTS` prints its figures as JSON. */
import { isMainThread, workerData } from "node:worker_threads";
import { startJailWatchdog } from "@rumi/sandbox";
import { backtestLanguagesSuite, type Guarded } from "./suites/backtest-languages.ts";
import { backtestSuite } from "./suites/backtest.ts";
import { appendsSuite } from "./suites/appends.ts";
import { burstSuite } from "./suites/burst.ts";
import { densitySuite } from "./suites/density.ts";
import { restartSuite } from "./suites/restart.ts";
import { runawaySuite } from "./suites/runaway.ts";
import { killSwitchSuite } from "./suites/kill-switch.ts";
import { feedThread, laneSuite } from "./suites/lane.ts";
import { computeThread, separationSuite } from "./suites/separation.ts";
import { loadSuite } from "./suites/load.ts";
import { supplySuite } from "./suites/supply.ts";
import { verifySuite } from "./suites/verify.ts";
import { wasmEventSuite } from "./suites/wasm-event.ts";
import type { Measured } from "./measure.ts";

const SUITES: Readonly<Record<string, (argument: string) => Promise<readonly Measured[]> | readonly Measured[]>> = {
  wasm_event: wasmEventSuite,
  load: loadSuite,
  backtest: backtestSuite,
  backtest_languages: backtestLanguagesSuite,
  appends: appendsSuite,
  burst: burstSuite,
  density: densitySuite,
  restart: restartSuite,
  kill_switch: killSwitchSuite,
  runaway: runawaySuite,
  lane: laneSuite,
  separation: separationSuite,
  supply: supplySuite,
  verify: verifySuite,
};

if (isMainThread) {
  const [name = "", argument = ""] = process.argv.slice(2);
  const suite = SUITES[name];
  if (suite === undefined) throw new Error(`no suite is named ${name}`);
  process.stdout.write(`${JSON.stringify(await suite(argument))}\n`);
} else if ("feed" in (workerData as object)) feedThread();
else if ("compute" in (workerData as object)) computeThread();
else {
  // The thread that ends late processes for a suite that blocks on one.
  const { guard } = workerData as Guarded;
  startJailWatchdog(guard, { now_ms: () => Number(process.hrtime.bigint() / 1_000_000n), every_ms: 2 });
  setInterval(() => undefined, 1_000);
}
