import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { batch, bumpThing, insertThing, openTestStore, type ThingTables } from "../../test/support.ts";
import type { Store } from "../port.ts";

async function fresh(): Promise<Store> {
  const { path, remove } = temporaryFolder();
  const store = await openTestStore(path);
  onTestFinished(async () => {
    await store.close();
    remove();
  });
  expect(await store.commit(batch([insertThing(store, "a"), insertThing(store, "b")]))).toMatchObject({ ok: true });
  return store;
}
type Row = Pick<ThingTables["thing"], "id" | "version">;
const ALL = { sql: "SELECT id, version FROM thing ORDER BY id", parameters: [] };
const versions = (rows: readonly Row[]): readonly number[] => rows.map(({ version }) => version);

it("what many ask of one moment is asked of the database once, and nobody can change it for the others", async () => {
  const store = await fresh();
  const [first, second, single] = await Promise.all([
    store.snapshot((reader) => reader.rows<Row>(ALL)),
    store.snapshot((reader) => reader.rows<Row>(ALL)),
    store.rows<Row>(ALL),
  ]);
  expect(second).toBe(first);
  expect(single).toBe(first);
  expect(Object.isFrozen(first)).toBe(true);
  expect(first.map((row) => Object.isFrozen(row))).toEqual([true, true]);
});

it("an answer is that of its own parameters", async () => {
  const store = await fresh();
  const sql = "SELECT typeof(?1) AS type, ?1 AS value";
  const asked = [1, "1", null, "null", 2, "", "a"];
  const rows = await store.snapshot((reader) =>
    Promise.all(asked.map((value) => reader.rows<{ type: string; value: unknown }>({ sql, parameters: [value] }))),
  );
  expect(rows.map(([row]) => row?.value)).toEqual(asked);
  expect(rows[0]?.[0]?.type).not.toBe("text");
  expect(rows[1]?.[0]?.type).toBe("text");
  // JSON would say null of it.
  await store.snapshot(async (reader) => {
    await reader.rows({ sql, parameters: [null] });
    await expect(reader.rows({ sql, parameters: [Number.NaN] })).rejects.toMatchObject({
      failure: { code: "RUMI-STO-005" },
    });
  });
});

it("an answer is that of its moment: a commit that was answered since is seen, one that comes later is not", async () => {
  const store = await fresh();
  for (let version = 1; version <= 40; version += 1) {
    const seen = await store.snapshot(async (reader) => {
      const before = versions(await reader.rows<Row>(ALL));
      expect(await store.commit(batch([bumpThing(store, "a", version)]))).toMatchObject({ ok: true });
      const [after, single] = await Promise.all([
        store.snapshot((newer) => newer.rows<Row>(ALL)),
        store.rows<Row>(ALL),
      ]);
      return { before, again: versions(await reader.rows<Row>(ALL)), after: versions(after), single: versions(single) };
    });
    const [was, is] = [
      [version, 1],
      [version + 1, 1],
    ];
    expect(seen).toEqual({ before: was, again: was, after: is, single: is });
  }
});

it("what is compiled on the way, and what is large, is asked anew", async () => {
  const store = await fresh();
  const many = Array.from({ length: 40 }, (_, at) => insertThing(store, `many-${at}`));
  expect(await store.commit(batch(many))).toMatchObject({ ok: true });
  await store.snapshot(async (reader) => {
    const compiles = { compile: () => ({ sql: "SELECT 1 AS one", parameters: [] }) };
    expect(await reader.rows(compiles)).not.toBe(await reader.rows(compiles));
    const large = await reader.rows(ALL);
    expect(large).toHaveLength(42);
    expect(await reader.rows(ALL)).not.toBe(large);
  });
});
