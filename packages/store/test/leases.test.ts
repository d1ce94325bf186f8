/** Leases under real concurrency: processes' worth of connections on PostgreSQL, two writers on one SQLite file. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { millis, ok, seededRandom, systemClock } from "@rumi/kernel";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import {
  acquireEpochWrite,
  acquireLease,
  acquireLeaseWrite,
  ensureLeaseWrite,
  expiredLeases,
  expireLeasesWrite,
  fenceWrite,
  holderDeadline,
  openPostgresStore,
  readLease,
  releaseLeaseWrite,
  releaseUnrenewedWrite,
  renewLeasesWrite,
  renewLeaseWrite,
  type HeldLease,
  type PostgresServer,
  type Store,
} from "../src/index.ts";
import { startPostgres, type TestServer } from "./postgres-server.ts";
import { batch, bundledWorker, insertThing, must, openTestStore, SIGNER, THINGS, type ThingTables } from "./support.ts";

const KEY = { bot_id: "grid-1", strategy_id: "grid", instance_id: "0" };
const TTL = millis(20_000);
const ROUNDS = 1_000;

const take = async (store: Store, holder: string, ttl = TTL): Promise<HeldLease | undefined> => {
  const taken = await acquireLease(store, KEY, holder, ttl);
  if (!taken.ok && taken.error.kind === "failed") throw new Error(taken.error.failure.code);
  return taken.ok ? taken.value : undefined;
};
const committed = async (store: Store, write: Parameters<typeof batch>[0][number]): Promise<boolean> =>
  (await store.commit(batch([write]))).ok;

function leaseBehaviour(open: (count: number) => Promise<readonly Store[]>): void {
  const stores = async (count: number): Promise<readonly Store[]> => {
    const opened = await open(count);
    onTestFinished(async () => void (await Promise.all(opened.map((store) => store.close()))));
    return opened;
  };
  const one = async (): Promise<Store> => (await stores(1))[0] ?? expect.fail("no store");

  it("[M-7.1.1] two runners race for it 1000 times: never two holders, and each win has an epoch of its own", async () => {
    const [a, b] = await stores(2);
    if (a === undefined || b === undefined) return expect.fail("two stores");
    await a.commit(batch([ensureLeaseWrite(a, KEY)]));
    const won = { a: 0, b: 0 };
    for (let round = 1; round <= ROUNDS; round += 1) {
      const acquire = (store: Store, holder: string): Promise<boolean> =>
        committed(store, acquireLeaseWrite(store, KEY, holder, TTL));
      const [left, right] = await Promise.all([acquire(a, "a"), acquire(b, "b")]);
      expect([left, right].filter(Boolean), `round ${round}`).toHaveLength(1);
      const holder = left ? "a" : "b";
      won[holder] += 1;
      const row = await readLease(a, a, KEY);
      expect(row).toMatchObject({ holder, epoch: round, max_epoch: round });
      expect(await committed(left ? a : b, releaseLeaseWrite(a, { ...KEY, holder, epoch: round }))).toBe(true);
    }
    expect(won.a + won.b).toBe(ROUNDS);
  }, 120_000);

  it("[M-7.1.1] [L-N5] [L-N7] an epoch that was announced is the one that is got, or none is: lease, row and news of it go in together or not at all", async () => {
    const store = await one();
    const next = (holder: string, epoch: number) => acquireEpochWrite(store, { ...KEY, holder, epoch }, TTL);
    const together = (holder: string, epoch: number, id: string) =>
      store.commit(batch([ensureLeaseWrite(store, KEY), next(holder, epoch), insertThing(store, id)]));
    expect((await together("a", 1, "first")).ok).toBe(true);
    expect(await readLease(store, store, KEY)).toMatchObject({ holder: "a", epoch: 1 });
    for (const epoch of [1, 2, 3]) expect((await together("b", epoch, `held ${epoch}`)).ok).toBe(false);
    expect(await committed(store, releaseLeaseWrite(store, { ...KEY, holder: "a", epoch: 1 }))).toBe(true);
    expect((await together("b", 3, "skipped")).ok).toBe(false);
    // What stands beside it does not go in: then the lease stays free too.
    expect((await together("b", 2, "first")).ok).toBe(false);
    expect(await readLease(store, store, KEY)).toMatchObject({ holder: null, epoch: 1 });
    expect((await together("b", 2, "second")).ok).toBe(true);
    expect(await readLease(store, store, KEY)).toMatchObject({ holder: "b", epoch: 2, max_epoch: 2 });
  });

  it("[M-7.1.2] a holder that slept past its time cannot renew, and its fenced effect is undone", async () => {
    const store = await one();
    const paused = (await take(store, "paused")) ?? expect.fail("not taken");
    const effect = (id: string) => batch([fenceWrite(store, paused), insertThing(store, id)]);
    expect((await store.commit(effect("while-held"))).ok).toBe(true);
    expect(await committed(store, renewLeaseWrite(store, paused, millis(50)))).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 80));
    expect(await committed(store, renewLeaseWrite(store, paused, TTL))).toBe(false);
    expect(await store.commit(effect("expired"))).toMatchObject({
      ok: false,
      error: { kind: "conflict", write_index: 0 },
    });
    const successor = (await take(store, "successor")) ?? expect.fail("not taken over");
    expect(successor.epoch).toBe(paused.epoch + 1);
    expect(await store.commit(effect("taken-over"))).toMatchObject({
      ok: false,
      error: { kind: "conflict", write_index: 0 },
    });
    expect(await committed(store, releaseLeaseWrite(store, paused))).toBe(false);
    const ids = await store.rows<{ id: string }>(store.builder<ThingTables>().selectFrom("thing").select("id"));
    expect(ids.map((row) => row.id)).toEqual(["while-held"]);
  });

  it("a held lease is not given away; renewing prolongs it; a released one goes at once with a new epoch", async () => {
    const store = await one();
    const held = (await take(store, "a")) ?? expect.fail("not taken");
    expect(await take(store, "b")).toBeUndefined();
    const before = (await readLease(store, store, KEY))?.expires_at ?? 0;
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await committed(store, renewLeaseWrite(store, held, TTL))).toBe(true);
    expect((await readLease(store, store, KEY))?.expires_at).toBeGreaterThan(before);
    expect(await committed(store, renewLeaseWrite(store, { ...held, epoch: held.epoch + 1 }, TTL))).toBe(false);
    expect(await committed(store, renewLeaseWrite(store, { ...held, holder: "b" }, TTL))).toBe(false);
    expect(await committed(store, releaseLeaseWrite(store, held))).toBe(true);
    expect(await committed(store, renewLeaseWrite(store, held, TTL))).toBe(false);
    expect((await take(store, "b"))?.epoch).toBe(held.epoch + 1);
  });

  it("[M-7.1.1] a lease that runs is taken away only as it was seen: not once it was renewed, nor from another, nor twice", async () => {
    const store = await one();
    const held = (await take(store, "a")) ?? expect.fail("not taken");
    const seen = (await readLease(store, store, KEY)) ?? expect.fail("no row");
    const { renewed_at } = seen;
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await committed(store, renewLeaseWrite(store, held, TTL))).toBe(true);
    expect(await committed(store, releaseUnrenewedWrite(store, { ...held, renewed_at }))).toBe(false);
    const now = (await readLease(store, store, KEY)) ?? expect.fail("no row");
    const asSeen = { ...held, renewed_at: now.renewed_at };
    expect(await committed(store, releaseUnrenewedWrite(store, { ...asSeen, holder: "b" }))).toBe(false);
    expect(await committed(store, releaseUnrenewedWrite(store, { ...asSeen, epoch: held.epoch + 1 }))).toBe(false);
    expect(await readLease(store, store, KEY)).toEqual(now);
    expect(await committed(store, releaseUnrenewedWrite(store, asSeen))).toBe(true);
    expect(await committed(store, releaseUnrenewedWrite(store, asSeen))).toBe(false);
    expect(await committed(store, renewLeaseWrite(store, held, TTL))).toBe(false);
    expect((await take(store, "b"))?.epoch).toBe(held.epoch + 1);
  });

  it("[M-7.1.2] many leases are prolonged in one statement, or none where one of them is lost", async () => {
    const store = await one();
    const keys = Array.from({ length: 20 }, (_, n) => ({ ...KEY, instance_id: `shard-${n}` }));
    const held: HeldLease[] = [];
    for (const key of keys) {
      const taken = await acquireLease(store, key, "a", TTL);
      held.push(taken.ok ? taken.value : expect.fail("not taken"));
    }
    const expiries = async (): Promise<readonly number[]> =>
      Promise.all(keys.map(async (key) => (await readLease(store, store, key))?.expires_at ?? 0));
    const before = await expiries();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await committed(store, renewLeasesWrite(store, "a", held, TTL))).toBe(true);
    const after = await expiries();
    expect(after.every((at, n) => at > (before[n] ?? 0))).toBe(true);
    expect(await committed(store, renewLeasesWrite(store, "b", held, TTL))).toBe(false);
    const stale = held.map((lease, n) => (n === 7 ? { ...lease, epoch: lease.epoch + 1 } : lease));
    expect(await committed(store, renewLeasesWrite(store, "a", stale, TTL))).toBe(false);
    expect(await expiries()).toEqual(after);
  });

  it("expired leases are found and taken from their holders; the row and its epoch stay", async () => {
    const store = await one();
    const held = (await take(store, "a", millis(10))) ?? expect.fail("not taken");
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect((await expiredLeases(store, store, 10)).map((row) => row.holder)).toEqual(["a"]);
    expect(await committed(store, expireLeasesWrite(store))).toBe(true);
    expect(await readLease(store, store, KEY)).toMatchObject({ holder: null, epoch: held.epoch });
    expect(await expiredLeases(store, store, 10)).toEqual([]);
  });
}

describe("leases on SQLite", () => {
  leaseBehaviour(async (count) => {
    const folder = temporaryFolder();
    onTestFinished(folder.remove);
    const worker_url = await bundledWorker();
    const opened: Store[] = [];
    for (let i = 0; i < count; i += 1)
      opened.push(await openTestStore(folder.path, { writer: { kind: "worker", worker_url } }));
    return opened;
  });
});

describe.runIf(requires("postgresql"))("leases on PostgreSQL", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());
  const open = async (database: PostgresServer): Promise<Store> =>
    must(
      await openPostgresStore({
        server: database,
        migrations: [THINGS],
        signer: SIGNER,
        clock: systemClock(),
        random: seededRandom("salts"),
        before_migration: async () => ok(undefined),
      }),
    );
  leaseBehaviour(async (count) => {
    const database = await server.database();
    return Promise.all(Array.from({ length: count }, () => open(database)));
  });
});

it("the holder's own deadline is counted from before it asked, minus a margin", () => {
  expect(holderDeadline(millis(1_000), millis(20_000), millis(2_000))).toBe(19_000);
  expect(holderDeadline(millis(0), millis(1_000), millis(2_000))).toBe(0);
});
