/**
 * A backup becomes a home of its own: another id, keys of its own, the same people, bots, packs and log.
 *
 * How to think: two homes of one name would be two logs of one name, and two programs that take each other's tokens and
 * runners. So a restored home takes a new name: the old program's tokens, runners and signatures are nobody's here. Its log
 * is the old one, entry for entry, under a signature of its own, and the first entry of its own names the old one's last head.
 * What it does first is in packages/control/src/recovery/restored.ts: nothing starts until a person has looked.
 *
 * Invariants (recovery.test.ts): what is not whole, or does not verify, makes no home; where a home is, none is made.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { controlMigrations, restored } from "@rumi/control";
import { failure, err, ok, type Clock, type Failure, type Random, type Result } from "@rumi/kernel";
import { logOrigin } from "@rumi/ledger";
import { platformMigrations } from "@rumi/platform";
import { RUN_MIGRATIONS } from "@rumi/runs";
import { handOverLog, openSqliteStore } from "@rumi/store";
import { syncTree } from "../home/files.ts";
import { openKeys, openRunnerKey } from "../home/keys.ts";
import { homePaths, LAYOUT_VERSION, makeHomeFolders, openHome, type HomePaths } from "../home/layout.ts";
import { SPOOL_FILE, STORE_FILE, verifiedLog } from "./backup.ts";
import { readBackup, unsound, type Manifest } from "./manifest.ts";

/** Keys that a restored home may go on with; the others are always made anew. */
export const KEYS_THAT_STAY = [".secrets_key", ".attestation_key"] as const;

export type RestoreOptions = {
  readonly from: string;
  readonly home: string;
  /** Folder with the keys that stay; without it they are made anew. */
  readonly keys: string | undefined;
  /** The log's public key as somebody else kept it, in place of the backup's own word. */
  readonly vkey: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
};
export type Restored = { readonly manifest: Manifest; readonly home_id: string; readonly origin: string };

export async function restoreHome(options: RestoreOptions): Promise<Result<Restored, Failure>> {
  const { from, home, keys, vkey } = options;
  const manifest = readBackup(from);
  if (!manifest.ok) return manifest;
  const { log, home: old } = manifest.value;
  const checked = await verifiedLog(join(from, STORE_FILE), vkey ?? log.vkey);
  if (!checked.ok) return checked;
  if (checked.value.checkpoint !== log.checkpoint) return unsound("its log ends elsewhere than its manifest says");
  if (old.layout_version > LAYOUT_VERSION)
    return err(failure("RUMI-SYS-006", { home: from, found: old.layout_version, known: LAYOUT_VERSION }));
  const missing = KEYS_THAT_STAY.find((name) => keys !== undefined && !existsSync(join(keys, name)));
  if (missing !== undefined) return unsound(`${missing} is not in the folder of keys`);
  const paths = homePaths(home);
  if (existsSync(paths.user_data)) return unsound(`there is a home in ${paths.root} already`);
  const made = await make(options, manifest.value, paths).catch((cause: unknown) =>
    unsound(cause instanceof Error ? cause.message : String(cause)),
  );
  if (!made.ok) rmSync(paths.user_data, { recursive: true, force: true });
  return made;
}

async function make(
  { from, keys, clock, random }: RestoreOptions,
  manifest: Manifest,
  paths: HomePaths,
): Promise<Result<Restored, Failure>> {
  const folders = makeHomeFolders(paths);
  if (!folders.ok) return folders;
  const { environment, layout_version } = manifest.home;
  if (existsSync(join(from, "secrets"))) mkdirSync(paths.secrets, { recursive: true, mode: 0o700 });
  for (const [name, path] of [
    ["packs", paths.packs],
    ["ecosystem", paths.ecosystem],
    ["flows", paths.flows],
    ["secrets", paths.secrets],
    // What everybody could see of the former log stays beside the new one.
    ["tlog", join(paths.user_data, "former_logs", manifest.home.home_id)],
  ] as const)
    if (existsSync(join(from, name))) cpSync(join(from, name), path, { recursive: true });
  copyFileSync(join(from, STORE_FILE), join(paths.store, "rumi.sqlite"));
  if (existsSync(join(from, SPOOL_FILE))) copyFileSync(join(from, SPOOL_FILE), join(paths.user_data, SPOOL_FILE));
  if (keys !== undefined) {
    mkdirSync(paths.settings, { recursive: true, mode: 0o700 });
    for (const name of KEYS_THAT_STAY) copyFileSync(join(keys, name), join(paths.settings, name));
  }
  const opened = openHome({ paths, environment, clock, random, target: layout_version });
  if (!opened.ok) return opened;
  const own = openKeys(paths, { rotate_hmac: false, hands_log_over: true });
  if (!own.ok) return own;
  openRunnerKey(paths);
  const { home_id } = opened.value.home;
  const signer = { origin: logOrigin(environment, home_id), private_key_pem: own.value.ledger_pem };
  const path = join(paths.store, "rumi.sqlite");
  const given = handOverLog(path, signer);
  if (!given.ok) return given;
  const begun = await begin(path, signer, { manifest, home_id, from, clock, random, paths });
  if (!begun.ok) return begun;
  syncTree(paths.user_data);
  return ok({ manifest, home_id, origin: signer.origin });
}

type Begin = Pick<RestoreOptions, "clock" | "random" | "from"> & {
  readonly manifest: Manifest;
  readonly home_id: string;
  readonly paths: HomePaths;
};

/** The first entry of the new log, with all that it does, in one commit. */
async function begin(
  path: string,
  signer: { readonly origin: string; readonly private_key_pem: string },
  { manifest, home_id, from, clock, random, paths }: Begin,
): Promise<Result<undefined, Failure>> {
  const store = await openSqliteStore({
    path,
    backup_folder: paths.backups,
    migrations: [...controlMigrations, ...platformMigrations, RUN_MIGRATIONS],
    signer,
    writer: { kind: "in_process" },
    random,
  });
  if (!store.ok) return store;
  const { environment, layout_version } = manifest.home;
  const of = {
    home_id,
    environment,
    layout_version,
    origin: signer.origin,
    old_checkpoint: manifest.log.checkpoint,
    backup: `${basename(from)} ${manifest.backup_id}`.slice(-1_024),
  };
  const committed = await store.value.commit(restored(store.value, of, { clock, random }));
  await store.value.close();
  if (committed.ok) return ok(undefined);
  return committed.error.kind === "failed" ? err(committed.error.failure) : unsound("its rows changed meanwhile");
}
