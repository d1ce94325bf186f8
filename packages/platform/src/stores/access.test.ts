/** A write that another one always overtakes, in a real store: whoever is in between writes the same value before each commit. */
import type { JsonObject } from "@rumi/kernel";
import type { Store } from "@rumi/store";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openWorld, type World } from "../../test/kit.ts";
import { platformMigrations } from "../index.ts";
import { createStoreAccess, type StorePermission } from "./access.ts";
import { STORE_LIMITS } from "./limits.ts";

let world: World & { close(): Promise<void> };
let attempts = 0;
/** How many of the next commits are overtaken. */
let overtaken = 0;
const put = async (sql: string): Promise<void> => {
  const done = await world.store.commit({ writes: [{ sql, parameters: [], expect: 1 }], events: [] });
  expect(done.ok, sql).toBe(true);
};
const contended = (): Store => ({
  ...world.store,
  commit: async (group) => {
    attempts += 1;
    if (attempts <= overtaken) await put(`UPDATE data_store_entry SET value_hash = 'turn ${attempts}' WHERE key = 'k'`);
    return world.store.commit(group);
  },
});
const call = async (permission_id: StorePermission, args: JsonObject): Promise<unknown> => {
  attempts = 0;
  const access = createStoreAccess({ store: contended(), clock: world.clock });
  const config = { allowed_store_ids: ["s"] };
  const done = await access({
    permission_id,
    principal_id: "p",
    pack_id: "p",
    config,
    args: { store_id: "s", ...args },
  });
  return done.ok ? done.value : [done.error.code, done.error.params["attempts"]];
};

beforeEach(async () => {
  world = await openWorld(platformMigrations, () => ({ declarations: [] }));
  await put("INSERT INTO data_store VALUES ('s', 'p', 'user:root', 0, 1, 1)");
  await put("INSERT INTO data_store_entry VALUES ('s', 'k', '1', 'first', 1, 'p', 0)");
});
afterEach(() => world.close());

it.each([
  ["store.set", { key: "k", value: 2 }],
  ["store.delete", { key: "k" }],
] as const)("[R-12.1] %s is decided anew %o so many times, and then refused", async (permission, args) => {
  overtaken = STORE_LIMITS.attempts;
  expect(await call(permission, args)).toEqual(["RUMI-DATA-007", STORE_LIMITS.attempts]);
  expect(attempts).toBe(STORE_LIMITS.attempts);
  overtaken = STORE_LIMITS.attempts - 1;
  expect(await call(permission, args)).toMatchObject(
    permission === "store.set" ? { created: false } : { deleted: true },
  );
  expect(attempts).toBe(STORE_LIMITS.attempts);
});

it("[R-12.1] store.cas does not try again: what it meets is no more what was expected", async () => {
  overtaken = 1;
  const expected_hash = `sha256:${"0".repeat(64)}`;
  await put(`UPDATE data_store_entry SET value_hash = '${expected_hash}' WHERE key = 'k'`);
  expect(await call("store.cas", { key: "k", value: 2, expected_hash })).toEqual({
    swapped: false,
    value_hash: "turn 1",
  });
  expect(attempts).toBe(1);
});
