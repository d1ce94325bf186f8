/** `rumi backup` and `rumi restore`: a consistent copy of a running home, and a home of its own made from one. */
import { readFileSync, existsSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { systemClock, systemRandom, uuidv7 } from "@rumi/kernel";
import { homePaths } from "../home/layout.ts";
import type { Installation } from "../program/installation.ts";
import { clientOf, fail, failFromApi, settingsOf, type CliContext, type OutputStyle } from "./context.ts";
import { printJson } from "./output.ts";

type BackupOptions = { readonly to: string; readonly reason: string; readonly json?: boolean };
type RestoreOptions = { readonly from: string; readonly keys?: string; readonly key?: string; readonly json?: boolean };

export function addBackupCommand(program: Command, context: CliContext, place: Installation): void {
  program
    .command("backup")
    .description("Copy the home while it runs: store, log, packs; no keys. Put on the record where the program answers")
    .requiredOption("--to <folder>", "the backup's folder, which must not exist")
    .option("--reason <text>", "kept in the audit log", "a backup")
    .option("--json", "print what it holds as JSON")
    .action(async (options: BackupOptions) => backup(context, place, options));
}

export function addRestoreCommand(program: Command, context: CliContext): void {
  program
    .command("restore")
    .description("Make a home of its own from a backup, in RUMI_HOME; nothing in it starts by itself")
    .requiredOption("--from <folder>", "a backup")
    .option("--keys <folder>", "keys that go on: .secrets_key and .attestation_key (default: made anew)")
    .option("--key <vkey>", "the log's public key as you kept it, or a file that holds it (default: the backup's own)")
    .option("--json", "print what was made as JSON")
    .action(async (options: RestoreOptions) => restore(context, options));
}

async function backup(context: CliContext, place: Installation, { to, reason, json }: BackupOptions): Promise<void> {
  const style: OutputStyle = json === true ? "json" : "words";
  const settings = settingsOf(context);
  if (!settings.ok) return fail(context, settings.error, style);
  const { backUpHome } = await import("../recovery/backup.ts");
  const world = { clock: systemClock(), random: systemRandom(), version: place.version };
  const made = await backUpHome(homePaths(settings.value.home), resolve(to), world);
  if (!made.ok) return fail(context, made.error, style);
  const { backup_id, log, files } = made.value;
  const client = clientOf(context);
  if (!client.ok) return fail(context, client.error, style);
  const told = await client.value.request({
    method: "POST",
    path: "/api/backups",
    body: {
      command_id: uuidv7(world.clock.now(), world.random),
      backup_id,
      log_size: log.size,
      files: files.length,
      reason,
    },
  });
  if (!told.ok && told.error.kind === "refused") {
    rmSync(resolve(to), { recursive: true, force: true }); // who may not have one has none
    return failFromApi(context, told.error, style);
  }
  if (style === "json") return printJson(context.terminal, { path: resolve(to), on_record: told.ok, ...made.value });
  context.terminal.out(`${resolve(to)}: ${files.length} files, ${log.size} entries of the audit log, verified\n`);
  if (!told.ok) context.terminal.err("warning: the program does not run, so the log does not tell of this backup\n");
  context.terminal.out("keys are not in it: docs/operations/recovery.md says which to keep, and where\n");
}

async function restore(context: CliContext, { from, keys, key, json }: RestoreOptions): Promise<void> {
  const style: OutputStyle = json === true ? "json" : "words";
  const settings = settingsOf(context);
  if (!settings.ok) return fail(context, settings.error, style);
  const { restoreHome } = await import("../recovery/restore.ts");
  const vkey = key !== undefined && existsSync(key) ? readFileSync(key, "utf8").trim() : key;
  const made = await restoreHome({
    from: resolve(from),
    home: settings.value.home,
    keys: keys === undefined ? undefined : resolve(keys),
    vkey,
    clock: systemClock(),
    random: systemRandom(),
  });
  if (!made.ok) return fail(context, made.error, style);
  const { home_id, origin, manifest } = made.value;
  const facts = { home: settings.value.home, home_id, origin, log_size: manifest.log.size, old_home: manifest.home };
  if (style === "json") return printJson(context.terminal, facts);
  context.terminal.out(`${facts.home}: restored as ${origin}, ${facts.log_size} entries of the former log verified\n`);
  context.terminal.out("an incident holds every start until you have looked at venues and bots and lift it\n");
  if (key === undefined)
    context.terminal.out("note: the log's key came from the backup itself; with --key you trust nobody here\n");
}
