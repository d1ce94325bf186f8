/** What a run's steps are told to have come to, from what is on record; and stopping a run, in the real pipeline and store. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { err, failure, systemRandom, type Clock, type Json } from "@rumi/kernel";
import { createLogger, createMetrics } from "@rumi/operations";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf, openWorld, ROOT, type World } from "../../test/kit.ts";
import { platformMigrations } from "../index.ts";
import { createDeprecations } from "../deprecation.ts";
import { createFlowEngine, type FlowEngine } from "./engine.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { flowDeclarations } from "./operations.ts";
import { retrace } from "./retrace.ts";
import { flowSources, type FlowSources } from "./sources.ts";
import { readDefinition, readRun } from "./tables.ts";

let world: World & { close(): Promise<void> };
let sources: FlowSources;
let engine: FlowEngine;
let calls: string[];
/** What a block does; a step that is called `hangs` ends when it is ended. */
const act = (step_id: string, input: Json, signal: AbortSignal) => {
  calls.push(step_id);
  if (step_id.startsWith("raises"))
    return Promise.resolve({ kind: "failed", problem: "it raised", error_code: null } as const);
  if (!step_id.startsWith("hangs")) return Promise.resolve({ kind: "output", output: input } as const);
  return new Promise<{ kind: "failed"; problem: string; error_code: null }>((resolve) => {
    signal.addEventListener("abort", () => resolve({ kind: "failed", problem: "it was ended", error_code: null }));
  });
};
const newEngine = (): FlowEngine => {
  const { store, clock, pipeline } = world;
  return createFlowEngine({
    store,
    clock,
    random: systemRandom(),
    logger: pipeline.settings.logger,
    metrics: createMetrics(),
    blocks: { close: () => Promise.resolve() },
    callStep: ({ step, input, signal }) => act(step.id, input, signal),
    max_concurrent: 2,
    max_response_bytes: 8_192,
  });
};

beforeEach(async () => {
  calls = [];
  world = await openWorld(platformMigrations, ({ folder, store, clock }) => {
    const logger = createLogger({ level: "INFO", format: "json", clock, sink: () => undefined });
    const folders = { flows: join(folder, "flows"), shared: join(folder, "s"), legacy: [], packs: join(folder, "p") };
    const deprecations = createDeprecations("warn", logger);
    sources = flowSources({ store, clock, logger, folders, local_pack: "off", deprecations });
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
});
afterEach(async () => {
  await engine.close();
  await world.close();
});

const put = async (flow_id: string, ...steps: readonly string[]): Promise<void> => {
  mkdirSync(join(world.folder, "flows"), { recursive: true });
  const text = `flow_id: ${flow_id}\nphases: [p]\ninputs: {n: integer}\nsteps:\n${steps.map((one) => `  - {${one}}\n`).join("")}`;
  writeFileSync(join(world.folder, "flows", `${flow_id}.flow.yaml`), text);
  await sources.refresh();
};
const block = (id: string, more = ""): string =>
  `id: ${id}, phase: p, type: python_file_call, owner_pack: x, file: f.py, input: {at: ${id}}, output: ${id}${more}`;
const set = (id: string, more = ""): string => `id: ${id}, phase: p, type: set, input: {${id}: 1}${more}`;
const run = (flow_id: string, body: Record<string, unknown> = {}) =>
  world.command("flows.run", body, { params: { flow_id } });
type Shown = {
  readonly run_id: string;
  readonly state: string;
  readonly failure: { readonly error_code: string } | null;
  readonly steps: readonly { readonly path: string; readonly state: string; readonly error: string | null }[];
  readonly approvals: readonly { readonly approval_id: string; readonly state: string }[];
};
const newestId = async (flow_id: string): Promise<string> => {
  const { runs } = dataOf(await world.query("flows.runs", {}, { flow_id })) as { runs: { run_id: string }[] };
  return runs[0]?.run_id ?? "";
};
const show = async (flow_id: string): Promise<Shown> =>
  dataOf(await world.query("flows.run_show", {}, { run_id: await newestId(flow_id) })) as unknown as Shown;
const states = ({ steps }: Shown): readonly string[] => steps.map(({ path, state }) => `${path} ${state}`);
const untilCalled = async (step_id: string): Promise<void> => {
  while (!calls.includes(step_id)) await new Promise((resolve) => setTimeout(resolve, 5));
};
const stop = (run_id: string, reason = "enough") => world.command("flows.stop", { reason }, { params: { run_id } });

describe("[R-14.1] a flow and its runs, step by step", () => {
  it("its definition tells what each step depends on, may skip and calls", async () => {
    await put("inner", set("x"));
    await put(
      "f",
      block("a"),
      set("b", ", depends_on: [a], when: '$ctx.n == 1'"),
      "id: c, phase: p, type: flow, input: {flow_id: inner}, depends_on: [a, b], optional: true",
    );
    expect(dataOf(await world.query("flows.definition", {}, { flow_id: "f" }))).toMatchObject({
      flow_id: "f",
      inputs: { n: { type: "integer", required: false } },
      steps: [
        { id: "a", depends_on: [], conditional: false, calls: "file:x:f.py", on_error: "abort", output: "a" },
        { id: "b", depends_on: ["a"], conditional: true, calls: null },
        { id: "c", depends_on: ["a", "b"], calls: "flow:inner", on_error: "continue" },
      ],
    });
    expect(codeOf(await world.query("flows.definition", {}, { flow_id: "none" }))).toBe("RUMI-FLOW-001");
  });

  it("a run that ended is told as it ended: done, skipped, failed and passed over, of the flow inside it too", async () => {
    await put("inner", set("x"), block("y"));
    await put(
      "f",
      set("a"),
      block("b"),
      set("c", ", when: '$ctx.n == 1'"),
      block("raises_d", ", on_error: {action: continue}"),
      "id: e, phase: p, type: flow, input: {flow_id: inner}, output: e",
    );
    expect((await run("f", { inputs: { n: 2 } })).status).toBe(200);
    const before = [...calls];
    const shown = await show("f");
    expect(states(shown)).toEqual([
      "a done",
      "b done",
      "c skipped",
      "e/x done",
      "e/y done",
      "e done",
      "raises_d failed",
    ]);
    expect(shown).toMatchObject({ state: "done", inputs: { n: 2 }, result: { a: 1, e: { x: 1 } }, failure: null });
    expect(shown.steps.find(({ path }) => path === "raises_d")?.error).toBe("it raised");
    expect(calls, "nothing is called for that").toEqual(before);
  });

  it("a step that ended its run is told as failed with why, and none behind it is told", async () => {
    await put("f", set("a"), block("raises_b"), set("z"));
    expect((await run("f")).kind).toBe("refused");
    const shown = await show("f");
    expect(states(shown)).toEqual(["a done", "raises_b failed"]);
    expect(shown.steps[1]?.error).toContain("it raised");
    expect(shown).toMatchObject({ state: "failed", failure: { error_code: "RUMI-FLOW-003" } });
  });

  it("a run that goes on is told up to the step where it is, and one that waits up to its question", async () => {
    await put("f", block("a"), block("hangs"), block("z"));
    const going = run("f");
    await untilCalled("hangs");
    expect(states(await show("f"))).toEqual(["a done", "hangs running"]);
    dataOf(await stop(await newestId("f")));
    await going;
    await put("g", block("a"), "id: ask, phase: p, type: approval, input: {question: 'Go on?'}", block("z"));
    expect((await run("g")).status).toBe(202);
    const shown = await show("g");
    expect([states(shown), shown.state]).toEqual([["a done", "ask waiting"], "waiting"]);
    expect(shown.approvals).toMatchObject([{ question: "Go on?", state: "open" }]);
  });

  it("of a run with too many steps, or one that takes too long to walk, the first are told", async () => {
    const steps = Array.from({ length: FLOW_LIMITS.traced_steps + 5 }, (_, at) => set(`s${at}`));
    await put("f", ...steps);
    expect((await run("f")).status).toBe(200);
    const shown = await show("f");
    expect(shown).toMatchObject({ steps_truncated: true });
    expect(shown.steps).toHaveLength(FLOW_LIMITS.traced_steps);
    const row = await readRun(world.store, world.store, shown.run_id);
    const closure = await readDefinition(world.store, world.store, row?.definition ?? "");
    if (row === undefined || closure === undefined) throw new Error("the run is gone");
    let at = 0;
    const slow = { ...world.clock, monotonic: () => (at += FLOW_LIMITS.retrace_ms / 10) } as unknown as Clock;
    const traced = await retrace(row, closure, [], slow);
    expect([traced.truncated, traced.steps.length < 12]).toEqual([true, true]);
  });
});

describe("[R-14.1] stopping a run", () => {
  it("ends what is being called, tells whoever asked, and calls nothing more; the end is on record with its reason", async () => {
    await put("f", block("a"), block("hangs"), block("z"));
    const going = run("f");
    await untilCalled("hangs");
    const run_id = await newestId("f");
    expect(dataOf(await stop(run_id, "the market closed"))).toEqual({ run_id, flow_id: "f", state: "failed" });
    expect(codeOf(await going)).toBe("RUMI-FLOW-017");
    expect(await show("f")).toMatchObject({ state: "failed", failure: { error_code: "RUMI-FLOW-017" } });
    expect(states(await show("f"))).toEqual(["a done", "hangs failed"]);
    expect(calls).toEqual(["a", "hangs"]);
    expect(await world.actions()).toContain("flow.executed");
    expect(codeOf(await stop(run_id))).toBe("RUMI-FLOW-018");
    expect(codeOf(await stop("none"))).toBe("RUMI-SYS-011");
  });

  it("a run that waits is stopped with its question; nobody can approve it then, and its place stays free", async () => {
    await put("g", "id: ask, phase: p, type: approval, input: {question: 'Go on?'}", block("z"));
    expect((await run("g")).status).toBe(202);
    const { run_id, approvals } = await show("g");
    dataOf(await stop(run_id));
    const approval_id = approvals[0]?.approval_id ?? "";
    expect(codeOf(await world.command("flows.approve", {}, { params: { approval_id } }))).toBe("RUMI-FLOW-015");
    await engine.resume();
    expect(calls).toEqual([]);
    expect(await show("g")).toMatchObject({ state: "failed", approvals: [{ state: "rejected", decided_by: ROOT.id }] });
  });

  it("a program that begins after the wish does not go on with the run", async () => {
    await put("f", block("hangs"), block("z"));
    const going = run("f");
    await untilCalled("hangs");
    dataOf(await stop(await newestId("f")));
    await going;
    await engine.close();
    engine = newEngine();
    await engine.resume();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([calls, (await show("f")).state]).toEqual([["hangs"], "failed"]);
  });

  it("who may only look stops nothing", async () => {
    const principal = { id: "user:eve", roles: ["view_only"] } as const;
    expect(codeOf(await world.command("flows.stop", { reason: "x" }, { params: { run_id: "r" }, principal }))).toBe(
      "RUMI-AUTH-003",
    );
  });
});
