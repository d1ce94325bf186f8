/**
 * Commands over HTTP against the bundled program: 64 callers, each command gives one of 256 bots another
 * configuration. Every answer stands for two durable commits, at least four leaves of the log and a new bot version.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket } from "@rumi/venues";
import { ROOT, type Bundles } from "../bundles.ts";
import { measured, percentile, type Measured } from "../measure.ts";
import { commandId, startBenchProgram, type BenchProgram } from "../program.ts";

const CALLERS = 64;
export const BOTS = 256;
const RUNS = 3;
const SECONDS = 5;
const HTTP_LOAD_WARM_UP_SECONDS = 2;
const TICKS_PER_SECOND = 100;
/** Bots are made by so many at once. */
const MAKERS = 16;

type Round = {
  readonly program_cpu_seconds: number | null;
  readonly commands: number;
  readonly refused: number;
  readonly first_refusal: string;
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly latencies_ms: readonly number[];
};

export async function commandsSuite(bundles: Bundles, home: string): Promise<readonly Measured[]> {
  // For looking inside: RUMI_BENCH_NODE="--cpu-prof --cpu-prof-dir=FOLDER" npm run bench -- --only commands_per_s
  const node_arguments = (process.env["RUMI_BENCH_NODE"] ?? "").split(" ").filter((word) => word !== "");
  const program = await startBenchProgram({ program: bundles.program, home, node_arguments });
  try {
    await prepareBots(program, home, BOTS);
    const rounds: Round[] = [];
    for (let run = 0; run < RUNS; run += 1) rounds.push(await load(bundles, program));
    const refused = rounds.find((round) => round.refused > 0);
    if (refused !== undefined)
      throw new Error(`${refused.refused} commands were refused, e.g. ${refused.first_refusal}`);
    return [
      measured(
        "commands_per_s",
        "commands/s",
        rounds.map((round) => round.commands / round.seconds),
      ),
      // On a machine that others use too, this is what stays comparable.
      ...cpuFigures(rounds),
      measured(
        "commands_p50_ms",
        "ms",
        rounds.map((round) => percentile(round.latencies_ms, 0.5)),
      ),
      measured(
        "commands_p99_ms",
        "ms",
        rounds.map((round) => percentile(round.latencies_ms, 0.99)),
      ),
    ];
  } finally {
    await program.stop();
  }
}

function cpuFigures(rounds: readonly Round[]): readonly Measured[] {
  const known = rounds.flatMap(({ program_cpu_seconds, commands }) =>
    program_cpu_seconds === null ? [] : [(program_cpu_seconds * 1e6) / commands],
  );
  return known.length === 0 ? [] : [measured("commands_cpu_us", "µs", known)];
}

/** Processor time of a process and its threads so far, user and system; null where the machine has no /proc. */
function cpuSeconds(pid: number | undefined): number | null {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return null;
  const fields = readFileSync(path, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function load(bundles: Bundles, { url, token, process: program }: BenchProgram): Promise<Round> {
  const before = cpuSeconds(program.pid);
  const child = spawn(
    process.execPath,
    [bundles.http_load, url, token, String(CALLERS), String(SECONDS), String(BOTS)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const exited = once(child, "exit");
  let text = "";
  child.stdout.on("data", (data: Buffer) => (text += data.toString()));
  await exited;
  const after = cpuSeconds(program.pid);
  const share = SECONDS / (SECONDS + HTTP_LOAD_WARM_UP_SECONDS);
  // The warm-up's part is taken off by time.
  return {
    ...(JSON.parse(text) as Round),
    program_cpu_seconds: before === null || after === null ? null : (after - before) * share,
  };
}

/** Pack, venue and bots, made as a user makes them: through the API. */
export async function prepareBots(
  program: BenchProgram,
  home: string,
  bots: number,
  more: (bot: number) => Readonly<Record<string, unknown>> = () => ({}),
): Promise<void> {
  const { staging_id } = await program.call("POST", "/api/packs/import", { path: join(ROOT, "packs/default") });
  await program.call("POST", "/api/packs/apply", { staging_id });
  const { approved_digest } = await program.call("POST", "/api/packs/default/approve", {});
  const market = generateMarket({ ...DEMO_MARKET, trades: 1_000 });
  if (!market.ok) throw new Error(market.error.code);
  const folder = join(home, "recordings");
  const path = join(folder, "DEMO-aggTrades.csv");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, encodeAggTrades(market.value, DEMO_INSTRUMENT));
  await program.call("POST", "/api/venues", {
    command_id: commandId(),
    venue_id: "SIM",
    kind: "recording",
    files: [{ path, format: "binance_agg_trades", instrument: DEMO_INSTRUMENT }],
    pace: { kind: "max" },
    fees: { maker_ppm: 0, taker_ppm: 0 },
    latency: { base_us: 0, jitter_us: 0 },
    seed: "bench",
    reason: "bench",
  });
  let made = 0;
  const maker = async (): Promise<void> => {
    for (let bot = made; bot < bots; bot = made) {
      made += 1;
      await program.call("POST", "/api/bots", { ...botOf(bot, approved_digest), ...more(bot) });
    }
  };
  await Promise.all(Array.from({ length: MAKERS }, maker));
}

function botOf(bot: number, approved_digest: unknown): Readonly<Record<string, unknown>> {
  return {
    command_id: commandId(),
    bot_id: `bench-${bot}`,
    strategy: { pack_id: "default", strategy_id: "ema_cross", strategy_version: "1.0.0", digest: approved_digest },
    venue: "SIM",
    instruments: [DEMO_INSTRUMENT.instrument_id],
    config: { order_quantity: "1" },
    capital: "1000",
    reason: "bench",
  };
}
