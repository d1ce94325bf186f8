/* oxlint-disable unicorn/consistent-function-scoping -- helpers stay beside the cases that use them */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemRandom } from "@rumi/kernel";
import { zipSync } from "fflate";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  codeOf,
  dataOf,
  openWorld,
  SAMPLE_WASM,
  sampleDescriptor,
  sampleManifest,
  writePack,
  type World,
} from "../../test/kit.ts";
import { platformDeclarations, platformMigrations } from "../index.ts";
import { createPackLibrary, type PackDeps, type PackLibrary } from "./library.ts";
import { PACK_LIMITS } from "./limits.ts";
import { packReconciler } from "./reconciler.ts";

let world: World & { close(): Promise<void> };
let library: PackLibrary;
let deps: PackDeps;
let users: string[] = [];

beforeEach(async () => {
  users = [];
  world = await openWorld(platformMigrations, ({ folder, store, clock }) => {
    const folders = {
      ecosystem: join(folder, "ecosystem"),
      staging: join(folder, "user_data/pack_staging"),
      store: join(folder, "user_data/packs"),
      backups: join(folder, "user_data/pack_backups"),
      uploads: join(folder, "user_data/pack_uploads"),
    };
    deps = {
      store,
      clock,
      random: systemRandom(),
      folders,
      limits: PACK_LIMITS,
      importRoots: "any",
      botsUsing: () => Promise.resolve(users),
    };
    library = createPackLibrary(deps);
    const handlers = join(folder, "user_data/capabilities/handlers");
    return { declarations: platformDeclarations({ ...deps, handlers }, library) };
  });
});
afterEach(async () => {
  await world.close();
});

const summaryPath = (): string => join(world.folder, "user_data/pending/summary.json");
const reconcile = (): Promise<void> => packReconciler({ ...deps, summaryPath: summaryPath() }, library).run();
const source = (): string => join(world.folder, "ecosystem/demo_pack");
const status = async (): Promise<Record<string, unknown>> =>
  dataOf(await world.query("packs.status", {}, { pack_id: "demo_pack" }));
const approve = () => world.command("packs.approve", {}, { params: { pack_id: "demo_pack" } });
async function approvedPack(): Promise<Record<string, unknown>> {
  writePack(source());
  await world.command("packs.scan", {});
  return dataOf(await approve());
}

describe("[R-5.1] states of a pack", () => {
  it("scan finds it pending, approve pins its digest and copies it", async () => {
    writePack(source());
    expect(dataOf(await world.command("packs.scan", {}))).toMatchObject({ scanned: 1, new_packs: 1, skipped: [] });
    expect(await status()).toMatchObject({ status: "pending", approved_digest: null });
    expect(dataOf(await world.query("packs.pending"))).toMatchObject({ count: 1 });
    const pack = dataOf(await approve());
    expect(pack).toMatchObject({
      status: "approved",
      approved_digest: pack["digest"],
      permission_diff: { added: [], removed: [] },
    });
    const copy = join(world.folder, "user_data/packs", String(pack["digest"]).slice(7));
    expect(readFileSync(join(copy, "strategies/ema.wasm"))).toEqual(Buffer.from(SAMPLE_WASM));
    expect(dataOf(await world.query("packs.list"))).toMatchObject({ count: 1 });
    expect(await world.actions()).toContain("pack.approved");
    expect((await library.verify("demo_pack")).ok).toBe(true);
  });

  it("an approval right behind an apply sees the whole tree while it is moved", async () => {
    const origin = join(world.folder, "origin/demo_pack");
    for (let round = 0; round < 8; round += 1) {
      mkdirSync(join(world.folder, "origin"), { recursive: true });
      writePack(origin);
      writeFileSync(join(origin, "README.md"), `round ${round}`);
      const { staging_id } = dataOf(await world.command("packs.import", { path: origin }));
      await world.command("packs.apply", { staging_id });
      const [answer] = await Promise.all([approve(), reconcile()]);
      expect(dataOf(answer)).toMatchObject({ status: "approved" });
      await reconcile();
      expect(await library.verify("demo_pack")).toMatchObject({ ok: true });
    }
  });

  it("one changed byte of the source disables it before its next execution; re-approval brings it back", async () => {
    await approvedPack();
    writeFileSync(join(source(), "README.md"), "x");
    expect(await library.verify("demo_pack")).toMatchObject({
      ok: false,
      error: { code: "RUMI-PACK-007", params: { where: "source" } },
    });
    expect(await status()).toMatchObject({ status: "modified" });
    expect((await world.actions()).filter((action) => action === "pack.modified")).toHaveLength(1);
    expect(await library.verify("demo_pack")).toMatchObject({ ok: false, error: { code: "RUMI-PACK-007" } });
    rmSync(join(source(), "README.md")); // restoring is not enough: a person looks again
    expect((await library.verify("demo_pack")).ok).toBe(false);
    expect(dataOf(await approve())).toMatchObject({ status: "approved" });
    expect((await library.verify("demo_pack")).ok).toBe(true);
  });

  it("one changed byte of the store's copy disables it; approval restores the copy and keeps the evidence", async () => {
    const pack = await approvedPack();
    const copy = join(world.folder, "user_data/packs", String(pack["digest"]).slice(7), "strategies/ema.wasm");
    chmodSync(copy, 0o644);
    writeFileSync(copy, Uint8Array.of(...SAMPLE_WASM.slice(0, 7), 1));
    expect(await library.verify("demo_pack")).toMatchObject({
      ok: false,
      error: { code: "RUMI-PACK-007", params: { where: "store" } },
    });
    dataOf(await approve());
    expect((await library.verify("demo_pack")).ok).toBe(true);
  });

  it("the reconciler notices a change by itself", async () => {
    await approvedPack();
    writeFileSync(join(source(), "x"), "x");
    await reconcile();
    expect(await status()).toMatchObject({ status: "modified" });
  });

  it("reject takes a reason; an approved pack cannot be rejected", async () => {
    writePack(source());
    await world.command("packs.scan", {});
    const answer = await world.command(
      "packs.reject",
      { reason: "セキュリティ上の懸念" },
      { params: { pack_id: "demo_pack" } },
    );
    expect(dataOf(answer)).toMatchObject({ status: "rejected", note: "セキュリティ上の懸念" });
    dataOf(await approve());
    expect(codeOf(await world.command("packs.reject", { reason: "x" }, { params: { pack_id: "demo_pack" } }))).toBe(
      "RUMI-PACK-013",
    );
  });

  it("a pack with a broken manifest stays scanned with its reason and cannot be approved", async () => {
    writePack(source(), sampleManifest({ colour: "red" }));
    expect(dataOf(await world.command("packs.scan", {}))).toMatchObject({ skipped: [{ error_code: "RUMI-PACK-002" }] });
    expect(await status()).toMatchObject({ status: "scanned" });
    expect(codeOf(await approve())).toBe("RUMI-PACK-002");
  });

  it("unknown and malformed ids have their own codes", async () => {
    expect(codeOf(await world.query("packs.status", {}, { pack_id: "nobody" }))).toBe("RUMI-PACK-005");
    expect(codeOf(await world.query("packs.status", {}, { pack_id: "a b" }))).toBe("RUMI-PACK-001");
    expect(codeOf(await world.command("packs.approve", {}, { params: { pack_id: "nobody" } }))).toBe("RUMI-PACK-005");
  });
});

describe("[R-11.1] import and apply", () => {
  const zip = (): string => {
    const path = join(world.folder, "demo.rumipack");
    writeFileSync(
      path,
      zipSync({
        "demo_pack/ecosystem.json": new TextEncoder().encode(JSON.stringify(sampleManifest())),
        "demo_pack/strategies/ema.wasm": SAMPLE_WASM,
      }),
    );
    return path;
  };
  it("folder and zip stage the same tree; apply moves it into place and it can be approved at once", async () => {
    const folder = writePack(join(world.folder, "inbox/demo_pack"));
    const first = dataOf(await world.command("packs.import", { path: folder }));
    const second = dataOf(await world.command("packs.import", { path: zip() }));
    expect(second).toMatchObject({ staging_id: first["staging_id"], digest: first["digest"] });
    expect(dataOf(await world.command("packs.apply", { staging_id: first["staging_id"] }))).toMatchObject({
      pack_id: "demo_pack",
      status: "pending",
    });
    expect(dataOf(await approve())).toMatchObject({ status: "approved" }); // before the reconciler moved it
    expect((await library.verify("demo_pack")).ok).toBe(true);
    await reconcile();
    expect(existsSync(join(source(), "ecosystem.json"))).toBe(true);
    expect((await library.verify("demo_pack")).ok).toBe(true);
    expect(codeOf(await world.command("packs.apply", { staging_id: first["staging_id"] }))).toBe("RUMI-PACK-014");
  });
  it("an update backs up the old tree, makes the pack modified and can be repeated after a kill", async () => {
    await approvedPack();
    const folder = writePack(
      join(world.folder, "inbox/demo_pack"),
      sampleManifest({ version: "1.1.0", required_secrets: ["API_KEY"] }),
    );
    const staged = dataOf(await world.command("packs.import", { path: folder }));
    expect(dataOf(await world.command("packs.apply", { staging_id: staged["staging_id"] }))).toMatchObject({
      status: "modified",
    });
    await reconcile();
    await reconcile();
    expect(await status()).toMatchObject({ version: "1.1.0", status: "modified" });
    expect(JSON.parse(readFileSync(join(source(), "ecosystem.json"), "utf8"))).toMatchObject({ version: "1.1.0" });
    expect(dataOf(await approve())).toMatchObject({ permission_diff: { added: ["secret:API_KEY"], removed: [] } });
  });
  it("another pack_identity under the same pack_id is refused", async () => {
    await approvedPack();
    const folder = writePack(
      join(world.folder, "inbox/demo_pack"),
      sampleManifest({ pack_identity: "evil:demo_pack" }),
    );
    const staged = dataOf(await world.command("packs.import", { path: folder }));
    expect(codeOf(await world.command("packs.apply", { staging_id: staged["staging_id"] }))).toBe("RUMI-PACK-015");
  });
  it("bad sources are refused with codes and leave nothing in staging", async () => {
    mkdirSync(join(world.folder, "empty"));
    writeFileSync(join(world.folder, "x.zip"), "no zip");
    writeFileSync(join(world.folder, "x.tar"), "no zip");
    const code = async (path: string): Promise<string> => codeOf(await world.command("packs.import", { path }));
    expect(await code("relative/path")).toBe("RUMI-VAL-002");
    expect(await code(join(world.folder, "nowhere"))).toBe("RUMI-VAL-006");
    expect(await code(join(world.folder, "empty"))).toBe("RUMI-PACK-002");
    expect(await code(join(world.folder, "x.zip"))).toBe("RUMI-PACK-010");
    expect(await code(join(world.folder, "x.tar"))).toBe("RUMI-PACK-010");
    expect(existsSync(join(world.folder, "user_data/pack_staging"))).toBe(false);
  });
});

describe("[R-5.2] uninstall", () => {
  it("refuses while a bot uses it; then takes source and row away", async () => {
    await approvedPack();
    users = ["bot-1"];
    expect(codeOf(await world.command("packs.uninstall", {}, { params: { pack_id: "demo_pack" } }))).toBe(
      "RUMI-PACK-012",
    );
    users = [];
    dataOf(await world.command("packs.uninstall", {}, { params: { pack_id: "demo_pack" } }));
    await reconcile();
    expect(existsSync(source())).toBe(false);
    expect(codeOf(await world.query("packs.status", {}, { pack_id: "demo_pack" }))).toBe("RUMI-PACK-005");
  });
});

describe("[R-5.2] [R-11.1] what an act on a pack would do is told before it is done, and nothing of it is done", () => {
  const dryRun = async (operation: string, body: object, params: Record<string, string> = {}) =>
    dataOf(await world.command(operation, { ...body, dry_run: true }, { params }));
  const demo = { pack_id: "demo_pack" };
  it("an import waits in the list until it is applied, with what it would change", async () => {
    const { approved_digest } = await approvedPack();
    const folder = writePack(
      join(world.folder, "inbox/demo_pack"),
      sampleManifest({ version: "1.1.0", required_secrets: ["API_KEY"] }),
    );
    const { staging_id, digest } = dataOf(await world.command("packs.import", { path: folder }));
    const permission_diff = { added: ["secret:API_KEY"], removed: [] };
    expect(dataOf(await world.query("packs.staged"))).toMatchObject({
      count: 1,
      staged: [
        {
          staging_id,
          origin: folder,
          version: "1.1.0",
          digest,
          installed_version: "1.0.0",
          installed_digest: approved_digest,
          permission_diff,
        },
      ],
    });
    expect(await dryRun("packs.apply", { staging_id })).toMatchObject({
      would: "apply",
      preview: { version: "1.1.0", installed_version: "1.0.0", permission_diff, live_bots: [] },
    });
    expect(await status()).toMatchObject({ version: "1.0.0", status: "approved" });
    dataOf(await world.command("packs.apply", { staging_id }));
    expect(dataOf(await world.query("packs.staged"))).toMatchObject({ count: 0 });
    expect(await dryRun("packs.apply", { staging_id })).toMatchObject({
      would: "refuse",
      refusals: [{ error_code: "RUMI-PACK-014" }],
    });
  });
  it("an approval tells of the bytes that lie there now, also of those that nobody scanned", async () => {
    await approvedPack();
    writePack(source(), sampleManifest({ version: "1.2.0", required_network: ["api.example.com"] }));
    const told = await dryRun("packs.approve", {}, demo);
    expect(told).toMatchObject({
      would: "apply",
      preview: {
        version: "1.2.0",
        approved_version: "1.0.0",
        permission_diff: { added: ["network:api.example.com"], removed: [] },
      },
    });
    const approved = dataOf(await approve());
    expect((told["preview"] as Record<string, unknown>)["digest"]).toBe(approved["approved_digest"]);
    writeFileSync(join(source(), "ecosystem.json"), "{");
    expect(await dryRun("packs.approve", {}, demo)).toMatchObject({
      would: "refuse",
      refusals: [{ error_code: "RUMI-PACK-002" }],
      preview: {},
    });
  });
  it("an uninstall names the bots that keep it and what is taken away with the pack", async () => {
    await approvedPack();
    dataOf(await world.command("grants.grant", { principal_id: "demo_pack", permission_id: "store.get" }));
    users = ["bot-1"];
    expect(await dryRun("packs.uninstall", {}, demo)).toMatchObject({
      would: "refuse",
      refusals: [{ error_code: "RUMI-PACK-012" }],
      preview: { bots: ["bot-1"], revokes: [{ resource_type: "capability_grant" }] },
    });
    users = [];
    expect(await dryRun("packs.uninstall", {}, demo)).toMatchObject({ would: "apply", preview: { bots: [] } });
    expect(await status()).toMatchObject({ status: "approved" });
  });
});

it("[R-18.1] the pending summary matches the lists", async () => {
  writePack(source());
  await world.command("packs.scan", {});
  await reconcile();
  expect(JSON.parse(readFileSync(summaryPath(), "utf8"))).toMatchObject({
    version: "1.0",
    packs: { pending_count: 1, pending_ids: ["demo_pack"], modified_count: 0 },
    capability: { pending_count: 0 },
    pip: { installed_count: 0 },
  });
});

it("[R-18.1] candidates are counted by whoever keeps them, and a new count is written at once", async () => {
  let pending_count = 1;
  const none = { rejected_count: 0, blocked_count: 0, failed_count: 0, installed_count: 2 };
  const candidates = { capability: () => Promise.resolve({ ...none, pending_count }) };
  const reconciler = packReconciler({ ...deps, summaryPath: summaryPath(), candidates }, library);
  const summary = (): unknown => JSON.parse(readFileSync(summaryPath(), "utf8"));
  await reconciler.run();
  expect(summary()).toMatchObject({ capability: { ...none, pending_count: 1 }, pip: { installed_count: 0 } });
  pending_count = 3;
  await reconciler.run();
  expect(summary()).toMatchObject({ capability: { pending_count: 3 } });
});

it("[R-18.1] a run sees each change since the last one at once, and reads no manifest where there was none", async () => {
  const read: string[] = [];
  const { store } = deps;
  const watched: PackDeps["store"] = {
    ...store,
    rows: (query) => {
      const statement = "compile" in query ? query.compile() : query;
      read.push(statement.sql);
      return store.rows(statement);
    },
  };
  const reconciler = packReconciler({ ...deps, store: watched, summaryPath: summaryPath() }, library);
  const manifestsRead = async (): Promise<boolean> => {
    read.length = 0;
    await reconciler.run();
    return read.some((sql) => sql.startsWith('select * from "pack" '));
  };
  const pending = (): unknown =>
    (JSON.parse(readFileSync(summaryPath(), "utf8")) as { packs: { pending_ids: unknown } }).packs.pending_ids;
  expect(await manifestsRead()).toBe(true);
  expect(await manifestsRead()).toBe(false);
  writePack(source());
  await world.command("packs.scan", {});
  expect(await manifestsRead()).toBe(true);
  expect(pending()).toEqual(["demo_pack"]);
  expect(await manifestsRead()).toBe(false);
  dataOf(await approve());
  await reconciler.run();
  expect(pending()).toEqual([]);
  expect(await manifestsRead()).toBe(false);
  dataOf(await world.command("packs.uninstall", {}, { params: { pack_id: "demo_pack" } }));
  await reconciler.run();
  expect(existsSync(source())).toBe(false);
});

describe("manifest", () => {
  const rows: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ["a strict pack_id", { pack_id: "Demo" }, "pack_id"],
    ["an identity", { pack_identity: "demo" }, "pack_identity"],
    ["SemVer", { version: "1.0" }, "version"],
    ["a vocabulary", { vocabulary: { types: [] } }, "vocabulary.types"],
    ["closed objects", { vocabulary: { types: ["a"], more: 1 } }, "vocabulary.more"],
    ["no unknown field", { colour: 1 }, "colour"],
    ["secrets' form", { required_secrets: ["lower"] }, "required_secrets.0"],
    ["types", { host_execution: "false" }, "host_execution"],
    ...["pack_id", "pack_identity", "version", "vocabulary"].map(
      (field) => [`its field ${field}`, { [field]: undefined }, field] as const,
    ),
    ["lengths", { display_name: "x".repeat(129) }, "display_name"],
    ["a real runbook", { runbook: "docs/none.md" }, "runbook"],
    ["a descriptor", { strategies: [{}] }, "strategies.0"],
    [
      "[M-2.1.5] the right binary hash",
      { strategies: [sampleDescriptor({ binary_hash: `sha256:${"0".repeat(64)}` })] },
      "strategies.0.binary_hash",
    ],
    [
      "an existing entrypoint",
      { strategies: [sampleDescriptor({ entrypoint: "none.wasm" })] },
      "strategies.0.entrypoint",
    ],
    ["one strategy per id", { strategies: [sampleDescriptor(), sampleDescriptor()] }, "strategies.1.strategy_id"],
  ];
  for (const [name, over, field] of rows) {
    it(`needs ${name}`, async () => {
      const answer = await world.command("packs.import", {
        path: writePack(join(world.folder, "inbox/p"), sampleManifest(over)),
      });
      expect(answer).toMatchObject({
        kind: "refused",
        failure: { code: "RUMI-PACK-002", params: { field: expect.stringContaining(field) as string } },
      });
    });
  }
});
