/**
 * `rumi checkpoints show WHAT`: what a state checkpoint says of itself, offline: versions, cursor, checksum, sizes.
 *
 * WHAT is a checkpoint file, a run's directory or the id of a run of this home; of a run both slots are shown. Neither
 * the strategy's state nor its configuration is printed.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { failure } from "@rumi/kernel";
import { decodeCheckpoint } from "@rumi/runtime";
import { homePaths } from "../home/layout.ts";
import { fail, settingsOf, type CliContext, type OutputStyle } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson, printObject } from "./output.ts";
import { findRun } from "./replay.ts";

type Shown = { readonly file: string; readonly sound: boolean; readonly [name: string]: unknown };

export function addCheckpointCommands(program: Command, context: CliContext): void {
  program
    .command("checkpoints")
    .description("State checkpoints of runs.")
    .command("show")
    .description("Show versions, cursor, checksum and sizes of a checkpoint, or of both slots of a run")
    .argument("<what>", "a checkpoint file, a run's directory, or a run's id in the home that RUMI_HOME names")
    .option("--json", "print it as JSON")
    .action((what: string, options: { readonly json?: boolean }) => {
      const style: OutputStyle = options.json === true ? "json" : "words";
      const settings = settingsOf(context);
      if (!settings.ok) return fail(context, settings.error, style);
      const { runs } = homePaths(settings.value.home);
      const files = filesOf(existsSync(what) ? what : findRun(runs, what));
      if (files.length === 0) return fail(context, failure("RUMI-STR-072", { run_id: what, path: runs }), style);
      const shown = files.map(show);
      if (shown.some(({ sound }) => !sound)) context.exit_code = EXIT.failed;
      if (style === "json") return printJson(context.terminal, { checkpoints: shown });
      for (const one of shown) printObject(context.terminal, one);
      return undefined;
    });
}

function filesOf(path: string | undefined): readonly string[] {
  if (path === undefined) return [];
  if (!statSync(path).isDirectory()) return [path];
  const folder = existsSync(join(path, "checkpoints")) ? join(path, "checkpoints") : path;
  return readdirSync(folder)
    .filter((name) => name.includes(".checkpoint"))
    .map((name) => join(folder, name));
}

function show(file: string): Shown {
  const bytes = readFileSync(file);
  const checkpoint = decodeCheckpoint(bytes);
  if (typeof checkpoint === "string") return { file, sound: false, problem: checkpoint, bytes: bytes.length };
  const { machine, ...header } = checkpoint.header;
  return {
    file,
    sound: true,
    ...header,
    checksum: `sha256:${bytes.subarray(bytes.length - 32).toString("hex")}`,
    bytes: bytes.length,
    strategy_bytes: checkpoint.strategy.length,
    venue_bytes: checkpoint.venue.length,
    machine_keys: Object.keys(machine),
  };
}
