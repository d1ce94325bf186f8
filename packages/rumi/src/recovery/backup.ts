/**
 * A consistent copy of a home while it runs: store, packs, the log in its public layout, and a manifest of it all.
 *
 * How to think: the store is copied in one read, so state and log are of one moment. What waits in the emergency spool is
 * taken before it: carried out meanwhile it is in both, and a command has one outcome however often it comes. Packs are
 * named by their content and taken after it. Left out on purpose: keys (docs/operations/recovery.md says which go where),
 * and the runs' journals, since a run that lived on elsewhere must not be gone on with.
 *
 * Invariant (recovery.test.ts): what does not verify is never called a backup.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  isoFromMicros,
  ok,
  uuidv7,
  type Clock,
  type Environment,
  type Failure,
  type Random,
  type Result,
} from "@rumi/kernel";
import { parseCheckpoint, parseVerifier, readVerifierKey, verifyLog } from "@rumi/ledger";
import { PLAIN_TEXT } from "@rumi/platform";
import { copySqliteStore, openSqliteReader, storedLog } from "@rumi/store";
import { syncDirectory, syncTree, writeFileDurably } from "../home/files.ts";
import type { HomePaths } from "../home/layout.ts";
import { filesOfLog } from "../program/files-of-log.ts";
import { filesBelow, MANIFEST_FILE, unsound, type Manifest } from "./manifest.ts";

export const SPOOL_FILE = "emergency.spool";
export const STORE_FILE = "store/rumi.sqlite";
type World = { readonly clock: Clock; readonly random: Random; readonly version: string };

/** `to` must not exist; it appears whole or not at all. */
export async function backUpHome(paths: HomePaths, to: string, world: World): Promise<Result<Manifest, Failure>> {
  if (existsSync(to)) return unsound(`${to} exists already`);
  const partial = `${to}.partial`;
  rmSync(partial, { recursive: true, force: true });
  const made = await fill(paths, partial, world);
  if (!made.ok) {
    rmSync(partial, { recursive: true, force: true });
    return made;
  }
  syncTree(partial);
  renameSync(partial, to);
  syncDirectory(dirname(to));
  return made;
}

async function fill(paths: HomePaths, to: string, world: World): Promise<Result<Manifest, Failure>> {
  const vkey = await readVerifierKey(paths.tlog);
  const file = join(paths.settings, "home.json");
  if (vkey === undefined || !existsSync(file)) return unsound("no home was started here yet");
  mkdirSync(join(to, "store"), { recursive: true, mode: 0o700 });
  const spool = join(paths.user_data, SPOOL_FILE);
  if (existsSync(spool)) cpSync(spool, join(to, SPOOL_FILE));
  const copied = copySqliteStore(join(paths.store, "rumi.sqlite"), join(to, STORE_FILE));
  if (!copied.ok) return copied;
  for (const [name, path] of [
    ["packs", paths.packs],
    ["ecosystem", paths.ecosystem],
    ["flows", paths.flows],
  ] as const)
    if (existsSync(path)) cpSync(path, join(to, name), { recursive: true });
  // What is sealed is nobody's without its key, which is kept apart; plain text does not leave.
  if (existsSync(paths.secrets)) cpSync(paths.secrets, join(to, "secrets"), { recursive: true, filter: isSealed });
  const log = await logOf(to, vkey);
  if (!log.ok) return log;
  const now = world.clock.now();
  const { home_id, environment, layout_version } = JSON.parse(readFileSync(file, "utf8")) as {
    readonly home_id: string;
    readonly environment: Environment;
    readonly layout_version: number;
  };
  const manifest: Manifest = {
    schema_version: 1,
    backup_id: uuidv7(now, world.random),
    made_at: isoFromMicros(now),
    version: world.version,
    home: { home_id, environment, layout_version },
    log: log.value,
    files: filesBelow(to),
  };
  writeFileDurably(join(to, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`, 0o600);
  return ok(manifest);
}

const isSealed = (path: string): boolean =>
  statSync(path).isDirectory() || !readFileSync(path, "utf8").startsWith(PLAIN_TEXT);

/** The copy's log, checked entry by entry and laid out for any verifier. */
async function logOf(to: string, vkey: string): Promise<Result<Manifest["log"], Failure>> {
  const checked = await verifiedLog(join(to, STORE_FILE), vkey);
  if (!checked.ok) return checked;
  const verifier = parseVerifier(vkey);
  if (!verifier.ok) return verifier;
  const store = openSqliteReader(join(to, STORE_FILE));
  if (!store.ok) return store;
  try {
    for (const name of ["tlog", "audit"]) mkdirSync(join(to, name), { mode: 0o700 });
    const laid = await filesOfLog(store.value, { tlog: join(to, "tlog"), audit: join(to, "audit") }, verifier.value)();
    return laid.ok ? checked : laid;
  } finally {
    store.value.close();
  }
}

/** The head of a store's log, once every entry of it was recomputed under this key. */
export async function verifiedLog(path: string, vkey: string): Promise<Result<Manifest["log"], Failure>> {
  const store = openSqliteReader(path);
  if (!store.ok) return store;
  try {
    const source = storedLog(store.value, store.value);
    const report = await verifyLog({ source, payloads: source, index: source, verifier: vkey });
    const [finding] = report.findings;
    if (finding !== undefined || !report.ok) return unsound(`its audit log does not verify: ${finding?.kind ?? "?"}`);
    const checkpoint = await source.checkpoint();
    const head = checkpoint === undefined ? undefined : parseCheckpoint(checkpoint);
    if (checkpoint === undefined || head?.ok !== true) return unsound("its audit log has no head");
    return ok({ vkey, checkpoint, size: head.value.size });
  } finally {
    store.value.close();
  }
}
