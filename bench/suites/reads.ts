/**
 * Reads over HTTP against the bundled program: lists and filters of ten thousand bots, and single reads beside commands
 * that come at half of the rate which the same machine was seen to reach a moment before.
 *
 * A read is told from its caller's side, with the connection open: what a console or a script waits.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Bundles } from "../bundles.ts";
import { measured, percentile, type Measured } from "../measure.ts";
import { startBenchProgram, type BenchProgram } from "../program.ts";
import { BOTS, prepareBots } from "./commands.ts";

const MANY_BOTS = 10_000;
const LIST_READS = 200;
const BESIDE_READS = 200;
const BESIDE_PAUSE_MS = 5;
const RUNS = 3;
const CALLERS = 64;
const FULL_SECONDS = 5;
/** Ended as soon as the reads beside them are. */
const BESIDE_SECONDS = 120;

export async function listSuite(bundles: Bundles, home: string): Promise<readonly Measured[]> {
  const program = await startBenchProgram({ program: bundles.program, home });
  try {
    await prepareBots(program, home, MANY_BOTS, (bot) => ({ labels: { half: bot % 2 === 0 ? "even" : "odd" } }));
    const lists = ["/api/bots", "/api/bots?limit=200"];
    const filters = ["state=IDLE", "state=ERROR", "label=half%3Dodd", "label=half", "q=bench-99", "q=nobody"];
    const paths = [...lists, ...filters.map((filter) => `/api/bots?${filter}`)];
    const runs: (readonly (readonly number[])[])[] = [];
    for (let run = 0; run < RUNS; run += 1)
      runs.push(await reads(bundles, program, { count: LIST_READS, pause_ms: 0, paths }));
    // Of the slowest list and of the slowest filter.
    const worst = (from: number, to: number): readonly number[] =>
      runs.map((run) => Math.max(...run.slice(from, to).map((one) => percentile(one, 0.99))));
    return [
      measured("bots_list_p99_ms", "ms", worst(0, lists.length)),
      measured("bots_filter_p99_ms", "ms", worst(lists.length, paths.length)),
    ];
  } finally {
    await program.stop();
  }
}

export async function besideSuite(bundles: Bundles, home: string): Promise<readonly Measured[]> {
  const program = await startBenchProgram({ program: bundles.program, home });
  try {
    await prepareBots(program, home, BOTS);
    const full = await commands(bundles, program, FULL_SECONDS, null).seen();
    const runs: (readonly number[])[] = [];
    const rates: number[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const beside = commands(bundles, program, BESIDE_SECONDS, full / 2);
      const paths = ["/api/bots/bench-7", "/api/bots", "/api/safety"];
      runs.push((await reads(bundles, program, { count: BESIDE_READS, pause_ms: BESIDE_PAUSE_MS, paths })).flat());
      rates.push(await beside.end());
    }
    const p = (share: number): readonly number[] => runs.map((run) => percentile(run, share));
    return [
      measured("reads_beside_commands_per_s", "commands/s", rates),
      measured("reads_beside_p50_ms", "ms", p(0.5)),
      measured("reads_beside_p99_ms", "ms", p(0.99)),
    ];
  } finally {
    await program.stop();
  }
}

type Reads = { readonly count: number; readonly pause_ms: number; readonly paths: readonly string[] };

/** Latencies in ms of each path. */
async function reads(
  { http_reads }: Bundles,
  { url, token }: BenchProgram,
  { count, pause_ms, paths }: Reads,
): Promise<readonly (readonly number[])[]> {
  return JSON.parse(
    await generator([http_reads, url, token, String(count), String(pause_ms), JSON.stringify(paths)]).text,
  ) as readonly (readonly number[])[];
}

/** Commands as fast as they go, or at a rate; both answers are the rate that was seen. */
function commands({ http_load }: Bundles, { url, token }: BenchProgram, seconds: number, rate: number | null) {
  const words = [http_load, url, token, String(CALLERS), String(seconds), String(BOTS)];
  const running = generator(rate === null ? words : [...words, rate.toFixed(1)]);
  const seen = async (): Promise<number> => {
    const said = JSON.parse(await running.text) as {
      readonly commands: number;
      readonly seconds: number;
      readonly refused: number;
      readonly first_refusal: string;
    };
    if (said.refused > 0) throw new Error(`${said.refused} commands were refused, e.g. ${said.first_refusal}`);
    return said.commands / said.seconds;
  };
  return {
    seen,
    end: (): Promise<number> => {
      running.child.kill("SIGTERM");
      return seen();
    },
  };
}

function generator(words: readonly string[]) {
  const child = spawn(process.execPath, [...words], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let text = "";
  child.stdout.on("data", (data: Buffer) => (text += data.toString()));
  return { child, text: exited.then(() => text) };
}
