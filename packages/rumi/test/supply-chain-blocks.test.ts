/** What a denial of the supply chain stops, and the one way around it: an override with an end, inside a break-glass session. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { commandBody } from "../../control/test/kit.ts";
import { sampleManifest, SAMPLE_WASM, writePack } from "../../platform/test/kit.ts";
import { lockFile, NOTHING, openRig, said, STRICT, type Data, type Rig } from "./supply-chain-rig.ts";

const DENIED = [409, "RUMI-SUP-050", "L.SUPPLY_CHAIN.DENIED"];
let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

/** The item of the preflight that a start would be told. */
async function item(bot_id: string): Promise<Data | undefined> {
  const { preview } = await rig.post("/api/commands", { ...start(bot_id), dry_run: true });
  const { preflight } = preview as { preflight: { items: Data[] } };
  return preflight.items.find((one) => one["item"] === "supply_chain");
}
const start = (bot_id: string): Data => commandBody(rig.world, bot_id, "IDLE", "RUNNING_PAPER");

describe("[L-51.2] a denial", () => {
  it("stops approval, creation, clones, templates and every start; what runs goes on and does not start anew", async () => {
    expect((await rig.make("running")).status).toBe(201);
    expect((await rig.make("idle")).status).toBe(201);
    expect((await rig.move("running", "IDLE", "RUNNING_PAPER")).status).toBe(202);
    await rig.world.until("it runs", () => rig.world.runner.instances.size === 1);
    await rig.post("/api/templates", { template_id: "steady", from_bot_id: "idle" });
    expect(await item("idle")).toMatchObject({ state: "PASS" });
    rig.advise();
    await rig.run();

    expect(said(await rig.make("new"))).toEqual(DENIED);
    const clone = { new_bot_id: "clone", capital: "10" };
    expect(said(await rig.ask("/api/bots/idle/clone", clone))).toEqual(DENIED);
    expect(said(await rig.ask("/api/templates/steady/apply", { bot_id: "like", capital: "10" }))).toEqual(DENIED);
    const started = await rig.move("idle", "IDLE", "RUNNING_PAPER");
    expect(said(started)).toEqual(DENIED);
    expect(started.body["details"]).toMatchObject({
      failed_item: "supply_chain",
      artifact_id: rig.digest,
      triage: [{ code: "VULNERABLE_COMPONENT" }],
    });
    expect(await item("idle")).toMatchObject({ state: "FAIL", error_code: "RUMI-SUP-050" });
    const update = { strategy_version: "1.0.0", digest: rig.digest, config: { fast: 11 } };
    expect(said(await rig.ask("/api/bots/running/update", update)), "an update is a start").toEqual(DENIED);
    expect(said(await rig.ask("/api/bots/running/shadow", update)), "so is a shadow").toEqual(DENIED);

    await rig.world.rounds(2);
    expect(await rig.get("/api/bots/running"), "it goes on").toMatchObject({ state: "RUNNING_PAPER", generation: 1 });
    expect((await rig.move("running", "RUNNING_PAPER", "STOPPING")).status).toBe(202);
    await rig.world.until("it stopped", async () => (await rig.get("/api/bots/running"))["state"] === "IDLE");
    expect(said(await rig.move("running", "IDLE", "RUNNING_PAPER")), "and not anew").toEqual(DENIED);
  });

  it("stops the approval of a pack that waits for it: the gate looks at what lies there", async () => {
    const folder = join(rig.world.folder, "ecosystem/other_pack");
    const manifest = sampleManifest({ pack_id: "other_pack", pack_identity: "local:other_pack" });
    writePack(folder, manifest, { "strategies/ema.wasm": SAMPLE_WASM, "package-lock.json": lockFile("1.2.0") });
    await rig.world.command("packs.scan", {});
    const { digest: seen_digest } = await rig.get("/api/packs/other_pack/status");
    rig.advise();
    expect(await rig.run(String(seen_digest))).toMatchObject({ pack_id: "other_pack", policy_decision: "deny" });
    const approve = () => rig.world.command("packs.approve", {}, { params: { pack_id: "other_pack" } });
    expect(await approve()).toMatchObject({ failure: { code: "RUMI-SUP-050", reasonCode: "L.SUPPLY_CHAIN.DENIED" } });
    expect(await rig.get("/api/packs/other_pack/status")).toMatchObject({ state: "pending" });
    rig.advise({ vector: "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N" });
    await rig.run(String(seen_digest));
    expect(await approve(), "the newest report counts").toMatchObject({ kind: "done" });
  });

  it("is judged anew at every question: a stricter policy and a revoked key count without another run", async () => {
    const admin = await rig.tokenOf("admin");
    expect((await rig.make("idle")).status).toBe(201);
    await rig.setPolicy({ ...NOTHING, require_signature: true }, admin);
    expect(said(await rig.move("idle", "IDLE", "RUNNING_PAPER")), "the gate never saw it").toEqual(DENIED);
    expect(await item("idle")).toMatchObject({ message: expect.stringContaining("never run") as unknown });
    const key = await rig.addKey("builder", admin);
    await rig.keep(key.sign(rig.digest));
    await rig.run();
    expect(await item("idle")).toMatchObject({ state: "PASS" });
    await rig.post(`/api/supply_chain/trust_roots/${key.keyid}/revoke`, {});
    expect(said(await rig.move("idle", "IDLE", "RUNNING_PAPER"))).toEqual(DENIED);
    const again = await rig.addKey("builder-2", admin);
    await rig.keep(again.sign(rig.digest));
    expect(await item("idle"), "a new signature too").toMatchObject({ state: "PASS" });
    await rig.setPolicy(
      { ...STRICT, require_lock_files: true, require_hashes: false, require_advisories: true },
      admin,
    );
    expect(await item("idle"), "advisories were empty at the run").toMatchObject({ state: "FAIL" });
  });
});

describe("[L-51.2] [L-40] [L-N14] an exception", () => {
  let admin: string;
  let holder: string;
  const wish = (over: Data = {}): Data => ({
    check: "supply_chain",
    artifact_id: rig.digest,
    valid_for_seconds: 600,
    ...over,
  });
  beforeEach(async () => {
    admin = await rig.tokenOf("admin");
    holder = await rig.tokenOf("admin", "break_glass");
    expect((await rig.make("idle")).status).toBe(201);
    rig.advise();
    await rig.run();
  });
  async function breakGlass(verbs: readonly string[]): Promise<void> {
    const second = await rig.tokenOf("break_glass");
    const asked = await rig.ask("/api/break_glass", { verbs, valid_for_seconds: 900 }, holder);
    const { challenge_id, intent_hash, phrase } = asked.body["challenge"] as Record<string, string>;
    await rig.world.http("GET", `/api/challenges/${challenge_id}`, undefined, second);
    await rig.post(`/api/challenges/${challenge_id}/approve`, { intent_hash }, second);
    await rig.post(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase }, holder);
  }
  const grant = (over: Data = {}, token = holder) => rig.byTwo("/api/overrides", wish(over), token);

  it("is refused outside a break-glass session, and inside one that does not list it", async () => {
    expect(said(await grant({}, admin))).toEqual([403, "RUMI-CMD-022", "L.BREAK_GLASS.REQUIRED"]);
    expect(said(await grant())).toEqual([403, "RUMI-CMD-022", "L.BREAK_GLASS.REQUIRED"]);
    await breakGlass(["gates.disable"]);
    expect(said(await grant())).toEqual([403, "RUMI-CMD-022", "L.BREAK_GLASS.REQUIRED"]);
    expect((await rig.get("/api/overrides"))["count"]).toBe(0);
    expect(said(await rig.move("idle", "IDLE", "RUNNING_PAPER"))).toEqual(DENIED);
  });

  it("has an end and an artifact: without either it is refused, and as the policy allows it", async () => {
    await breakGlass(["overrides.grant"]);
    const { valid_for_seconds: _, ...endless } = wish();
    expect((await rig.byTwo("/api/overrides", endless, holder)).status).toBe(400);
    expect((await grant({ valid_for_seconds: null })).status).toBe(400);
    const { artifact_id: __, ...nothing } = wish();
    expect(said(await rig.byTwo("/api/overrides", nothing, holder))).toEqual([400, "RUMI-VAL-001", undefined]);
    expect((await grant({ bot_id: "idle" })).body["error_code"]).toBe("RUMI-VAL-002");
    const ofBot = await grant({ check: "runbook", bot_id: "idle" });
    expect(ofBot.body["error_code"], "a bot's check is not an artifact's").toBe("RUMI-VAL-002");
    await rig.setPolicy({ ...NOTHING, exceptions: { allowed: true, max_seconds: 300 } }, admin);
    expect(said(await grant())).toEqual([409, "RUMI-SUP-053", undefined]);
    await rig.setPolicy({ ...NOTHING, exceptions: { allowed: false, max_seconds: 300 } }, admin);
    expect(said(await grant({ valid_for_seconds: 60 }))).toEqual([409, "RUMI-SUP-053", undefined]);
  });

  it("lets the artifact be used, says so everywhere by its reference, and ends by itself, also across a restart", async () => {
    await breakGlass(["overrides.grant"]);
    const granted = await grant();
    expect(granted.status).toBe(201);
    const exception_ref = (granted.body["data"] as Data)["override_id"];
    expect(granted.body["data"]).toMatchObject({ artifact_id: rig.digest, bot_id: null, state: "IN_FORCE" });
    expect(await rig.run()).toMatchObject({
      policy_decision: "allow_with_exception",
      exception_ref,
      reason_code: null,
      triage: [{ code: "VULNERABLE_COMPONENT", excepted_by: exception_ref }],
    });
    expect(await item("idle")).toMatchObject({
      state: "OVERRIDDEN",
      override_id: exception_ref,
      error_code: "RUMI-SUP-050",
    });
    expect((await rig.make("new")).status).toBe(201);
    expect((await rig.move("idle", "IDLE", "RUNNING_PAPER")).status).toBe(202);
    await rig.world.until("it runs", () => rig.world.runner.instances.size === 1);
    const events = (await rig.get("/api/audit/events?action=supply_chain.exception.granted"))["events"];
    expect(events).toMatchObject([{ details: { override_id: exception_ref, artifact_id: rig.digest } }]);

    await rig.restart();
    expect(await item("new"), "a restart does not end it").toMatchObject({ state: "OVERRIDDEN" });
    await rig.restart();
    // No round and no request in between: the clock alone ends it.
    rig.world.clock.skip(601_000);
    expect(said(await rig.move("new", "IDLE", "RUNNING_PAPER"))).toEqual(DENIED);
    expect(said(await rig.make("newer"))).toEqual(DENIED);
    const report = await rig.run();
    expect(report).toMatchObject({ policy_decision: "deny", exception_ref: null });
    expect((report["triage"] as Data[]).map(({ code }) => code)).toContain("EXCEPTION_EXPIRED");
    expect(await rig.get("/api/bots/idle"), "what it let begin goes on").not.toMatchObject({ state: "IDLE" });
    await rig.world.rounds(2);
    const expired = (await rig.get("/api/audit/events?action=supply_chain.exception.expired"))["events"];
    expect(expired).toMatchObject([{ actor: "system:overrides", details: { override_id: exception_ref } }]);
  });

  it("is of one artifact and can be taken back at once by one person", async () => {
    await breakGlass(["overrides.grant"]);
    expect((await grant({ artifact_id: `sha256:${"0".repeat(64)}` })).status).toBe(201);
    expect(said(await rig.make("new")), "another artifact's").toEqual(DENIED);
    const { override_id } = (await grant()).body["data"] as { override_id: string };
    expect(await item("idle")).toMatchObject({ state: "OVERRIDDEN" });
    await rig.post(`/api/overrides/${override_id}/revoke`, {}, await rig.tokenOf("operator"));
    expect(said(await rig.make("new"))).toEqual(DENIED);
  });
});
