/** Release certificates over HTTP: what one takes, what it lets start, what makes it count no more, and who may. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canonicalJson, type Json } from "@rumi/kernel";
import type { Envelope } from "@rumi/ledger";
import { commandBody, INSTRUMENT } from "../../control/test/kit.ts";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { openRig, said, type Data, type Rig } from "./supply-chain-rig.ts";
import type { Reply } from "./served-control.ts";

const MISSING = [409, "RUMI-REL-001", "L.RELEASE_CERT.MISSING"];
const REVOKED = [409, "RUMI-REL-002", "L.RELEASE_CERT.REVOKED"];
const STALE = [409, "RUMI-REL-003", "L.RELEASE_CERT.STALE"];
const NOT_ISSUED = [409, "RUMI-REL-004", "L.RELEASE_CERT.REFUSED"];
const ISSUE = "/api/release/cert/issue";
let rig: Rig;
let admin: string;
beforeEach(async () => {
  rig = await openRig();
  admin = await rig.tokenOf("admin");
  await rig.post("/api/venues", {
    venue_id: "OUT",
    kind: "venue_sim",
    url: "http://127.0.0.1:8900",
    key: { file: "/keys/out.json" },
    instruments: [INSTRUMENT],
  });
  expect((await rig.make("one", { venue: "OUT" })).status).toBe(201);
});
afterEach(() => rig.close());

const issue = (bot_id = "one", over: Data = {}, token = admin): Promise<Reply> =>
  rig.byTwo(ISSUE, { bot_id, ...over }, token);
async function issued(bot_id = "one", over: Data = {}): Promise<Data> {
  const { status, body } = await issue(bot_id, over);
  expect([status, body["error_code"], body["error"]]).toEqual([201, undefined, undefined]);
  return body["data"] as Data;
}
const revoke = (cert_id: unknown, token?: string): Promise<Reply> =>
  rig.ask("/api/release/cert/revoke", { cert_id, reason: "it lost money twice" }, token);
const require = (required_for: readonly string[]): Promise<Data> =>
  rig.post("/api/release/policy/set", { required_for });
async function live(bot_id = "one"): Promise<Reply> {
  const asked = await rig.move(bot_id, "IDLE", "RUNNING_LIVE");
  const { challenge_id, intent_hash, phrase } = (asked.body["challenge"] ?? {}) as Record<string, string>;
  if (challenge_id === undefined) return asked;
  return rig.ask(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase });
}
const sha256 = (value: unknown): string =>
  `sha256:${createHash("sha256")
    .update(typeof value === "string" ? value : canonicalJson(value as Json))
    .digest("hex")}`;
const show = (cert_id: unknown): Promise<Data> => rig.get(`/api/release/certs/${String(cert_id)}`);
const CHANGE = "reacts faster after news of the exchange";
const apply = (fast: number, reason = CHANGE, bot_id = "one") =>
  rig.ask(`/api/bots/${bot_id}/config/apply`, { config: { fast }, at: "next_tick", reason });

describe("[L-50.1] [L-10.1] a release certificate", () => {
  it("has the fields of its kind; each reference is the digest of what is there; openssl verifies it without our code", async () => {
    const { scg_id } = await rig.run();
    const cert = await issued("one", { version: "1.0.0" });
    expect(cert).toMatchObject({
      bot_id: "one",
      version: "1.0.0",
      status: "issued",
      reason_code: "L.RELEASE_CERT.ISSUED",
    });
    const items = cert["attested_items"] as Record<string, string | null>;
    expect(Object.keys(items).toSorted()).toEqual([
      "artifact_digest_verified_ref",
      "changelog_gate_ok_ref",
      "compatibility_ok_ref",
      "preflight_ok_ref",
      "rollout_plan_ref",
      "runbook_attached_ref",
      "stop_attestation_ref",
      "supply_chain_ok_ref",
    ]);
    const [at = "", digest] = String(items["preflight_ok_ref"]).split("@");
    const report = await rig.get(at);
    expect(sha256(report)).toBe(digest);
    const checks = report["items"] as { item: string }[];
    for (const [ref, name] of [
      [items["compatibility_ok_ref"], "compatibility"],
      [items["artifact_digest_verified_ref"], "artifact_digest"],
    ])
      expect(ref).toBe(`${at}#${String(name)}@${sha256(checks.find(({ item }) => item === name))}`);
    const { stands: _, ...gate } = await rig.get(`/api/supply_chain/reports/${String(scg_id)}`);
    expect(items["supply_chain_ok_ref"]).toBe(`/api/supply_chain/reports/${String(scg_id)}@${sha256(gate)}`);
    const { spec } = await rig.get("/api/bots/one");
    expect(items["runbook_attached_ref"]).toContain(`@${sha256((spec as Data)["runbook"])}`);
    const { changelogs } = await rig.get("/api/bots/one/changelog");
    expect(items["changelog_gate_ok_ref"]).toContain(`@${sha256((changelogs as Data[])[0]?.["changelog"])}`);
    expect([items["rollout_plan_ref"], items["stop_attestation_ref"]]).toEqual([null, null]);
    expect(cert["manifest_hash"]).toBe(sha256(cert["manifest"]));
    expect(cert["spec_digest"]).toBe(sha256(spec));

    const folder = temporaryFolder();
    const { payload, payloadType, signatures } = cert["envelope"] as Envelope;
    expect(cert["signature_ref"]).toBe(`${signatures[0]?.keyid ?? ""}@${sha256(cert["envelope"])}`);
    const body = Buffer.from(payload, "base64");
    const file = (name: string, bytes: string | Buffer): string => {
      writeFileSync(join(folder.path, name), bytes);
      return join(folder.path, name);
    };
    const signed = file(
      "pae",
      Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${body.length} `), body]),
    );
    const sig = file("sig", Buffer.from(signatures[0]?.sig ?? "", "base64"));
    const key = file("key.pem", String(cert["public_key"]));
    const openssl = (data: string) =>
      spawnSync("openssl", ["dgst", "-sha256", "-verify", key, "-signature", sig, data]).status;
    expect(openssl(signed)).toBe(0);
    expect(openssl(file("other", Buffer.concat([body, Buffer.from(" ")])))).toBe(1);
    const statement = JSON.parse(body.toString("utf8")) as { subject: { digest: { sha256: string } }[] };
    expect(statement.subject.map((one) => `sha256:${one.digest.sha256}`)).toEqual([cert["manifest_hash"], rig.digest]);
    folder.remove();
    expect(await rig.world.actions()).toContain("release.cert.issued");
    expect(await rig.get("/api/release/cert?bot_id=one")).toMatchObject({
      count: 1,
      certificates: [{ status: "issued" }],
    });
  });

  it("is asked for by an administrator and vouched for by another person; both doors are one operation, and twice is once", async () => {
    await rig.run();
    const operator = await rig.tokenOf("operator");
    expect((await rig.ask(ISSUE, { bot_id: "one" }, operator)).status).toBe(403);
    const command_id = rig.world.id();
    const asked = await rig.ask(ISSUE, { bot_id: "one", command_id }, admin);
    expect(said(asked)).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
    const { challenge_id, intent_hash, phrase } = asked.body["challenge"] as Record<string, string>;
    const confirm = `/api/challenges/${challenge_id}/confirm`;
    expect(said(await rig.ask(confirm, { intent_hash, phrase }, admin))).toEqual([
      409,
      "RUMI-CMD-017",
      "APPROVAL_REQUIRED",
    ]);
    expect(
      (await rig.ask(`/api/challenges/${challenge_id}/approve`, { intent_hash }, admin)).status,
      "oneself",
    ).not.toBe(200);
    await rig.world.http("GET", `/api/challenges/${challenge_id}`);
    await rig.post(`/api/challenges/${challenge_id}/approve`, { intent_hash });
    const meant = { command_id: rig.world.id(), intent_hash, phrase };
    expect((await rig.ask(confirm, meant, admin)).status).toBe(201);
    const again = await rig.ask(confirm, meant, admin);
    expect([again.status, again.body["duplicate_suppressed"]]).toEqual([201, true]);
    const bare = await rig.ask("/release/cert/issue", { bot_id: "one", command_id }, admin);
    expect([bare.body["duplicate_suppressed"], bare.body["challenge"]]).toMatchObject([true, { challenge_id }]);
    const { certificates } = await rig.get("/api/release/cert");
    const [{ cert_id } = { cert_id: "" }] = certificates as { cert_id: string }[];
    expect(said(await issue())).toEqual([409, "RUMI-REL-005", "L.RELEASE_CERT.IN_FORCE"]);
    const end = { command_id: rig.world.id(), cert_id };
    expect((await rig.ask("/release/cert/revoke", end, operator)).body["data"]).toMatchObject({
      status: "revoked",
      changed: true,
      reason_code: "L.RELEASE_CERT.REVOKED",
    });
    expect((await rig.ask("/api/release/cert/revoke", end, operator)).body["duplicate_suppressed"]).toBe(true);
    expect((await revoke(cert_id)).body["data"]).toMatchObject({ changed: false, revoke_reason: "test" });
    expect((await revoke(rig.world.id())).status).toBe(404);
    expect((await rig.get("/api/audit/events?action=release.cert.revoked"))["events"]).toHaveLength(1);
  });

  it("attests nothing that did not pass: each item refuses by its own code", async () => {
    expect(said(await issue())).toEqual(NOT_ISSUED);
    expect((await issue()).body["details"], "the gate never ran").toMatchObject({ failed_item: "supply_chain" });
    await rig.run();
    expect(said(await issue("one", { version: "2.0.0" }))).toEqual(NOT_ISSUED);
    expect(said(await issue("nobody"))).toEqual([404, "RUMI-BOT-001", undefined]);
    await rig.make("vague", { venue: "OUT", reason: "new bot" });
    expect(said(await issue("vague"))).toEqual([409, "RUMI-BOT-086", "L.CHANGELOG.REFUSED"]);
    await rig.make("lost", { venue: "OUT", runbook: "ask Jo" });
    expect(said(await issue("lost"))).toEqual([409, "RUMI-BOT-083", "L.RUNBOOK.MISSING"]);
    await rig.make("needy", { venue: "OUT", dependencies: ["bot:feeder"] });
    expect(said(await issue("needy"))).toEqual([409, "RUMI-BOT-081", "L.DEPENDENCY.MISSING"]);
    const wish = { bot_id: "needy", check: "dependencies", valid_for_seconds: 600 };
    expect((await rig.byTwo("/api/overrides", wish, admin)).status).toBe(201);
    expect((await issue("needy")).body["details"], "an override attests nothing").toMatchObject({
      failed_item: "dependencies",
    });
    rig.advise();
    await rig.run();
    expect(said(await issue()), "[L-51.2]").toEqual([409, "RUMI-SUP-050", "L.SUPPLY_CHAIN.DENIED"]);
    expect((await rig.get("/api/release/cert"))["count"]).toBe(0);
  });

  it("attests the proof of the last stop, and waits for it", async () => {
    await rig.run();
    expect((await rig.make("two")).status).toBe(201);
    expect((await rig.move("two", "IDLE", "RUNNING_PAPER")).status).toBe(202);
    await rig.world.until("it runs", () => rig.world.runner.instances.size === 1);
    expect((await rig.move("two", "RUNNING_PAPER", "STOPPING")).status).toBe(202);
    await rig.world.until("its stop is proven", async () => {
      const { attestations } = await rig.get("/api/attestations?bot_id=two");
      return (attestations as Data[])[0]?.["proven"] === true;
    });
    const { attested_items } = await issued("two");
    const [at = "", digest] = String((attested_items as Data)["stop_attestation_ref"]).split("@");
    expect(sha256((await rig.get(at))["envelope"])).toBe(digest);
    const unproven = "UPDATE stop_ladder SET attested_at = NULL, envelope = NULL WHERE bot_id = 'two'";
    await rig.world.store.commit({ writes: [{ sql: unproven, parameters: [], expect: 1 }], events: [] });
    await apply(11, CHANGE, "two");
    expect((await issue("two")).body["details"]).toMatchObject({ failed_item: "stop_attestation" });
  });
});

describe("[L-50.1] what may start", () => {
  it("is asked of the policy: missing ones stop the modes that it names; asking for fewer takes two", async () => {
    await rig.run();
    await require(["live"]);
    expect(said(await live())).toEqual(MISSING);
    const preview = await rig.post("/api/commands", {
      ...commandBody(rig.world, "one", "IDLE", "RUNNING_LIVE"),
      dry_run: true,
    });
    const { preflight } = preview["preview"] as { preflight: { items: Data[] } };
    expect(preflight.items.find(({ item }) => item === "release_certificate")).toMatchObject({
      state: "FAIL",
      error_code: "RUMI-REL-001",
      next: expect.stringContaining("/api/release/cert/issue") as unknown,
    });
    const fewer = await rig.ask("/api/release/policy/set", { required_for: [] }, admin);
    expect(said(fewer)).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
    const { cert_id } = await issued();
    const started = await live();
    expect(started.status).toBe(202);
    expect(JSON.stringify(started.body)).toContain(`certificate ${String(cert_id)}`);
  });

  it("is no start with a revoked one, whatever the policy asks and whichever version, until another one is issued", async () => {
    await rig.run();
    const { cert_id } = await issued();
    expect((await revoke(cert_id)).status).toBe(200);
    expect((await rig.make("two")).status).toBe(201);
    expect((await revoke((await issued("two"))["cert_id"])).status).toBe(200);
    expect(said(await live())).toEqual(REVOKED);
    expect(said(await rig.move("two", "IDLE", "RUNNING_PAPER")), "paper too").toEqual(REVOKED);
    expect((await apply(11)).status).toBe(200);
    expect(said(await live()), "another configuration is no way around").toEqual(REVOKED);
    expect(await show(cert_id)).toMatchObject({ status: "revoked", stands: "revoked", why: ["it lost money twice"] });
    await issued();
    expect((await live()).status).toBe(202);
  });

  it("is refused on one of another bot, configuration, changelog or artifact", async () => {
    await rig.run();
    await require(["live", "paper", "shadow"]);
    expect((await rig.make("two", { venue: "OUT" })).status).toBe(201);
    const { cert_id } = await issued("one");
    expect(said(await live("two")), "that of another bot").toEqual(MISSING);
    expect((await apply(11)).status).toBe(200);
    expect(said(await live())).toEqual(STALE);
    expect(await show(cert_id)).toMatchObject({ stands: "stale" });
    expect((await apply(10, "back to how it was measured before")).status).toBe(200);
    expect(said(await live()), "the same specification in another version").toEqual(STALE);
    await issued();
    expect((await live()).status).toBe(202);
  });

  it("[L-51.2] ends with a denial after its report, even one that is allowed again", async () => {
    await rig.run();
    await require(["live"]);
    const { cert_id } = await issued();
    rig.advise();
    await rig.run();
    expect(said(await live())).toEqual([409, "RUMI-SUP-050", "L.SUPPLY_CHAIN.DENIED"]);
    rig.advise({ vector: "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N" });
    await rig.run();
    expect(said(await live())).toEqual(STALE);
    expect((await show(cert_id))["why"]).toEqual([expect.stringContaining("after the report that it attests")]);
    await issued();
    expect((await live()).status).toBe(202);
  });

  it("[L-51.2] [L-N14] ends with the exception by which its artifact is used, by the clock alone; no exception, none", async () => {
    rig.advise();
    await rig.run();
    const holder = await rig.tokenOf("admin", "break_glass");
    const second = await rig.tokenOf("break_glass");
    const asked = await rig.ask("/api/break_glass", { verbs: ["overrides.grant"], valid_for_seconds: 900 }, holder);
    const { challenge_id, intent_hash, phrase } = asked.body["challenge"] as Record<string, string>;
    await rig.world.http("GET", `/api/challenges/${challenge_id}`, undefined, second);
    await rig.post(`/api/challenges/${challenge_id}/approve`, { intent_hash }, second);
    await rig.post(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase }, holder);
    const wish = { check: "supply_chain", artifact_id: rig.digest, valid_for_seconds: 600 };
    const endless = { check: "supply_chain", artifact_id: rig.digest };
    expect((await rig.byTwo("/api/overrides", endless, holder)).status, "without an end").toBe(400);
    expect(said(await issue())).toEqual([409, "RUMI-SUP-050", "L.SUPPLY_CHAIN.DENIED"]);
    const granted = await rig.byTwo("/api/overrides", wish, holder);
    expect(granted.status).toBe(201);
    expect((await issue()).body["details"], "the newest report denies").toMatchObject({ failed_item: "supply_chain" });
    await rig.run();
    await require(["live"]);
    const cert = await issued();
    const { override_id, ends_at } = granted.body["data"] as Data;
    expect(cert).toMatchObject({ exception_ends_at: ends_at });
    expect(cert["manifest"]).toMatchObject({
      supply_chain: { exception_ref: override_id, exception_ends_at: ends_at },
    });
    rig.world.clock.skip(599_000);
    expect(await show(cert["cert_id"])).toMatchObject({ stands: "in_force" });
    rig.world.clock.skip(2_000);
    expect(await show(cert["cert_id"])).toMatchObject({
      stands: "stale",
      why: expect.arrayContaining(["the exception by which its artifact was used has ended"]) as unknown,
    });
    expect(said(await live())).toEqual([409, "RUMI-SUP-050", "L.SUPPLY_CHAIN.DENIED"]);
  });

  it("counts for no clock before its issue, and none is issued before the one that is there", async () => {
    await rig.run();
    await require(["live"]);
    const { cert_id } = await issued();
    rig.world.clock.skip(-3_600_000);
    expect((await show(cert_id))["why"]).toEqual(["it was issued later than it is now"]);
    expect((await issue()).body["details"]).toMatchObject({ failed_item: "clock" });
  });

  it("of two that are asked for at once one is issued", async () => {
    await rig.run();
    const other = await rig.tokenOf("admin");
    const ask = async (token: string) => {
      const { body } = await rig.ask(ISSUE, { bot_id: "one" }, token);
      const { challenge_id, intent_hash, phrase } = body["challenge"] as Record<string, string>;
      await rig.world.http("GET", `/api/challenges/${challenge_id}`);
      await rig.post(`/api/challenges/${challenge_id}/approve`, { intent_hash });
      return () => rig.ask(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase }, token);
    };
    const [first, second] = [await ask(admin), await ask(other)];
    const answers = await Promise.all([first(), second()]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
    expect((await rig.get("/api/release/cert"))["count"]).toBe(1);
  });
});

describe("[L-50.1] what runs and is changed", () => {
  const update = (config: Data, reason = CHANGE) =>
    rig.ask("/api/bots/one/update", { strategy_version: "1.0.0", digest: rig.digest, config, reason });

  it("takes a certificate of the version that would run: planned ones are issued before", async () => {
    await rig.run();
    await require(["live"]);
    await issued();
    expect((await live()).status).toBe(202);
    await rig.world.until("it runs", () => rig.world.runner.instances.size === 1);
    const confirmed = async (asked: Reply): Promise<Reply> => {
      const { challenge_id, intent_hash, phrase } = asked.body["challenge"] as Record<string, string>;
      return rig.ask(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase });
    };
    expect(said(await confirmed(await apply(11)))).toEqual(STALE);
    expect(said(await confirmed(await update({ fast: 11 })))).toEqual(STALE);
    const planned = { config: { fast: 11 }, changelog: CHANGE };
    const cert = await issued("one", { planned, version: "1.1.0" });
    expect(await show(cert["cert_id"])).toMatchObject({ stands: "waiting" });
    expect(
      said(await confirmed(await apply(11, "waits longer while the exchange is slow"))),
      "another changelog",
    ).toEqual(STALE);
    expect((await confirmed(await apply(11))).status).toBe(200);
    expect(await show(cert["cert_id"])).toMatchObject({ stands: "in_force", version: "1.1.0" });
  });
});
