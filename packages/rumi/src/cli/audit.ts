/**
 * `rumi audit verify`: checks a log without trusting the program that wrote it; offline, on any copy.
 *
 * Given a home it checks three things that must agree: the store's rows, the tile files, the JSONL views. Given a
 * directory in the standard layout it checks that. Threads look at the store's ranges beside it. Exit code 0: nothing found; 1: something was found.
 */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { err, failure, FailureError, ok, type Failure, type Result } from "@rumi/kernel";
import {
  clearJsonl,
  clearTileFiles,
  findingText,
  parseCheckpoint,
  parseVerifier,
  readVerifierKey,
  verifyDirectory,
  verifyLog,
  type VerifyReport,
} from "@rumi/ledger";
import { homePaths, type HomePaths } from "../home/layout.ts";
import { lockHome } from "../home/lock.ts";
import type { Installation } from "../program/installation.ts";
import { fail, settingsOf, type CliContext, type OutputStyle } from "./context.ts";
import { EXIT } from "./exit-codes.ts";
import { printJson, progressBar } from "./output.ts";
import { rememberedHeads } from "./remembered-heads.ts";

type Options = {
  readonly key?: string;
  readonly against?: readonly string[];
  readonly remember: boolean;
  readonly json?: boolean;
};
type Place = { readonly tiles: string; readonly jsonl: string | undefined; readonly store: string | undefined };
export type Part = { readonly part: "store" | "tile_files"; readonly report: VerifyReport };

export function addAuditCommands(program: Command, context: CliContext, { verify_worker }: Installation): void {
  const audit = program.command("audit").description("The audit log: search, prove, verify.");
  audit
    .command("verify")
    .description("Check a log offline: signature, tree, every entry, payload commitments, JSONL views")
    .argument("[path]", "a home, a copy of one, or a directory in the standard tile layout (default: RUMI_HOME)")
    .option("--key <vkey>", "the log's public key, or a file that holds it (default: the copy's own log.vkey)")
    .option("--against <file...>", "earlier signed checkpoints that the log must continue")
    .option("--no-remember", "neither recall nor keep the last checkpoint that was seen")
    .option("--json", "print the report as JSON")
    .action(async (path: string | undefined, options: Options) => verify(context, verify_worker, path, options));
  audit
    .command("rebuild")
    .description("Make tile files and JSONL views again from the store (the program must not run)")
    .action(async () => rebuild(context));
}

/** Throws the views away and makes them again from the store, while no program runs in the home. */
async function rebuild(context: CliContext): Promise<void> {
  const settings = settingsOf(context);
  if (!settings.ok) return fail(context, settings.error, "words");
  const paths = homePaths(settings.value.home);
  const lock = lockHome(paths);
  if (!lock.ok) return fail(context, lock.error, "words");
  const made = await remakeViews(paths);
  lock.value.release();
  if (!made.ok) return fail(context, made.error, "words");
  context.terminal.out("tile files and JSONL lines were made again from the store\n");
  return undefined;
}

/** Tile files and JSONL lines, made again from the store. The caller holds the home's lock. */
export async function remakeViews(paths: HomePaths): Promise<Result<unknown, Failure>> {
  const key = await readVerifierKey(paths.tlog);
  const verifier =
    key === undefined
      ? err(failure("RUMI-LOG-016", { what: "log.vkey", problem: "start the program once: it writes the key" }))
      : parseVerifier(key);
  if (!verifier.ok) return verifier;
  const { openSqliteReader } = await import("@rumi/store");
  const { filesOfLog } = await import("../program/files-of-log.ts");
  const store = openSqliteReader(join(paths.store, "rumi.sqlite"));
  if (!store.ok) return store;
  try {
    await clearTileFiles(paths.tlog);
    const cleared = await clearJsonl(paths.audit);
    return cleared.ok ? await filesOfLog(store.value, paths, verifier.value)() : cleared;
  } finally {
    store.value.close();
  }
}

async function verify(context: CliContext, worker_url: URL, path: string | undefined, options: Options): Promise<void> {
  const style: OutputStyle = options.json === true ? "json" : "words";
  const place = placeOf(context, path);
  if (!place.ok) return fail(context, place.error, style);
  const against = filesOf(options.against ?? []);
  if (!against.ok) return fail(context, against.error, style);
  const key = options.key === undefined ? await readVerifierKey(place.value.tiles) : keyOf(options.key);
  if (key === undefined)
    return fail(
      context,
      failure("RUMI-LOG-016", { what: "log.vkey", problem: "there is no such file and no --key was given" }),
      style,
    );

  const heads = rememberedHeads(context.environment);
  const origin = key.split("+")[0] ?? key;
  const remembered = options.remember ? heads.recall(origin) : undefined;
  const earlier = remembered === undefined ? against.value : [...against.value, remembered];
  const parts = await checkedParts(context, place.value, key, earlier, style, worker_url);
  if (!parts.ok) return fail(context, parts.error, style);
  const isGood = parts.value.every(({ report }) => report.ok);
  if (isGood && options.remember) {
    const note = readFileSync(join(place.value.tiles, "checkpoint"), "utf8");
    const problem = newerOf(note, remembered) === note ? heads.keep(origin, note) : undefined;
    if (problem !== undefined) context.terminal.err(`warning: the checkpoint could not be remembered: ${problem}\n`);
  }
  tell(context, parts.value, { style, remembered: remembered !== undefined, own_key: options.key === undefined });
  context.exit_code = isGood ? EXIT.ok : EXIT.failed;
}

/** Checks the home's own log, without the heads that the command line remembers. */
export async function verifyHome(context: CliContext): Promise<Result<readonly Part[], Failure>> {
  const place = placeOf(context, undefined);
  if (!place.ok) return place;
  const key = await readVerifierKey(place.value.tiles);
  return key === undefined
    ? err(failure("RUMI-LOG-016", { what: "log.vkey", problem: "there is no such file" }))
    : checkedParts(context, place.value, key, [], "json");
}

async function checkedParts(
  context: CliContext,
  place: Place,
  key: string,
  against: readonly string[],
  style: OutputStyle,
  worker_url?: URL,
): Promise<Result<readonly Part[], Failure>> {
  const parts: Part[] = [];
  const quiet = { update: () => {}, end: () => {} };
  const bar = style === "json" ? quiet : progressBar(context.terminal, "verifying");
  const onProgress = (done: number, total: number): void => bar.update(done, total);
  try {
    if (place.store !== undefined) {
      const { openSqliteReader, sqliteVouchers, storedLog } = await import("@rumi/store");
      const opened = openSqliteReader(place.store);
      if (!opened.ok) return opened;
      const store = opened.value;
      const vouchers = worker_url === undefined ? undefined : sqliteVouchers({ path: place.store, worker_url });
      try {
        const report = await store.snapshot((reader) => {
          const log = storedLog(store, reader);
          const options = { verifier: key, against, onProgress, ...(vouchers === undefined ? {} : { vouchers }) };
          return verifyLog({ source: log, payloads: log, index: log, ...options });
        });
        parts.push({ part: "store", report });
        const payloads = storedLog(store, store);
        const jsonl = place.jsonl === undefined ? {} : { jsonl: place.jsonl };
        parts.push({
          part: "tile_files",
          report: await settled(() =>
            verifyDirectory({ directory: place.tiles, verifier: key, payloads, against, onProgress, ...jsonl }),
          ),
        });
      } finally {
        await vouchers?.close();
        store.close();
      }
    } else {
      parts.push({
        part: "tile_files",
        report: await settled(() =>
          verifyDirectory({
            directory: place.tiles,
            verifier: key,
            against,
            onProgress,
            ...(place.jsonl === undefined ? {} : { jsonl: place.jsonl }),
          }),
        ),
      });
    }
    return ok(parts);
  } catch (cause) {
    if (cause instanceof FailureError) return err(cause.failure); // a store that cannot be read, a thread that ended
    throw cause;
  } finally {
    bar.end();
  }
}

const LOOKS = 3;
const BETWEEN_LOOKS_MS = 300;

/**
 * What an erasure leaves while it goes on: a payload is gone and the entry that says so lies beyond the head that was
 * read, or its line is just being taken out. Another look finds them together; what stays is told.
 */
export async function settled(look: () => Promise<VerifyReport>): Promise<VerifyReport> {
  for (let times = 1; ; times += 1) {
    const report = await look();
    const mayPass = report.findings.every(({ kind }) => kind === "jsonl_mismatch" || kind === "payload_missing");
    if (report.ok || !mayPass || times === LOOKS) return report;
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_LOOKS_MS));
  }
}

function tell(
  context: CliContext,
  parts: readonly Part[],
  facts: { readonly style: OutputStyle; readonly remembered: boolean; readonly own_key: boolean },
): void {
  const { terminal } = context;
  const isGood = parts.every(({ report }) => report.ok);
  if (facts.style === "json") {
    const findings = parts.flatMap(({ part, report }) =>
      report.findings.map((found) => ({ part, ...found, ...findingText(found, terminal.language) })),
    );
    printJson(terminal, {
      verified: isGood,
      remembered_head: facts.remembered,
      key_from_copy: facts.own_key,
      parts: parts.map(({ part, report }) => ({ part, ...report, findings: undefined })),
      findings,
    });
    return;
  }
  for (const { part, report } of parts) {
    terminal.out(
      `${part === "store" ? "store" : "tile files"}: ${report.entries_checked} of ${report.size} entries, ${report.payloads_checked} payloads, ${report.jsonl_lines_checked} JSONL lines, ${report.against_checked} earlier checkpoints\n`,
    );
    for (const found of report.findings) {
      const { text, next } = findingText(found, terminal.language);
      terminal.out(
        `  ${found.kind}${found.index === null ? "" : ` at entry ${found.index}`}: ${found.code} ${text}\n    → ${next}\n`,
      );
    }
    if (report.findings_total > report.findings.length)
      terminal.out(`  … and ${report.findings_total - report.findings.length} more\n`);
  }
  terminal.out(isGood ? "verified: nothing was edited, removed, reordered or cut off\n" : "NOT VERIFIED\n");
  if (isGood && facts.own_key)
    terminal.out("note: the key came from the copy itself; with --key you trust nobody here\n");
}

/** What a path is: a home, its user_data, or a directory of tiles. */
function placeOf(context: CliContext, path: string | undefined): Result<Place, Failure> {
  const settings = settingsOf(context);
  if (!settings.ok) return settings;
  const root = resolve(path ?? settings.value.home);
  for (const data of [join(root, "user_data"), root]) {
    const tiles = join(data, "tlog");
    if (!existsSync(join(tiles, "checkpoint"))) continue;
    const [store, jsonl] = [join(data, "store/rumi.sqlite"), join(data, "audit")];
    return ok({ tiles, store: existsSync(store) ? store : undefined, jsonl: existsSync(jsonl) ? jsonl : undefined });
  }
  if (existsSync(join(root, "checkpoint"))) return ok({ tiles: root, store: undefined, jsonl: undefined });
  return err(
    failure("RUMI-LOG-016", { what: `log in ${root}`, problem: "there is neither a checkpoint nor user_data/tlog" }),
  );
}

function filesOf(paths: readonly string[]): Result<readonly string[], Failure> {
  const texts: string[] = [];
  for (const path of paths) {
    if (!existsSync(path)) return err(failure("RUMI-VAL-006", { path }));
    texts.push(readFileSync(path, "utf8"));
  }
  return ok(texts);
}

function keyOf(given: string): string {
  return existsSync(given) ? readFileSync(given, "utf8").trim() : given.trim();
}

/** Of two checkpoints the larger; the first when the second is missing or unreadable. */
function newerOf(note: string, other: string | undefined): string {
  const [mine, theirs] = [parseCheckpoint(note), other === undefined ? undefined : parseCheckpoint(other)];
  return theirs?.ok === true && mine.ok && theirs.value.size > mine.value.size ? (other ?? note) : note;
}
