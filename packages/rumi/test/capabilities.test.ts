/** Capability candidates and grants as the Operations Guide's curls ask for them, over HTTP. */
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sha256Hex, systemRandom } from "@rumi/kernel";
import { createHandlerRegistry, HANDLER_LIMITS, packReconciler, PACK_LIMITS, permit } from "@rumi/platform";
import { sampleManifest, writePack } from "../../platform/test/kit.ts";
import { waitingCandidates } from "../src/program/platform-ports.ts";
import type { Data } from "./rig.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

const HOUR_MS = 3_600_000;
const CODE = "def execute(context, args):\n    return {'read': args['path']}\n";
const HANDLER = {
  handler_id: "fs_read_handler",
  permission_id: "fs.read",
  entrypoint: "handler.py:execute",
  description: "ファイルシステム読み取り handler",
  risk: "ファイルシステムへの読み取りアクセスを提供",
};
const FOLDER = "share/capability_handlers/fs_read_v1";

let world: ServedControl;
let live: readonly string[];
beforeEach(async () => {
  live = [];
  world = await openServedControl({
    bare: true,
    platform: () => ({ liveBotsUsing: (_reader, pack_id) => Promise.resolve(pack_id === "my_pack" ? live : []) }),
  });
});
afterEach(() => world.close());

const post = (path: string, body?: unknown): Promise<Reply> => world.http("POST", path, body);
const data = (reply: Reply): Data => {
  expect([reply.status, reply.body["error_code"], reply.body["success"]]).toEqual([200, undefined, true]);
  return reply.body["data"] as Data;
};
const refusal = (reply: Reply): readonly unknown[] => [reply.status, reply.body["error_code"]];
const source = (pack_id = "my_pack"): string => join(world.folder, "ecosystem", pack_id);
async function install(files: Readonly<Record<string, string>>, pack_id = "my_pack"): Promise<void> {
  const manifest = sampleManifest({ pack_id, pack_identity: `local:${pack_id}`, strategies: [] });
  writePack(source(pack_id), manifest, files);
  data(await post("/api/packs/scan", ""));
  data(await post(`/api/packs/${pack_id}/approve`));
}
const handlerFiles = (over: Data = {}, code: string = CODE, folder: string = FOLDER): Record<string, string> => ({
  [`${folder}/handler.json`]: JSON.stringify({ ...HANDLER, ...over }),
  [`${folder}/handler.py`]: code,
});
const scan = async (): Promise<Data> => data(await post("/api/capability/candidates/scan", ""));
const keyOf = (code: string = CODE, pack_id = "my_pack"): string =>
  `${pack_id}:fs_read_v1:fs_read_handler:${sha256Hex(code)}`;
const at = (key: string, act: string): string =>
  `/api/capability/${act === "unblock" ? "blocked" : "requests"}/${encodeURIComponent(key)}/${act}`;
const approve = (key: string = keyOf()): Promise<Reply> => post(at(key, "approve"), { notes: "Reviewed and approved" });
const reject = (key: string = keyOf()): Promise<Reply> =>
  post(at(key, "reject"), { reason: "不要なファイルシステムアクセス" });
const requests = async (status: string): Promise<readonly Data[]> =>
  data(await world.http("GET", `/api/capability/requests?status=${status}`))["requests"] as readonly Data[];
const registry = () =>
  createHandlerRegistry({
    store: world.store,
    folder: join(world.folder, "user_data/capabilities/handlers"),
    limits: PACK_LIMITS,
  });
const served = async (): Promise<string> => {
  const handler = await registry().find(world.store, "fs.read");
  return handler.ok ? "served" : handler.error.code;
};

describe("the guide's flow", () => {
  it("[R-7.1] [R-4.2] scan, list, approve: what was reviewed is trusted by its hash, copied, and served", async () => {
    await install(handlerFiles());
    const found = await scan();
    expect(found).toMatchObject({ scanned: 1, new_candidates: 1, skipped_count: 0 });
    expect((found["candidates"] as Data[])[0]).toMatchObject({
      candidate_key: keyOf(),
      pack_id: "my_pack",
      slug: "fs_read_v1",
      handler_id: "fs_read_handler",
      permission_id: "fs.read",
      sha256: sha256Hex(CODE),
      status: "pending",
      description: HANDLER.description,
      risk: HANDLER.risk,
    });
    expect(await requests("pending")).toHaveLength(1);
    expect(await served()).toBe("RUMI-CAP-001");
    const installed = data(await approve());
    expect(installed).toMatchObject({ status: "installed", trusted: true, note: "Reviewed and approved" });
    const copy = join(world.folder, String(installed["path"]));
    expect(copy.startsWith(join(world.folder, "user_data/capabilities/handlers/"))).toBe(true);
    expect(readFileSync(join(copy, "handler.py"), "utf8")).toBe(CODE);
    expect(await served()).toBe("served");
    expect(await requests("pending")).toEqual([]);
    expect(await scan()).toMatchObject({ new_candidates: 0, skipped: [{ slug: "fs_read_v1", reason: "installed" }] });
    expect(refusal(await approve())).toEqual([409, "RUMI-CAP-003"]);
    expect(await world.actions()).toEqual(expect.arrayContaining(["candidate.found", "candidate.approved"]));
  });

  it("[R-7.1] [R-27.1] content that changed after the scan refuses the approval; a new scan gives a new candidate", async () => {
    await install(handlerFiles());
    await scan();
    const changed = `${CODE}# more\n`;
    writeFileSync(join(source(), FOLDER, "handler.py"), changed);
    const refused = await approve();
    expect(refusal(refused)).toEqual([409, "RUMI-CAP-004"]);
    expect(refused.body["error"]).toContain("SHA-256 mismatch");
    expect(await served()).toBe("RUMI-CAP-001");
    data(await post("/api/packs/my_pack/approve"));
    expect(refusal(await approve())).toEqual([409, "RUMI-CAP-004"]);
    expect(await scan()).toMatchObject({ new_candidates: 1 });
    expect((await requests("pending")).map((one) => one["candidate_key"])).toEqual([keyOf(changed)]);
    data(await approve(keyOf(changed)));
    expect(await served()).toBe("served");
  });

  it("[R-7.1] a pack has at most 100 handlers, a handler.json 65,536 bytes, and it requires at most 16 permissions", async () => {
    const { per_pack, manifest_bytes, requires } = HANDLER_LIMITS;
    const many = Object.assign(
      {},
      ...Array.from({ length: per_pack + 1 }, (_, at) =>
        handlerFiles({ handler_id: `h${at}`, permission_id: `p.x${at}` }, CODE, `share/capability_handlers/s${at}`),
      ),
    ) as Record<string, string>;
    await install(many);
    const full = await scan();
    expect(full["candidates"]).toHaveLength(per_pack);
    expect(JSON.stringify(full)).toContain(`a pack has at most ${per_pack} handlers`);
    const names = Array.from({ length: requires + 1 }, (_, at) => `q.x${at}`);
    const cases: readonly (readonly [Data, string])[] = [
      [{ requires: names.slice(1), caller_requires: names.slice(1) }, ""],
      [{ requires: names }, "requires"],
      [{ caller_requires: names }, "requires"],
      [{ requires: ["q", "q"] }, "requires"],
    ];
    for (const [at, [over, problem]] of cases.entries()) {
      await install(handlerFiles(over, `${CODE}# ${at}\n`), `pack_${at}`);
      const said = JSON.stringify(await scan());
      if (problem === "") expect(said).toContain(`pack_${at}:fs_read_v1`);
      else expect(said).toMatch(new RegExp(`handler.json.{0,40}${problem}`, "s"));
    }
    const text = JSON.stringify({ ...HANDLER, handler_id: "wide", description: "", risk: "" });
    const wide = (bytes: number) => ({ ...handlerFiles(), [`${FOLDER}/handler.json`]: text.padEnd(bytes) });
    await install(wide(manifest_bytes), "wide");
    expect(JSON.stringify(await scan())).toContain("wide:fs_read_v1:wide");
    await install(wide(manifest_bytes + 1), "wider");
    expect(JSON.stringify(await scan())).toContain(`it has more than ${manifest_bytes} bytes`);
  });

  it("[R-7.1] what lies beside the entry point counts too: another handler.json is decided on again", async () => {
    await install(handlerFiles());
    await scan();
    data(await approve());
    writeFileSync(join(source(), FOLDER, "handler.json"), JSON.stringify({ ...HANDLER, risk: "none" }));
    data(await post("/api/packs/my_pack/approve"));
    await scan();
    expect((await requests("pending")).map((one) => [one["candidate_key"], one["risk"]])).toEqual([[keyOf(), "none"]]);
    expect(await served()).toBe("RUMI-CAP-001");
    data(await approve());
    expect(await served()).toBe("served");
  });

  it("[R-7.1] [R-5.1] a modified pack's handlers are not served until it is approved again; a touched copy never is", async () => {
    await install(handlerFiles());
    await scan();
    const { path } = data(await approve()) as { path: string };
    writeFileSync(join(source(), "README.md"), "x");
    data(await post("/api/packs/scan", ""));
    expect(await served()).toBe("RUMI-PACK-006");
    data(await post("/api/packs/my_pack/approve"));
    expect(await served()).toBe("served");
    const copy = join(world.folder, path, "handler.py");
    chmodSync(copy, 0o644);
    writeFileSync(copy, "print('other')\n");
    expect(await served()).toBe("RUMI-CAP-006");
  });

  it("[R-7.1] handlers that are not in order are skipped with their reasons, and stop no other", async () => {
    await install({
      ...handlerFiles(),
      ...handlerFiles(
        { handler_id: "other", permission_id: "fs.write" },
        CODE,
        "backend/share/capability_handlers/behind",
      ),
      ...handlerFiles({ permission_id: "secrets.get" }, CODE, "share/capability_handlers/builtin"),
      ...handlerFiles({ entrypoint: "../up.py:execute" }, CODE, "share/capability_handlers/outside"),
      ...handlerFiles({ entrypoint: "no.py:execute" }, CODE, "share/capability_handlers/missing"),
      ...handlerFiles({ extra: 1 }, CODE, "share/capability_handlers/unknown"),
      "share/capability_handlers/broken/handler.json": "{",
      "share/capability_handlers/empty/handler.py": CODE,
      ...handlerFiles({}, CODE, "backend/share/capability_handlers/fs_read_v1"),
    });
    const found = await scan();
    expect(found).toMatchObject({ scanned: 9, new_candidates: 2, skipped_count: 7 });
    const skipped = (found["skipped"] as Data[]).map((one) => [one["slug"], one["error_code"]]);
    expect(skipped.every(([, code]) => code === "RUMI-CAP-007")).toBe(true);
    const order = ["broken", "builtin", "empty", "missing", "outside", "unknown", "fs_read_v1"];
    expect(skipped.map(([slug]) => slug)).toEqual(order);
  });

  it("[R-7.1] an unapproved pack brings nothing, and one permission has one handler", async () => {
    await install(handlerFiles());
    await install(handlerFiles(), "twin");
    writePack(
      source("new"),
      sampleManifest({ pack_id: "new", pack_identity: "local:new", strategies: [] }),
      handlerFiles(),
    );
    data(await post("/api/packs/scan", ""));
    const found = await scan();
    expect(found).toMatchObject({ new_candidates: 2, skipped: [{ pack_id: "new", error_code: "RUMI-PACK-006" }] });
    data(await approve());
    expect(refusal(await approve(keyOf(CODE, "twin")))).toEqual([409, "RUMI-CAP-005"]);
    expect((await world.http("DELETE", "/api/packs/my_pack")).status).toBe(200);
    data(await approve(keyOf(CODE, "twin")));
  });

  it("[R-7.1] a key that is none is refused, whatever it holds", async () => {
    for (const key of ["nothing", "a:b:c:d", "%00", "../../x", "日本"])
      expect(refusal(await approve(key))).toEqual([404, "RUMI-CAP-001"]);
  });
});

describe("rejections", () => {
  it("[R-7.2] the first two rest for an hour, the third blocks; unblocking rests once more", async () => {
    await install(handlerFiles());
    await scan();
    for (const count of [1, 2]) {
      expect(data(await reject())).toMatchObject({ status: "rejected", rejections: count });
      expect(refusal(await reject())).toEqual([409, "RUMI-CAP-003"]);
      expect(refusal(await approve())).toEqual([409, "RUMI-CAP-003"]);
      expect(await scan()).toMatchObject({ new_candidates: 0, skipped: [{ reason: "rejected" }] });
      world.clock.skip(HOUR_MS);
      expect(await requests("pending")).toHaveLength(1);
    }
    expect(data(await reject())).toMatchObject({ status: "blocked", rejections: 3, cooldown_until: null });
    world.clock.skip(HOUR_MS);
    expect(await scan()).toMatchObject({ skipped: [{ reason: "blocked" }] });
    expect(data(await world.http("GET", "/api/capability/blocked"))).toMatchObject({ count: 1 });
    expect(refusal(await approve())).toEqual([409, "RUMI-CAP-003"]);
    const lifted = data(await post(at(keyOf(), "unblock"), { reason: "再評価の結果許可" }));
    expect(lifted).toMatchObject({ status: "rejected", status_after: "rejected", rejections: 0 });
    expect(refusal(await approve())).toEqual([409, "RUMI-CAP-003"]);
    expect(refusal(await post(at(keyOf(), "unblock"), {}))).toEqual([409, "RUMI-CAP-003"]);
    world.clock.skip(HOUR_MS);
    data(await approve());
    expect(await world.actions()).toEqual(
      expect.arrayContaining(["candidate.rejected", "candidate.blocked", "candidate.unblocked"]),
    );
  });

  it("[R-7.2] a block outlives its pack: uninstalling and installing it again does not lift it", async () => {
    await install(handlerFiles());
    await scan();
    for (const _ of [1, 2, 3]) {
      data(await reject());
      world.clock.skip(HOUR_MS);
    }
    expect((await world.http("DELETE", "/api/packs/my_pack")).status).toBe(200);
    await install(handlerFiles());
    expect(await scan()).toMatchObject({ new_candidates: 0, skipped: [{ reason: "blocked" }] });
  });
});

describe("the pending export", () => {
  it("[R-18.1] [R-7.1] counts what the lists of the API show, an hour's rest being over as well", async () => {
    await install(handlerFiles());
    const summaryPath = join(world.folder, "user_data/pending/summary.json");
    const folder = (name: string): string => join(world.folder, name);
    const reconciler = packReconciler(
      {
        store: world.store,
        clock: world.clock,
        random: systemRandom(),
        folders: {
          ecosystem: folder("ecosystem"),
          staging: folder("user_data/pack_staging"),
          store: folder("user_data/packs"),
          backups: folder("user_data/pack_backups"),
          uploads: folder("user_data/pack_uploads"),
        },
        limits: PACK_LIMITS,
        importRoots: "any",
        botsUsing: () => Promise.resolve([]),
        summaryPath,
        candidates: waitingCandidates(world.store, world.clock),
      },
      world.library,
    );
    const counted = async (): Promise<unknown> => {
      await reconciler.run();
      return (JSON.parse(readFileSync(summaryPath, "utf8")) as Data)["capability"];
    };
    const none = { pending_count: 0, rejected_count: 0, blocked_count: 0, failed_count: 0, installed_count: 0 };
    expect(await counted()).toEqual(none);
    await scan();
    expect(await counted()).toEqual({ ...none, pending_count: 1 });
    data(await reject());
    expect(await counted()).toEqual({ ...none, rejected_count: 1 });
    world.clock.skip(HOUR_MS);
    expect(await counted()).toEqual({ ...none, pending_count: 1 });
    data(await approve());
    expect(await counted()).toEqual({ ...none, installed_count: 1 });
  });
});

describe("grants", () => {
  const grant = (body: Data): Promise<Reply> => post("/api/capability/grants/grant", body);
  const list = async (principal_id: string): Promise<readonly Data[]> =>
    data(await world.http("GET", `/api/capability/grants?principal_id=${principal_id}`))["grants"] as readonly Data[];
  const may = async (principal_id: string, permission_id = "fs.read"): Promise<unknown> => {
    const permitted = await permit(world.store, world.store, { principal_id, permission_id });
    return permitted.ok ? permitted.value : permitted.error.code;
  };
  beforeEach(() => install({}));

  it("[R-8.1] [R-27.1] grant, list and revoke answer as printed; an approved handler without a grant is refused", async () => {
    expect(await may("my_pack")).toBe("RUMI-CAP-010");
    expect(data(await grant({ principal_id: "my_pack", permission_id: "fs.read" }))).toMatchObject({
      principal_id: "my_pack",
      permission_id: "fs.read",
      config: {},
      granted_by: "user:root",
    });
    expect(await list("my_pack")).toMatchObject([{ permission_id: "fs.read", in_force: true, effective_config: {} }]);
    expect([await list("another"), await may("my_pack")]).toEqual([[], {}]);
    const revoke = () => post("/api/capability/grants/revoke", { principal_id: "my_pack", permission_id: "fs.read" });
    expect(data(await revoke())).toMatchObject({ revoked: true });
    expect([await list("my_pack"), await may("my_pack")]).toEqual([[], "RUMI-CAP-010"]);
    expect(refusal(await revoke())).toEqual([404, "RUMI-CAP-009"]);
    const events = data(await world.http("GET", "/api/audit/events?resource_type=capability_grant&limit=50"))["events"];
    const types = (events as Data[]).map(({ action, details }) => [action, (details as Data)["permission_type"]]);
    expect(types).toContainEqual(["permission.granted", "capability_grant"]);
    expect(types).toContainEqual(["permission.revoked", "capability_grant"]);
  });

  it("[R-8.1] the guide's batch answers as printed", async () => {
    const grants = [
      { principal_id: "pack_a", permission_id: "store.get" },
      { principal_id: "pack_a", permission_id: "store.set" },
      { principal_id: "pack_b", permission_id: "secrets.get", config: { allowed_keys: ["API_KEY"] } },
    ];
    expect(data(await post("/api/capability/grants/batch", { grants }))).toMatchObject({
      total: 3,
      succeeded: 3,
      failed: 0,
      results: grants.map(({ principal_id, permission_id }) => ({ principal_id, permission_id, success: true })),
    });
    expect(await list("pack_b")).toMatchObject([
      { config: { allowed_keys: ["API_KEY"] }, in_force: false, why_not: "the pack is not installed" },
    ]);
  });

  it("[R-8.1] one bad among three: two succeed; 50 are taken, 51 and none are refused", async () => {
    const bad: readonly unknown[] = [
      { principal_id: "my_pack" },
      { principal_id: "../x", permission_id: "fs.read" },
      { principal_id: "my_pack", permission_id: "secrets.get", config: { keys: [] } },
      { principal_id: 5, permission_id: "fs.read" },
      { principal_id: "my_pack", permission_id: "fs.read", more: true },
    ];
    for (const one of bad) {
      const grants = [{ principal_id: "a", permission_id: "x" }, one, { principal_id: "b", permission_id: "x" }];
      const answer = data(await post("/api/capability/grants/batch", { grants }));
      expect(answer).toMatchObject({ total: 3, succeeded: 2, failed: 1 });
      expect((answer["results"] as Data[]).map(({ success }) => success)).toEqual([true, false, true]);
      expect((answer["results"] as Data[])[1]).toMatchObject({ error_code: expect.stringMatching(/^RUMI-/) as string });
    }
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => ({ principal_id: `p${n}`, permission_id: "x" }));
    expect(data(await post("/api/capability/grants/batch", { grants: many(50) }))).toMatchObject({ succeeded: 50 });
    for (const grants of [many(51), []])
      expect((await post("/api/capability/grants/batch", { grants })).status).toBe(400);
    expect(await list("p50")).toEqual([]);
  });

  it("[R-8.1] the same grant twice in one batch is one grant, the last", async () => {
    const of = (keys: string[]) => ({
      principal_id: "my_pack",
      permission_id: "secrets.get",
      config: { allowed_keys: keys },
    });
    data(await post("/api/capability/grants/batch", { grants: [of(["A"]), of(["B"])] }));
    expect(await list("my_pack")).toMatchObject([{ config: { allowed_keys: ["B"] } }]);
  });

  it("[R-8.1] a config that its permission does not know is refused", async () => {
    const reply = await grant({ principal_id: "my_pack", permission_id: "secrets.get", config: { allow: "all" } });
    expect(refusal(reply)).toEqual([400, "RUMI-CAP-008"]);
    expect(await list("my_pack")).toEqual([]);
  });

  it("[R-8.1] a child holds what all above it hold, and what all their configs leave", async () => {
    const give = async (principal_id: string, allowed_keys: string[]): Promise<void> =>
      void data(await grant({ principal_id, permission_id: "secrets.get", config: { allowed_keys } }));
    await give("my_pack__flow", ["A", "B"]);
    expect(await may("my_pack__flow", "secrets.get")).toBe("RUMI-CAP-010");
    expect(await list("my_pack__flow")).toMatchObject([{ in_force: false, why_not: "my_pack does not hold it" }]);
    await give("my_pack", ["B", "C"]);
    expect(await may("my_pack__flow", "secrets.get")).toEqual({ allowed_keys: ["B"] });
    data(await post("/api/capability/grants/revoke", { principal_id: "my_pack", permission_id: "secrets.get" }));
    expect(await may("my_pack__flow", "secrets.get")).toBe("RUMI-CAP-010");
  });

  it("[R-8.1] [R-5.1] a modified pack may nothing until it is approved again, an uninstalled one starts with nothing", async () => {
    data(await grant({ principal_id: "my_pack", permission_id: "fs.read" }));
    data(await grant({ principal_id: "my_pack__flow", permission_id: "fs.read" }));
    writeFileSync(join(source(), "README.md"), "x");
    data(await post("/api/packs/scan", ""));
    expect(await may("my_pack")).toBe("RUMI-PACK-006");
    data(await post("/api/packs/my_pack/approve"));
    expect(await may("my_pack__flow")).toEqual({});
    expect((await world.http("DELETE", "/api/packs/my_pack")).status).toBe(200);
    await install({});
    expect([await may("my_pack"), await list("my_pack"), await list("my_pack__flow")]).toEqual([
      "RUMI-CAP-010",
      [],
      [],
    ]);
  });

  it("[R-8.1] more for a pack that a live bot runs is confirmed first; taking it away is not", async () => {
    data(await grant({ principal_id: "my_pack", permission_id: "fs.read" }));
    live = ["bot-1"];
    const one = { principal_id: "my_pack__flow", permission_id: "fs.read" };
    for (const asked of [await grant(one), await post("/api/capability/grants/batch", { grants: [one] })])
      expect([asked.status, asked.body["reason_code"]]).toEqual([409, "CONFIRMATION_REQUIRED"]);
    expect(await list("my_pack__flow")).toEqual([]);
    data(await grant({ principal_id: "other", permission_id: "fs.read" }));
    data(await post("/api/capability/grants/revoke", { principal_id: "my_pack", permission_id: "fs.read" }));
  });
});
