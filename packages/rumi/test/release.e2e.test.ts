/** Release certificates with the real program and its command line: issued, killed in between, verified offline, revoked. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { cli, processesNaming, startProgram, type Program } from "./program.ts";
import { addVenue, createBot, installPack, makePerson, ok, writeRecording, type Data, type Person } from "./rig.ts";

const room = temporaryFolder();
const home = join(room.path, "home");
const options = { home, environment: { RUMI_SECOND_PERSON_WAIT_SECONDS: "0" } };
let program: Program;
let second: Person;
let digest: string;
beforeAll(async () => {
  mkdirSync(home);
  program = await startProgram(options);
  second = await makePerson(program, "second", ["admin"]);
  digest = await installPack(program);
  await addVenue(program, { path: writeRecording(home, 2_000), factor: "max" });
  await ok(program, "POST", "/api/supply_chain/gate/run", {
    command_id: crypto.randomUUID(),
    artifact_id: digest,
    reason: "before the release",
  });
}, 120_000);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(home)) process.kill(pid, "SIGKILL");
  room.remove();
});

const data = (text: string): Data => {
  const answer = JSON.parse(text) as { readonly data?: Data } & Data;
  return answer.data ?? answer;
};
const rumi = (...words: string[]) => program.cli(...words, "--json");
const file = (name: string, text: string): string => {
  writeFileSync(join(room.path, name), text);
  return join(room.path, name);
};
/** Asked for at the command line and approved by somebody else: what is left to confirm. */
async function approved(bot_id: string): Promise<{ readonly url: string; readonly body: Data }> {
  const asked = rumi("release", "issue", "--bot-id", bot_id, "--reason", "ready to trade");
  const { challenge } = JSON.parse(asked.out === "" ? asked.err : asked.out) as { challenge: Record<string, string> };
  const at = `/api/challenges/${challenge["challenge_id"] ?? ""}`;
  const as = { authorization: `Bearer ${second.token}` };
  const { intent_hash } = challenge;
  await program.call("GET", at, undefined, as);
  const command_id = crypto.randomUUID();
  const yes = await program.call("POST", `${at}/approve`, { command_id, intent_hash, reason: "looked at it" }, as);
  expect(yes.status).toBe(200);
  const meant = { command_id: crypto.randomUUID(), intent_hash, phrase: bot_id, reason: "meant" };
  return { url: `${at}/confirm`, body: meant };
}

it("[L-50.1] [L-10.1] [L-9.1] is issued, verified offline without the program, and revoked; the bot starts no more", async () => {
  await createBot(program, "certified", "ema_cross", digest);
  const { url, body } = await approved("certified");
  const { cert_id } = (await program.call("POST", url, body)).body["data"] as unknown as { cert_id: string };
  const show = rumi("release", "show", cert_id);
  const cert = file("cert.json", show.out);
  const key = file("home.pem", String(data(rumi("attestations", "key").out)["public_key"]));
  const status = file("status.json", rumi("release", "status", cert_id).out);
  const nowhere = join(room.path, "nowhere");
  const verify = (...more: string[]) => cli(nowhere, ["release", "verify", cert, "--key", key, ...more]);
  const good = verify("--status", status, "--max-age", "600", "--bot", "certified", "--release-version", "1.0.0");
  expect([good.code, good.out.trim().split("\n").at(-1)]).toEqual([0, "valid"]);
  expect(verify().out).toMatch(/incomplete\s*$/);
  expect(verify().code).toBe(1);
  expect(verify("--status", status, "--bot", "another").out).toMatch(/invalid\s*$/);
  expect(verify("--max-age", "soon").err).toContain("RUMI-VAL-002");
  expect(verify("--status", join(room.path, "none")).err).toContain("RUMI-REL-006");
  const envelope = JSON.parse(readFileSync(cert, "utf8")) as Data;
  const forged = file("forged.json", JSON.stringify(envelope).replaceAll(/"sig":"[^"]{8}/g, '"sig":"AAAAAAAA'));
  expect(cli(nowhere, ["release", "verify", forged, "--key", key]).out).toMatch(/invalid\s*$/);

  const ended = data(rumi("release", "revoke", "--cert-id", cert_id, "--reason", "it lost money").out);
  expect(ended).toMatchObject({ status: "revoked", reason_code: "L.RELEASE_CERT.REVOKED" });
  const refused = program.cli("bots", "start", "certified", "--reason", "go");
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("RUMI-REL-002")]);
  const newer = file("newer.json", rumi("release", "status", cert_id).out);
  expect(verify("--status", newer).out).toMatch(/revoked at[\s\S]*invalid\s*$/);
  const listed = data(rumi("release", "list", "--bot-id", "certified").out);
  expect(listed).toMatchObject({ count: 1, certificates: [{ cert_id, status: "revoked" }] });
  const scraped = await fetch(`${program.url}/metrics`, { headers: { authorization: `Bearer ${program.token}` } });
  const figures = await scraped.text();
  expect(figures).toMatch(/^release_cert_issued_count 1$/m);
  expect(figures).toMatch(/^release_cert_revoked_count 1$/m);
}, 120_000);

it("[L-50.1] [L-N2] kill -9 between the issue and its answer: sent again, there is one certificate, and it is the one that is told", async () => {
  for (const [at, wait_ms] of [0, 3, 12].entries()) {
    const bot_id = `struck-${at}`;
    await createBot(program, bot_id, "ema_cross", digest);
    const { url, body } = await approved(bot_id);
    const lost = program.call("POST", url, body).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, wait_ms));
    await program.kill();
    await lost;
    program = await startProgram(options);
    const again = await program.call("POST", url, body);
    const { certificates } = await ok(program, "GET", `/api/release/cert?bot_id=${bot_id}`);
    const told = [again.status, again.body["error_code"]];
    const [cert] = certificates as Data[];
    // Finished by the program that came back, before anything runs a strategy there: a moved plan is void, and says so.
    expect(
      [
        [201, undefined],
        [409, "RUMI-CMD-015"],
      ],
      JSON.stringify(again.body),
    ).toContainEqual(told);
    expect(certificates, JSON.stringify(again.body)).toHaveLength(again.status === 201 ? 1 : 0);
    expect((again.body["data"] as unknown as Data | undefined)?.["cert_id"]).toBe(cert?.["cert_id"]);
  }
}, 180_000);
