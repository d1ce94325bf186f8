/** Stores as the Operations Guide's curls ask for them, over HTTP, and what packs do with them through `store.*`. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemRandom, type Json, type JsonObject } from "@rumi/kernel";
import { createMetrics } from "@rumi/operations";
import {
  createCapabilityCalls,
  createStoreAccess,
  storeBuiltins,
  STORE_LIMITS,
  type StorePermission,
} from "@rumi/platform";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import type { Data } from "./rig.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

let world: ServedControl;
beforeEach(async () => {
  world = await openServedControl({ bare: true });
  for (const pack_id of ["pack_a", "pack_b", "pack_c"]) await install(pack_id);
});
afterEach(() => world.close());

const post = (path: string, body?: unknown): Promise<Reply> => world.http("POST", path, body);
const data = (reply: Reply): Data => {
  expect([reply.status, reply.body["error_code"], reply.body["success"]]).toEqual([200, undefined, true]);
  return reply.body["data"] as Data;
};
const refusal = (reply: Reply): readonly unknown[] => [reply.status, reply.body["error_code"]];
async function install(pack_id: string, over: Data = {}): Promise<void> {
  const manifest = sampleManifest({ pack_id, pack_identity: `local:${pack_id}`, strategies: [], ...over });
  writePack(join(world.folder, "ecosystem", pack_id), manifest, {});
  data(await post("/api/packs/scan", ""));
  data(await post(`/api/packs/${pack_id}/approve`));
}
const create = (store_id = "shared_data", owner_pack = "pack_a"): Promise<Reply> =>
  post("/api/stores/create", { store_id, owner_pack });
const approve = (target_pack: string, more: Data = {}): Promise<Reply> =>
  post("/api/stores/shared/approve", { store_id: "shared_data", owner_pack: "pack_a", target_pack, ...more });
const revoke = (target_pack: string): Promise<Reply> =>
  post("/api/stores/shared/revoke", { store_id: "shared_data", owner_pack: "pack_a", target_pack });
const shared = async (): Promise<readonly Data[]> =>
  data(await world.http("GET", "/api/stores/shared"))["shared_stores"] as readonly Data[];
const grant = async (principal_id: string, permission_id: StorePermission, config: Data = {}): Promise<void> =>
  void data(
    await post("/api/capability/grants/grant", {
      principal_id,
      permission_id,
      config: { allowed_store_ids: ["shared_data"], ...config },
    }),
  );
const neither = (): never => {
  throw new Error("a built-in permission asks for no handler");
};
/** As a pack's code calls it; what comes back, or the refusal's code. */
async function call(
  pack_id: string,
  permission_id: StorePermission,
  args: JsonObject,
  limits: Partial<Record<keyof typeof STORE_LIMITS, number>> = {},
): Promise<Json> {
  const { store, clock, library } = world;
  const answer = await createCapabilityCalls({
    store,
    clock,
    library,
    random: systemRandom(),
    metrics: createMetrics(),
    handlers: { permissions: neither, find: neither },
    jails: { callHandler: neither },
    builtins: storeBuiltins(createStoreAccess({ store, clock, limits: { ...STORE_LIMITS, ...limits } })),
  })({ principal: pack_id, permission_id, args, timeout_seconds: 30, request_id: null });
  if (!answer.success && ["RUMI-DATA-003", "RUMI-CAP-013"].includes(answer.error_code))
    expect(answer.error_type).toBe("grant_denied");
  return answer.success ? answer.output : answer.error_code;
}
const at = (key: string, more: JsonObject = {}): JsonObject => ({ store_id: "shared_data", key, ...more });
const everything: readonly StorePermission[] = [
  "store.get",
  "store.set",
  "store.delete",
  "store.list",
  "store.batch_get",
  "store.cas",
];
const grantAll = async (pack_id: string): Promise<void> => {
  for (const permission of everything) await grant(pack_id, permission);
};

describe("the guide's calls", () => {
  it("[R-12.1] create, list, approve, list shared, revoke answer as printed", async () => {
    expect(data(await create())).toMatchObject({ store_id: "shared_data", owner_pack: "pack_a", keys: 0, bytes: 0 });
    expect(data(await world.http("GET", "/api/stores"))).toMatchObject({
      count: 1,
      stores: [{ store_id: "shared_data", owner_pack: "pack_a", shared_with: [] }],
      limits: { keys: STORE_LIMITS.keys, bytes: STORE_LIMITS.bytes },
    });
    expect(await shared()).toEqual([]);
    const approved = await post("/api/stores/shared/approve", {
      store_id: "shared_data",
      owner_pack: "pack_a",
      target_pack: "pack_b",
    });
    expect(data(approved)).toEqual({
      store_id: "shared_data",
      owner_pack: "pack_a",
      target_pack: "pack_b",
      status: "approved",
      approved_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
    });
    data(await approve("pack_c"));
    expect(await shared()).toEqual([
      {
        store_id: "shared_data",
        owner_pack: "pack_a",
        shared_with: ["pack_b", "pack_c"],
        status: "approved",
        approved_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
      },
    ]);
    expect(data(await revoke("pack_b"))).toEqual({
      store_id: "shared_data",
      target_pack: "pack_b",
      status: "revoked",
    });
    expect((await shared())[0]).toMatchObject({ shared_with: ["pack_c"] });
    expect(await world.actions()).toEqual(
      expect.arrayContaining(["store.created", "permission.granted", "permission.revoked"]),
    );
  });

  it("[R-12.1] the other names of owner and target are taken, one at a time", async () => {
    data(await create());
    const aliased = { store_id: "shared_data", provider_pack_id: "pack_a", consumer_pack_id: "pack_b" };
    expect(data(await post("/api/stores/shared/approve", aliased))).toMatchObject({
      owner_pack: "pack_a",
      target_pack: "pack_b",
    });
    expect(refusal(await approve("pack_c", { provider_pack_id: "pack_a" }))).toEqual([400, "RUMI-VAL-002"]);
    expect(
      refusal(await post("/api/stores/shared/approve", { store_id: "shared_data", owner_pack: "pack_a" })),
    ).toEqual([400, "RUMI-VAL-002"]);
  });

  it("[R-12.1] what cannot be shared or created is refused by code", async () => {
    data(await create());
    expect(refusal(await create())).toEqual([409, "RUMI-DATA-002"]);
    expect(refusal(await create("other", "nobody"))).toEqual([404, "RUMI-PACK-005"]);
    expect(refusal(await create("no/slash"))).toEqual([400, "RUMI-VAL-002"]);
    expect(refusal(await approve("nobody"))).toEqual([404, "RUMI-PACK-005"]);
    expect(refusal(await approve("pack_a"))).toEqual([400, "RUMI-VAL-002"]);
    const of = (over: Data) =>
      post("/api/stores/shared/approve", {
        store_id: "shared_data",
        owner_pack: "pack_a",
        target_pack: "pack_b",
        ...over,
      });
    expect(refusal(await of({ store_id: "none" }))).toEqual([404, "RUMI-DATA-001"]);
    expect(refusal(await of({ owner_pack: "pack_c" }))).toEqual([409, "RUMI-DATA-009"]);
    expect(refusal(await of({ more: 1 }))).toEqual([400, "RUMI-VAL-008"]);
    expect(refusal(await revoke("pack_b"))).toEqual([404, "RUMI-DATA-008"]);
    const first = data(await approve("pack_b"));
    expect(data(await approve("pack_b"))).toEqual(first);
  });

  it("[R-12.1] what an approved manifest asks for is listed as pending until a person approves it", async () => {
    data(await create());
    await install("pack_d", { stores: [{ store_id: "shared_data", owner_pack: "pack_a" }] });
    expect(await shared()).toEqual([
      { store_id: "shared_data", owner_pack: "pack_a", shared_with: ["pack_d"], status: "pending", approved_at: null },
    ]);
    await grant("pack_d", "store.get");
    expect(await call("pack_d", "store.get", at("k"))).toBe("RUMI-DATA-003");
    data(await approve("pack_d"));
    expect((await shared()).map(({ status }) => status)).toEqual(["approved"]);
  });

  it("[R-12.1] a store with values is deleted only when that is confirmed, and goes whole", async () => {
    data(await create());
    data(await create("empty"));
    await grantAll("pack_a");
    await call("pack_a", "store.set", at("k", { value: 1 }));
    expect(data(await world.http("DELETE", "/api/stores/empty"))).toMatchObject({ deleted: true, keys: 0 });
    const asked = await world.http("DELETE", "/api/stores/shared_data");
    expect(refusal(asked)).toEqual([409, "RUMI-CMD-004"]);
    const { challenge_id, intent_hash, phrase } = asked.body["challenge"] as Data;
    const confirm = `/api/challenges/${String(challenge_id)}/confirm`;
    data(await post(confirm, { intent_hash, phrase, reason: "meant" }));
    expect(await call("pack_a", "store.get", at("k"))).toBe("RUMI-DATA-001");
    data(await create());
    expect(await call("pack_a", "store.get", at("k"))).toMatchObject({ exists: false });
  });
});

describe("what packs do with stores", () => {
  beforeEach(async () => void data(await create()));

  it("[R-12.1] pack B reads A's store only while approved, and never writes it", async () => {
    await grantAll("pack_a");
    await grantAll("pack_b");
    expect(await call("pack_a", "store.set", at("price", { value: { last: "1.5" } }))).toMatchObject({ created: true });
    expect(await call("pack_b", "store.get", at("price"))).toBe("RUMI-DATA-003");
    data(await approve("pack_b"));
    expect(await call("pack_b", "store.get", at("price"))).toMatchObject({ exists: true, value: { last: "1.5" } });
    expect(await call("pack_b", "store.list", { store_id: "shared_data" })).toEqual({
      keys: ["price"],
      next_after: null,
    });
    for (const [permission, args] of [
      ["store.set", at("price", { value: 2 })],
      ["store.delete", at("price")],
      ["store.cas", at("new", { value: 2, expected_hash: "missing" })],
    ] as const)
      expect(await call("pack_b", permission, args), permission).toBe("RUMI-DATA-003");
    data(await revoke("pack_b"));
    expect(await call("pack_b", "store.get", at("price"))).toBe("RUMI-DATA-003");
  });

  it("[R-12.1] [R-8.1] without a grant, or with one that does not name the store, nothing opens; nor while the pack is modified", async () => {
    expect(await call("pack_a", "store.get", at("k"))).toBe("RUMI-CAP-010");
    await grant("pack_a", "store.get", { allowed_store_ids: ["another"] });
    expect(await call("pack_a", "store.get", at("k"))).toBe("RUMI-CAP-013");
    expect(await call("pack_a", "store.get", { store_id: "nowhere", key: "k" })).toBe("RUMI-CAP-013");
    await grant("pack_a", "store.get");
    expect(await call("pack_a", "store.get", at("k"))).toMatchObject({ exists: false, value: null });
    writePack(join(world.folder, "ecosystem/pack_a"), sampleManifest({ pack_id: "pack_a", strategies: [] }), {
      "more.txt": "x",
    });
    data(await post("/api/packs/scan", ""));
    expect(await call("pack_a", "store.get", at("k"))).toBe("RUMI-PACK-006");
  });

  it("[R-12.1] set, get, batch_get, list and delete", async () => {
    await grantAll("pack_a");
    for (const [key, value] of [
      ["a/1", 1],
      ["a/2", [true, null]],
      ["b:x", "text"],
    ] as const)
      expect(await call("pack_a", "store.set", at(key, { value: value as never }))).toMatchObject({ created: true });
    expect(await call("pack_a", "store.set", at("a/1", { value: 9 }))).toMatchObject({ created: false });
    expect(
      await call("pack_a", "store.batch_get", { store_id: "shared_data", keys: ["b:x", "gone", "a/1"] }),
    ).toMatchObject({
      entries: [
        { key: "b:x", exists: true, value: "text" },
        { key: "gone", exists: false, value: null, value_hash: null },
        { key: "a/1", exists: true, value: 9 },
      ],
    });
    const listed = (more: JsonObject) => call("pack_a", "store.list", { store_id: "shared_data", ...more });
    expect(await listed({ prefix: "a/" })).toEqual({ keys: ["a/1", "a/2"], next_after: null });
    expect(await listed({ limit: 2 })).toEqual({ keys: ["a/1", "a/2"], next_after: "a/2" });
    expect(await listed({ limit: 2, after: "a/2" })).toEqual({ keys: ["b:x"], next_after: null });
    expect(await call("pack_a", "store.delete", at("a/2"))).toEqual({ deleted: true });
    expect(await call("pack_a", "store.delete", at("a/2"))).toEqual({ deleted: false });
    expect(data(await world.http("GET", "/api/stores"))["stores"]).toMatchObject([
      { keys: 2, bytes: '"text"'.length + "9".length },
    ]);
  });

  it("[R-12.1] compare-and-set goes by the value's hash; of many at once exactly one gets through", async () => {
    await grantAll("pack_a");
    const cas = (expected_hash: string, value: number) =>
      call("pack_a", "store.cas", at("turn", { expected_hash, value }));
    const first = (await cas("missing", 0)) as JsonObject;
    expect(first).toMatchObject({ swapped: true, created: true });
    expect(await cas("missing", 1)).toEqual({ swapped: false, value_hash: first["value_hash"] });
    const tries = await Promise.all(Array.from({ length: 16 }, (_, n) => cas(String(first["value_hash"]), n + 1)));
    expect(tries.filter((one) => (one as JsonObject)["swapped"] === true)).toHaveLength(1);
    expect(await cas("sha256:short", 1)).toBe("RUMI-VAL-002");
  });

  it("[R-12.1] writers that meet lose nothing: every key is there, and the counts are those of the values", async () => {
    await grantAll("pack_a");
    const written = await Promise.all(
      Array.from({ length: 40 }, (_, n) => call("pack_a", "store.set", at(`k${n % 20}`, { value: n }))),
    );
    expect(written.filter((one) => typeof one === "string")).toEqual([]);
    const { keys } = (await call("pack_a", "store.list", { store_id: "shared_data" })) as { keys: string[] };
    expect(keys).toHaveLength(20);
    const { entries } = (await call("pack_a", "store.batch_get", { store_id: "shared_data", keys })) as unknown as {
      entries: { value: number }[];
    };
    const bytes = entries.reduce((sum, { value }) => sum + String(value).length, 0);
    expect(data(await world.http("GET", "/api/stores"))["stores"]).toMatchObject([{ keys: 20, bytes }]);
  });

  it("[R-12.1] arguments are read strictly", async () => {
    await grantAll("pack_a");
    expect(await call("pack_a", "store.get", at("k", { more: 1 }))).toBe("RUMI-VAL-008");
    expect(await call("pack_a", "store.get", at("with space"))).toBe("RUMI-VAL-002");
    expect(await call("pack_a", "store.get", at("k".repeat(513)))).toBe("RUMI-VAL-002");
    expect(await call("pack_a", "store.get", at("k".repeat(512)))).toMatchObject({ exists: false });
    expect(await call("pack_a", "store.set", at("k"))).toBe("RUMI-VAL-002");
    const keys = (count: number) => Array.from({ length: count }, (_, n) => `k${n}`);
    const batch = (count: number) => call("pack_a", "store.batch_get", { store_id: "shared_data", keys: keys(count) });
    expect(await batch(STORE_LIMITS.batch_keys)).toHaveProperty("entries");
    expect(await batch(STORE_LIMITS.batch_keys + 1)).toBe("RUMI-VAL-002");
    const limit = STORE_LIMITS.listed_keys + 1;
    expect(await call("pack_a", "store.list", { store_id: "shared_data", limit })).toBe("RUMI-VAL-002");
  });

  it("[R-12.1] sizes: of one value, of a grant, of a store, of an answer", async () => {
    await grantAll("pack_a");
    const text = (bytes: number) => "x".repeat(bytes - 2);
    const set = (key: string, bytes: number, limits = {}) =>
      call("pack_a", "store.set", at(key, { value: text(bytes) }), limits);
    expect(await set("most", STORE_LIMITS.value_bytes)).toHaveProperty("value_hash");
    expect(await set("over", STORE_LIMITS.value_bytes + 1)).toBe("RUMI-DATA-004");
    await grant("pack_a", "store.set", { max_value_bytes: 10 });
    expect(await set("ten", 10)).toHaveProperty("value_hash");
    expect(await set("ten", 11)).toBe("RUMI-DATA-004");
    expect(await set("third", 5, { keys: 2 })).toBe("RUMI-DATA-005");
    expect(await set("third", 5, { keys: 3 })).toHaveProperty("value_hash");
    expect(await set("ten", 9, { bytes: 5 })).toHaveProperty("value_hash"); // what shrinks is taken from a full store as well
    expect(await set("ten", 10, { bytes: STORE_LIMITS.value_bytes + 14 })).toBe("RUMI-DATA-005");
    expect(await set("ten", 10, { bytes: STORE_LIMITS.value_bytes + 15 })).toHaveProperty("value_hash");
    const batch = { store_id: "shared_data", keys: ["ten", "third"] };
    expect(await call("pack_a", "store.batch_get", batch, { answer_bytes: 14 })).toBe("RUMI-DATA-006");
    expect(await call("pack_a", "store.batch_get", batch, { answer_bytes: 15 })).toHaveProperty("entries");
  });

  it("[R-12.1] stores and shares of a home are limited", async () => {
    for (let n = 1; n < STORE_LIMITS.stores; n += 1)
      await world.store.commit({
        writes: [
          {
            sql: `INSERT INTO data_store VALUES ('s${n}', 'pack_a', 'user:root', 0, 0, 0)`,
            parameters: [],
            expect: 1,
          },
        ],
        events: [],
      });
    expect(refusal(await create("one_more"))).toEqual([409, "RUMI-DATA-010"]);
    for (let n = 0; n < STORE_LIMITS.shares; n += 1)
      await world.store.commit({
        writes: [
          {
            sql: `INSERT INTO data_store_share VALUES ('shared_data', 'p${n}', 'user:root', 0)`,
            parameters: [],
            expect: 1,
          },
        ],
        events: [],
      });
    expect(refusal(await approve("pack_b"))).toEqual([409, "RUMI-DATA-010"]);
  });

  it("[R-12.1] an uninstalled pack's shares go; its store stays and opens to nobody without a new grant", async () => {
    await grantAll("pack_a");
    await grantAll("pack_b");
    await call("pack_a", "store.set", at("k", { value: 1 }));
    data(await approve("pack_b"));
    data(await world.http("DELETE", "/api/packs/pack_b"));
    expect(await shared()).toEqual([]);
    data(await world.http("DELETE", "/api/packs/pack_a"));
    rmSync(join(world.folder, "ecosystem/pack_a"), { recursive: true });
    await install("pack_a");
    expect(await call("pack_a", "store.get", at("k"))).toBe("RUMI-CAP-010");
    await grant("pack_a", "store.get");
    expect(await call("pack_a", "store.get", at("k"))).toMatchObject({ value: 1 });
  });
});
