/** What the store's tests share: a signer, events, a table to write to, and SQLite stores in either place. */
import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { FailureError, micros, seededRandom, sha256, uuidv7, type Failure, type Result } from "@rumi/kernel";
import { signerFromSeed, type LedgerEvent } from "@rumi/ledger";
import {
  openSqliteStore,
  type Batch,
  type Migrations,
  type SqliteStoreOptions,
  type Store,
  type Write,
} from "../src/index.ts";
import type { LogSigner } from "../src/log/leaves.ts";

export const SIGNER: LogSigner = {
  origin: "rumi.test/log",
  private_key_pem: generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  }).privateKey,
};

/** Of the stored fixtures; derived from a public text, so it guards nothing. */
export const FIXTURE_SIGNER: LogSigner = {
  origin: "rumi.test/fixture",
  private_key_pem: signerFromSeed("rumi.test/fixture", sha256("the fixture's key is public"))
    .secret.export({ format: "pem", type: "pkcs8" })
    .toString(),
};

/** One table of an owner that is not the store itself. */
export const THINGS: Migrations = {
  owner: "things",
  steps: [
    {
      name: "001-thing",
      sqlite: ["CREATE TABLE thing (id TEXT PRIMARY KEY, version INTEGER NOT NULL, label TEXT, bytes BLOB)"],
      postgres: ["CREATE TABLE thing (id TEXT PRIMARY KEY, version BIGINT NOT NULL, label TEXT, bytes BYTEA)"],
    },
  ],
};
export type ThingTables = { thing: { id: string; version: number; label: string | null; bytes: Uint8Array | null } };

const random = seededRandom(`events of process ${process.pid}`);

export function event(overrides: Partial<LedgerEvent> = {}): LedgerEvent {
  const occurred_at = overrides.occurred_at ?? micros(1_790_000_000_000_000);
  return {
    event_id: uuidv7(occurred_at, random),
    action: "controlplane.command.applied",
    actor: "user:root",
    resource_type: "bot",
    resource_id: "grid-1",
    outcome: "SUCCESS",
    occurred_at,
    details: {
      reason: null,
      approval_id: null,
      expires_at: null,
      trace_id: "0af7651916cd43dd8448eb211c80319c",
      run_id: null,
      request_id: null,
      fingerprint: null,
    },
    ...overrides,
  };
}

export function insertThing(store: Store, id: string, more: Partial<ThingTables["thing"]> = {}): Write {
  const query = store
    .builder<ThingTables>()
    .insertInto("thing")
    .values({ id, version: 1, label: null, bytes: null, ...more });
  return { ...query.compile(), expect: 1 };
}

export function bumpThing(store: Store, id: string, from: number): Write {
  const query = store
    .builder<ThingTables>()
    .updateTable("thing")
    .set({ version: from + 1 })
    .where("id", "=", id)
    .where("version", "=", from);
  return { ...query.compile(), expect: 1 };
}

export const batch = (writes: readonly Write[], events: readonly LedgerEvent[] = []): Batch => ({ writes, events });

export function must<T>(result: Result<T, Failure>): T {
  if (!result.ok) throw new FailureError(result.error);
  return result.value;
}

const bundled = new Map<string, Promise<URL>>();

/** The writer's thread as it is shipped: one file, SQLite beside it. */
export function bundledWorker(): Promise<URL> {
  return bundledEntry("writer-worker");
}

/** One of the store's threads (`src/sqlite/<name>.ts`) as it is shipped. */
export function bundledEntry(name: "writer-worker" | "vouch-worker"): Promise<URL> {
  const known = bundled.get(name);
  if (known !== undefined) return known;
  const made = (async () => {
    // Under node_modules, so that the bundle finds SQLite as the shipped one does.
    const cache = new URL("../../../node_modules/.cache/", import.meta.url).pathname;
    mkdirSync(cache, { recursive: true });
    const folder = mkdtempSync(join(cache, "rumi-worker-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    const outfile = join(folder, `${name}.mjs`);
    await build({
      entryPoints: [new URL(`../src/sqlite/${name}.ts`, import.meta.url).pathname],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node20",
      external: ["@photostructure/sqlite"],
      logLevel: "error",
    });
    return pathToFileURL(outfile);
  })();
  bundled.set(name, made);
  return made;
}

export function sqliteOptions(folder: string, more: Partial<SqliteStoreOptions> = {}): SqliteStoreOptions {
  return {
    path: join(folder, "store.db"),
    backup_folder: join(folder, "backups"),
    migrations: [THINGS],
    signer: SIGNER,
    writer: { kind: "in_process" },
    random: seededRandom("salts"),
    ...more,
  };
}

export async function openTestStore(folder: string, more: Partial<SqliteStoreOptions> = {}): Promise<Store> {
  return must(await openSqliteStore(sqliteOptions(folder, more)));
}
