/** Runs that wait for people, in the real pipeline and store; blocks are the test's own functions. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { err, failure, systemRandom } from "@rumi/kernel";
import { createLogger, createMetrics, type Metrics, type Principal } from "@rumi/operations";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf, openWorld, ROOT, type World } from "../../test/kit.ts";
import { platformMigrations } from "../index.ts";
import { createDeprecations } from "../deprecation.ts";
import { decideApproval } from "./approvals.ts";
import type { Blocks } from "./blocks.ts";
import { createFlowEngine, type FlowEngine } from "./engine.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { flowDeclarations } from "./operations.ts";
import { flowSources, type FlowSources } from "./sources.ts";

let world: World & { close(): Promise<void> };
let sources: FlowSources;
let engine: FlowEngine;
let metrics: Metrics;
let calls: string[];
/** Blocks end behind it. */
let gate: Promise<void>;
const BOB: Principal = { id: "user:bob", roles: ["operator"] };
const VIEWER: Principal = { id: "user:eve", roles: ["view_only"] };

const blocks: Blocks = {
  call: async ({ input, context }) => {
    calls.push((context as { step_id: string }).step_id);
    await gate;
    return { kind: "output", output: input };
  },
  callHandler: () => Promise.reject(new Error("no handler is called")),
  close: () => Promise.resolve(),
};
const newEngine = (): FlowEngine =>
  createFlowEngine({
    store: world.store,
    clock: world.clock,
    random: systemRandom(),
    logger: world.pipeline.settings.logger,
    metrics,
    blocks,
    callStep: ({ step, input }) => blocks.call({ input, context: { step_id: step.id } } as never),
    max_concurrent: 1,
    max_response_bytes: 8_192,
  });

beforeEach(async () => {
  calls = [];
  gate = Promise.resolve();
  metrics = createMetrics();
  world = await openWorld(platformMigrations, ({ folder, store, clock }) => {
    const logger = createLogger({ level: "INFO", format: "json", clock, sink: () => undefined });
    const folders = { flows: join(folder, "flows"), shared: join(folder, "s"), legacy: [], packs: join(folder, "p") };
    sources = flowSources({
      store,
      clock,
      logger,
      folders,
      local_pack: "off",
      deprecations: createDeprecations("warn", logger),
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
    return { declarations: flowDeclarations({ sources, engine: later, library, max_concurrent: 1 }) };
  });
  engine = newEngine();
  await sources.refresh();
});
afterEach(() => world.close());

const put = (flow_id: string, steps: string): void => {
  mkdirSync(join(world.folder, "flows"), { recursive: true });
  writeFileSync(
    join(world.folder, "flows", `${flow_id}.flow.yaml`),
    `flow_id: ${flow_id}\nphases: [p]\nsteps:\n${steps}`,
  );
};
const block = (id: string): string =>
  `  - {id: ${id}, phase: p, type: python_file_call, owner_pack: x, file: f.py, input: {at: ${id}}, output: ${id}}\n`;
const approval = (id: string, input = "{question: 'Send ${ctx.a.at}?', details: {to: $ctx.a}}", more = ""): string =>
  `  - {id: ${id}, phase: p, type: approval, input: ${input}, output: ${id}${more}}\n`;
const FLOW = `${block("a")}${approval("b")}${block("c")}`;

const run = (flow_id: string, key?: string, body: Record<string, unknown> = {}) =>
  world.command("flows.run", body, { params: { flow_id }, ...(key === undefined ? {} : { key }) });
type Waiting = { readonly run_id: string; readonly approval: { readonly approval_id: string; readonly state: string } };
const asked = async (flow_id: string, key: string): Promise<Waiting> => {
  const answer = await run(flow_id, key);
  expect(answer.status).toBe(202);
  return dataOf(answer) as Waiting;
};
const decide = (verb: "approve" | "reject", { approval }: Waiting, principal = BOB, reason = "as agreed") =>
  world.command(`flows.${verb}`, { reason }, { params: { approval_id: approval.approval_id }, principal });
const open = async () =>
  dataOf(await world.query("flows.approvals", { state: "open" })) as { count: number; approvals: object[] };
const states = async (flow_id: string): Promise<readonly string[]> =>
  (dataOf(await world.query("flows.runs", {}, { flow_id })) as { runs: { state: string }[] }).runs.map(
    ({ state }) => state,
  );

describe("[R-14.1] a step that waits for a person", () => {
  it("answers 202 with what is asked, holds no place, and goes on when it is approved: nothing is done twice", async () => {
    put("f", FLOW);
    put("other", block("z"));
    const waiting = await asked("f", "k");
    expect(waiting).toMatchObject({
      flow_id: "f",
      state: "waiting",
      result: {},
      approval: {
        step_id: "b",
        question: "Send a?",
        details: { to: { at: "a" } },
        state: "open",
        asked_by: ROOT.id,
        decided_by: null,
      },
    });
    expect([await states("f"), (await open()).count]).toEqual([["waiting"], 1]);
    expect((await run("other")).status, "there is room for one run, and none runs").toBe(200);
    expect(await asked("f", "k"), "the same key is the same run").toMatchObject({ run_id: waiting.run_id });
    expect(dataOf(await decide("approve", waiting))).toEqual({
      approval_id: waiting.approval.approval_id,
      run_id: waiting.run_id,
      flow_id: "f",
      state: "approved",
    });
    await engine.resume();
    expect(await run("f", "k")).toMatchObject({
      status: 200,
      duplicate_suppressed: true,
      data: {
        result: {
          a: { at: "a" },
          b: { approved: true, decided_by: "user:bob", reason: "as agreed", decided_at: expect.any(String) as string },
          c: { at: "c" },
        },
      },
    });
    expect(calls).toEqual(["a", "z", "c"]);
    expect((await world.actions()).filter((action) => action.startsWith("flow."))).toEqual([
      "flow.approval.requested",
      "flow.executed",
      "flow.approval.approved",
      "flow.executed",
    ]);
    const counted = metrics.snapshot().find(({ name }) => name === "flow.step.success")?.series;
    expect(counted?.map(({ labels, value }) => [labels["handler"], value])).toEqual([
      ["python_file_call", 3],
      ["approval", 1],
    ]);
  });
  it.each([
    ["ends the run", "", 500],
    ["may be passed over", ", on_error: {action: continue}", 200],
  ])("rejected, it has failed, which %s", async (_, more, status) => {
    put("f", `${block("a")}${approval("b", "{question: now?}", more)}${block("c")}`);
    const waiting = await asked("f", "k");
    expect((await decide("reject", waiting)).status).toBe(200);
    await engine.resume();
    const answer = await run("f", "k");
    expect(answer.status).toBe(status);
    if (answer.kind === "refused") expect(answer.failure.params["problem"]).toBe("user:bob rejected it: as agreed");
    else expect(dataOf(answer)["result"]).toEqual({ a: { at: "a" }, c: { at: "c" } });
    expect(calls).toEqual(status === 200 ? ["a", "c"] : ["a"]);
  });
  it("is decided once, by whoever may, and with a reason where it is rejected", async () => {
    put("f", `${block("a")}${approval("b", "{question: now?, second_person: true}")}`);
    const waiting = await asked("f", "k");
    expect(codeOf(await decide("approve", waiting, VIEWER))).toBe("RUMI-AUTH-003");
    expect(codeOf(await decide("approve", waiting, ROOT))).toBe("RUMI-FLOW-016");
    expect(codeOf(await decide("reject", waiting, BOB, ""))).toBe("RUMI-VAL-001");
    const unknown = { ...waiting, approval: { approval_id: "none", state: "open" } };
    expect(codeOf(await decide("approve", unknown))).toBe("RUMI-SYS-011");
    const both = await Promise.all([decide("approve", waiting), decide("reject", waiting)]);
    expect(both.filter(({ kind }) => kind === "done")).toHaveLength(1);
    expect(both.flatMap((one) => (one.kind === "refused" ? [codeOf(one)] : []))).toEqual(["RUMI-FLOW-015"]);
  });
  it("that nobody decides in time has failed, and cannot be decided any more", async () => {
    put("f", approval("b", "{question: now?, expires_seconds: 1}"));
    const waiting = await asked("f", "k");
    world.clock.skip(1_100);
    expect(codeOf(await decide("approve", waiting))).toBe("RUMI-FLOW-015");
    await engine.resume();
    const answer = await run("f", "k");
    expect([answer.status, answer.kind === "refused" && answer.failure.params["problem"]]).toEqual([
      500,
      "nobody decided it within 1 s",
    ]);
    expect(await world.actions()).toContain("flow.approval.expired");
  });
  it("does not count into the run's time", async () => {
    put("f", `${approval("b", "{question: now?}")}${block("c")}`);
    const answer = await run("f", "k", { timeout: 1 });
    world.clock.skip(60_000);
    await decide("approve", dataOf(answer) as Waiting);
    await engine.resume();
    expect(await run("f", "k", { timeout: 1 })).toMatchObject({ status: 200, data: { result: { c: { at: "c" } } } });
  });
  it("goes on only where there is room, and in a sub-flow as well", async () => {
    put("inner", `${approval("b", "{question: now?}")}${block("last")}`);
    put("f", "  - {id: s, phase: p, type: flow, input: {flow_id: inner}, output: got}\n");
    const [one, two] = [await asked("f", "k1"), await asked("f", "k2")];
    let go = (): void => undefined;
    gate = new Promise((resolve) => (go = resolve));
    await decide("approve", one);
    await decide("approve", two);
    await engine.resume();
    await engine.resume();
    expect((await states("f")).toSorted(), "one runs, and the other has no place").toEqual(["running", "waiting"]);
    go();
    for (const key of ["k1", "k2"]) {
      await engine.resume();
      await expect.poll(async () => (await run("f", key)).status).toBe(200);
      expect(await run("f", key)).toMatchObject({ data: { result: { got: { b: { approved: true } } } } });
    }
  });
  it("whoever decides second meets a conflict, also in another process", async () => {
    put("f", approval("b", "{question: now?}"));
    const { approval: of } = await asked("f", "k");
    const verdict = { state: "approved", decided_by: "user:bob", decided_at: 1, reason: null } as const;
    const again = () =>
      world.store.commit({ writes: [decideApproval(world.store, of.approval_id, verdict)], events: [] });
    expect(await again()).toMatchObject({ ok: true });
    expect(await again()).toMatchObject({ ok: false, error: { kind: "conflict" } });
  });
});

describe("[R-14.1] a program that ends while a run waits", () => {
  it.each(["before the decision", "behind the decision", "when it had gone on"])(
    "%s: the next one goes on",
    async (at) => {
      put("f", FLOW);
      const waiting = await asked("f", "k");
      const next = (): void => void (engine = newEngine());
      if (at === "before the decision") next();
      expect(await asked("f", "k")).toMatchObject({ run_id: waiting.run_id });
      await decide("approve", waiting);
      if (at === "behind the decision") next();
      if (at === "when it had gone on")
        await world.store.commit({
          writes: [
            {
              sql: "UPDATE flow_run SET state = 'running', waiting_since = NULL WHERE state = 'waiting'",
              parameters: [],
              expect: 1,
            },
          ],
          events: [],
        });
      if (at === "when it had gone on") next();
      await engine.resume();
      expect(await run("f", "k")).toMatchObject({ status: 200, data: { result: { b: { approved: true } } } });
      expect(calls).toEqual(["a", "c"]);
    },
  );
});

describe("[R-14.1] limits of approvals", () => {
  it("details and question have their sizes", async () => {
    const large = (count: number): string => "x".repeat(count);
    const one = approval("b", "{question: $ctx.inputs.q, details: $ctx.inputs.d}");
    put("f", one);
    const sent = (q: string, d: string) => run("f", undefined, { inputs: { q, d } });
    const most = FLOW_LIMITS.approval_bytes - 2;
    expect((await sent(large(FLOW_LIMITS.approval_question_characters), large(most))).status).toBe(202);
    expect(codeOf(await sent(large(FLOW_LIMITS.approval_question_characters + 1), ""))).toBe("RUMI-FLOW-003");
    expect(codeOf(await sent("q", large(most + 1)))).toBe("RUMI-FLOW-003");
  });
  it("no more than the limit are open", async () => {
    put("f", approval("b", "{question: now?}"));
    await asked("f", "k");
    const more = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${FLOW_LIMITS.open_approvals - 1})
      INSERT INTO flow_approval SELECT 'x' || i, 'x' || i, flow_approval.path, flow_id, step_id, phase, question, details,
      second_person, asked_by, requested_at, expires_at, state, decided_by, decided_at, reason
      FROM flow_approval, n`;
    expect(
      await world.store.commit({ writes: [{ sql: more, parameters: [], expect: "any" }], events: [] }),
    ).toMatchObject({
      ok: true,
    });
    const answer = await run("f", "k2");
    expect(answer.kind === "refused" && answer.failure.params["problem"]).toBe(
      `${FLOW_LIMITS.open_approvals} approvals are open already`,
    );
    expect((await open()).count).toBe(FLOW_LIMITS.listed_approvals);
  });
  it.each([
    ["no question", "{details: 1}", "input.question"],
    ["an unknown member", "{question: q, who: me}", "input"],
    ["no time", "{question: q, expires_seconds: 0}", "input.expires_seconds"],
    ["more than a week", "{question: q, expires_seconds: 604801}", "input.expires_seconds"],
    ["a word for true", "{question: q, second_person: 'yes'}", "input.second_person"],
    ["a field of blocks", "{question: q}, timeout_seconds: 3", "timeout_seconds"],
  ])("%s is refused when the file is read", async (_, input, field) => {
    put("f", `  - {id: b, phase: p, type: approval, input: ${input}}\n`);
    const answer = await run("f");
    expect([codeOf(answer), answer.kind === "refused" && answer.failure.params["field"]]).toEqual([
      "RUMI-FLOW-007",
      `steps.0.${field}`,
    ]);
  });
});
