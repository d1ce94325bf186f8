/** One suite in a process of its own: `node suites.js NAME ARGUMENTS` prints its figures as JSON. */
import { backtestSuite } from "./suites/backtest.ts";
import { appendsSuite } from "./suites/appends.ts";
import { densitySuite } from "./suites/density.ts";
import { loadSuite } from "./suites/load.ts";
import { wasmEventSuite } from "./suites/wasm-event.ts";
import type { Measured } from "./measure.ts";

const SUITES: Readonly<Record<string, (argument: string) => Promise<readonly Measured[]> | readonly Measured[]>> = {
  wasm_event: wasmEventSuite,
  load: loadSuite,
  backtest: backtestSuite,
  appends: appendsSuite,
  density: densitySuite,
};

const [name = "", argument = ""] = process.argv.slice(2);
const suite = SUITES[name];
if (suite === undefined) throw new Error(`no suite is named ${name}`);
process.stdout.write(`${JSON.stringify(await suite(argument))}\n`);
