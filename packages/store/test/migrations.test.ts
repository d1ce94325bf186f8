/** Migrations: in order, once, refused when history is not ours, and a backup before anything changes. */
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { openSqliteStore, queryAudit, type Migrations } from "../src/index.ts";
import { planMigrations, stepsOf } from "../src/migrations.ts";
import { STORE_MIGRATIONS } from "../src/schema.ts";
import { openConnection } from "../src/sqlite/driver.ts";
import {
  batch,
  event,
  FIXTURE_SIGNER,
  insertThing,
  must,
  openTestStore,
  sqliteOptions,
  THINGS,
  type ThingTables,
} from "./support.ts";

const FIXTURE = new URL("./fixtures/layout-1.sql", import.meta.url).pathname;
const folder = (): string => {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  return path;
};
const step = (name: string, sql: string): Migrations["steps"][number] => ({ name, sqlite: [sql], postgres: [sql] });
const COLOURED: Migrations = {
  ...THINGS,
  steps: [...THINGS.steps, step("002-colour", "ALTER TABLE thing ADD COLUMN colour TEXT")],
};

it("a new store gets every step once, in order, and makes no backup", async () => {
  const path = folder();
  for (let opening = 0; opening < 2; opening += 1) {
    const store = await openTestStore(path, { migrations: [COLOURED] });
    const steps = await store.rows<{ owner: string; name: string }>({
      sql: "SELECT owner, name FROM store_migration ORDER BY rowid",
      parameters: [],
    });
    expect(steps.map((one) => `${one.owner}/${one.name}`)).toEqual([
      "store/001-log",
      "store/002-blocks",
      "store/003-lookup",
      "things/001-thing",
      "things/002-colour",
    ]);
    await store.close();
  }
  expect(existsSync(join(path, "backups"))).toBe(false);
});

it("an existing store is copied before it is migrated; the copy opens with the program of before", async () => {
  const path = folder();
  const before = await openTestStore(path);
  await before.commit(batch([insertThing(before, "a")], [event()]));
  await before.close();
  const after = await openTestStore(path, { migrations: [COLOURED] });
  expect(await after.rows(after.builder<ThingTables>().selectFrom("thing").selectAll())).toEqual([
    { id: "a", version: 1, label: null, bytes: null, colour: null },
  ]);
  await after.close();
  const [copy = ""] = readdirSync(join(path, "backups"));
  expect(copy).toBe("store-before-things-002-colour-1.db");
  expect(statSync(join(path, "backups", copy)).mode & 0o777).toBe(0o600);
  const old = must(await openSqliteStore({ ...sqliteOptions(path), path: join(path, "backups", copy) }));
  expect(await old.rows({ sql: "SELECT id FROM thing", parameters: [] })).toEqual([{ id: "a" }]);
  await old.close();
});

it("without room for the backup nothing is migrated", async () => {
  const path = folder();
  await (await openTestStore(path)).close();
  writeFileSync(join(path, "file"), "");
  const refused = await openSqliteStore({
    ...sqliteOptions(path),
    migrations: [COLOURED],
    backup_folder: join(path, "file", "no"),
  });
  expect(refused).toMatchObject({ ok: false, error: { code: "RUMI-STO-012" } });
  await (await openTestStore(path)).close();
});

it("a failing step leaves the store as it was", async () => {
  const path = folder();
  await (await openTestStore(path)).close();
  const broken: Migrations = {
    ...THINGS,
    steps: [
      ...THINGS.steps,
      { name: "002-broken", sqlite: ["ALTER TABLE thing ADD COLUMN colour TEXT", "nonsense"], postgres: [] },
    ],
  };
  expect(await openSqliteStore({ ...sqliteOptions(path), migrations: [broken] })).toMatchObject({
    ok: false,
    error: { code: "RUMI-STO-009", params: { migration: "002-broken" } },
  });
  const store = await openTestStore(path);
  expect(
    (await store.rows<{ name: string }>({ sql: "SELECT name FROM pragma_table_info('thing')", parameters: [] })).map(
      (row) => row.name,
    ),
  ).not.toContain("colour");
  await store.close();
});

it("a changed step and a step of a newer program are refused by code", () => {
  const applied = stepsOf(COLOURED, "sqlite");
  const plan = (owner: Migrations) => planMigrations(applied, [owner], "sqlite");
  expect(plan(COLOURED)).toEqual({ ok: true, value: [] });
  expect(plan(THINGS)).toMatchObject({
    ok: false,
    error: { code: "RUMI-STO-004", params: { owner: "things", migration: "002-colour" } },
  });
  expect(planMigrations(applied, [], "sqlite")).toMatchObject({ ok: false, error: { code: "RUMI-STO-004" } });
  const changed: Migrations = {
    ...THINGS,
    steps: [step("001-thing", "CREATE TABLE thing (id TEXT)"), ...COLOURED.steps.slice(1)],
  };
  expect(plan(changed)).toMatchObject({
    ok: false,
    error: { code: "RUMI-STO-003", params: { migration: "001-thing" } },
  });
  const swapped: Migrations = { ...THINGS, steps: COLOURED.steps.toReversed() };
  expect(plan(swapped)).toMatchObject({ ok: false, error: { code: "RUMI-STO-003" } });
  expect(planMigrations(applied.slice(1), [COLOURED], "sqlite")).toMatchObject({
    ok: false,
    error: { code: "RUMI-STO-003" },
  });
});

it("[upgrade] a store of the first layout, kept as a fixture, is migrated and its log goes on", async () => {
  const path = folder();
  const db = openConnection(join(path, "store.db"), "read_write", 10);
  db.exec(readFileSync(FIXTURE, "utf8"));
  db.close();
  const store = must(await openSqliteStore({ ...sqliteOptions(path), signer: FIXTURE_SIGNER }));
  const page = { cursor: null, order: "oldest_first", rows: 10 } as const;
  expect((await queryAudit(store, store, {}, page)).map((row) => row.resource_id)).toEqual([
    "grid-0",
    "grid-1",
    "grid-2",
  ]);
  const second = { resource_type: "bot", resource_id: "grid-1" };
  expect((await queryAudit(store, store, second, page)).map((row) => row.idx)).toEqual([1]);
  expect(await store.rows({ sql: "SELECT size FROM log_lookup_head", parameters: [] })).toEqual([{ size: 3 }]);
  expect(await store.commit(batch([], [event()]))).toEqual({ ok: true, value: { indices: [3], log_size: 4 } });
  expect(await store.rows({ sql: "SELECT count(*) AS n FROM lease", parameters: [] })).toEqual([{ n: 0 }]);
  await store.close();
  expect(readdirSync(join(path, "backups"))).toHaveLength(1);
  copyFileSync(join(path, "store.db"), join(path, "again.db"));
  await must(
    await openSqliteStore({ ...sqliteOptions(path), path: join(path, "again.db"), signer: FIXTURE_SIGNER }),
  ).close();
});

it("[upgrade] the steps that were shipped never change", () => {
  const fixture = readFileSync(FIXTURE, "utf8");
  for (const shipped of stepsOf(STORE_MIGRATIONS, "sqlite").slice(0, 1)) expect(fixture).toContain(shipped.checksum);
});
