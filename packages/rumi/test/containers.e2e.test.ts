/** Boxes of packs over HTTP against the built program: without an engine, and behind one that speaks Docker's interface. */
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { FakeEngine } from "../../sandbox/src/docker/fake-engine.kit.ts";
import { startProgram, type Answer, type Program } from "./program.ts";
import { installPack, ok, type Data } from "./rig.ts";

const SLOW_MS = 360_000;
const FILES: Readonly<Record<string, string>> = {
  "ecosystem.json": JSON.stringify({
    pack_id: "boxed",
    pack_identity: "test:boxed",
    version: "1.0.0",
    vocabulary: { types: ["block"] },
  }),
  "blocks/hello.py": "def run():\n    return 'hello'\n",
  "flows/hello.flow.yaml":
    "flow_id: boxed.hello\nphases: [p]\nsteps: [{id: a, phase: p, type: python_file_call, file: hello.py, input: {}, output: a}]\n",
};
async function begin(home: string, environment: Record<string, string> = {}): Promise<Program> {
  const program = await startProgram({ home, environment });
  const folder = join(home, "origin");
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  await installPack(program, folder, "boxed");
  return program;
}
const refusal = (answer: Answer): readonly unknown[] => [answer.status, answer.body["error_code"]];
const listed = async (program: Program): Promise<readonly Data[]> =>
  (await ok(program, "GET", "/api/containers"))["containers"] as readonly Data[];
const hello = async (program: Program): Promise<unknown> => {
  const answer = await program.call("POST", "/api/flows/boxed.hello/run", {});
  return answer.body["result"] ?? answer.body["error"];
};

describe.runIf(requires("python3") && requires("bubblewrap"))("[R-13.1] where no engine exists", () => {
  const home = temporaryFolder();
  let program: Program;
  beforeAll(async () => void (program = await begin(home.path)), SLOW_MS);
  afterAll(async () => {
    await program?.stop();
    home.remove();
  });

  it("the status says so, and which isolation is in force", async () => {
    const status = await ok(program, "GET", "/api/docker/status");
    expect(status).toMatchObject({
      available: false,
      required: false,
      socket: "/var/run/docker.sock",
      reason: expect.stringMatching(/ENOENT|ECONNREFUSED/) as string,
      container_engine: "auto",
      security_mode: "strict",
      isolation: { mechanism: expect.any(String) as string, level: expect.stringMatching(/^L[13]$/) as string },
    });
    const metrics = String((await program.call("GET", "/metrics")).body["text"]);
    expect(metrics).toMatch(/^docker_available 0$/m);
  });

  it("a pack's box is started, listed, used, stopped and deleted as the guide's curls ask", async () => {
    expect(await listed(program)).toEqual([]);
    const started = await ok(program, "POST", "/api/containers/boxed/start");
    expect(started).toMatchObject({ pack_id: "boxed", status: "running", containers: [{ status: "idle", calls: 1 }] });
    expect(await hello(program)).toEqual({ a: "hello" });
    expect(await listed(program)).toMatchObject([{ pack_id: "boxed", principal_id: "boxed", calls: 2 }]);
    expect(await ok(program, "POST", "/api/containers/boxed/stop")).toMatchObject({ status: "stopped", ended: 1 });
    expect(await listed(program)).toEqual([]);
    expect(await hello(program)).toEqual({ a: "hello" });
    expect(await ok(program, "DELETE", "/api/containers/boxed")).toMatchObject({ status: "deleted", ended: 1 });
    expect(await ok(program, "DELETE", "/api/containers/boxed")).toMatchObject({ status: "deleted", ended: 0 });
    expect(refusal(await program.call("POST", "/api/containers/none/start"))).toEqual([403, "RUMI-PACK-006"]);
    expect(refusal(await program.call("POST", "/api/containers/none/stop"))).toEqual([404, "RUMI-PACK-005"]);
    const metrics = String((await program.call("GET", "/metrics")).body["text"]);
    expect(metrics).toMatch(/^container_start_success 1$/m);
  });

  it("none is started for a pack that is not as it was approved", async () => {
    writeFileSync(join(home.path, "ecosystem/boxed/more.txt"), "x");
    expect(refusal(await program.call("POST", "/api/containers/boxed/start"))).toEqual([403, "RUMI-PACK-007"]);
    expect(await listed(program)).toEqual([]);
  });
});

describe.runIf(requires("python3"))("[R-13.1] behind an engine that speaks Docker's interface", () => {
  const folder = temporaryFolder();
  const home = temporaryFolder();
  const engine = new FakeEngine(folder.path);
  let program: Program;
  beforeAll(async () => {
    chmodSync(folder.path, 0o755);
    chmodSync(home.path, 0o755);
    await engine.listen();
    program = await begin(home.path, { RUMI_CONTAINER_ENGINE: `docker:${engine.socket}` });
    // Under root a container's user is nobody, who has to be able to read what is shown to it (docs/containers.md).
    for (const path of ["user_data", "user_data/packs"]) chmodSync(join(home.path, path), 0o755);
  }, SLOW_MS);
  afterAll(async () => {
    await program?.stop();
    await engine.close();
    folder.remove();
    home.remove();
  });

  it("a pack's box is one of its containers, and is gone when it was stopped", { timeout: SLOW_MS }, async () => {
    expect(await ok(program, "GET", "/api/docker/status")).toMatchObject({
      available: true,
      required: true,
      api_version: "1.47",
      socket: engine.socket,
      isolation: { mechanism: "docker", level: "L3" },
    });
    const before = engine.count;
    await ok(program, "POST", "/api/containers/boxed/start");
    expect(engine.count).toBe(before + 1);
    expect(await listed(program)).toMatchObject([{ pack_id: "boxed", mechanism: "docker" }]);
    await ok(program, "POST", "/api/containers/boxed/stop");
    await expect.poll(() => engine.count, { timeout: 60_000 }).toBe(before);
    expect(engine.problems).toEqual([]);
  });
});
