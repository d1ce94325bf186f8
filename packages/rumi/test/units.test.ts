/** Units over HTTP: published from one pack, executed as another in a real jail. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ok, systemRandom } from "@rumi/kernel";
import type { Declaration } from "@rumi/operations";
import {
  createBlocks,
  createSlidingWindow,
  PACK_LIMITS,
  UNIT_LIMITS,
  unitDeclarations,
  type Blocks,
} from "@rumi/platform";
import { detectJails, detectPython, type JailMechanism } from "@rumi/sandbox";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import type { Data } from "./rig.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

const RUNNER_DIR = fileURLToPath(new URL("../../sandbox/python", import.meta.url));
const python = detectPython(process.env["PATH"] ?? "");
const mechanism = (await detectJails(python, "auto"))[0]?.mechanism as JailMechanism;
const MANIFEST = {
  unit_id: "sum",
  version: "1.0.0",
  kind: "python",
  entrypoint: "main.py:execute",
  declared_by_pack_id: "pack_a",
  exec_modes_allowed: ["sandbox", "pack_container"],
  permission_id: "unit.sum",
};
const CODE = `
import os
def execute(context, args):
    if args.get("raise"):
        raise ValueError("as it was told")
    return {"sum": sum(args["numbers"]), "principal": context["principal_id"], "host": os.path.exists("/etc/passwd")}
`;

let world: ServedControl;
let jails: Blocks;
beforeEach(async () => {
  let declarations: readonly Declaration[] = [];
  world = await openServedControl({
    bare: true,
    platform: ({ store, folder, clock }) => {
      jails = createBlocks({
        verify: (pack_id) => world.library.verify(pack_id),
        home: () =>
          Promise.resolve(
            python.ok ? ok({ python: python.value, mechanism, isolation: "any", runner_dir: RUNNER_DIR }) : python,
          ),
      });
      declarations = unitDeclarations({
        store,
        clock,
        jails,
        random: systemRandom(),
        library: { verify: (pack_id) => world.library.verify(pack_id) },
        folder: join(folder, "user_data/stores"),
        ecosystem: join(folder, "ecosystem"),
        limits: PACK_LIMITS,
        rate: createSlidingWindow(clock, 60_000),
      });
      return {};
    },
    get declarations() {
      return declarations;
    },
  });
  await install("pack_a", unitFiles("units/sum"));
  await install("pack_b", {});
  data(await post("/api/stores/create", { store_id: "tools", owner_pack: "pack_a" }));
});
afterEach(async () => {
  await jails.close();
  await world.close();
});

const post = (path: string, body?: unknown): Promise<Reply> => world.http("POST", path, body);
const data = (reply: Reply): Data => {
  expect([reply.status, reply.body["error"], reply.body["success"]]).toEqual([200, undefined, true]);
  return reply.body["data"] as Data;
};
const refusal = (reply: Reply): readonly unknown[] => [reply.status, reply.body["error_code"]];
const unitFiles = (folder: string, over: Data = {}, code = CODE): Record<string, string> => ({
  [`${folder}/unit.json`]: JSON.stringify({ ...MANIFEST, ...over }),
  [`${folder}/main.py`]: code,
});
async function install(pack_id: string, files: Readonly<Record<string, string>>): Promise<void> {
  const manifest = sampleManifest({ pack_id, pack_identity: `local:${pack_id}`, strategies: [] });
  writePack(join(world.folder, "ecosystem", pack_id), manifest, files);
  data(await post("/api/packs/scan", ""));
  data(await post(`/api/packs/${pack_id}/approve`));
}
const publish = (over: Data = {}): Promise<Reply> =>
  post("/api/units/publish", {
    store_id: "tools",
    source_dir: "ecosystem/pack_a/units/sum",
    namespace: "math",
    name: "sum",
    version: "1.0.0",
    ...over,
  });
const execute = (over: Data = {}): Promise<Reply> =>
  post("/api/units/execute", {
    principal_id: "pack_b",
    unit_ref: { store_id: "tools", unit_id: "sum", version: "1.0.0" },
    mode: "sandbox",
    args: { numbers: [1, 2, 3] },
    timeout: 30,
    ...over,
  });
const grant = async (): Promise<void> =>
  void data(await post("/api/capability/grants/grant", { principal_id: "pack_b", permission_id: "unit.sum" }));
const share = async (): Promise<void> =>
  void data(
    await post("/api/stores/shared/approve", { store_id: "tools", owner_pack: "pack_a", target_pack: "pack_b" }),
  );

describe("[R-12.2] units", () => {
  it("are published from one pack and executed as another that has the grant and sees the store", async () => {
    const unit = data(await publish());
    expect(unit).toMatchObject({ unit_id: "sum", path: "user_data/stores/tools/math/sum/1.0.0", kind: "python" });
    expect(data(await world.http("GET", "/api/units?store_id=tools"))).toMatchObject({
      count: 1,
      units: [{ unit_id: "sum", version: "1.0.0", declared_by_pack_id: "pack_a" }],
    });
    expect(refusal(await execute())).toEqual([403, "RUMI-CAP-010"]);
    await grant();
    expect(refusal(await execute())).toEqual([403, "RUMI-DATA-003"]);
    await share();
    expect(data(await execute())).toEqual({
      unit_ref: { store_id: "tools", unit_id: "sum", version: "1.0.0" },
      principal_id: "pack_b",
      mode: "sandbox",
      output: { sum: 6, principal: "pack_b", host: false },
      execution_time: expect.any(Number) as number,
    });
    const failed = await execute({ args: { raise: true } });
    expect(refusal(failed)).toEqual([500, "RUMI-UNIT-005"]);
    expect(failed.body["error"]).toContain("as it was told");
    expect(await world.actions()).toEqual(expect.arrayContaining(["unit.published", "unit.executed"]));
  });

  it("run only while the pack that declared them is as it was approved, and their folder as it was published", async () => {
    const { path } = data(await publish());
    await grant();
    await share();
    const file = join(world.folder, String(path), "main.py");
    chmodSync(file, 0o600);
    writeFileSync(file, CODE.replace("sum(args", "max(args"));
    const altered = await execute();
    expect(refusal(altered)).toEqual([500, "RUMI-UNIT-005"]);
    expect(altered.body["error"]).toContain("is not what was published");
    writeFileSync(join(world.folder, "ecosystem/pack_a/more.txt"), "x");
    expect(refusal(await execute())).toEqual([403, "RUMI-PACK-007"]);
    expect(refusal(await publish({ name: "again" }))).toEqual([403, "RUMI-PACK-007"]);
  });

  it("have limits: how many a store holds, and how large unit.json is", async () => {
    const full = {
      sql: `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${UNIT_LIMITS.per_store - 1})
        INSERT INTO unit SELECT 'tools', 'u' || i, '1.0.0', '{"store_id":"tools","unit_id":"u' || i ||
        '","version":"1.0.0","namespace":"n","name":"u' || i || '","digest":""}' FROM n`,
      parameters: [],
      expect: UNIT_LIMITS.per_store - 1,
    };
    expect((await world.store.commit({ writes: [full], events: [] })).ok).toBe(true);
    data(await publish());
    await install("pack_a", { ...unitFiles("units/sum"), ...unitFiles("units/more", { unit_id: "more" }) });
    const more = await publish({ source_dir: "ecosystem/pack_a/units/more", name: "more" });
    expect(refusal(more)).toEqual([409, "RUMI-DATA-010"]);
    await grant();
    await share();
    const { manifest_bytes } = UNIT_LIMITS;
    const { "units/sum/unit.json": manifest = "", ...code } = unitFiles("units/sum");
    await install("pack_a", { ...code, "units/sum/unit.json": manifest.padEnd(manifest_bytes) });
    expect(refusal(await publish()), "it is read, and is not what was published").toEqual([409, "RUMI-UNIT-003"]);
    await install("pack_a", { ...code, "units/sum/unit.json": manifest.padEnd(manifest_bytes + 1) });
    const large = await publish();
    expect(refusal(large)).toEqual([422, "RUMI-UNIT-001"]);
    expect(large.body["error"]).toContain(`larger than ${manifest_bytes} bytes`);
  });

  it("never change under their version", async () => {
    const first = data(await publish());
    expect(data(await publish())).toEqual(first);
    await install("pack_a", unitFiles("units/sum", {}, `${CODE}# more\n`));
    expect(refusal(await publish())).toEqual([409, "RUMI-UNIT-003"]);
    expect(refusal(await publish({ name: "other" }))).toEqual([409, "RUMI-UNIT-003"]);
  });

  it("are refused where something is not as it must be", async () => {
    for (const source_dir of [
      "/etc",
      "ecosystem",
      "ecosystem/pack_a",
      "ecosystem/../x",
      "units/sum",
      "../ecosystem/pack_a/units",
    ])
      expect([source_dir, ...refusal(await publish({ source_dir }))]).toEqual([source_dir, 400, "RUMI-VAL-003"]);
    expect(refusal(await publish({ source_dir: "ecosystem/pack_b/units/sum" }))).toEqual([404, "RUMI-PACK-019"]);
    expect(refusal(await publish({ source_dir: "ecosystem/none/units/sum" }))).toEqual([404, "RUMI-PACK-005"]);
    expect(refusal(await publish({ version: "2.0.0" }))).toEqual([422, "RUMI-UNIT-001"]);
    expect(refusal(await publish({ store_id: "none" }))).toEqual([404, "RUMI-DATA-001"]);
    expect(refusal(await publish({ name: "../x" }))).toEqual([400, "RUMI-VAL-002"]);
    for (const over of [
      { permission_id: "store.get" },
      { entrypoint: "none.py:execute" },
      { kind: "java" },
      { more: 1 },
    ]) {
      await install("pack_a", unitFiles("units/sum", over));
      expect([over, ...refusal(await publish())]).toEqual([over, 422, "RUMI-UNIT-001"]);
    }
    await install("pack_b", unitFiles("units/sum"));
    expect(refusal(await publish({ source_dir: "ecosystem/pack_b/units/sum" }))).toEqual([422, "RUMI-UNIT-001"]);
    await install("pack_b", unitFiles("units/sum", { declared_by_pack_id: "pack_b" }));
    expect(refusal(await publish({ source_dir: "ecosystem/pack_b/units/sum" }))).toEqual([403, "RUMI-DATA-003"]);
  });

  it("are executed in a mode that they allow and this version carries out, at most 30 times a minute", async () => {
    data(await publish());
    await grant();
    await share();
    expect(refusal(await execute({ mode: "host_capability" }))).toEqual([409, "RUMI-UNIT-004"]);
    expect(refusal(await execute({ timeout: 301 }))).toEqual([400, "RUMI-VAL-002"]);
    const none = { store_id: "tools", unit_id: "sum", version: "9.0.0" };
    expect(refusal(await execute({ unit_ref: none }))).toEqual([404, "RUMI-UNIT-002"]);
    for (let n = 0; n < 30; n += 1) expect((await execute({ mode: "pack_container" })).status).toBe(200);
    expect(refusal(await execute())).toEqual([429, "RUMI-UNIT-006"]);
  });
});
