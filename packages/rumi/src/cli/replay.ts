/**
 * `rumi replay RUN`: does a recorded run come out again, intents and state byte for byte? Offline, on any copy of a home.
 *
 * Pack, configuration, seed and recordings are found by the run's own record and proven by their digests; the journal is
 * proven by its chain and compared with what the audit log sealed. Exit code 0: identical; 1: it cannot be replayed or
 * its evidence is damaged; 4: it was replayed and something else came out.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Command } from "commander";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { PACK_LIMITS, readTree } from "@rumi/platform";
import { readRunRecord, type ReplayReport } from "@rumi/runtime";
import { createJailWatch, startJailWatchdog } from "@rumi/sandbox";
import { homePaths, type HomePaths } from "../home/layout.ts";
import type { Installation } from "../program/installation.ts";
import type { ReplayJob } from "../replay-worker.ts";
import { pythonHome } from "./backtest.ts";
import { fail, settingsOf, type CliContext, type OutputStyle } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson, printObject } from "./output.ts";

type Options = { readonly recording?: readonly string[]; readonly json?: boolean };

/** The report, and how many of its segments the home's audit log has sealed with the very same root. */
export type ReplayAnswer = ReplayReport & { readonly sealed: { readonly matched: number; readonly differ: number } };

export function addReplayCommand(program: Command, context: CliContext, place: Installation): void {
  program
    .command("replay")
    .description("Replay a recorded run offline and compare every intent, order, fill and state with its journal")
    .argument("<run_id>", "a run of the home that RUMI_HOME names, or of a copy of it")
    .option("--recording <was=is...>", "where a recording lies now, by the path on record")
    .option("--json", "print the report as JSON")
    .action(async (run_id: string, options: Options) => {
      const style: OutputStyle = options.json === true ? "json" : "words";
      const moved = (options.recording ?? []).map((text) => text.split("="));
      if (moved.some((parts) => parts.length !== 2)) {
        context.terminal.err("--recording is WAS=IS, two paths\n");
        context.exit_code = EXIT.usage;
        return;
      }
      const settings = settingsOf(context);
      if (!settings.ok) return fail(context, settings.error, style);
      const paths = homePaths(settings.value.home);
      const recordings = Object.fromEntries(moved.map(([was = "", is = ""]) => [was, is]));
      const report = await replay(context, place, paths, run_id, recordings);
      if (!report.ok) return fail(context, report.error, style);
      tell(context, { ...report.value, sealed: sealedRoots(paths.audit, report.value) }, style);
    });
}

async function replay(
  context: CliContext,
  place: Installation,
  paths: HomePaths,
  run_id: string,
  recordings: Readonly<Record<string, string>>,
): Promise<Result<ReplayReport, Failure>> {
  const run_dir = findRun(paths.runs, run_id);
  if (run_dir === undefined) return err(failure("RUMI-STR-072", { run_id, path: paths.runs }));
  const read = readRunRecord(run_dir);
  if (!read.ok) return read;
  if (read.value === null)
    return err(failure("RUMI-STR-073", { run_id, problem: "it began before runs kept a record" }));
  const { record } = read.value;
  const pack_dir = join(paths.packs, record.pack_digest.slice("sha256:".length));
  const tree = existsSync(pack_dir) ? await readTree(pack_dir, PACK_LIMITS) : undefined;
  if (tree?.ok !== true || tree.value.digest !== record.pack_digest)
    return err(failure("RUMI-STR-073", { run_id, problem: `the pack ${record.pack_digest} is not in ${paths.packs}` }));
  const python = record.descriptor.runtime_kind === "python" ? await pythonHome(context, place) : ok(null);
  if (!python.ok) return python;
  const watch = createJailWatch();
  const job: ReplayJob = {
    run_dir,
    pack_dir,
    recordings,
    jails: { watch, python: python.value },
  };
  const stopWatchdog = startJailWatchdog(watch, {
    now_ms: () => Number(process.hrtime.bigint() / 1_000_000n),
    every_ms: 1,
  });
  try {
    return await inThread(new URL("replay-worker.js", place.lane_worker), job);
  } finally {
    stopWatchdog();
  }
}

function inThread(entry: URL, job: ReplayJob): Promise<Result<ReplayReport, Failure>> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(entry, { workerData: job });
    worker.once("message", (result: Result<ReplayReport, Failure>) => resolve(result));
    worker.once("error", reject);
    worker.once("exit", (code) => reject(new Error(`the replay's thread ended with ${code} and no report`)));
  });
}

/** A run's directory below any bot. */
export function findRun(runs: string, run_id: string): string | undefined {
  if (!/^[0-9a-f-]{36}$/.test(run_id) || !existsSync(runs)) return undefined;
  return readdirSync(runs)
    .map((bot) => join(runs, bot, run_id))
    .find((path) => existsSync(path));
}

/** Roots that the audit log's own files name for this run; a home without them proves nothing either way. */
export function sealedRoots(audit: string, { run_id, segments }: ReplayReport): ReplayAnswer["sealed"] {
  const roots = new Map(segments.map(({ segment, root }) => [segment, root]));
  let [matched, differ] = [0, 0];
  for (const name of existsSync(audit) ? readdirSync(audit) : []) {
    if (!name.endsWith(".jsonl")) continue;
    for (const line of readFileSync(join(audit, name), "utf8").split("\n")) {
      if (!line.includes("journal.segment.sealed") || !line.includes(run_id)) continue;
      const { details } = JSON.parse(line) as {
        readonly details: { readonly run_id?: string; readonly segment?: number; readonly merkle_root?: string };
      };
      if (details.run_id !== run_id || details.segment === undefined) continue;
      if (roots.get(details.segment) === details.merkle_root) matched += 1;
      else differ += 1;
    }
  }
  return { matched, differ };
}

function tell(context: CliContext, answer: ReplayAnswer, style: OutputStyle): void {
  const { divergence, segments, feed, sealed, ...rest } = answer;
  const isWhole = answer.outcome === "identical" && sealed.differ === 0;
  context.exit_code = isWhole ? EXIT.ok : EXIT.diverged;
  if (style === "json") return printJson(context.terminal, answer);
  printObject(context.terminal, {
    ...rest,
    segments: segments.length,
    sealed_in_audit_log: sealed.matched,
    ...(sealed.differ === 0 ? {} : { sealed_otherwise: sealed.differ }),
  });
  for (const { path, sha256 } of feed) context.terminal.out(`feed: ${path} ${sha256}\n`);
  if (divergence === null) return;
  context.terminal.out(`first divergence at record ${divergence.seq}\n`);
  context.terminal.out(`  journal: ${divergence.journal}\n  replay:  ${divergence.replay}\n`);
}
