/** Runs in the real pipeline and store; blocks are the test's own functions here, and real jails in flows.e2e.test.ts. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { failure, err, systemRandom, type Json } from "@rumi/kernel";
import { createMetrics, type Metrics } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, openWorld, type World } from "../../test/kit.ts";
import { platformMigrations } from "../index.ts";
import { createDeprecations } from "../deprecation.ts";
import type { BlockCall, Blocks } from "./blocks.ts";
import { createFlowEngine, type FlowEngine } from "./engine.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { flowDeclarations } from "./operations.ts";
import type { CallCapability } from "../capabilities/call.ts";
import type { BlockOutcome } from "./run.ts";
import { createStepCalls, type CallKernel } from "./steps/calls.ts";
import { flowSources, type FlowSources } from "./sources.ts";

type Act = (call: BlockCall) => Promise<BlockOutcome> | BlockOutcome;
const output = (value: Json): BlockOutcome => ({ kind: "output", output: value });
const forever = (): Promise<never> => new Promise(() => undefined);

let world: World & { close(): Promise<void> };
let engine: FlowEngine;
let sources: FlowSources;
let metrics: Metrics;
let act: Act;
let calls: string[];
let capability: CallCapability;
let kernel: CallKernel;
/** In the place of a commit, where it says something: what a kill at that moment leaves. */
let beforeCommit: (actions: readonly string[]) => Promise<never> | undefined;

const blocks: Blocks = {
  call: async (call) => {
    calls.push((call.context as { step_id: string }).step_id);
    return act(call);
  },
  callHandler: forever,
  close: () => Promise.resolve(),
};
const watched = (store: Store): Store => ({
  ...store,
  dialect: store.dialect,
  builder: () => store.builder(),
  rows: (query) => store.rows(query),
  snapshot: (read) => store.snapshot(read),
  onAppended: (listener) => store.onAppended(listener),
  close: () => store.close(),
  commit: (batch) => beforeCommit(batch.events.map(({ action }) => action)) ?? store.commit(batch),
});
const newEngine = (): FlowEngine =>
  createFlowEngine({
    store: watched(world.store),
    clock: world.clock,
    random: systemRandom(),
    logger: world.pipeline.settings.logger,
    metrics,
    blocks,
    callStep: createStepCalls({
      store: world.store,
      clock: world.clock,
      blocks,
      scripts: blocks,
      library: { verify: (pack_id) => Promise.resolve(err(failure("RUMI-PACK-005", { pack_id }))) },
      capability: (ask) => capability(ask),
      kernel: (call) => kernel(call),
    }),
    max_concurrent: 2,
    max_response_bytes: 8_192,
  });

beforeEach(async () => {
  act = ({ input }) => output(input);
  calls = [];
  capability = forever;
  kernel = forever;
  beforeCommit = () => undefined;
  metrics = createMetrics();
  world = await openWorld(platformMigrations, ({ folder, store, clock }) => {
    const logger = { debug() {}, info() {}, warning() {}, error() {}, critical() {}, log() {}, child: () => logger };
    sources = flowSources({
      local_pack: "off",
      deprecations: createDeprecations("warn", logger),
      store,
      clock,
      logger,
      folders: {
        flows: join(folder, "flows"),
        shared: join(folder, "shared"),
        legacy: [join(folder, "flow")],
        packs: join(folder, "packs"),
      },
    });
    const later: FlowEngine = {
      resume: () => engine.resume(),
      carry: (run_id, admitted) => engine.carry(run_id, admitted),
      compute: (asked) => engine.compute(asked),
      told: (computed) => engine.told(computed),
      halt: (run_id) => engine.halt(run_id),
      trace: (run, closure, records) => engine.trace(run, closure, records),
      isOpen: () => engine.isOpen(),
      close: () => engine.close(),
    };
    const library = { verify: (pack_id: string) => Promise.resolve(err(failure("RUMI-PACK-005", { pack_id }))) };
    return { declarations: flowDeclarations({ sources, engine: later, library, max_concurrent: 2 }) };
  });
  engine = newEngine();
  await sources.refresh();
});
afterEach(async () => {
  await world.close();
});

function put(flow_id: string, text: string, folder = "flows"): void {
  mkdirSync(join(world.folder, folder), { recursive: true });
  writeFileSync(join(world.folder, folder, `${flow_id}.flow.yaml`), `flow_id: ${flow_id}\nphases: [p]\n${text}`);
}
const block = (id: string, more = ""): string =>
  `  - {id: ${id}, phase: p, type: python_file_call, owner_pack: x, file: f.py, input: {at: ${id}}, output: ${id}${more}}\n`;
const THREE = `steps:\n${block("a")}${block("b")}${block("c")}`;
const run = (flow_id: string, body: Record<string, unknown> = {}, key?: string) =>
  world.command("flows.run", body, { params: { flow_id }, ...(key === undefined ? {} : { key }) });
const ended = async (): Promise<readonly string[]> =>
  (await world.actions()).filter((action) => !action.startsWith("controlplane."));
const aFewTurns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe("[R-14.1] a run", () => {
  it("gives what its steps wrote, flat, and is audited with its blocks", async () => {
    put(
      "f",
      `${THREE}  - {id: d, phase: p, type: set, input: {text: 'Hello, \${ctx.a.at}!', _own: 1}, priority: 200}\n`,
    );
    const answer = await run("f");
    expect(answer).toMatchObject({
      kind: "done",
      status: 200,
      data: { flow_id: "f", result: { a: { at: "a" }, text: "Hello, a!" } },
    });
    expect(Object.keys((answer as { data: { result: object } }).data.result)).toEqual(["a", "b", "c", "text"]);
    expect(await ended()).toEqual([
      "python_file_call.executed",
      "python_file_call.executed",
      "python_file_call.executed",
      "flow.executed",
    ]);
    const counted = metrics.snapshot().find(({ name }) => name === "flow.step.success");
    expect(counted?.series.map(({ labels, value }) => [labels["handler"], value])).toEqual([
      ["python_file_call", 3],
      ["set", 1],
    ]);
  });
  it("the same key again is the same run: its answer comes again and no block is called", async () => {
    put("f", THREE);
    const [first, second] = [await run("f", {}, "k1"), await run("f", {}, "k1")];
    expect(calls).toEqual(["a", "b", "c"]);
    expect(second).toMatchObject({ duplicate_suppressed: true, data: (first as { data: object }).data });
  });
  it("sub-flows, their inputs and their results", async () => {
    put("inner", "inputs: {n: integer}\noutputs: {doubled: {from: '${ctx.n}${ctx.n}'}}\nsteps: []");
    put("outer", "steps:\n  - {id: s, phase: p, type: flow, input: {flow_id: inner, inputs: {n: 4}}, output: got}\n");
    expect(await run("outer")).toMatchObject({ data: { result: { got: { doubled: "44" } } } });
    put("wrong", "steps:\n  - {id: s, phase: p, type: flow, input: {flow_id: inner, inputs: {n: x}}, output: got}\n");
    expect(codeOf(await run("wrong"))).toBe("RUMI-FLOW-003");
  });
  it("an abort of a block ends it, with the block's reason", async () => {
    act = ({ input }) =>
      output((input as { at: string }).at === "b" ? { __flow_control: "abort", reason: "enough" } : 1);
    put("f", THREE);
    expect(await run("f")).toMatchObject({
      kind: "refused",
      status: 500,
      failure: { code: "RUMI-FLOW-014", params: { reason: "enough" } },
      extras: { flow_id: "f" },
    });
    expect(calls).toEqual(["a", "b"]);
  });
  it.each([
    ["abort", "", 500, ["a", "b"]],
    ["continue", ", on_error: {action: continue}", 200, ["a", "b", "c"]],
    ["optional", ", optional: true", 200, ["a", "b", "c"]],
  ])("a step that fails: %s", async (_, more, status, called) => {
    act = ({ input }) =>
      (input as { at: string }).at === "b" ? { kind: "failed", problem: "no", error_code: null } : output(1);
    put("f", `steps:\n${block("a")}${block("b", more)}${block("c")}`);
    const answer = await run("f");
    expect([answer.status, calls]).toEqual([status, called]);
    if (status === 200) expect((answer as { data: { result: object } }).data.result).toEqual({ a: 1, c: 1 });
    else expect(codeOf(answer)).toBe("RUMI-FLOW-003");
  });
  it("fail_soft false: an optional step that fails ends it", async () => {
    act = () => ({ kind: "failed", problem: "no", error_code: null });
    put("f", `defaults: {fail_soft: false}\nsteps:\n${block("a", ", optional: true")}`);
    expect(codeOf(await run("f"))).toBe("RUMI-FLOW-003");
  });
  it("[R-14.3] a result beyond the limit is cut and says so", async () => {
    act = () => output("x".repeat(10_000));
    put("f", THREE);
    const answer = await run("f");
    expect(answer).toMatchObject({ data: { truncated: true } });
    expect(JSON.stringify((answer as { data: object }).data).length).toBeLessThan(8_192);
  });
  it.each([
    ["one", "x", "its value is larger"],
    ["many", "x$", "the variables of its flow are larger"],
  ])("%s that would grow without end is refused, not made", async (_, name, problem) => {
    const variable = (at: number): string => name.replace("$", String(at));
    const doubling = Array.from({ length: 40 }, (_unused, at) => {
      const from = at === 0 ? "inputs.x" : variable(at - 1);
      return `  - {id: s${at}, phase: p, priority: ${at}, type: set, output: ${variable(at)}, input: '\${ctx.${from}}\${ctx.${from}}'}\n`;
    });
    put("f", `inputs: {x: string}\nsteps:\n${doubling.join("")}`);
    const answer = await run("f", { inputs: { x: "0123456789" } });
    expect(codeOf(answer)).toBe("RUMI-FLOW-003");
    expect(JSON.stringify(answer)).toContain(problem);
  });
});

describe("[R-14.2] what a run is refused with", () => {
  it("404 unknown, 400 inputs, 409 a refused file, 400 a timeout beyond 600", async () => {
    put("f", "inputs: {n: integer}\nsteps: []");
    put("g", "steps: []\nschedule: 1");
    expect(await run("nonexistent_flow")).toMatchObject({
      status: 404,
      failure: { code: "RUMI-FLOW-001" },
      extras: { flow_id: "nonexistent_flow" },
    });
    expect(await run("f", { inputs: { n: "1" } })).toMatchObject({ status: 400, failure: { code: "RUMI-FLOW-012" } });
    expect(await run("g")).toMatchObject({ status: 409, failure: { code: "RUMI-FLOW-007" } });
    for (const timeout of [0, 601, 1.5, "5"]) expect((await run("f", { timeout })).status).toBe(400);
    expect(await ended()).toEqual([]); // none of it ever became a run
  });
  it.each([
    ["a block", `steps:\n${block("a")}`],
    ["a block that may fail", `steps:\n${block("a", ", on_error: {action: continue}")}${block("b")}`],
    [
      "a sub-flow that may fail",
      "steps: [{id: s, phase: p, type: flow, input: {flow_id: inner}, on_error: {action: continue}}]",
    ],
  ])("408 when its time is up in %s", async (_, text) => {
    act = ({ signal }) =>
      new Promise((resolve) =>
        signal.addEventListener("abort", () => resolve({ kind: "failed", problem: "killed", error_code: null })),
      );
    put("inner", `steps:\n${block("a")}`);
    put("f", text);
    expect(await run("f", { timeout: 1 })).toMatchObject({
      status: 408,
      failure: { code: "RUMI-FLOW-004", params: { seconds: 1 } },
    });
    expect(calls).toEqual(["a"]);
  });
  it("429 beyond the limit, and no more than the limit however many ask at once", async () => {
    put("f", THREE);
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    act = async ({ input }) => {
      await gate;
      return output(input);
    };
    const asked = Array.from({ length: 6 }, () => run("f"));
    const refused: Awaited<ReturnType<typeof run>>[] = [];
    for (const one of asked) void one.then((answer) => refused.push(answer));
    for (let left = 100; refused.length < 4 && left > 0; left -= 1) await aFewTurns();
    await aFewTurns(); // and no fifth
    expect(refused.map((one) => codeOf(one))).toEqual(Array.from({ length: 4 }, () => "RUMI-FLOW-005"));
    open();
    expect((await Promise.all(asked)).filter(({ kind }) => kind === "done")).toHaveLength(2);
    expect((await run("f")).kind).toBe("done");
  });
  it("503 while flows are not read yet, and once the program stops; the run is the next program's", async () => {
    put("f", THREE);
    act = forever;
    const waiting = run("f", {}, "k");
    await aFewTurns();
    act = ({ input }) => output(input);
    await Promise.race([engine.close(), aFewTurns()]);
    expect(await run("f")).toMatchObject({ status: 503, failure: { code: "RUMI-FLOW-006" } });
    expect(await world.query("flows.runs", {}, { flow_id: "f" })).toMatchObject({ data: { count: 1 } });
    void waiting;
    engine = newEngine();
    expect(await run("f", {}, "k")).toMatchObject({ kind: "done", duplicate_suppressed: true });
  });
});

describe("[R-14.1] a kill at any step", () => {
  const finish = async (): Promise<void> => {
    beforeCommit = () => undefined;
    act = ({ input }) => output({ again: input });
    engine = newEngine();
    await engine.resume();
  };
  const result = async (key: string): Promise<unknown> => {
    const answer = await run("f", {}, key);
    return answer.kind === "done" ? (answer.data as { result: unknown }).result : answer;
  };
  it.each([0, 1, 2])("while block %i is called: those before are not called again", async (at) => {
    put("f", THREE);
    const original = act;
    act = (call) => (calls.length > at ? forever() : original(call));
    void run("f", {}, "k");
    while (calls.length <= at) await aFewTurns();
    await aFewTurns();
    await finish();
    const names = ["a", "b", "c"];
    const expected = names.map((name, index) => [name, index < at ? { at: name } : { again: { at: name } }]);
    expect(await result("k")).toEqual(Object.fromEntries(expected));
    expect(calls).toEqual([...names.slice(0, at + 1), ...names.slice(at)]);
    expect((await ended()).filter((action) => action === "flow.executed")).toHaveLength(1);
  });
  it.each([0, 1, 2])("between block %i and its record: that one is called again, those before are not", async (at) => {
    put("f", THREE);
    let records = 0;
    beforeCommit = (actions) => {
      if (!actions.includes("python_file_call.executed")) return undefined;
      records += 1;
      return records > at ? forever() : undefined;
    };
    void run("f", {}, "k");
    while (records <= at) await aFewTurns();
    await finish();
    await result("k");
    expect(calls.filter((name) => name === "a")).toHaveLength(at === 0 ? 2 : 1);
    expect(calls.filter((name) => name === "c")).toHaveLength(at === 2 ? 2 : 1);
  });
  it("before its end is written: no block is called again, and it ends once", async () => {
    put("f", THREE);
    let reached = false;
    beforeCommit = (actions) => {
      if (!actions.includes("flow.executed")) return undefined;
      reached = true;
      return forever();
    };
    void run("f", {}, "k");
    while (!reached) await aFewTurns();
    await finish();
    expect(await result("k")).toEqual({ a: { at: "a" }, b: { at: "b" }, c: { at: "c" } });
    expect([calls, (await ended()).filter((action) => action === "flow.executed").length]).toEqual([
      ["a", "b", "c"],
      1,
    ]);
  });
  it("a definition that is another by then does not change the run", async () => {
    put("f", THREE);
    act = forever;
    void run("f", {}, "k");
    while (calls.length === 0) await aFewTurns();
    put("f", "steps: []");
    await finish();
    expect(await result("k")).toMatchObject({ a: { again: { at: "a" } } });
  });
  it("a capability or a kernel's handler whose answer is on record is not asked again; one that was being asked is, under the same id", async () => {
    const asked: string[] = [];
    capability = (ask) => {
      asked.push(`${ask.permission_id} ${ask.principal} ${ask.request_id?.split(":")[1]}`);
      const answer = { success: true, output: asked.length, latency_ms: 1 } as const;
      return asked.length > 1 && asked.length < 3 ? forever() : Promise.resolve(answer);
    };
    kernel = ({ name, key }) => {
      asked.push(`${name} ${key.split(":")[1]}`);
      return Promise.resolve({ ok: true, value: null });
    };
    const step = (id: string, input: string, more = ""): string =>
      `  - {id: ${id}, phase: p, type: handler, input: ${input}, output: ${id}${more}}\n`;
    const own = ", owner_pack: x";
    put(
      "f",
      `steps:\n${step("a", "{permission_id: fs.read}", own)}${step("b", "{permission_id: fs.read}", `${own}, principal_id: x__y`)}${step("c", "{handler: 'kernel:lib.list_records'}")}`,
    );
    void run("f", {}, "k");
    while (asked.length < 2) await aFewTurns();
    await finish();
    expect(await result("k")).toEqual({ a: 1, b: 3, c: null });
    expect(asked).toEqual(["fs.read x a", "fs.read x__y b", "fs.read x__y b", "lib.list_records c"]);
  });
  it("[R-14.4] a run goes on as modifiers had made its flow, also when they are gone by then", async () => {
    const path = join(world.folder, "flows/m.modifier.yaml");
    put("f", `steps:\n${block("a")}`);
    const step = block("b").trim().slice(2).replace("phase: p, ", "");
    writeFileSync(path, `modifier_id: m\ntarget_flow_id: f\nphase: p\naction: append\nstep: ${step}\n`);
    act = forever;
    void run("f", {}, "k");
    while (calls.length === 0) await aFewTurns();
    rmSync(path);
    await finish();
    expect(Object.keys((await result("k")) as object)).toEqual(["a", "b"]);
    await sources.refresh();
    expect(((await run("f")) as { data: { result: object } }).data.result).toEqual({ a: { again: { at: "a" } } });
  });
  it("a run whose time was up while no program ran is 408", async () => {
    put("f", THREE);
    act = forever;
    void run("f", { timeout: 1 }, "k");
    while (calls.length === 0) await aFewTurns();
    world.clock.skip(2_000);
    await finish();
    expect(await run("f", { timeout: 1 }, "k")).toMatchObject({ status: 408 });
  });
  it("a thousand steps that only compute cost no commit of their own", async () => {
    const steps = Array.from(
      { length: 1_000 },
      (_, at) => `  - {id: s${at}, phase: p, type: set, input: {x: ${at}}}\n`,
    ).join("");
    put("f", `steps:\n${steps}`);
    let commits = 0;
    beforeCommit = () => {
      commits += 1;
      return undefined;
    };
    expect(await run("f")).toMatchObject({ data: { result: { x: 999 } } });
    expect(commits).toBe(1); // its end; the pipeline's own two are not of this store
  });
});

describe("[R-14.1] a folder's limit", () => {
  it("what is beyond it is refused by name, and what is within it runs", async () => {
    const names = Array.from({ length: FLOW_LIMITS.files + 1 }, (_, at) => `f${String(at).padStart(5, "0")}`);
    for (const name of names) put(name, "steps: []");
    const { entries, problems } = await sources.refresh();
    expect([entries.size, problems.map(({ path }) => path)]).toEqual([
      FLOW_LIMITS.files,
      [`flows/${names.at(-1) ?? ""}.flow.yaml`],
    ]);
    expect((await run(names[0] ?? "")).status).toBe(200);
    expect(codeOf(await run(names.at(-1) ?? ""))).toBe("RUMI-FLOW-001");
    rmSync(join(world.folder, "flows", `${names[0] ?? ""}.flow.yaml`));
    expect((await sources.refresh()).problems, "there is room for it now").toEqual([]);
  });
});

describe("[R-27.3] legacy paths", () => {
  it("load, weaker than any other source", async () => {
    put("old", "steps:\n  - {id: a, phase: p, type: set, input: {x: 1}}", "flow");
    expect(await run("old")).toMatchObject({ data: { result: { x: 1 } } });
    put("old", "steps:\n  - {id: a, phase: p, type: set, input: {x: 2}}", "shared");
    await sources.refresh();
    expect(await run("old")).toMatchObject({ data: { result: { x: 2 } } });
  });
});
