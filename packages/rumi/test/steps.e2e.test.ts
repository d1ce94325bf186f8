/** Step types that call something else than a Python block, over HTTP against the built program, with the real boxes. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../tools/test-support.ts";
import { auditLines, eventually, processesNaming, startProgram, type Program } from "./program.ts";
import { installPack } from "./rig.ts";

const home = temporaryFolder();
let program: Program;

const flow = (name: string, ...steps: string[]): void => {
  mkdirSync(join(home.path, "flows"), { recursive: true });
  const text = `flow_id: ${name}\nphases: [main]\nsteps:\n${steps.map((step) => `  - { phase: main, ${step} }\n`).join("")}`;
  writeFileSync(join(home.path, "flows", `${name}.flow.yaml`), text);
};
const run = async (name: string, body: unknown = {}) => {
  const { status, body: answer } = await program.call("POST", `/api/flows/${name}/run`, body);
  return { status, code: answer["error_code"], text: JSON.stringify(answer), result: answer["result"] as unknown };
};
const post = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
  const { status, body: answer } = await program.call("POST", path, body);
  expect([status, answer["error"]]).toEqual([200, undefined]);
  return answer["data"] as unknown as Record<string, unknown>;
};
const grant = (principal_id: string, permission_id: string, config: Record<string, unknown> = {}) =>
  post("/api/capability/grants/grant", { principal_id, permission_id, config });
/** Lines of a category's view, newest last. */
type Entry = { readonly action: string; readonly details: Readonly<Record<string, unknown>> };
const audited = (category: string): readonly Entry[] => auditLines(home.path, category);

const FOLDER = "share/capability_handlers/shout_v1";
const FILES = {
  "blocks/plain.py":
    "def run(input_data, context):\n    return [input_data, context['step_id']]\ndef other(input_data):\n    return ['other', input_data]\n",
  "blocks/slow.py": "import time\ndef run(input_data):\n    time.sleep(input_data)\n    return time.time_ns()\n",
  "blocks/slow.js": "export function run(n) { let x = 0; for (let i = 0; i < n; i += 1) x += i % 7; return x; }\n",
  "blocks/script.ts":
    "export function run(input: { n: number }, context: { step_id: string; owner_pack: string }) {\n  return [input.n * 2, context.step_id, context.owner_pack];\n}\nexport const third = (n: number): number => n / 3;\n",
  "blocks/spins.js": "export function run() { for (;;) ; }\n",
  "blocks/fails.js": "export function run() { throw new Error('as it was told'); }\n",
  [`${FOLDER}/handler.json`]: JSON.stringify({
    handler_id: "shout_handler",
    permission_id: "text.shout",
    entrypoint: "handler.py:execute",
  }),
  [`${FOLDER}/handler.py`]:
    "import time\ndef execute(context, args):\n    time.sleep(args.get('sleep', 0))\n    return {'text': args['text'].upper(), 'who': context['principal_id'], 'left': context['grant_config'], **({'at': time.time_ns()} if 'sleep' in args else {})}\n",
  "ecosystem.json": JSON.stringify({
    pack_id: "steps",
    pack_identity: "test:steps",
    version: "1.0.0",
    vocabulary: { types: ["block"] },
    functions: {
      plain: { file: "plain.py" },
      slow: { file: "slow.py" },
      other: { file: "blocks/plain.py", function: "other", description: "another function of the file" },
      third: { file: "script.ts", function: "third" },
      broken: { path: "plain.py" },
    },
  }),
};

beforeAll(async () => {
  program = await startProgram({ home: home.path });
  const folder = join(home.path, "origin");
  for (const [path, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  await installPack(program, folder, "steps");
  const { candidates } = (await post("/api/capability/candidates/scan", "")) as {
    candidates: { candidate_key: string }[];
  };
  const key = encodeURIComponent(candidates[0]?.candidate_key ?? "");
  await post(`/api/capability/requests/${key}/approve`, {});
}, 120_000);
afterAll(async () => {
  await program?.stop();
  for (const pid of processesNaming(home.path)) process.kill(pid, "SIGKILL");
  home.remove();
});

describe("scripts", () => {
  it("[R-14.1] TypeScript of an approved pack gets input and context as a Python block does", async () => {
    flow("ts", "id: a, type: script, owner_pack: steps, file: script.ts, input: { n: 21 }, output: a");
    expect(await run("ts")).toMatchObject({ status: 200, result: { a: [42, "a", "steps"] } });
  });
  it("[R-14.2] one that throws is a failed step; one that spins is ended by its time or its fuel, and the next is well", async () => {
    flow("throws", "id: a, type: script, owner_pack: steps, file: fails.js, input: 1");
    expect(await run("throws")).toMatchObject({ status: 500, code: "RUMI-FLOW-003" });
    flow("spins", "id: a, type: script, owner_pack: steps, file: spins.js, input: 1, timeout_seconds: 1");
    const began = performance.now();
    const answers = await Promise.all([run("spins"), run("spins"), run("ts")]);
    expect(answers.map(({ status }) => status)).toEqual([500, 500, 200]);
    expect(performance.now() - began).toBeLessThan(20_000);
    expect(answers[0].text).toMatch(/no answer within 1 s|units of fuel/);
    expect(await run("ts")).toMatchObject({ status: 200 });
  });
  it("[R-14.2] a file that the pack has not is a failed step", async () => {
    flow("missing", "id: a, type: script, owner_pack: steps, file: no.ts, input: 1");
    expect((await run("missing")).text).toContain("has no file no.ts");
  });
});

describe.runIf(requires("bubblewrap") && requires("python3"))("functions and handlers", () => {
  it("[R-14.1] a function is what the pack's manifest calls so, in Python or a script", async () => {
    const step = (id: string, name: string, args: string): string =>
      `id: ${id}, type: function, owner_pack: steps, input: { function: ${name}, args: ${args} }, output: ${id}`;
    flow("functions", step("a", "plain", "{x: 1}"), step("b", "other", "'$ctx.a'"), step("c", "third", "9"));
    expect(await run("functions")).toMatchObject({
      status: 200,
      result: { a: [{ x: 1 }, "a"], b: ["other", [{ x: 1 }, "a"]], c: 3 },
    });
    for (const [name, problem] of [
      ["none", "has no function none"],
      ["broken", "is not {file, function, description}"],
    ] as const) {
      flow(`function-${name}`, step("a", name, "1"));
      const answer = await run(`function-${name}`);
      expect([answer.status, answer.code]).toEqual([500, "RUMI-FLOW-003"]);
      expect(answer.text).toContain(problem);
    }
  });

  it("[R-7.1] [R-8.1] a handler answers a step whose principal was granted it; a denied step is a failure", async () => {
    const step = (more: string): string =>
      `id: a, type: handler, owner_pack: steps, input: { permission_id: text.shout, args: { text: "$ctx.text" } }, output: a${more}`;
    flow("shout", step(""));
    flow("child", step(", principal_id: steps__child"));
    const denied = await run("shout", { inputs: { text: "hear" } });
    expect([denied.status, denied.code]).toEqual([500, "RUMI-FLOW-003"]);
    expect(denied.text).toContain("grant_denied");
    await grant("steps", "text.shout", { allowed: ["a", "b"] });
    expect(await run("shout", { inputs: { text: "hear" } })).toMatchObject({
      status: 200,
      result: { a: { text: "HEAR", who: "steps", left: { allowed: ["a", "b"] } } },
    });
    expect((await run("child", { inputs: { text: "hear" } })).text).toContain("grant_denied");
    await grant("steps__child", "text.shout", { allowed: ["b", "c"] });
    expect(await run("child", { inputs: { text: "hear" } })).toMatchObject({
      result: { a: { who: "steps__child", left: { allowed: ["b"] } } },
    });
    const isChild = (one: Entry): boolean =>
      one.action === "capability.executed" && one.details["principal_id"] === "steps__child";
    await eventually(() => Promise.resolve(audited("permission").some(isChild)));
    await eventually(() => Promise.resolve(audited("security").some(({ action }) => action === "permission.denied")));
    await eventually(() => Promise.resolve(audited("flow_execution").some(({ action }) => action === "step.executed")));
  });

  it("[R-8.1] flow.run runs the flows that its grant names, as the pack, and no other", async () => {
    flow("inner", "id: a, type: set, input: { doubled: '${ctx.n}${ctx.n}' }");
    const step = (flow_id: string): string =>
      `id: a, type: handler, owner_pack: steps, input: { permission_id: flow.run, args: { flow_id: ${flow_id}, inputs: { n: 4 } } }, output: a`;
    flow("outer", step("inner"));
    flow("outer-other", step("ts"));
    await grant("steps", "flow.run", { allowed_flow_ids: ["inner"] });
    expect(await run("outer")).toMatchObject({ status: 200, result: { a: { result: { doubled: "44" } } } });
    expect((await run("outer-other")).text).toContain("RUMI-CAP-013");
    const runs = (await program.call("GET", "/api/flows/inner/runs")).body["data"] as unknown as {
      runs: { actor: string }[];
    };
    expect(runs.runs.map(({ actor }) => actor)).toEqual(["pack:steps"]);
  });

  it("[R-8.1] [R-14.1] flow.run of a flow that waits for a person says so, and does not wait itself", async () => {
    flow("asks", "id: a, type: approval, input: { question: 'Go on?' }, output: a");
    flow(
      "asker",
      "id: a, type: handler, owner_pack: steps, input: { permission_id: flow.run, args: { flow_id: asks } }, output: a",
    );
    await grant("steps", "flow.run", { allowed_flow_ids: ["inner", "asks"] });
    const answer = await run("asker");
    expect(answer).toMatchObject({
      status: 200,
      result: { a: { state: "waiting", result: {}, approval: { question: "Go on?", state: "open" } } },
    });
  });

  it.each([0, 1, 2, 3])(
    "[R-14.1] kill -9 when %i of a function, a handler and a script are done: none that is done is called again",
    async (done) => {
      const name = `killed-${done}`;
      await grant("steps", "text.shout", { allowed: ["a", "b"] });
      flow(
        name,
        "id: a, type: function, owner_pack: steps, input: { function: slow, args: 0.6 }, output: a",
        "id: b, type: handler, owner_pack: steps, input: { permission_id: text.shout, args: { text: x, sleep: 0.6 } }, output: b",
        "id: c, type: script, owner_pack: steps, file: slow.js, input: 100000, output: c",
        // Waits, so that the run has not ended when all three are done.
        "id: d, type: function, owner_pack: steps, input: { function: slow, args: 0.6 }, output: d",
      );
      type Seen = { readonly blocks: readonly { readonly path: string; readonly output_sha256: string }[] };
      const seen = async (): Promise<Seen | undefined> =>
        ((await program.call("GET", `/api/flows/${name}/runs`)).body["data"] as unknown as { runs: Seen[] }).runs[0];
      const asked = (): ReturnType<Program["call"]> =>
        program.call("POST", `/api/flows/${name}/run`, {}, { "idempotency-key": `kill-${done}` });
      const cut = asked().catch(() => undefined);
      const before = await eventually(async () => {
        const one = await seen();
        return one !== undefined && one.blocks.length >= done ? one : undefined;
      }, 10);
      await program.kill();
      await cut;
      program = await startProgram({ home: home.path });
      const answer = await asked();
      expect([answer.status, answer.body["error"]]).toEqual([200, undefined]);
      expect([answer.status, Object.keys(answer.body["result"] as unknown as object)]).toEqual([
        200,
        ["a", "b", "c", "d"],
      ]);
      const after = await seen();
      expect(after?.blocks.map(({ path }) => path)).toEqual(["a", "b", "c", "d"]);
      expect(after?.blocks.slice(0, before.blocks.length)).toEqual(before.blocks);
    },
    60_000,
  );
});

describe("disable_target", () => {
  const TARGET = "file:steps:fails.js";
  const listed = async (): Promise<readonly Record<string, unknown>[]> =>
    ((await program.call("GET", "/api/flows/targets/disabled")).body["data"] as unknown as { targets: [] }).targets;
  it("[R-14.1] what failed is not called again by any flow until somebody enables it", async () => {
    const step = (more: string): string =>
      `id: a, type: script, owner_pack: steps, file: fails.js, input: 1, output: a${more}`;
    flow("fuse", step(", on_error: { action: disable_target }"), "id: b, type: set, priority: 200, input: { b: 1 }");
    flow("same", step(""));
    expect((await run("same")).text).toContain("as it was told");
    expect(await run("fuse")).toMatchObject({ status: 200, result: { b: 1 } });
    expect(await listed()).toEqual([
      expect.objectContaining({
        target: TARGET,
        flow_id: "fuse",
        step_id: "a",
        problem: expect.stringContaining("told") as string,
      }),
    ]);
    expect((await run("same")).text).toContain("was disabled by the step a of the flow fuse");
    expect(await run("fuse")).toMatchObject({ status: 200, result: { b: 1 } });
    expect((await listed())[0]?.["problem"], "the first failure is why").toMatch(/^Error: as it was told/);
    expect(await post("/api/flows/targets/enable", { target: TARGET, reason: "mended" })).toMatchObject({
      target: TARGET,
    });
    expect(await listed()).toEqual([]);
    expect((await run("same")).text).toContain("as it was told");
    const again = await program.call("POST", "/api/flows/targets/enable", { target: TARGET });
    expect([again.status, again.body["error_code"]]).toEqual([404, "RUMI-SYS-011"]);
    for (const wanted of ["step_target.disabled", "step_target.enabled"])
      await eventually(() => Promise.resolve(audited("flow_execution").some(({ action }) => action === wanted)));
  });
});
