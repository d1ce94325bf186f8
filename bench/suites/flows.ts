/**
 * Flows over HTTP against the bundled program, as a caller sees them: every answer stands for a run that is durable with its
 * audit events.
 *
 * `flow_three_steps`: three steps that compute. `python_block_warm`: a flow of one Python block in a jail that is warm.
 * `python_step_warm`: what lies between two blocks of one run, so a block with its pack's verification and its durable record.
 * `flow_step_flatness`: a run of 10,000 Python blocks; how long its last thousand took for each second of its first.
 * `health_beside_flows`: GET /health while ten callers run three-step flows as fast as they are answered.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Bundles } from "../bundles.ts";
import { measured, percentile, type Measured } from "../measure.ts";
import { startBenchProgram, type BenchProgram } from "../program.ts";

const RUNS = 3;
/** Each takes minutes. */
const LONG_RUNS = 1;
const SECONDS = 4;
const CALLERS = 64;
const HEALTH_CALLERS = 10;
/** A run of so many flows of so many blocks. */
const PARTS = 100;
const BLOCKS_OF_A_PART = 100;
const COMPARED_BLOCKS = 1_000;

const THREE = `flow_id: three
inputs: {name: string}
outputs: {greeting: object}
phases: [main]
steps:
  - {id: greet, phase: main, type: set, input: {text: "Hello, \${ctx.name}!"}, output: said}
  - {id: choose, phase: main, priority: 101, type: if, input: {condition: "$ctx.name == 'World'", then: all, else: one}, output: whom}
  - {id: tell, phase: main, priority: 102, type: set, input: {message: "\${ctx.said.text}", to: "\${ctx.whom}"}, output: greeting}
`;
const block = (id: string, priority: number): string =>
  `  - {id: ${id}, phase: main, priority: ${priority}, type: python_file_call, owner_pack: bench, file: now.py, output: ${id}}\n`;
const ONE_BLOCK = `flow_id: one-block\nphases: [main]\nsteps:\n${block("a", 1)}`;
const PART = `flow_id: part\nphases: [main]\nsteps:\n${Array.from({ length: BLOCKS_OF_A_PART }, (_, at) => block(`b${at}`, at)).join("")}`;
const LONG = `flow_id: long\nphases: [main]\nsteps:\n${Array.from(
  { length: PARTS },
  (_, at) => `  - {id: p${at}, phase: main, priority: ${at}, type: flow, input: {flow_id: part}, output: p${at}}\n`,
).join("")}`;

export type FlowFigures = "rates" | "python" | "flatness" | "health";

export async function flowsSuite(bundles: Bundles, home: string, of: FlowFigures): Promise<readonly Measured[]> {
  // For looking inside: RUMI_BENCH_NODE="--cpu-prof --cpu-prof-dir=FOLDER" npm run bench -- --only flows_per_s
  const node_arguments = (process.env["RUMI_BENCH_NODE"] ?? "").split(" ").filter((word) => word !== "");
  const environment = of === "health" ? {} : { RUMI_MAX_CONCURRENT_FLOWS: String(CALLERS) };
  writeFlows(home);
  const program = await startBenchProgram({ program: bundles.program, home, node_arguments, environment });
  try {
    if (of === "python" || of === "flatness") await installBlocks(program, home);
    switch (of) {
      case "rates":
        return await rates(bundles, program);
      case "python":
        return await python(bundles, program);
      case "flatness":
        return await flatness(program);
      case "health":
        return await health(bundles, program);
    }
  } finally {
    await program.stop();
  }
}

async function rates(bundles: Bundles, program: BenchProgram): Promise<readonly Measured[]> {
  const alone: number[] = [];
  const per_second: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    alone.push(percentile((await load(bundles, program, "three", 1)).latencies_ms, 0.5) * 1_000);
    const many = await load(bundles, program, "three", CALLERS);
    per_second.push(many.runs / many.seconds);
  }
  return [measured("flow_three_steps_us", "µs", alone), measured("flows_per_s", "flows/s", per_second)];
}

async function python(bundles: Bundles, program: BenchProgram): Promise<readonly Measured[]> {
  const runs: number[] = [];
  const steps: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    runs.push(percentile((await load(bundles, program, "one-block", 1)).latencies_ms, 0.5) * 1_000);
    steps.push(percentile(between(Object.values(await blocksOf<number>(program, "part"))), 0.5));
  }
  return [measured("python_block_warm_us", "µs", runs), measured("python_step_warm_us", "µs", steps)];
}

/** Each block tells when it ran, so what is compared is all that lies between two of them. */
async function flatness(program: BenchProgram): Promise<readonly Measured[]> {
  const ratios: number[] = [];
  for (let run = 0; run < LONG_RUNS; run += 1) {
    const parts = Object.values(await blocksOf<Readonly<Record<string, number>>>(program, "long"));
    const gaps = between(parts.flatMap((part) => Object.values(part)));
    if (gaps.length + 1 !== PARTS * BLOCKS_OF_A_PART) throw new Error(`the long run had ${gaps.length + 1} blocks`);
    ratios.push(percentile(gaps.slice(-COMPARED_BLOCKS), 0.5) / percentile(gaps.slice(0, COMPARED_BLOCKS), 0.5));
  }
  return [measured("flow_step_flatness", "ratio", ratios)];
}

/** The result of one run: what each of its blocks said, or each of its parts. */
async function blocksOf<T>({ url, token }: BenchProgram, flow: string): Promise<Readonly<Record<string, T>>> {
  const answer = await fetch(new URL(`/api/flows/${flow}/run`, url), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: '{"timeout":600}',
  });
  const said = (await answer.json()) as { readonly result?: Readonly<Record<string, T>> };
  if (said.result === undefined) throw new Error(`the run was answered: ${JSON.stringify(said).slice(0, 500)}`);
  return said.result;
}

const between = (at: readonly number[]): readonly number[] =>
  at.slice(1).map((moment, index) => moment - (at[index] ?? 0));

async function health(bundles: Bundles, program: BenchProgram): Promise<readonly Measured[]> {
  const runs: number[] = [];
  for (let run = 0; run < RUNS; run += 1)
    runs.push(percentile((await load(bundles, program, "three", HEALTH_CALLERS, "/health")).beside_ms, 0.99));
  return [measured("health_beside_flows_p99_ms", "ms", runs)];
}

type Load = {
  readonly runs: number;
  readonly refused: number;
  readonly first_refusal: string;
  readonly seconds: number;
  readonly latencies_ms: readonly number[];
  readonly beside_ms: readonly number[];
};

async function load(
  { http_flows }: Bundles,
  { url, token }: BenchProgram,
  flow: string,
  callers: number,
  beside = "",
): Promise<Load> {
  const words = [http_flows, url, token, flow, String(callers), String(SECONDS), beside];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  let text = "";
  child.stdout.on("data", (data: Buffer) => (text += data.toString()));
  await exited;
  const seen = JSON.parse(text) as Load;
  if (seen.refused > 0) throw new Error(`${seen.refused} runs were refused, e.g. ${seen.first_refusal}`);
  return seen;
}

function writeFlows(home: string): void {
  mkdirSync(join(home, "flows"), { recursive: true });
  for (const [name, text] of Object.entries({ three: THREE, "one-block": ONE_BLOCK, part: PART, long: LONG }))
    writeFileSync(join(home, "flows", `${name}.flow.yaml`), text);
}

async function installBlocks(program: BenchProgram, home: string): Promise<void> {
  const folder = join(home, "origin");
  mkdirSync(join(folder, "blocks"), { recursive: true });
  writeFileSync(join(folder, "blocks/now.py"), "import time\ndef run():\n    return time.time_ns() // 1000\n");
  const manifest = {
    pack_id: "bench",
    pack_identity: "bench:blocks",
    version: "1.0.0",
    vocabulary: { types: ["block"] },
  };
  writeFileSync(join(folder, "ecosystem.json"), JSON.stringify(manifest));
  const { staging_id } = await program.call("POST", "/api/packs/import", { path: folder });
  await program.call("POST", "/api/packs/apply", { staging_id });
  await program.call("POST", "/api/packs/bench/approve", {});
}
