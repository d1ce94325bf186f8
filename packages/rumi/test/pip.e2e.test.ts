/** Libraries of packs, from a local https index into a jail, against the built program and a real pip. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sha256Hex } from "@rumi/kernel";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { makeSdist, makeWheel, openIndex, type LocalIndex } from "./pip-index.ts";
import { auditLines, startProgram, type Answer, type Program } from "./program.ts";
import { installPack, ok, type Data } from "./rig.ts";

const home = temporaryFolder();
let index: LocalIndex;
let program: Program;

const LOCK = "# of this pack\nGreet_Lib==1.0\n";
const keyOf = (pack_id: string, lock: string): string => `${pack_id}:requirements.lock:${sha256Hex(lock)}`;
const at = (key: string, act: string): string =>
  `/api/pip/${act === "unblock" ? "blocked" : "requests"}/${encodeURIComponent(key)}/${act}`;
const approve = (key: string, more: Data = {}): Promise<Answer> =>
  program.call("POST", at(key, "approve"), { allow_sdist: false, index_url: index.url, ...more });
const refusal = (answer: Answer): readonly unknown[] => [answer.status, answer.body["error_code"]];
const stateOf = async (key: string): Promise<Data | undefined> =>
  ((await ok(program, "GET", "/api/pip/requests"))["requests"] as readonly Data[]).find(
    (one) => one["candidate_key"] === key,
  );
const scan = (): Promise<Data> => ok(program, "POST", "/api/pip/candidates/scan", "");

async function install(pack_id: string, lock: string | null, block: string): Promise<void> {
  const folder = join(home.path, "origin", pack_id);
  rmSync(folder, { recursive: true, force: true });
  const manifest = { pack_id, pack_identity: `test:${pack_id}`, version: "1.0.0", vocabulary: { types: ["block"] } };
  const flow = `flow_id: ${pack_id}.run\nphases: [p]\nsteps: [{id: a, phase: p, type: python_file_call, file: use.py, input: {}, output: a}]\n`;
  const files = {
    "ecosystem.json": JSON.stringify(manifest),
    "blocks/use.py": block,
    "flows/run.flow.yaml": flow,
    ...(lock === null ? {} : { "requirements.lock": lock }),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  await installPack(program, folder, pack_id);
}
const run = async (pack_id: string): Promise<unknown> => {
  const answer = await program.call("POST", `/api/flows/${pack_id}.run/run`, {});
  return answer.status === 200 ? (answer.body["result"] as unknown as Data)["a"] : answer.body["error"];
};
const USE = "def run():\n    import greet_lib\n    return greet_lib.greet()\n";
const environment = (digest: unknown): string =>
  join(home.path, "user_data/pip/environments", String(digest).slice("sha256:".length));

beforeAll(async () => {
  const made = join(home.path, "made");
  index = await openIndex(join(home.path, "index"));
  index.put("greet-lib", ...makeWheel(made, "greet_lib", "1.0", "def greet():\n    return 'hello from 1.0'\n"));
  index.put("greet-lib", ...makeWheel(made, "greet_lib", "2.0", "def greet():\n    return 'hello from 2.0'\n"));
  index.put("built-lib", ...makeSdist(made, "built_lib", "1.0"));
  const rude = "    import socket\n    socket.create_connection(('127.0.0.1', 9), 1)\n";
  index.put("rude-lib", ...makeSdist(made, "rude_lib", "1.0", rude));
  program = await startProgram({
    home: home.path,
    environment: { RUMI_PIP_INDEX_HOSTS: index.host, RUMI_PIP_CA_FILE: index.ca_file },
  });
}, 180_000);
afterAll(async () => {
  await program?.stop();
  await index?.close();
  home.remove();
});

describe("the guide's way", () => {
  it(
    "[R-9.1] scan, list, approve: wheels come from the index, and the pack's blocks import them",
    { timeout: 180_000 },
    async () => {
      await install("my_pack", LOCK, USE);
      expect(await run("my_pack")).toContain("No module named 'greet_lib'");
      const found = await scan();
      expect(found).toMatchObject({ scanned: 1, new_candidates: 1, skipped_count: 0 });
      const key = keyOf("my_pack", LOCK);
      expect((found["candidates"] as readonly Data[])[0]).toMatchObject({
        candidate_key: key,
        pack_id: "my_pack",
        path: "requirements.lock",
        sha256: sha256Hex(LOCK),
        status: "pending",
        packages: [{ name: "Greet_Lib", version: "1.0" }],
      });
      const pending = await ok(program, "GET", "/api/pip/requests?status=pending");
      expect(pending["count"]).toBe(1);
      const answer = await approve(key);
      expect([answer.status, answer.body["error"]]).toEqual([200, undefined]);
      const installed = answer.body["data"] as unknown as Data;
      expect(installed).toMatchObject({ status: "installed", index_url: index.url, allow_sdist: false });
      expect(await run("my_pack")).toBe("hello from 1.0");
      const folder = environment(installed["environment"]);
      expect(readdirSync(folder)).toContain("greet_lib.py");
      expect(statSync(join(folder, "greet_lib.py")).mode & 0o222).toBe(0);
      expect(readdirSync(join(home.path, "user_data/pip/work"))).toEqual([]);
      expect(refusal(await approve(key))).toEqual([409, "RUMI-CAP-003"]);
      expect(await scan()).toMatchObject({ new_candidates: 0, skipped: [{ pack_id: "my_pack", reason: "installed" }] });
    },
  );

  it("[R-9.1] another pack does not see them, and has to ask for its own", { timeout: 180_000 }, async () => {
    await install("other", null, USE);
    expect(await run("other")).toContain("No module named 'greet_lib'");
  });

  it(
    "[R-9.1] [R-5.1] an environment that was touched is not used; a scan makes it pending, an approval mends it",
    { timeout: 180_000 },
    async () => {
      const key = keyOf("my_pack", LOCK);
      const folder = environment((await stateOf(key))?.["environment"]);
      const file = join(folder, "greet_lib.py");
      chmodSync(file, 0o600);
      writeFileSync(file, "def greet():\n    return 'evil'\n");
      await program.stop(); // a process that is warm already has read what it runs
      program = await startProgram({
        home: home.path,
        environment: { RUMI_PIP_INDEX_HOSTS: index.host, RUMI_PIP_CA_FILE: index.ca_file },
      });
      expect(await run("my_pack")).toContain("is not what was installed");
      await scan();
      expect(await stateOf(key)).toMatchObject({ status: "pending" });
      expect((await approve(key)).status).toBe(200);
      expect(await run("my_pack")).toBe("hello from 1.0");
    },
  );

  it(
    "[R-9.1] a new lock is a new candidate; until it is approved nothing of the old one is seen",
    { timeout: 180_000 },
    async () => {
      const next = "greet-lib==2.0\n";
      await install("my_pack", next, USE);
      expect(await run("my_pack")).toContain("No module named 'greet_lib'");
      expect(await scan()).toMatchObject({ new_candidates: 1 });
      expect((await approve(keyOf("my_pack", next))).status).toBe(200);
      expect(await run("my_pack")).toBe("hello from 2.0");
      expect(await stateOf(keyOf("my_pack", LOCK))).toBeUndefined();
    },
  );
});

describe("what is refused", () => {
  it("[R-9.1] [R-27.1] an index that is not https, internal, or with a password; a pack that is not approved", async () => {
    await install("second", LOCK, USE);
    await scan();
    const key = keyOf("second", LOCK);
    for (const index_url of [
      index.url.replace("https", "http"),
      "https://127.0.0.1/simple",
      "https://[::1]/simple",
      "https://10.0.0.1:8443/simple",
      "https://localhost/simple",
      "https://user:word@localhost/simple",
      "file:///simple",
      "nothing",
    ])
      expect([index_url, ...refusal(await approve(key, { index_url }))]).toEqual([index_url, 400, "RUMI-PIP-004"]);
    expect(await stateOf(key)).toMatchObject({ status: "pending" });
    writeFileSync(join(home.path, "ecosystem/second/more.txt"), "x");
    await ok(program, "POST", "/api/packs/scan", "");
    expect(refusal(await approve(key))).toEqual([403, "RUMI-PACK-006"]);
    expect((await scan())["skipped"]).toContainEqual(
      expect.objectContaining({ pack_id: "second", path: null, error_code: "RUMI-PACK-007" }),
    );
    await ok(program, "DELETE", "/api/packs/second");
    expect(refusal(await approve(key))).toEqual([404, "RUMI-PIP-001"]);
  });

  it("[R-9.1] [R-27.1] a lock with anything but NAME==VERSION is no candidate, and is told with its line", async () => {
    await install("ranges", "greet-lib>=1.0\n", USE);
    const { skipped } = (await scan()) as unknown as { skipped: readonly Data[] };
    expect(skipped.find(({ pack_id }) => pack_id === "ranges")).toMatchObject({
      path: "requirements.lock",
      error_code: "RUMI-PIP-002",
      reason: "requirements.lock, line 1: it is not NAME==VERSION.",
    });
  });

  it(
    "[R-9.1] without a wheel nothing is installed, unless sdists are allowed: then it is built in a jail",
    { timeout: 180_000 },
    async () => {
      const lock = "built-lib==1.0\ngreet-lib==1.0\n";
      await install(
        "builds",
        lock,
        "def run():\n    import built_lib, greet_lib\n    return [built_lib.built, greet_lib.greet()]\n",
      );
      await scan();
      const key = keyOf("builds", lock);
      const refused = await approve(key);
      expect(refusal(refused)).toEqual([502, "RUMI-PIP-005"]);
      expect(index.asked.some((path) => path.endsWith(".tar.gz"))).toBe(false);
      expect(await stateOf(key)).toMatchObject({
        status: "failed",
        note: expect.stringContaining("built-lib") as string,
      });
      expect(refusal(await approve(key))).toEqual([409, "RUMI-CAP-003"]);
      await scan();
      expect(await stateOf(key)).toMatchObject({ status: "pending" });
      const built = await approve(key, { allow_sdist: true });
      expect([built.status, built.body["error"]]).toEqual([200, undefined]);
      expect(await run("builds")).toEqual([true, "hello from 1.0"]);
    },
  );

  it(
    "[R-9.1] what an sdist does while it is built has no network, and leaves nothing behind",
    { timeout: 180_000 },
    async () => {
      const lock = "rude-lib==1.0\n";
      await install("rude", lock, USE);
      await scan();
      const refused = await approve(keyOf("rude", lock), { allow_sdist: true });
      expect(refusal(refused)).toEqual([409, "RUMI-PIP-007"]);
      expect(String(refused.body["error"])).toMatch(/rude_lib-1\.0\.tar\.gz: .*(Permission|not permitted)/);
      expect(readdirSync(join(home.path, "user_data/pip/work"))).toEqual([]);
      expect(await run("rude")).toContain("No module named");
    },
  );

  it("[R-9.1] [R-7.2] rejected twice it rests, the third time it is blocked, and unblocked it is pending", async () => {
    const lock = "greet-lib==1.0\n# rejected\n";
    await install("rejected", lock, USE);
    await scan();
    const key = keyOf("rejected", lock);
    const reject = (): Promise<Answer> =>
      program.call("POST", at(key, "reject"), { reason: "不要なパッケージを含んでいる" });
    expect((await reject()).body["data"]).toMatchObject({ status: "rejected", rejections: 1 });
    expect(refusal(await reject())).toEqual([409, "RUMI-CAP-003"]);
    expect(refusal(await approve(key))).toEqual([409, "RUMI-CAP-003"]);
    expect(refusal(await program.call("POST", at(key, "unblock"), { reason: "x" }))).toEqual([409, "RUMI-CAP-003"]);
  });
});

it("[R-9.1] [R-18.1] the pending export counts them, and each decision is in the audit files", async () => {
  // Both follow the log: what was just decided is there a moment later.
  const counted = (): unknown =>
    (JSON.parse(readFileSync(join(home.path, "user_data/pending/summary.json"), "utf8")) as Data)["pip"];
  await expect.poll(counted, { timeout: 60_000 }).toMatchObject({ rejected_count: 1, blocked_count: 0 });
  const approvals = (): readonly Data[] =>
    auditLines<Data>(home.path, "approval").filter(({ action }) => action === "candidate.approved");
  const refused = (): unknown =>
    approvals()
      .filter(({ success }) => success === false)
      .map(({ owner_pack }) => owner_pack);
  await expect.poll(refused, { timeout: 60_000 }).toEqual(["builds", "rude"]);
  expect(approvals().filter(({ success }) => success === true).length).toBeGreaterThanOrEqual(4);
});
