/** Privileges as the Operations Guide's curls ask for them, over HTTP. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { packReconciler, PACK_LIMITS, restartReconciler, type PackDeps } from "@rumi/platform";
import { systemRandom } from "@rumi/kernel";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import type { Data } from "./rig.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

let world: ServedControl;
let live: number;
beforeEach(async () => {
  live = 0;
  world = await openServedControl({
    bare: true,
    platform: () => ({
      privileges: {
        diagnostics: () => Promise.resolve({ version: "1.2.3" }),
        liveBots: () => Promise.resolve(live),
      },
    }),
  });
  await install("updater_pack");
  await install("my_pack");
});
afterEach(() => world.close());

const post = (path: string, body?: unknown): Promise<Reply> => world.http("POST", path, body);
const data = (reply: Reply): Data => {
  expect([reply.status, reply.body["error_code"], reply.body["success"]]).toEqual([200, undefined, true]);
  return reply.body["data"] as Data;
};
const refusal = (reply: Reply): readonly unknown[] => [reply.status, reply.body["error_code"]];
const source = (pack_id: string): string => join(world.folder, "ecosystem", pack_id);
const manifestOf = (pack_id: string, over: Data = {}) =>
  sampleManifest({ pack_id, pack_identity: `local:${pack_id}`, strategies: [], ...over });
async function install(pack_id: string): Promise<void> {
  writePack(source(pack_id), manifestOf(pack_id), {});
  data(await post("/api/packs/scan", ""));
  data(await post(`/api/packs/${pack_id}/approve`));
}
const grant = (privilege_id: string, pack_id = "updater_pack"): Promise<Reply> =>
  post(`/api/privileges/${pack_id}/grant/${privilege_id}`, "");
const execute = (privilege_id: string, body?: unknown, pack_id = "updater_pack"): Promise<Reply> =>
  post(`/api/privileges/${pack_id}/execute/${privilege_id}`, body);
const holders = async (): Promise<Data> => {
  const listed = data(await world.http("GET", "/api/privileges"))["privileges"] as Data[];
  return Object.fromEntries(listed.map((one) => [one["privilege_id"], one["granted_packs"]])) as Data;
};
async function staged(pack_id = "my_pack"): Promise<string> {
  const origin = join(world.folder, "origin", pack_id);
  mkdirSync(origin, { recursive: true });
  writePack(origin, manifestOf(pack_id, { version: "2.0.0" }), {});
  return String(data(await post("/api/packs/import", { path: origin }))["staging_id"]);
}
async function moveIntoPlace(): Promise<void> {
  const folders = {
    ecosystem: join(world.folder, "ecosystem"),
    staging: join(world.folder, "user_data/pack_staging"),
    store: join(world.folder, "user_data/packs"),
    backups: join(world.folder, "user_data/pack_backups"),
    uploads: join(world.folder, "user_data/pack_uploads"),
  };
  const deps: PackDeps = {
    store: world.store,
    clock: world.clock,
    random: systemRandom(),
    folders,
    limits: PACK_LIMITS,
    importRoots: "any",
    botsUsing: () => Promise.resolve([]),
  };
  await packReconciler(
    { ...deps, summaryPath: join(world.folder, "user_data/pending/summary.json") },
    world.library,
  ).run();
}

describe("the guide's calls", () => {
  it("[R-15.1] [R-4.2] list, grant with an empty body, execute with args: the answers are as printed", async () => {
    expect(await holders()).toEqual({ "pack.update": [], "system.restart": [], "system.diagnostics": [] });
    const granted = data(await grant("pack.update"));
    expect(granted).toMatchObject({ pack_id: "updater_pack", privilege_id: "pack.update" });
    expect(granted["granted_at"]).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(data(await grant("pack.update"))["granted_at"]).toBe(granted["granted_at"]);
    expect(await holders()).toMatchObject({ "pack.update": ["updater_pack"], "system.diagnostics": [] });
    const staging_id = await staged();
    const done = data(await execute("pack.update", { args: { target_pack: "my_pack", staging_id } }));
    expect(done).toMatchObject({
      pack_id: "updater_pack",
      privilege_id: "pack.update",
      result: { status: "applied", target_pack: "my_pack" },
    });
    expect(done["executed_at"]).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(await world.actions()).toEqual(
      expect.arrayContaining(["permission.granted", "pack.imported", "privilege.executed"]),
    );
  });

  it("[R-15.2] pack.update puts the staged tree in place, under either name of its arguments", async () => {
    data(await grant("pack.update"));
    const staging_id = await staged();
    data(await execute("pack.update", { params: { target_pack: "my_pack", staging_id } }));
    await moveIntoPlace();
    const manifest = JSON.parse(readFileSync(join(source("my_pack"), "ecosystem.json"), "utf8")) as Data;
    expect(manifest["version"]).toBe("2.0.0");
    expect(data(await world.http("GET", "/api/packs/my_pack/status"))).toMatchObject({ status: "modified" });
  });

  it("[R-15.1] [R-15.2] without the privilege it is 403, whatever else the pack was granted", async () => {
    const args = { target_pack: "my_pack", staging_id: await staged() };
    expect(refusal(await execute("pack.update", { args }))).toEqual([403, "RUMI-CAP-012"]);
    for (const permission_id of ["pack.update", "system.restart", "pack.update.propose_patch"])
      data(await post("/api/capability/grants/grant", { principal_id: "updater_pack", permission_id }));
    expect(refusal(await execute("pack.update", { args }))).toEqual([403, "RUMI-CAP-012"]);
    data(await grant("system.diagnostics"));
    expect(refusal(await execute("pack.update", { args }))).toEqual([403, "RUMI-CAP-012"]);
    expect(refusal(await execute("pack.update", { args }, "my_pack"))).toEqual([403, "RUMI-CAP-012"]);
    data(await grant("pack.update"));
    data(await post("/api/privileges/updater_pack/revoke/pack.update", ""));
    expect(refusal(await execute("pack.update", { args }))).toEqual([403, "RUMI-CAP-012"]);
    expect(await world.actions()).not.toContain("privilege.executed");
  });

  it("[R-15.1] a privilege that does not exist is 404, whatever is asked of it", async () => {
    for (const act of ["grant", "execute", "revoke"])
      for (const privilege_id of ["system.format", "constructor", "__proto__"])
        expect(refusal(await post(`/api/privileges/updater_pack/${act}/${privilege_id}`, ""))).toEqual([
          404,
          "RUMI-CAP-011",
        ]);
  });
});

describe("what is asked of it", () => {
  it("[R-15.2] arguments are read strictly", async () => {
    data(await grant("pack.update"));
    data(await grant("system.diagnostics"));
    const staging_id = await staged();
    const rows: readonly [string, unknown, unknown][] = [
      ["pack.update", { args: { staging_id } }, "RUMI-VAL-002"],
      ["pack.update", { args: { target_pack: "my_pack" } }, "RUMI-VAL-002"],
      ["pack.update", { args: { target_pack: "my_pack", staging_id: 1 } }, "RUMI-VAL-002"],
      ["pack.update", { args: { target_pack: "my_pack", staging_id, more: 1 } }, "RUMI-VAL-008"],
      ["pack.update", { args: { target_pack: "my_pack", staging_id }, params: {} }, "RUMI-VAL-002"],
      ["pack.update", { args: { target_pack: "my_pack", staging_id: "stg-none" } }, "RUMI-PACK-014"],
      ["pack.update", { args: { target_pack: "updater_pack", staging_id } }, "RUMI-PACK-003"],
      ["pack.update", "", "RUMI-VAL-002"],
      ["system.diagnostics", { args: { all: true } }, "RUMI-VAL-008"],
    ];
    for (const [privilege_id, body, code] of rows)
      expect([body, (await execute(privilege_id, body)).body["error_code"]]).toEqual([body, code]);
    data(await execute("pack.update", { args: { target_pack: "my_pack", staging_id } }));
  });

  it("[R-15.2] diagnostics tell what the program is", async () => {
    data(await grant("system.diagnostics"));
    expect(data(await execute("system.diagnostics", ""))["result"]).toEqual({ status: "ok", version: "1.2.3" });
  });

  it("[R-15.2] a restart is asked of the program once, and confirmed first while a bot is live", async () => {
    let asked = 0;
    const reconciler = restartReconciler({ store: world.store, clock: world.clock, restart: () => void (asked += 1) });
    data(await grant("system.restart"));
    live = 1;
    const first = await execute("system.restart", "");
    expect([first.status, first.body["reason_code"]]).toEqual([409, "CONFIRMATION_REQUIRED"]);
    await reconciler.run();
    expect(asked).toBe(0);
    live = 0;
    expect(data(await execute("system.restart", ""))["result"]).toEqual({ status: "restarting" });
    for (let round = 0; round < 3; round += 1) await reconciler.run();
    expect(asked).toBe(1);
  });

  it("[R-15.1] [R-5.1] a modified pack may not, an uninstalled one starts with nothing", async () => {
    data(await grant("system.diagnostics"));
    writeFileSync(join(source("updater_pack"), "README.md"), "x");
    data(await post("/api/packs/scan", ""));
    expect(refusal(await execute("system.diagnostics"))).toEqual([403, "RUMI-PACK-006"]);
    data(await post("/api/packs/updater_pack/approve"));
    data(await execute("system.diagnostics"));
    expect((await world.http("DELETE", "/api/packs/updater_pack")).status).toBe(200);
    expect(await holders()).toMatchObject({ "system.diagnostics": [] });
    await install("updater_pack");
    expect(refusal(await execute("system.diagnostics"))).toEqual([403, "RUMI-CAP-012"]);
  });
});
