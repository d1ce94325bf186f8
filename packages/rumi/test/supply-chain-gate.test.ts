/** The supply-chain gate as somebody meets it over HTTP: a clean, an unsigned, a vulnerable and an altered artifact. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { supplyMetrics } from "@rumi/control";
import { createMetrics } from "@rumi/operations";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleManifest, SAMPLE_WASM, writePack } from "../../platform/test/kit.ts";
import { DAY_S, lockFile, NOTHING, openRig, said, STRICT, type Data, type Rig } from "./supply-chain-rig.ts";

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

const sha256 = (text: unknown): string => `sha256:${createHash("sha256").update(String(text)).digest("hex")}`;
const codes = (report: Data): readonly string[] => (report["triage"] as { code: string }[]).map(({ code }) => code);
const denied = { policy_decision: "deny", reason_code: "L.SUPPLY_CHAIN.DENIED" };
const allowed = { policy_decision: "allow", reason_code: null, triage: [] };

it("[L-51.1] [L-N16] a clean artifact: allowed, with a bill of materials and a summary under their hashes", async () => {
  rig.advise({ vector: "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N" });
  const body = { command_id: rig.world.id(), artifact_id: rig.digest, reason: "before release" };
  const first = await rig.world.http("POST", "/supply_chain/gate/run", body);
  expect(first.status).toBe(201);
  const report = first.body["data"] as Data;
  expect(report).toMatchObject({
    artifact_id: rig.digest,
    pack_id: "demo_pack",
    signature_verified: false,
    policy_revision: 0,
    components: 1,
    vulnerabilities: { critical: 0, high: 0, medium: 0, low: 1, unknown: 0 },
    exception_ref: null,
    ...allowed,
    stands: allowed,
  });
  const again = await rig.world.http("POST", "/api/supply_chain/gate/run", body);
  expect((again.body["data"] as Data)["scg_id"], "one operation, two paths").toBe(report["scg_id"]);
  const of = `/api/supply_chain/reports/${String(report["scg_id"])}`;
  const { sbom, sbom_ref } = await rig.get(`${of}/sbom`);
  expect([sha256(sbom), sbom_ref]).toEqual([report["sbom_ref"], report["sbom_ref"]]);
  expect(JSON.parse(String(sbom))).toMatchObject({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    components: [{ name: "left-pad", version: "1.3.0", purl: "pkg:npm/left-pad@1.3.0" }],
  });
  const { summary } = await rig.get(`${of}/vulnerabilities`);
  expect(sha256(summary)).toBe(report["vulnerability_summary_ref"]);
  expect(JSON.parse(String(summary))).toMatchObject({ findings: [{ advisory_id: "GHSA-aaaa-bbbb-cccc" }] });
  const second = await rig.run();
  expect([second["sbom_ref"], second["vulnerability_summary_ref"]], "the same facts, the same files").toEqual([
    report["sbom_ref"],
    report["vulnerability_summary_ref"],
  ]);
  const listed = await rig.get(`/api/supply_chain/reports?artifact_id=${rig.digest}&limit=1`);
  expect(listed).toMatchObject({ reports: [{ scg_id: second["scg_id"] }], count: 1 });
  const rest = await rig.get(`/api/supply_chain/reports?limit=1&cursor=${String(listed["next_cursor"])}`);
  expect(rest).toMatchObject({ reports: [{ scg_id: report["scg_id"] }], next_cursor: null });
  const events = (await rig.get("/api/audit/events?action=supply_chain.gate.run"))["events"];
  expect(events).toContainEqual(
    expect.objectContaining({ details: expect.objectContaining({ scg_id: report["scg_id"] }) as unknown }),
  );
});

describe("[L-51.1] signatures", () => {
  const SIGNED = { ...NOTHING, require_signature: true };
  let admin: string;
  const reasons = (report: Data): readonly string[] =>
    (report["signature"] as { reasons: { code: string }[] }).reasons.map(({ code }) => code);
  beforeEach(async () => {
    admin = await rig.tokenOf("admin");
    await rig.setPolicy(SIGNED, admin);
  });

  it("an unsigned artifact is denied with a way out; signed by a trusted key it is allowed", async () => {
    expect(await rig.run()).toMatchObject({ signature_verified: false, ...denied });
    expect(codes(await rig.run())).toEqual(["SIGNATURE_MISSING"]);
    const key = await rig.addKey("builder", admin);
    await rig.keep(key.sign(rig.digest));
    expect(await rig.run()).toMatchObject({ signature_verified: true, signature: { keyid: key.keyid }, ...allowed });
  });

  it("a signature about something else, or by nobody who is trusted, is none", async () => {
    const key = await rig.addKey("builder", admin);
    await rig.keep(key.sign(`sha256:${"0".repeat(64)}`));
    const report = await rig.run();
    expect(report).toMatchObject({ signature_verified: false, ...denied });
    expect([codes(report), reasons(report)]).toEqual([["SIGNATURE_NOT_TRUSTED"], ["SUBJECT_DIFFERS"]]);
  });

  it("a key counts in its time: not yet, no more, revoked; two overlap while one follows the other", async () => {
    const old = await rig.addKey("old", admin);
    const next = await rig.addKey("next", admin, { valid_from: rig.now(DAY_S) });
    await rig.keep(next.sign(rig.digest));
    expect(reasons(await rig.run())).toEqual(["KEY_NOT_YET_VALID"]);
    await rig.keep(old.sign(rig.digest));
    expect(await rig.run()).toMatchObject({ signature: { keyid: old.keyid }, ...allowed });
    await rig.post(`/api/supply_chain/trust_roots/${old.keyid}/retire`, { at: rig.now(2 * DAY_S) });
    rig.world.clock.skip((DAY_S + 1) * 1_000);
    expect(await rig.run(), "both").toMatchObject(allowed);
    rig.world.clock.skip(DAY_S * 1_000);
    const report = await rig.run();
    expect(report, "the new one alone").toMatchObject({ signature: { keyid: next.keyid }, ...allowed });
    expect(reasons(report)).toEqual(["KEY_EXPIRED"]);
    await rig.post(`/api/supply_chain/trust_roots/${next.keyid}/revoke`, {});
    const stands = (await rig.get(`/api/supply_chain/reports/${String(report["scg_id"])}`))["stands"];
    expect(stands, "at once, without another run").toMatchObject(denied);
    expect(reasons(await rig.run()).toSorted()).toEqual(["KEY_EXPIRED", "KEY_REVOKED"]);
  });
});

describe("[L-51.1] what is known against it", () => {
  it("[L-9.1] a vulnerable artifact is denied with its component, its advisory and a probable fix, and counted", async () => {
    expect(await rig.run()).toMatchObject(allowed);
    rig.advise();
    const report = await rig.run();
    expect(report).toMatchObject({
      ...denied,
      vulnerabilities: { critical: 1 },
      triage: [
        {
          code: "VULNERABLE_COMPONENT",
          component: "pkg:npm/left-pad@1.3.0",
          advisory_id: "GHSA-aaaa-bbbb-cccc",
          severity: "critical",
          probable_fix: expect.stringContaining("2.0.0") as unknown,
        },
      ],
    });
    const metrics = createMetrics();
    await supplyMetrics(rig.world.store, metrics)();
    expect(metrics.text()).toMatch(/^supply_chain_denied_count 1$/m);
    await rig.run();
    await rig.restart();
    await supplyMetrics(rig.world.store, metrics)();
    expect(metrics.text(), "a restart forgets none").toMatch(/^supply_chain_denied_count 2$/m);
  });

  it("a policy that needs advisories takes none that are missing, empty, stale or from the future", async () => {
    await rig.setPolicy({ ...NOTHING, require_advisories: true }, await rig.tokenOf("admin"));
    const directory = rig.advisories;
    rig.advise({ vector: "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:N" });
    const only = async (): Promise<unknown> => codes(await rig.run());
    rig.advisories = null;
    expect(await only(), "none is set").toEqual(["ADVISORIES_UNKNOWN"]);
    rig.advisories = join(rig.world.folder, "nowhere");
    expect(await only(), "it is not there").toEqual(["ADVISORIES_UNKNOWN"]);
    const empty = join(rig.world.folder, "empty");
    mkdirSync(empty);
    rig.advisories = empty;
    expect(await only(), "it is empty").toEqual(["ADVISORIES_EMPTY"]);
    rig.advisories = directory;
    rig.advise({ modified: rig.now(-DAY_S - 60) });
    expect(await only()).toContain("ADVISORIES_STALE");
    rig.advise({ modified: rig.now(DAY_S) });
    expect(await only()).toContain("ADVISORIES_FROM_THE_FUTURE");
  });

  it("advisories that were fresh at the run and grew old deny at the next question", async () => {
    await rig.setPolicy(
      { ...STRICT, require_signature: false, max_allowed: { ...STRICT.max_allowed, critical: 1 } },
      await rig.tokenOf("admin"),
    );
    rig.advise();
    const { scg_id, valid_until } = await rig.run();
    const stands = async () => (await rig.get(`/api/supply_chain/reports/${String(scg_id)}`))["stands"];
    expect(await stands()).toMatchObject({ policy_decision: "allow", valid_until });
    rig.world.clock.skip(DAY_S * 1_000);
    expect(await stands()).toMatchObject({ ...denied, triage: [{ code: "ADVISORIES_STALE" }] });
  });
});

describe("[L-51.1] what it is made of", () => {
  it("a lock file that cannot be read is no lock file, whatever the policy; a missing one counts where it is asked for", async () => {
    const other = async (files: Readonly<Record<string, string>>, require_lock_files: boolean) => {
      await rig.close();
      rig = await openRig(files);
      if (require_lock_files) await rig.setPolicy({ ...NOTHING, require_lock_files }, await rig.tokenOf("admin"));
      return rig.run();
    };
    const unreadable = await other({ "package-lock.json": "{" }, false);
    expect(unreadable).toMatchObject({ ...denied, sbom_ref: null, components: null });
    expect(codes(unreadable)).toEqual(["LOCK_FILE_UNREADABLE"]);
    const refused = await rig.world.http("GET", `/api/supply_chain/reports/${String(unreadable["scg_id"])}/sbom`);
    expect(said(refused)).toEqual([409, "RUMI-SUP-052", undefined]);
    expect(await other({}, false)).toMatchObject({ ...allowed, components: 0 });
    expect(codes(await other({}, true))).toEqual(["LOCK_FILE_MISSING"]);
    const unhashed = lockFile().replace(/,"integrity":"[^"]+"/, "");
    expect(await other({ "package-lock.json": unhashed }, false)).toMatchObject(allowed);
    await rig.setPolicy({ ...NOTHING, require_hashes: true }, await rig.tokenOf("admin"));
    expect(codes(await rig.run())).toEqual(["COMPONENT_WITHOUT_HASH"]);
  });

  it("[L-N12] altered bytes in the store are not looked at: the pack is disabled; an unknown digest and a tag are refused", async () => {
    const ask = (artifact_id: string) => rig.ask("/api/supply_chain/gate/run", { artifact_id });
    expect(said(await ask(`sha256:${"0".repeat(64)}`))).toEqual([404, "RUMI-SYS-011", undefined]);
    expect((await ask("demo_pack:latest")).status).toBe(400);
    writeFileSync(
      join(rig.world.folder, "user_data/packs", rig.digest.slice("sha256:".length), "package-lock.json"),
      lockFile("1.3.1"),
    );
    expect((await ask(rig.digest)).body["error_code"]).toBe("RUMI-PACK-007");
    expect(await rig.get("/api/packs/demo_pack/status")).toMatchObject({ state: "modified" });
    expect((await rig.get("/api/supply_chain/reports"))["count"]).toBe(0);
  });

  it("[L-N12] what waits for its approval is looked at by the digest that was seen: other bytes are refused", async () => {
    const folder = join(rig.world.folder, "ecosystem/other_pack");
    const manifest = sampleManifest({ pack_id: "other_pack", pack_identity: "local:other_pack" });
    writePack(folder, manifest, { "strategies/ema.wasm": SAMPLE_WASM, "package-lock.json": lockFile() });
    await rig.world.command("packs.scan", {});
    const { digest } = await rig.get("/api/packs/other_pack/status");
    expect(await rig.run(String(digest))).toMatchObject({ pack_id: "other_pack", components: 1 });
    writeFileSync(join(folder, "package-lock.json"), lockFile("1.3.1"));
    const again = await rig.ask("/api/supply_chain/gate/run", { artifact_id: digest });
    expect(again.body["error_code"]).toBe("RUMI-PACK-007");
  });

  it("[L-N12] an altered or lost bill of materials is not handed out", async () => {
    const { scg_id, sbom_ref } = await rig.run();
    const name = String(sbom_ref).slice("sha256:".length);
    const bytes = rig.shelf.get(name) ?? new Uint8Array();
    const bill = async () => said(await rig.world.http("GET", `/api/supply_chain/reports/${String(scg_id)}/sbom`));
    rig.shelf.set(name, Buffer.concat([bytes, Buffer.from(" ")]));
    expect(await bill()).toEqual([409, "RUMI-SUP-052", undefined]);
    rig.shelf.delete(name);
    expect(await bill()).toEqual([409, "RUMI-SUP-052", undefined]);
  });
});
