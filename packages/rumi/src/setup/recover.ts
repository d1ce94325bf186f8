/**
 * A home after a bad end: mends what can be made again, names what only a copy can bring back, and touches nothing else.
 *
 * How to think: views, notes and modes follow from something else in the home and are made again. Keys, the store and the log
 * follow from nothing: what is wrong with them is told with the way out, and stays as it is for whoever looks later.
 *
 * Invariants (setup.e2e.test.ts "[R-1.1]"): no key is made, no row is changed; beside a running program nothing is done.
 */
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { ok, type Failure, type Language, type Result } from "@rumi/kernel";
import type { Part } from "../cli/audit.ts";
import { HOME_KEYS } from "../home/keys.ts";
import { homePaths, makeHomeFolders, readHomeFile, type HomePaths } from "../home/layout.ts";
import { lockHome } from "../home/lock.ts";
import { failedWith } from "./init.ts";
import { already, done, failed, skipped, type Step } from "./steps.ts";

export type RecoverOptions = {
  readonly home: string;
  readonly language: Language;
  /** Keys of the home that the environment gives. */
  readonly given_keys: readonly string[];
  /** Store, tile files and JSONL lines, checked entry by entry. */
  readonly verify: () => Promise<Result<readonly Part[], Failure>>;
  /** Makes tile files and JSONL lines again. */
  readonly remakeViews: (paths: HomePaths) => Promise<Result<unknown, Failure>>;
};

const RESTORE = "rumi restore --from BACKUP makes a home from your last backup (docs/operations/recovery.md)";

export async function recover(options: RecoverOptions): Promise<Result<readonly Step[], Failure>> {
  const paths = homePaths(options.home);
  if (!existsSync(join(paths.settings, "home.json")))
    return ok([skipped("home", `${paths.root} has no Rumi home`, "rumi setup init makes one")]);
  const lock = lockHome(paths);
  if (!lock.ok) return lock;
  try {
    return ok([...mendedFiles(paths, options), ...(await mendedLog(paths, options))]);
  } finally {
    lock.value.release();
  }
}

function mendedFiles(paths: HomePaths, { language, given_keys }: RecoverOptions): readonly Step[] {
  const home = readHomeFile(paths);
  const missing = Object.values(paths).filter((path) => !existsSync(path));
  const folders = makeHomeFolders(paths);
  return [
    home.ok ? already("home", `${paths.root} (${home.value.environment})`) : failedWith("home", home.error, language),
    !folders.ok
      ? failedWith("folders", folders.error, language)
      : missing.length === 0
        ? already("folders", "all there")
        : done("folders", `made again: ${missing.map((path) => basename(path)).join(", ")}`),
    ...keySteps(paths, given_keys),
    leftoverStep(paths),
  ];
}

function keySteps({ settings }: HomePaths, given: readonly string[]): readonly Step[] {
  const names = Object.keys(HOME_KEYS).filter((name) => existsSync(join(settings, name)) || !given.includes(name));
  const lost = names.filter((name) => !existsSync(join(settings, name)));
  const open = names.filter((name) => !lost.includes(name) && (statSync(join(settings, name)).mode & 0o077) !== 0);
  for (const name of open) chmodSync(join(settings, name), 0o600);
  return [
    ...lost.map((name) =>
      failed(
        "keys",
        `${name} is gone: ${HOME_KEYS[name] ?? ""}`,
        "put it back from your copy of the keys before the next start (docs/operations/keys.md)",
      ),
    ),
    ...(open.length > 0 ? [done("keys", `others could read ${open.join(", ")}; now only this user can`)] : []),
    ...(lost.length + open.length === 0 ? [already("keys", "all there, and only this user's")] : []),
  ];
}

/** Nobody else works in the home now: whose note or half-written file it is has ended. */
function leftoverStep({ settings }: HomePaths): Step {
  const left = readdirSync(settings).filter((name) => name === "running.json" || /^\.\d+\.\d+\.tmp$/.test(name));
  for (const name of left) rmSync(join(settings, name), { force: true });
  return left.length === 0
    ? already("leftovers", "none")
    : done("leftovers", `removed what a program that ended left: ${left.join(", ")}`);
}

async function mendedLog(paths: HomePaths, options: RecoverOptions): Promise<readonly Step[]> {
  const file = join(paths.store, "rumi.sqlite");
  if (!existsSync(file)) return [failed("store", `${file} is gone`, RESTORE)];
  const problem = storeProblem(file);
  if (problem !== undefined) return [failed("store", problem, RESTORE)];
  const sound = already("store", "sound");
  const first = await options.verify();
  // Without views there is no key to check with, and nothing that was promised to anybody.
  const isStoreGood = !first.ok || first.value.every(({ part, report }) => part !== "store" || report.ok);
  if (!isStoreGood)
    return [sound, failed("log", "the store's own log does not verify", `rumi audit verify shows where; ${RESTORE}`)];
  if (first.ok && first.value.every(({ report }) => report.ok))
    return [sound, already("log", `${first.value[0]?.report.entries_checked ?? 0} entries verified`)];
  const made = await options.remakeViews(paths);
  if (!made.ok) return [sound, failedWith("log", made.error, options.language)];
  const second = await options.verify();
  if (!second.ok) return [sound, failedWith("log", second.error, options.language)];
  return [
    sound,
    second.value.every(({ report }) => report.ok)
      ? done("log", "tile files and JSONL lines were made again from the store; all of it verifies")
      : failed("log", "it does not verify, also with views made again", "rumi audit verify shows where"),
  ];
}

/** What the database says of itself; reads all of it. */
function storeProblem(path: string): string | undefined {
  try {
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      const [row] = database.prepare("PRAGMA integrity_check(1)").all() as readonly { integrity_check?: unknown }[];
      const said = row?.integrity_check;
      return said === "ok" ? undefined : typeof said === "string" ? said.slice(0, 300) : "it does not say what it is";
    } finally {
      database.close();
    }
  } catch (cause) {
    return (cause instanceof Error ? cause.message : String(cause)).slice(0, 300);
  }
}
