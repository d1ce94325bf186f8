import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterEach, describe, expect, it } from "vitest";
import { canonicalJson, sha256Hex, type Json } from "@rumi/kernel";
import type { Principal } from "@rumi/operations";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { challengeOf, openControl, type Control, type ControlOptions } from "../../test/kit.ts";
import { unzipped } from "../../test/unzip.ts";
import { readEvents } from "../audit/events.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { memoryShelf, type BundleSources } from "./shelf.ts";

const contract = new Ajv2020({ strict: false, validateFormats: false }).compile(
  JSON.parse(
    readFileSync(new URL("../../../../docs/contracts/support_bundle_manifest.schema.json", import.meta.url), "utf8"),
  ) as object,
);
const PLANTED = {
  config: "hunter2-planted-config",
  key: "MC4CAQAwBQYDK2VwBCIEIPlantedKeyOfThisHome",
  environment: "sesame-planted-environment",
  log: "rumi_dev_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefg",
  description: "AKIAIOSFODNN7EXAMPLE",
} as const;

let world: Control;
afterEach(() => world.close());

const sources = (over: Partial<BundleSources> = {}): BundleSources => ({
  shelf: memoryShelf(),
  secrets: () => [PLANTED.key, PLANTED.environment],
  texts: () =>
    Promise.resolve({
      "versions.json": JSON.stringify({ rumi: "1", note: PLANTED.environment }),
      "logs/runner.log": `said ${PLANTED.log}\nand ${PLANTED.key}\nand ${PLANTED.config}\n`,
    }),
  ...over,
});
async function open(of: BundleSources = sources(), options: ControlOptions = {}): Promise<void> {
  world = await openControl({ bundles: of, ...options });
}
const ask = (over: Record<string, unknown> = {}, principal?: Principal) =>
  world.command(
    "support_bundles.create",
    { reason: "it hangs", ...over },
    principal === undefined ? {} : { principal },
  );
const make = () => world.control.bundles.run();
const show = async (bundle_id: string) => dataOf(await world.query("support_bundles.show", {}, { bundle_id }));
async function made(over: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const bundle_id = String(dataOf(await ask(over))["bundle_id"]);
  await make();
  return show(bundle_id);
}
async function filesOf(bundle: Record<string, unknown>): Promise<ReadonlyMap<string, Buffer>> {
  const bundle_id = String(bundle["bundle_id"]);
  const answer = dataOf(await world.query("support_bundles.archive", {}, { bundle_id }));
  const bytes = Buffer.from(String(answer["archive_base64"]), "base64");
  expect(sha256Hex(bytes)).toBe(bundle["archive_sha256"]);
  return unzipped(bytes, `rumi-bundle-${bundle_id}/`);
}

describe("[G-8.1] support bundles", () => {
  it("is made on request; its manifest is of the contract, its hash is in the audit log, every file is what it says", async () => {
    await open();
    dataOf(await world.makeBot("bot-1"));
    const asked = dataOf(await ask({ description: "since noon" }));
    expect(asked).toMatchObject({ state: "REQUESTED", manifest: null, path: null, requested_by: "user:root" });
    await make();
    const bundle = await show(String(asked["bundle_id"]));
    const manifest = bundle["manifest"] as { files: { path: string; size_bytes: number; sha256: string }[] };
    expect([contract(manifest), contract.errors]).toEqual([true, null]);
    expect(manifest).toMatchObject({ description: "since noon", bundle_id: bundle["bundle_id"] });

    const files = await filesOf(bundle);
    expect(sha256Hex(files.get("manifest.json") ?? "")).toBe(bundle["manifest_sha256"]);
    expect(sha256Hex(canonicalJson(manifest as unknown as Json))).toBe(bundle["manifest_sha256"]);
    expect([...files.keys()].filter((path) => path !== "manifest.json")).toEqual(
      manifest.files.map(({ path }) => path),
    );
    for (const { path, size_bytes, sha256 } of manifest.files)
      expect([path, files.get(path)?.length, sha256Hex(files.get(path) ?? "")]).toEqual([path, size_bytes, sha256]);
    for (const path of ["bots.json", "triage.json", "stops.json", "safety.json", "refusals.json", "logs/runner.log"])
      expect(files.has(path), path).toBe(true);

    const [event] = await readEvents(world.store, world.store, { action: "support_bundle.created", limit: 9 });
    expect(event).toMatchObject({
      resource_id: bundle["bundle_id"],
      details: { manifest_sha256: bundle["manifest_sha256"], bytes: bundle["archive_bytes"], reason: "it hangs" },
    });
    await make();
    expect((await world.actions()).filter((action) => action === "support_bundle.created")).toHaveLength(1);
  });

  it("no planted secret is in it: of a configuration, a key, the environment, a log, its own description", async () => {
    await open();
    dataOf(await world.makeBot("bot-1"));
    // No descriptor of this kit has texts in its configuration; others do.
    const spec = `UPDATE bot SET spec = replace(spec, '"fast":10', '"fast":10,"note":"${PLANTED.config}"')`;
    expect((await world.store.commit({ writes: [{ sql: spec, parameters: [], expect: 1 }], events: [] })).ok).toBe(
      true,
    );
    const bundle = await made({ description: `look at ${PLANTED.description}` });
    const files = await filesOf(bundle);
    const all = [...files].map(([path, bytes]) => `${path}\n${bytes.toString()}`).join("\n");
    for (const secret of Object.values(PLANTED)) expect(all).not.toContain(secret);
    expect(all.split("[redacted]").length).toBeGreaterThan(4);
    expect(files.get("bots.json")?.toString()).toContain("[withheld: 22 characters]");
  });

  it("of one bot it has that bot's, and what holds for all; of a bot that is not there it is refused", async () => {
    await open();
    for (const bot_id of ["mine", "other"]) dataOf(await world.makeBot(bot_id));
    const files = await filesOf(await made({ bot_id: "mine" }));
    expect(files.get("bots.json")?.toString()).toContain('"mine"');
    expect(files.get("bots.json")?.toString()).not.toContain('"other"');
    expect(codeOf(await ask({ bot_id: "nobody" }))).toBe("RUMI-BOT-001");
    expect(codeOf(await world.query("support_bundles.show", {}, { bundle_id: world.id() }))).toBe("RUMI-SYS-011");
    const waiting = String(dataOf(await ask())["bundle_id"]);
    expect(codeOf(await world.query("support_bundles.archive", {}, { bundle_id: waiting }))).toBe("RUMI-SYS-011");
  });

  it("who may only look neither asks for one nor takes it away; a safety mode or a freeze keeps nobody from it", async () => {
    await open();
    const viewer: Principal = { id: "user:viewer", roles: ["view_only"] };
    expect(codeOf(await ask({}, viewer))).toBe("RUMI-AUTH-003");
    const { bundle_id } = await made();
    const taken = await world.query("support_bundles.archive", {}, { bundle_id: String(bundle_id) }, viewer);
    expect(codeOf(taken)).toBe("RUMI-AUTH-003");
    dataOf(await world.command("safety.set", { command_id: world.id(), mode: "EMERGENCY_STOP", reason: "test" }));
    const freeze = { command_id: world.id(), kind: "freeze", scope: { all: true }, reason: "test" };
    dataOf(await world.command("holds.set", freeze));
    expect(await made()).toMatchObject({ state: "READY" });
  });

  it("is a dangerous operation where the policies say so, and only then", async () => {
    await open();
    const confirmations = [{ operation: "support_bundles.create", requires: ["ticket"] }];
    const set = { command_id: world.id(), cedar: "", confirmations, reason: "homes are private" };
    dataOf(await world.confirm(await world.command("policies.set", set)));
    const asked = await ask();
    expect(codeOf(asked)).toBe("RUMI-CMD-004");
    expect(challengeOf(asked)).toMatchObject({ requires: ["ticket"] });
    await make();
    expect(dataOf(await world.query("support_bundles.list"))["bundles"]).toEqual([]);
    expect(codeOf(await world.confirm(asked))).toBe("RUMI-CMD-014");
    expect(dataOf(await world.confirm(asked, { ticket: "OPS-1" }))).toMatchObject({ state: "REQUESTED" });
    await make();
    expect(dataOf(await world.query("support_bundles.list"))["bundles"]).toMatchObject([{ state: "READY" }]);
  });

  it("is refused while too many are being made; the newest archives stay, of the others the manifest", async () => {
    await open();
    for (let i = 0; i < CONTROL_LIMITS.bundles_waiting; i += 1) dataOf(await ask());
    expect(codeOf(await ask())).toBe("RUMI-CMD-050");
    await make();
    const [first] = dataOf(await world.query("support_bundles.list"))["bundles"] as { bundle_id: string }[];
    for (let i = 0; i < CONTROL_LIMITS.bundles_kept; i += 1) await made();
    const all = dataOf(await world.query("support_bundles.list"))["bundles"] as { state: string; manifest: unknown }[];
    const ready = all.filter(({ state }) => state === "READY");
    expect([ready.length, all.length]).toEqual([CONTROL_LIMITS.bundles_kept, CONTROL_LIMITS.bundles_kept + 4]);
    const gone = await show(String(first?.bundle_id));
    expect(gone).toMatchObject({ state: "REMOVED", manifest: expect.any(Object) as object });
    const id = { bundle_id: String(first?.bundle_id) };
    expect(codeOf(await world.query("support_bundles.archive", {}, id))).toBe("RUMI-SYS-011");
  });

  it("one that cannot be made says why, and nothing is audited as created", async () => {
    const shelf = {
      ...memoryShelf(),
      put: () => {
        throw new Error("the disk is full");
      },
    };
    await open(sources({ shelf }));
    const failed = await made();
    expect(failed).toMatchObject({
      state: "FAILED",
      manifest: null,
      failure: { error_code: "RUMI-CMD-051", reason_code: "G.BUNDLE.FAILED" },
    });
    expect(JSON.stringify(failed["failure"])).toContain("the disk is full");
    expect(await world.actions()).not.toContain("support_bundle.created");
  });
});
