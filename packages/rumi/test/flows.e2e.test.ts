/** Flows over HTTP against the built program, with blocks in real jails, and with kill -9 between any two blocks. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { auditLines, eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { installPack } from "./rig.ts";

const home = temporaryFolder();
let program: Program;
const environment = { RUMI_MAX_CONCURRENT_FLOWS: "2" };

const put = (name: string, text: string): void => {
  mkdirSync(join(home.path, "flows"), { recursive: true });
  writeFileSync(join(home.path, "flows", `${name}.flow.yaml`), text);
};
const HELLO = `flow_id: hello
inputs:
  name: string
outputs:
  greeting: object
phases: [main]
steps:
  - id: greet
    phase: main
    type: set
    input: { message: "Hello, \${ctx.name}!" }
    output: greeting
`;
const block = (id: string, file: string, input: string, more = ""): string =>
  `  - { id: ${id}, phase: main, type: python_file_call, owner_pack: steps, file: ${file}, input: ${input}, output: ${id}${more} }\n`;
const flow = (name: string, ...steps: string[]): void =>
  put(name, `flow_id: ${name}\nphases: [main]\nsteps:\n${steps.join("")}`);
const run = (name: string, body: unknown = {}, key?: string) =>
  program.call("POST", `/api/flows/${name}/run`, body, key === undefined ? {} : { "idempotency-key": key });
type Run = {
  readonly state: string;
  readonly blocks: readonly { readonly path: string; readonly output_sha256: string }[];
};
const newest = async (name: string): Promise<Run | undefined> =>
  ((await program.call("GET", `/api/flows/${name}/runs`)).body["data"] as unknown as { runs: Run[] }).runs[0];

const blockProcesses = (): readonly number[] => {
  const ours = processesNaming(home.path);
  return processesNaming("block_runner.py").filter((pid) => ours.includes(pid));
};

const BLOCKS = {
  "blocks/greet.py":
    "def run(input_data, context):\n    return {'message': 'Hello, %s!' % input_data['name'], 'step': context['step_id'], 'keys': sorted(context)}\n",
  "backend/blocks/one.py":
    "import os\ndef run(input_data):\n    return [input_data, sorted(os.environ), os.path.exists('/etc/passwd')]\n",
  "none.py": "def run():\n    return None\n",
  "blocks/when.py":
    "import time\ndef run(input_data, context):\n    time.sleep(input_data)\n    return time.time_ns()\n",
  "blocks/large.py": "def run(input_data):\n    return 'x' * input_data\n",
  "blocks/raises.py": "def run(input_data):\n    raise ValueError('as it was told')\n",
  "blocks/connects.py": "import socket\ndef run(input_data):\n    socket.create_connection(('127.0.0.1', 9), 1)\n",
  "blocks/loops.py": "def run(input_data):\n    while True:\n        pass\n",
  "blocks/ends.py": "import os\ndef run(input_data):\n    os._exit(3)\n",
  "blocks/abort.py": "def run(input_data):\n    return {'__flow_control': 'abort', 'reason': 'enough'}\n",
};

beforeAll(async () => {
  put("hello", HELLO);
  for (const folder of ["flow", "ecosystem/flows"]) {
    const flow_id = folder.replace("/", "-");
    mkdirSync(join(home.path, folder), { recursive: true });
    writeFileSync(join(home.path, folder, "old.flow.yaml"), HELLO.replace("flow_id: hello", `flow_id: ${flow_id}`));
  }
  program = await startProgram({ home: home.path, environment });
  const folder = join(home.path, "origin");
  for (const [path, text] of Object.entries(BLOCKS)) {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  mkdirSync(join(folder, "flows"));
  writeFileSync(
    join(folder, "flows/own.flow.yaml"),
    "flow_id: own\nphases: [p]\nsteps: [{id: a, phase: p, type: python_file_call, file: greet.py, input: {name: pack}, output: a}]\n",
  );
  writeFileSync(
    join(folder, "ecosystem.json"),
    JSON.stringify({
      pack_id: "steps",
      pack_identity: "test:steps",
      version: "1.0.0",
      vocabulary: { types: ["block"] },
    }),
  );
  await installPack(program, folder, "steps");
}, 120_000);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(home.path)) process.kill(pid, "SIGKILL");
  home.remove();
});

describe("flows over HTTP", () => {
  it("[R-14.1] the guide's hello flow answers as shown", async () => {
    const answer = await run("hello", { inputs: { name: "World" }, timeout: 300 });
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      success: true,
      flow_id: "hello",
      result: { greeting: { message: "Hello, World!" } },
      execution_time: expect.any(Number) as number,
    });
    expect(Object.keys(answer.body)).toEqual(["success", "flow_id", "result", "execution_time"]);
    const listed = (await program.call("GET", "/api/flows")).body["data"] as unknown as {
      flows: { flow_id: string; source: string }[];
    };
    expect(listed.flows.find(({ flow_id }) => flow_id === "hello")).toMatchObject({
      source: "flows",
      path: "flows/hello.flow.yaml",
    });
  });
  it("[R-14.2] an unknown flow is the guide's 404", async () => {
    const answer = await run("nonexistent_flow");
    expect(answer.status).toBe(404);
    expect(answer.body).toMatchObject({
      success: false,
      error: "Flow not found: nonexistent_flow",
      flow_id: "nonexistent_flow",
      status_code: 404,
      error_code: "RUMI-FLOW-001",
    });
  });
  it("[R-14.1] an empty body with a JSON content type is {}", async () => {
    expect((await run("hello", "")).body).toMatchObject({
      success: true,
      result: { greeting: { message: "Hello, !" } },
    });
  });
  it("[R-27.3] a flow in each legacy path runs, and the guide's line warns of each", async () => {
    for (const flow_id of ["flow", "ecosystem-flows"]) expect((await run(flow_id)).status).toBe(200);
    const line = "WARNING: Using legacy flow path. This is DEPRECATED and will be removed.";
    const warned = program
      .output()
      .split("\n")
      .filter((text) => text.includes(line) && text.includes('"WARNING"'));
    expect(warned.length).toBeGreaterThanOrEqual(2);
  });
  it("[R-14.1] a file that is written while the program runs is there at once; one that is refused says why", async () => {
    put("new", HELLO.replace("flow_id: hello", "flow_id: new"));
    expect((await run("new")).status).toBe(200);
    put("broken", "flow_id: broken\nphases: [p]\nstepz: []\n");
    const answer = await run("broken");
    expect([answer.status, answer.body["error_code"]]).toEqual([409, "RUMI-FLOW-007"]);
    expect(String(answer.body["error"])).toContain("flows/broken.flow.yaml");
    const { problems } = (await program.call("GET", "/api/flows")).body["data"] as unknown as { problems: object[] };
    expect(problems).toContainEqual(expect.objectContaining({ flow_id: "broken", error_code: "RUMI-FLOW-007" }));
  });
});

describe.runIf(requires("bubblewrap") && requires("python3"))("blocks in jails", () => {
  it("[R-14.1] run(input_data, context), one argument, none; found in the guide's folders; of a pack's own flow", async () => {
    flow(
      "places",
      block("a", "greet.py", "{name: x}"),
      block("b", "one.py", "'$ctx.a.message'"),
      block("c", "none.py", "1"),
    );
    expect((await run("places")).body).toMatchObject({
      result: {
        a: { message: "Hello, x!", step: "a", keys: ["flow_id", "inputs", "owner_pack", "phase", "step_id", "ts"] },
        b: ["Hello, x!", [], false],
        c: null,
      },
    });
    expect((await run("own")).body).toMatchObject({ result: { a: { message: "Hello, pack!" } } });
  });
  it.each([
    ["raises", "", "as it was told"],
    ["connects", "", "Error"],
    ["ends", "", "exit code 3"],
    ["loops", ", timeout_seconds: 1", "no answer within 1 s"],
    ["missing", "", "has no file missing.py"],
  ])("[R-14.2] a block that %s is a failed step, 500, and the next run is well", async (file, more, word) => {
    flow(`bad-${file}`, block("a", `${file}.py`, "1", more));
    const answer = await run(`bad-${file}`);
    expect([answer.status, answer.body["error_code"], answer.body["flow_id"]]).toEqual([
      500,
      "RUMI-FLOW-003",
      `bad-${file}`,
    ]);
    expect(String(answer.body["error"])).toContain(word);
    expect((await run("own")).status).toBe(200);
  });
  it("[R-14.1] a block that aborts ends its flow with its reason", async () => {
    flow("aborts", block("a", "abort.py", "1"));
    expect((await run("aborts")).body).toMatchObject({
      status_code: 500,
      error_code: "RUMI-FLOW-014",
      error: expect.stringContaining("enough") as string,
    });
  });
  it("[R-14.2] 408 when the run's time is up, while others go on", async () => {
    flow("slow", block("a", "when.py", "30"));
    const [late, well] = await Promise.all([run("slow", { timeout: 1 }), run("own")]);
    expect([late.status, late.body["error_code"], well.status]).toEqual([408, "RUMI-FLOW-004", 200]);
  });
  it("[R-14.2] 429 beyond RUMI_MAX_CONCURRENT_FLOWS", async () => {
    flow("busy", block("a", "when.py", "2"));
    const both = [run("busy"), run("busy")];
    await eventually(async () => (await newest("busy"))?.state === "running" && (await run("hello")).status === 429);
    const refused = await run("hello");
    expect([refused.status, refused.body["error_code"], refused.body["flow_id"]]).toEqual([
      429,
      "RUMI-FLOW-005",
      "hello",
    ]);
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await run("hello")).status).toBe(200);
  });
  it("[R-14.3] 5 MiB of result are cut to RUMI_MAX_RESPONSE_BYTES, and the answer says so", async () => {
    flow("large", block("a", "greet.py", "{name: a}"), block("b", "large.py", "5242880"));
    const { success, truncated, result } = (await run("large")).body as unknown as {
      success: boolean;
      truncated: boolean;
      result: Record<string, unknown>;
    };
    expect([success, truncated, Object.keys(result)]).toEqual([true, true, ["a", "b"]]);
    const bytes = Buffer.byteLength(JSON.stringify(result));
    expect(bytes).toBeLessThanOrEqual(4_194_304);
    expect(bytes).toBeGreaterThan(4_190_000);
  });
  it("[R-14.1] [R-5.1] one changed byte of the pack, and neither its flow nor its blocks run; approved again they do", async () => {
    flow("altered", block("a", "greet.py", "{name: x}"));
    const path = join(home.path, "ecosystem/steps/blocks/greet.py");
    const before = readFileSync(path, "utf8");
    writeFileSync(path, before.replace("Hello", "Hallo"));
    const own = await run("own");
    expect([own.status, own.body["error_code"]]).toEqual([403, "RUMI-PACK-007"]);
    expect((await run("altered")).body).toMatchObject({ status_code: 500, error_code: "RUMI-FLOW-003" });
    expect((await program.call("POST", "/api/packs/steps/approve")).status).toBe(200);
    expect((await run("own")).body).toMatchObject({ result: { a: { message: "Hallo, pack!" } } });
  });
  it("[R-14.1] [R-17.1] runs and blocks are in the audit files of the guide", async () => {
    const lines = (category: string): readonly Record<string, unknown>[] => auditLines(home.path, category);
    await run("hello");
    await eventually(() =>
      lines("flow_execution").some(({ flow_id, success }) => flow_id === "hello" && success === true),
    );
    await eventually(() =>
      lines("flow_execution").some(
        ({ flow_id, success, step_id }) => flow_id === "bad-raises" && success === false && step_id === "a",
      ),
    );
    await eventually(() =>
      lines("python_file_call").some(
        ({ flow_id, owner_pack, step_id }) => flow_id === "own" && owner_pack === "steps" && step_id === "a",
      ),
    );
  });
  it.each([0, 1, 2, 3])(
    "[R-14.1] kill -9 when %i of three blocks are done: the run goes on behind them",
    async (done) => {
      const name = `killed-${done}`;
      flow(name, ...["a", "b", "c"].map((id) => block(id, "when.py", done === 3 ? "0.2" : "0.7")));
      const key = `kill-${done}`;
      const cut = run(name, {}, key).catch(() => undefined);
      const before = await eventually(async () => {
        const seen = await newest(name);
        return seen !== undefined && seen.blocks.length >= done ? seen : undefined;
      }, 10);
      await program.kill();
      await cut;
      await eventually(() => blockProcesses().length === 0);
      program = await startProgram({ home: home.path, environment });
      const answer = await run(name, {}, key);
      expect([answer.status, Object.keys(answer.body["result"] as unknown as object)]).toEqual([200, ["a", "b", "c"]]);
      const after = await newest(name);
      expect(after?.blocks.map(({ path }) => path)).toEqual(["a", "b", "c"]);
      expect(after?.blocks.slice(0, before.blocks.length)).toEqual(before.blocks);
    },
    60_000,
  );
  it("[R-14.2] a program that stops answers 503 to whoever waits, and the run is the next one's", async () => {
    flow("stopped", block("a", "when.py", "0.1"), block("b", "when.py", "5"));
    const waiting = run("stopped", {}, "stop-1");
    await eventually(async () => ((await newest("stopped"))?.blocks.length ?? 0) === 1, 10);
    const stopped = program.stop();
    const told = await waiting;
    expect([told.status, told.body["error_code"]]).toEqual([503, "RUMI-FLOW-006"]);
    await stopped;
    expect(blockProcesses()).toEqual([]);
    program = await startProgram({ home: home.path, environment });
    expect((await run("stopped", {}, "stop-1")).status).toBe(200);
  }, 180_000);
});
