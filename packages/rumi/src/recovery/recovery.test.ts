import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { controlMigrations } from "@rumi/control";
import { systemClock, systemRandom } from "@rumi/kernel";
import { encodeVerifier, logOrigin, signerFromPem } from "@rumi/ledger";
import { platformMigrations, systemEvent } from "@rumi/platform";
import { RUN_MIGRATIONS } from "@rumi/runs";
import { openSqliteReader, openSqliteStore, readLease, storedLog, type Store } from "@rumi/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { openKeys } from "../home/keys.ts";
import { openSecretsKey } from "../home/secrets-key.ts";
import { homePaths, makeHomeFolders, openHome, type HomePaths } from "../home/layout.ts";
import { filesOfLog } from "../program/files-of-log.ts";
import { backUpHome, verifiedLog } from "./backup.ts";
import { restoreHome } from "./restore.ts";

const world = { clock: systemClock(), random: systemRandom(), version: "0" };
let room: ReturnType<typeof temporaryFolder>;
let paths: HomePaths;
let store: Store;
let backup: string;
const LEASE = { bot_id: "b", strategy_id: "s", instance_id: "i" };

const note = (number: number) =>
  systemEvent(
    { ...world, actor: "system:program" },
    {
      action: "program.started",
      resource_type: "program",
      resource_id: String(number),
      outcome: "SUCCESS",
      details: {},
    },
  );

beforeEach(async () => {
  room = temporaryFolder();
  paths = homePaths(join(room.path, "home"));
  backup = join(room.path, "backup");
  makeHomeFolders(paths);
  const home = openHome({ ...world, paths, environment: "dev" });
  const keys = openKeys(paths, { rotate_hmac: false });
  openSecretsKey(paths, { secrets_key: null, secrets_allow_plaintext: "auto" });
  if (!home.ok || !keys.ok) throw new Error("no home");
  const origin = logOrigin("dev", home.value.home.home_id);
  const opened = await openSqliteStore({
    path: join(paths.store, "rumi.sqlite"),
    backup_folder: paths.backups,
    migrations: [...controlMigrations, ...platformMigrations, RUN_MIGRATIONS],
    signer: { origin, private_key_pem: keys.value.ledger_pem },
    writer: { kind: "in_process" },
    random: world.random,
  });
  const signer = signerFromPem(origin, keys.value.ledger_pem);
  if (!opened.ok || !signer.ok) throw new Error("no store");
  store = opened.value;
  await store.commit({
    writes: [
      {
        sql: "INSERT INTO lease (bot_id, strategy_id, instance_id, holder, epoch, max_epoch, acquired_at, renewed_at, expires_at) VALUES ('b', 's', 'i', 'old', 7, 7, 1, 1, 9000000000000000)",
        parameters: [],
        expect: 1,
      },
    ],
    events: [note(0), note(1)],
  });
  await filesOfLog(store, paths, signer.value)();
  expect(readFileSync(join(paths.tlog, "log.vkey"), "utf8").trim()).toBe(encodeVerifier(signer.value));
});
afterEach(async () => {
  await store.close();
  room.remove();
});

const restore = (home: string, more: Partial<Parameters<typeof restoreHome>[0]> = {}) =>
  restoreHome({ ...world, from: backup, home: join(room.path, home), keys: undefined, vkey: undefined, ...more });

it("[L-37] a backup is of one moment although the store is written all the while, and what comes later is not in it", async () => {
  let isOver = false;
  const writing = (async () => {
    for (let number = 2; !isOver; number += 1) await store.commit({ writes: [], events: [note(number)] });
  })();
  const made = await backUpHome(paths, backup, world);
  isOver = true;
  await writing;
  expect(made).toMatchObject({ ok: true });
  if (!made.ok) return;
  const { log } = made.value;
  const now = await storedLog(store, store).checkpoint();
  expect(now).not.toBe(log.checkpoint);
  expect(await verifiedLog(join(backup, "store/rumi.sqlite"), log.vkey)).toEqual({ ok: true, value: log });
  expect(readFileSync(join(backup, "tlog/checkpoint"), "utf8")).toBe(log.checkpoint);
  expect(readdirSync(room.path).filter((name) => name.endsWith(".partial"))).toEqual([]);
});

it("[L-37] a restored home has a name, keys and a signature of its own; leases begin far above the old ones", async () => {
  await backUpHome(paths, backup, world);
  const made = await restore("new", { keys: paths.settings });
  if (!made.ok) throw new Error(JSON.stringify(made.error));
  const there = homePaths(join(room.path, "new"));
  const key = (at: HomePaths, name: string): string => readFileSync(join(at.settings, name), "utf8");
  for (const name of [".hmac_key", ".ledger_key"]) expect(key(there, name)).not.toBe(key(paths, name));
  for (const name of [".secrets_key", ".attestation_key"]) expect(key(there, name)).toBe(key(paths, name));
  const reader = openSqliteReader(join(there.store, "rumi.sqlite"));
  if (!reader.ok) throw new Error("no store");
  expect(await readLease(reader.value, reader.value, LEASE)).toMatchObject({ holder: null, epoch: 1_000_007 });
  const one = async (sql: string) => (await reader.value.rows({ sql, parameters: [] }))[0];
  expect(await one("SELECT kind, scope, lifted_at FROM hold")).toEqual({
    kind: "incident",
    scope: "all",
    lifted_at: null,
  });
  const { log } = made.value.manifest;
  expect(await one("SELECT idx, resource_id FROM log_entry WHERE action = 'home.restored'")).toEqual({
    idx: log.size,
    resource_id: made.value.home_id,
  });
  reader.value.close();
  const wrongKey = await verifiedLog(join(there.store, "rumi.sqlite"), made.value.manifest.log.vkey);
  expect(wrongKey.ok).toBe(false);
});

it("[L-37] what is altered, cut, added to, of another key, or put where a home is, makes no home", async () => {
  await backUpHome(paths, backup, world);
  const whole = join(room.path, "whole");
  cpSync(backup, whole, { recursive: true });
  const refused = async (what: string, spoil: () => void, more = {}): Promise<void> => {
    rmSync(backup, { recursive: true });
    cpSync(whole, backup, { recursive: true });
    spoil();
    const made = await restore("new", more);
    expect([what, made.ok ? "restored" : made.error.code]).toEqual([what, "RUMI-STO-014"]);
    expect(existsSync(join(room.path, "new/user_data"))).toBe(false);
  };
  const file = join(backup, "store/rumi.sqlite");
  await refused("a byte of the store", () => {
    const bytes = readFileSync(file);
    bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  });
  await refused("a file that is gone", () => rmSync(join(backup, "tlog/checkpoint")));
  await refused("a file more", () => writeFileSync(join(backup, "packs/stranger"), ""));
  await refused("no manifest", () => rmSync(join(backup, "manifest.json")));
  await refused("keys that are not there", () => undefined, { keys: room.path });
  const other = signerFromPem(logOrigin("dev", "other"), readFileSync(join(paths.settings, ".ledger_key"), "utf8"));
  await refused("another log's key", () => undefined, { vkey: other.ok ? encodeVerifier(other.value) : "" });
  const taken = await restore("home");
  expect(taken.ok ? "restored" : taken.error.code).toBe("RUMI-STO-014");
  expect((await backUpHome(paths, backup, world)).ok).toBe(false);
});
