import { expect, it, onTestFinished } from "vitest";
import { seededRandom } from "@rumi/kernel";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { compilingBuilder } from "../src/builder.ts";
import type { Statement, Store, Write } from "../src/index.ts";
import { readMemory, READ_MEMORY_LIMITS } from "../src/sqlite/read-memory.ts";
import { leavesRows, tableRead, tableWritten } from "../src/sqlite/statement-tables.ts";
import {
  batch,
  bumpThing,
  bundledWorker,
  event,
  insertThing,
  openTestStore,
  THINGS,
  type ThingTables,
} from "./support.ts";

const db = compilingBuilder<ThingTables>("sqlite");
const folder = (): string => {
  const { path, remove } = temporaryFolder();
  onTestFinished(remove);
  return path;
};
const things = (store: Store) => store.builder<ThingTables>().selectFrom("thing").selectAll().orderBy("id").compile();
/** The same rows by a text that is never remembered. */
const READ_ANEW: Statement = { sql: `SELECT * FROM thing ORDER BY id`, parameters: [] };

it("a text's table is told only where there is no doubt", () => {
  const of = db.selectFrom("thing").selectAll();
  const reads: readonly (readonly [string, string | null])[] = [
    [of.compile().sql, "thing"],
    [of.where("id", "=", "a").where("label", "is", null).orderBy("id", "desc").limit(1).compile().sql, "thing"],
    [of.where("id", "in", ["a", "b"]).compile().sql, "thing"],
    [of.where("id", "in", db.selectFrom("thing").select("id")).compile().sql, null],
    [of.innerJoin("thing as other", "other.id", "thing.id").compile().sql, null],
    [`select * from "thing", "other"`, null],
    [`select * from "thing" as "t"`, null],
    [`select random() from "thing"`, null],
    [`select * from "thing" where "at" < current_timestamp`, null],
    [`select * from "thing" where "label" = 'x'`, null],
    [`select * from "thing" union select * from "other"`, null],
    [`with "x" as (select 1) select * from "thing"`, null],
    [READ_ANEW.sql, null],
  ];
  for (const [sql, table] of reads) expect([sql, tableRead(sql)]).toEqual([sql, table]);
  const writes: readonly (readonly [string, string | null])[] = [
    [db.insertInto("thing").values({ id: "a", version: 1, label: null, bytes: null }).compile().sql, "thing"],
    [db.updateTable("thing").set({ version: 1 }).compile().sql, "thing"],
    [db.deleteFrom("thing").compile().sql, "thing"],
    [`insert or replace into "thing" values (1)`, null],
    [`INSERT INTO thing VALUES (1)`, null],
    [`with "x" as (select 1) delete from "thing"`, null],
  ];
  for (const [sql, table] of writes) expect([sql, tableWritten(sql)]).toEqual([sql, table]);
});

it("a write leaves every row only where it gives a column the value that it asks for", () => {
  const fence = (to: number, is: number): Statement =>
    db.updateTable("thing").set({ version: to }).where("id", "=", "a").where("version", "=", is).compile();
  expect(leavesRows(fence(3, 3))).toBe(true);
  expect(leavesRows(fence(4, 3))).toBe(false);
  expect(leavesRows(db.updateTable("thing").set({ version: 3 }).where("id", "=", "a").compile())).toBe(false);
  const two = db.updateTable("thing").set({ version: 3, label: "x" }).where("version", "=", 3);
  expect(leavesRows(two.compile())).toBe(false);
  const other = db.updateTable("thing").set({ version: 3 }).where("version", ">=", 3);
  expect(leavesRows(other.compile())).toBe(false);
});

/** Asks often enough for the table to count as quiet. */
async function settle(store: Store): Promise<void> {
  for (let i = 0; i <= READ_MEMORY_LIMITS.quiet_for; i += 1) await store.rows(things(store));
}

it("what is remembered is what SQLite would say, and a commit's answer ends it, also a restart", async () => {
  const path = folder();
  const store = await openTestStore(path);
  await store.commit(batch([insertThing(store, "a")]));
  await settle(store);
  const first = await store.rows(things(store));
  expect(await store.rows(things(store))).toBe(first); // the very rows: it was not read again
  expect(Object.isFrozen(first) && first.every((row) => Object.isFrozen(row))).toBe(true);
  // A fence and another table's rows change nothing of it.
  const asIs = db.updateTable("thing").set({ version: 1 }).where("id", "=", "a").where("version", "=", 1).compile();
  await store.commit(batch([{ ...asIs, expect: 1 }], [event()]));
  expect(await store.rows(things(store))).toBe(first);
  const during = await store.snapshot(async (reader) => {
    expect(await reader.rows(things(store))).toBe(first);
    const changed = await store.commit(batch([bumpThing(store, "a", 1)]));
    expect(changed.ok).toBe(true);
    expect(await store.rows(things(store))).toMatchObject([{ version: 2 }]);
    return reader.rows(things(store));
  });
  expect(during).toMatchObject([{ version: 1 }]);
  expect(await store.rows(things(store))).toMatchObject([{ version: 2 }]);
  await settle(store);
  await store.commit(batch([{ sql: "UPDATE thing SET version = 7", parameters: [], expect: 1 }])); // a text that leaves a doubt
  expect(await store.rows(things(store))).toMatchObject([{ version: 7 }]);
  await settle(store);
  await store.close();
  const again = await openTestStore(path);
  await again.commit(batch([bumpThing(again, "a", 7)]));
  expect(await again.rows(things(again))).toMatchObject([{ version: 8 }]);
  await again.close();
});

it("where one table may change another nothing is remembered", async () => {
  const path = folder();
  const cascades = {
    owner: "more",
    steps: [
      {
        name: "001-part",
        sqlite: ["CREATE TABLE part (of TEXT REFERENCES thing (id) ON DELETE CASCADE)"],
        postgres: [],
      },
    ],
  };
  const store = await openTestStore(path, { migrations: [THINGS, cascades] });
  await store.commit(batch([insertThing(store, "a")]));
  await settle(store);
  expect(await store.rows(things(store))).not.toBe(await store.rows(things(store)));
  await store.close();
});

it("nothing is remembered or recalled of a table while something is on its way to it, nor for snapshots that began before", () => {
  const asked: Statement = { sql: `select * from "thing"`, parameters: [] };
  const rows = [{ id: "a" }];
  const doubtful: Statement = { sql: "UPDATE thing SET version = 7", parameters: [] };
  for (const write of [db.updateTable("thing").set({ version: 7 }).compile(), doubtful]) {
    const memory = readMemory();
    const calm = (): void => {
      for (let i = 0; i < READ_MEMORY_LIMITS.quiet_for; i += 1) memory.stamp();
    };
    calm();
    const before = memory.stamp();
    memory.keep(asked, before, rows);
    expect(memory.recall(asked, memory.stamp())).toBe(rows);
    memory.sent([write]);
    calm();
    const during = memory.stamp();
    memory.keep(asked, during, rows);
    expect(memory.recall(asked, during)).toBeUndefined();
    memory.answered();
    calm();
    for (const stamp of [before, during]) {
      memory.keep(asked, stamp, rows);
      expect(memory.recall(asked, memory.stamp())).toBeUndefined();
    }
    memory.keep(asked, memory.stamp(), rows);
    expect(memory.recall(asked, memory.stamp())).toBe(rows);
    for (const stamp of [before, during]) expect(memory.recall(asked, stamp)).toBeUndefined();
  }
});

it("every limit of the memory is reached", () => {
  const memory = readMemory();
  const rowsOf = (count: number) => Array.from({ length: count }, (_, id) => ({ id }));
  const asked = (id: number): Statement => ({ sql: `select * from "thing" where "id" = ?`, parameters: [id] });
  memory.keep(asked(1), memory.stamp(), rowsOf(1));
  expect(memory.recall(asked(1), memory.stamp())).toBeUndefined(); // it has not been quiet for long enough
  for (let i = 0; i < READ_MEMORY_LIMITS.quiet_for; i += 1) memory.stamp();
  memory.keep(asked(0), memory.stamp(), rowsOf(READ_MEMORY_LIMITS.rows + 1));
  expect(memory.recall(asked(0), memory.stamp())).toBeUndefined();
  for (let id = 1; id <= READ_MEMORY_LIMITS.answers; id += 1) memory.keep(asked(id), memory.stamp(), rowsOf(id));
  expect(memory.recall(asked(1), memory.stamp())).toHaveLength(1);
  memory.keep(asked(0), memory.stamp(), rowsOf(2));
  expect(memory.recall(asked(1), memory.stamp())).toBeUndefined();
  expect(memory.recall(asked(0), memory.stamp())).toHaveLength(2);
  const texts = (count: number): readonly Statement[] =>
    Array.from({ length: count }, (_, at) => ({ sql: `delete from "other_${at}"`, parameters: [] }));
  memory.sent(texts(READ_MEMORY_LIMITS.texts + 1));
  memory.answered();
  expect(memory.recall(asked(0), memory.stamp())).toHaveLength(2);
  memory.keep({ sql: `select * from "log_tile"`, parameters: [] }, memory.stamp(), rowsOf(1));
  expect(memory.recall({ sql: `select * from "log_tile"`, parameters: [] }, memory.stamp())).toBeUndefined();
  memory.keep(asked(5), memory.stamp(), [{ bytes: Uint8Array.of(1) }]);
  expect(memory.recall(asked(5), memory.stamp())).toBeUndefined();
});

it("under any order of commits and snapshots a snapshot sees one moment, remembered or read", async () => {
  const store = await openTestStore(folder(), {
    writer: { kind: "worker", worker_url: await bundledWorker() },
  });
  await store.commit(batch([insertThing(store, "a"), insertThing(store, "b")]));
  const random = seededRandom("read memory");
  const chance = (of: number): boolean => random.below(of) === 0;
  let version = 1;
  let recalled = 0;
  let last: unknown;
  const look = async (known: number): Promise<void> => {
    await store.snapshot(async (reader) => {
      const seen: unknown[] = [];
      for (let i = 0; i < 3; i += 1) {
        const rows = await reader.rows<{ version: number }>(things(store));
        if (rows === last) recalled += 1;
        last = rows;
        seen.push(rows, await reader.rows(READ_ANEW));
        if (chance(3)) await new Promise((resolve) => setImmediate(resolve));
      }
      for (const one of seen) expect(one).toEqual(seen[0]);
      expect((seen[0] as { version: number }[])[0]?.version).toBeGreaterThanOrEqual(known);
    });
    expect((await store.rows<{ version: number }>(things(store)))[0]?.version).toBeGreaterThanOrEqual(known);
  };
  const fence = (): Write => ({
    ...db.updateTable("thing").set({ version: 1 }).where("id", "=", "b").where("version", "=", 1).compile(),
    expect: 1,
  });
  for (let i = 0; i < 200; i += 1) {
    const going: Promise<unknown>[] = [];
    for (let j = 0; j < 4; j += 1) going.push(look(version));
    if (chance(20)) {
      const next = version;
      going.push(
        store.commit(batch([bumpThing(store, "a", next)], [event()])).then((done) => {
          expect(done.ok).toBe(true);
          version = next + 1;
          return look(version);
        }),
      );
      going.push(look(version));
    } else going.push(store.commit(batch([fence()], [event()])).then(() => look(version)));
    await Promise.all(going);
  }
  expect(version).toBeGreaterThan(5);
  expect(recalled).toBeGreaterThan(100);
  await store.close();
});
