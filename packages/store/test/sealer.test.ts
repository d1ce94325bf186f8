/** The sealer on a real PostgreSQL: elected, replaced when it dies, and honest while there is none. */
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { ok, seededRandom, systemClock } from "@rumi/kernel";
import { rootFromTiles, verifyCheckpoint } from "@rumi/ledger";
import { requires } from "../../../tools/test-support.ts";
import {
  openPostgresStore,
  storedLog,
  type PostgresServer,
  type PostgresStoreOptions,
  type Store,
} from "../src/index.ts";
import { noteSigner } from "../src/log/leaves.ts";
import { LOCKS } from "../src/postgres/locks.ts";
import { startPostgres, type TestServer } from "./postgres-server.ts";
import { batch, event, insertThing, must, SIGNER, THINGS, type ThingTables } from "./support.ts";

/** Patience, not a claim: a busy machine hears and commits late. */
const PATIENT = { timeout: 180_000 };

const options = (server: PostgresServer, more: Partial<PostgresStoreOptions> = {}): PostgresStoreOptions => ({
  server,
  migrations: [THINGS],
  signer: SIGNER,
  clock: systemClock(),
  random: seededRandom("salts"),
  before_migration: async () => ok(undefined),
  ...more,
});

describe.runIf(requires("postgresql"))("PostgreSQL sealer", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  const open = async (database: PostgresServer, more: Partial<PostgresStoreOptions> = {}): Promise<Store> => {
    const store = must(await openPostgresStore(options(database, more)));
    onTestFinished(() => store.close());
    return store;
  };
  const admin = async (database: PostgresServer): Promise<pg.Client> => {
    const client = new pg.Client(database);
    await client.connect();
    onTestFinished(() => client.end());
    return client;
  };

  it("two programs commit into one log: gapless, whole batches, and both hear everything in order", async () => {
    const database = await server.database();
    const [a, b] = [await open(database), await open(database)];
    const heard: number[][] = [[], []];
    for (const [i, store] of [a, b].entries())
      store.onAppended((first, events) => events.forEach((_, offset) => heard[i]?.push(first + offset)));
    const receipts = await Promise.all(
      Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? a : b).commit(batch([], [event(), event()]))),
    );
    const indices = receipts.flatMap((receipt) => (receipt.ok ? receipt.value.indices : []));
    const all = Array.from({ length: 120 }, (_, i) => i);
    expect(indices.toSorted((x, y) => x - y)).toEqual(all);
    await vi.waitUntil(() => heard.every((one) => one.length >= 120), PATIENT);
    expect(heard).toEqual([all, all]);
  });

  it("when the sealer's connection is killed under load another takes over; nothing acknowledged is lost", async () => {
    const database = await server.database();
    const stores = [await open(database), await open(database)];
    const client = await admin(database);
    let stop = false;
    const acknowledged: number[] = [];
    const load = stores.map(async (store) => {
      while (!stop) {
        const done = await store.commit(batch([], [event()]));
        if (done.ok) acknowledged.push(...done.value.indices);
      }
    });
    for (let kill = 0; kill < 5; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted AND objid = $1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
        [LOCKS.sealer],
      );
    }
    await vi.waitUntil(() => acknowledged.length > 10, PATIENT);
    stop = true;
    await Promise.all(load);
    const [store] = stores;
    if (store === undefined) return expect.fail("no store");
    const log = storedLog(store, store);
    const head = verifyCheckpoint((await log.checkpoint()) ?? "", noteSigner(SIGNER));
    if (!head.ok) return expect.fail(head.error.code);
    const root = await rootFromTiles(head.value.size, (level, index) => log.tile(level, index));
    expect(root.ok && Buffer.from(root.value).equals(head.value.root)).toBe(true);
    expect(new Set(acknowledged).size).toBe(acknowledged.length);
    expect(acknowledged.length).toBeGreaterThan(10);
    expect(Math.max(...acknowledged)).toBeLessThan(head.value.size);
    expect(await store.rows({ sql: "SELECT count(*) AS n FROM log_entry", parameters: [] })).toEqual([
      { n: head.value.size },
    ]);
    return undefined;
  });

  it("while nobody can seal, commit says that the change is stored but unsealed; later it is sealed", async () => {
    const database = await server.database();
    const blocker = await admin(database);
    await blocker.query("SELECT pg_advisory_lock($1)", [LOCKS.sealer]);
    const store = await open(database, { limits: { seal_wait_ms: 200 } });
    const waited = await store.commit(batch([insertThing(store, "a")], [event()]));
    expect(waited).toMatchObject({
      ok: false,
      error: { kind: "failed", failure: { code: "RUMI-STO-007", params: { waited_ms: 200 } } },
    });
    expect(await store.rows(store.builder<ThingTables>().selectFrom("thing").select("id"))).toEqual([{ id: "a" }]);
    expect(await store.rows({ sql: "SELECT count(*) AS n FROM log_entry", parameters: [] })).toEqual([{ n: 0 }]);
    await blocker.query("SELECT pg_advisory_unlock($1)", [LOCKS.sealer]);
    expect(await store.commit(batch([], [event()]))).toEqual({ ok: true, value: { indices: [1], log_size: 2 } });
  });

  it("a server that is not there is a coded refusal at opening, and a lost one at commit", async () => {
    const absent = await openPostgresStore(
      options({ host: "/tmp/rumi-no-such-server", port: 5432, user: "rumi", database: "x" }),
    );
    expect(absent).toMatchObject({ ok: false, error: { code: "RUMI-STO-008" } });
    const own = await startPostgres();
    const store = must(await openPostgresStore(options(await own.database())));
    await own.stop();
    expect(await store.commit(batch([], [event()]))).toMatchObject({
      ok: false,
      error: { kind: "failed", failure: { code: "RUMI-STO-008" } },
    });
    await store.close();
  });

  it("a broken log and a read-only server are refused at opening, each by its code", async () => {
    const database = await server.database();
    const store = await open(database);
    await store.commit(batch([], [event()]));
    const client = await admin(database);
    await client.query("UPDATE log_checkpoint SET size = 2");
    expect(await openPostgresStore(options(database))).toMatchObject({ ok: false, error: { code: "RUMI-STO-002" } });
    const frozen = await server.database();
    await (
      await admin(frozen)
    ).query(
      "ALTER DATABASE " + ("database" in frozen ? frozen.database : "") + " SET default_transaction_read_only = on",
    );
    expect(await openPostgresStore(options(frozen))).toMatchObject({ ok: false, error: { code: "RUMI-STO-006" } });
  });
});
