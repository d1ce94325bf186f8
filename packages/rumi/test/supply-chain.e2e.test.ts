/** The supply chain with the real program and the command line: a key, a policy, a signed pack, advisories, a denial. */
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { sampleManifest, SAMPLE_WASM, writePack } from "../../platform/test/kit.ts";
import { processesNaming, startProgram, type Program } from "./program.ts";
import { installPack, type Data } from "./rig.ts";
import { lockFile } from "./supply-chain-rig.ts";

const room = temporaryFolder();
const advisories = join(room.path, "advisories");
const home = join(room.path, "home");
let program: Program;
beforeAll(async () => {
  mkdirSync(advisories);
  mkdirSync(home);
  program = await startProgram({ home, environment: { RUMI_ADVISORIES_DIR: advisories } });
}, 180_000);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(home)) process.kill(pid, "SIGKILL");
  room.remove();
});

const said = (...words: string[]): Data => {
  const { out, err } = program.cli(...words, "--json");
  const answer = JSON.parse(out === "" ? err : out) as { readonly data?: Data } & Data;
  return answer.data ?? answer;
};

it("[L-51.1] a pack is signed and judged from the command line; what is known against it denies it, and is counted", async () => {
  const pack = writePack(join(room.path, "pack"), sampleManifest(), {
    "strategies/ema.wasm": SAMPLE_WASM,
    "package-lock.json": lockFile(),
  });
  const digest = await installPack(program, pack, "demo_pack");
  const key = join(room.path, "key.pem");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(key, privateKey.export({ type: "pkcs8", format: "pem" }));
  expect(said("packs", "sign", pack, "--key", key, "--send", "ours")).toMatchObject({
    artifact_id: digest,
    changed: true,
  });
  const run = () => said("supply_chain", "gate-run", "--artifact-id", digest, "--reason", "before release");
  const first = run();
  expect(first).toMatchObject({ policy_decision: "allow", components: 1, signature_verified: false });
  expect(existsSync(join(home, "user_data/supply", `${String(first["sbom_ref"]).slice("sha256:".length)}.json`))).toBe(
    true,
  );
  expect(said("supply_chain", "sbom", String(first["scg_id"]))).toMatchObject({ sbom_ref: first["sbom_ref"] });
  const record = {
    id: "GHSA-aaaa-bbbb-cccc",
    modified: "2026-01-01T00:00:00Z",
    severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
    affected: [
      {
        package: { ecosystem: "npm", name: "left-pad" },
        ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.0.0" }] }],
      },
    ],
  };
  writeFileSync(join(advisories, "GHSA-aaaa-bbbb-cccc.json"), JSON.stringify(record));
  expect(run()).toMatchObject({ policy_decision: "deny", reason_code: "L.SUPPLY_CHAIN.DENIED" });
  const scraped = await fetch(`${program.url}/metrics`, { headers: { authorization: `Bearer ${program.token}` } });
  expect(await scraped.text()).toMatch(/^supply_chain_denied_count 1$/m);
  const approved = await program.call("POST", "/api/packs/demo_pack/approve");
  expect([approved.status, approved.body["error_code"], approved.body["runbook"]]).toEqual([
    409,
    "RUMI-SUP-050",
    "docs/runbooks/supply-chain.md",
  ]);
}, 180_000);
