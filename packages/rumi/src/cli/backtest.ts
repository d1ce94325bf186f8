/**
 * `rumi backtest STRATEGY FILE`: the strategy file that a bot would run, over a recording, at full speed.
 *
 * Needs no program and no home. The strategy runs in a thread of its own, so that a jailed process's deadline is
 * watched from outside it.
 */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Worker } from "node:worker_threads";
import type { Command } from "commander";
import type { StrategyDescriptor } from "@rumi/abi";
import { err, failure, ok, type Failure, type JsonObject, type Result } from "@rumi/kernel";
import { PACK_LIMITS, parseManifest, readTree } from "@rumi/platform";
import type { BacktestResult, PythonHome } from "@rumi/runtime";
import { createJailWatch, detectJails, detectPython, startJailWatchdog } from "@rumi/sandbox";
import type { BacktestJob } from "../backtest-worker.ts";
import type { Installation } from "../program/installation.ts";
import { fail, type CliContext, type OutputStyle } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson, printObject } from "./output.ts";
import { readRecording } from "./recordings.ts";

type Options = {
  readonly pack?: string;
  readonly config: string;
  readonly instrument?: string;
  readonly capital: string;
  readonly makerPpm: string;
  readonly takerPpm: string;
  readonly latencyUs: string;
  readonly seed: string;
  readonly fills?: boolean;
  readonly json?: boolean;
};

export function addBacktestCommand(program: Command, context: CliContext, place: Installation): void {
  program
    .command("backtest")
    .description("Run a strategy over a recording at full speed and print result and throughput")
    .argument("<strategy_id>", "a strategy of the pack, e.g. ema_cross")
    .argument("<file>", "a recording of trades, quotes, klines or a book (docs/recordings.md); plain, .gz or .zip")
    .option("--pack <dir>", "folder of the pack (default: the pack that comes with Rumi)")
    .option("--config <json>", "the strategy's configuration", "{}")
    .option("--instrument <id>", "SYMBOL.VENUE (default: after the file's name)")
    .option("--capital <amount>", "largest gross exposure, quote currency", "1000000")
    .option("--maker-ppm <ppm>", "maker fee, parts per million", "0")
    .option("--taker-ppm <ppm>", "taker fee, parts per million", "0")
    .option("--latency-us <us>", "order latency, microseconds", "0")
    .option("--seed <text>", "seed of everything random", "backtest")
    .option("--fills", "print every fill")
    .option("--json", "print the result as JSON")
    .action(async (strategy_id: string, file: string, options: Options) => {
      const style: OutputStyle = options.json === true ? "json" : "words";
      const numbers = [options.makerPpm, options.takerPpm, options.latencyUs].map(Number);
      const config = jsonObject(options.config);
      if (numbers.some((value) => !Number.isSafeInteger(value)) || config === undefined) {
        context.terminal.err(
          "--config is a JSON object; --maker-ppm, --taker-ppm and --latency-us are whole numbers\n",
        );
        context.exit_code = EXIT.usage;
        return undefined;
      }
      const result = await backtest(
        context,
        place,
        { strategy_id, file, options, config, numbers: [numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0] },
        style,
      );
      if (!result.ok) return fail(context, result.error, style);
      tell(context, result.value, style, options.fills === true);
      return undefined;
    });
}

export type AskedBacktest = {
  readonly strategy_id: string;
  readonly file: string;
  readonly options: Options;
  readonly config: JsonObject;
  readonly numbers: readonly [number, number, number];
};

/** Loads pack and recording, and runs the strategy in a thread of its own. */
export async function backtest(
  context: CliContext,
  place: Installation,
  asked: AskedBacktest,
  style: OutputStyle,
): Promise<Result<BacktestResult, Failure>> {
  const { options, strategy_id } = asked;
  const pack_dir = resolve(options.pack ?? place.default_pack);
  const descriptor = await strategyOf(pack_dir, strategy_id);
  if (!descriptor.ok) return descriptor;
  const recording = await readRecording(context, asked.file, options.instrument, style);
  if (!recording.ok) return recording;
  const { loaded } = recording.value;
  const python = descriptor.value.runtime_kind === "python" ? await pythonHome(context, place) : ok(null);
  if (!python.ok) return python;
  const watch = createJailWatch();
  const [maker_fee_ppm, taker_fee_ppm, latency_us] = asked.numbers;
  const job: BacktestJob = {
    descriptor: descriptor.value,
    pack_dir,
    config: asked.config,
    seed: options.seed,
    instruments: loaded.instruments,
    feed: loaded.feed,
    venue: {
      venue_id: loaded.instruments[0]?.instrument_id.split(".")[1] ?? "SIM",
      maker_fee_ppm,
      taker_fee_ppm,
      latency_us,
      latency_jitter_us: 0,
      seed: options.seed,
    },
    limits: {
      capital: options.capital,
      intents_per_second: descriptor.value.resources.intents_per_second,
      max_open_orders: 100,
    },
    keep: options.fills === true ? "all" : "digest",
    jails: { watch, python: python.value },
  };
  const stopWatchdog = startJailWatchdog(watch, {
    now_ms: () => Number(process.hrtime.bigint() / 1_000_000n),
    every_ms: 1,
  });
  try {
    return await inThread(new URL("backtest-worker.js", place.lane_worker), job);
  } finally {
    stopWatchdog();
  }
}

function inThread(entry: URL, job: BacktestJob): Promise<Result<BacktestResult, Failure>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(entry, { workerData: job });
    worker.once("message", (result: Result<BacktestResult, Failure>) => resolve(result));
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the backtest's thread ended with ${code} and no result`)));
  });
}

async function strategyOf(pack_dir: string, strategy_id: string): Promise<Result<StrategyDescriptor, Failure>> {
  const tree = await readTree(pack_dir, PACK_LIMITS);
  if (!tree.ok) return tree;
  const text = await readFile(join(pack_dir, "ecosystem.json"), "utf8").catch(() => undefined);
  if (text === undefined) return err(failure("RUMI-VAL-006", { path: join(pack_dir, "ecosystem.json") }));
  const manifest = parseManifest(text, tree.value.entries);
  if (!manifest.ok) return manifest;
  const found = manifest.value.strategies.find((one) => one.strategy_id === strategy_id);
  const known = manifest.value.strategies.map((one) => one.strategy_id).join(", ");
  return found === undefined
    ? err(failure("RUMI-VAL-002", { field: "strategy_id", problem: `the pack has ${known}` }))
    : ok(found);
}

/** An interpreter and the strongest jail that works here, or why there is none. */
export async function pythonHome(context: CliContext, place: Installation): Promise<Result<PythonHome, Failure>> {
  const python = detectPython(context.environment["PATH"] ?? "");
  if (!python.ok) return python;
  const jails = await detectJails(python);
  const best = jails.find((jail) => jail.available && jail.strict) ?? jails.find((jail) => jail.available);
  if (best === undefined) {
    const problem = jails.map((jail) => `${jail.mechanism}: ${jail.reason ?? "unavailable"}`).join("; ");
    return err(
      failure(
        "RUMI-BOT-020",
        { bot_id: "backtest", needs: "a process jail", problem },
        { reasonCode: "M.ISOLATION.UNAVAILABLE" },
      ),
    );
  }
  return ok({
    python: python.value,
    mechanism: best.mechanism,
    sdk_dir: place.python_sdk,
    runner_dir: place.jail_scripts,
  });
}

function tell(context: CliContext, result: BacktestResult, style: OutputStyle, withFills: boolean): void {
  const { entries, ...summary } = result;
  if (style === "json") return printJson(context.terminal, withFills ? result : summary);
  if (withFills) {
    for (const entry of entries) {
      if (entry.kind !== "fill") continue;
      const word = (name: string): string => (typeof entry.fill[name] === "string" ? entry.fill[name] : "-");
      context.terminal.out(
        `fill side=${word("side")} quantity=${word("quantity")} price=${word("price")} instrument=${word("instrument_id")} fee=${word("fee")} liquidity=${word("liquidity")}\n`,
      );
    }
  }
  printObject(context.terminal, { ...summary, elapsed_ms: Math.round(summary.elapsed_ms) });
  return undefined;
}

function jsonObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined; // the usage line says what is wanted
  }
}
