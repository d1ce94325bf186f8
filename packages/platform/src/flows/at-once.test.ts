/** Runs that only compute, in the real pipeline and store. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { err, failure, systemRandom } from "@rumi/kernel";
import { createLogger, createMetrics, type Metrics } from "@rumi/operations";
import { afterEach, beforeEach, expect, it } from "vitest";
import { codeOf, dataOf, openWorld, type World } from "../../test/kit.ts";
import { platformMigrations } from "../index.ts";
import { createDeprecations } from "../deprecation.ts";
import { isComputed } from "./at-once.ts";
import { createFlowEngine, type FlowEngine } from "./engine.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { flowDeclarations } from "./operations.ts";
import { flowSources, type FlowSources } from "./sources.ts";

let world: World & { close(): Promise<void> };
let sources: FlowSources;
let metrics: Metrics;
/** Batches that were committed with events. */
let batches: number;

beforeEach(async () => {
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
    const never = () => Promise.reject(new Error("no block is called"));
    const blocks = { call: never, callHandler: never, close: () => Promise.resolve() };
    const deps = {
      store,
      clock,
      random: systemRandom(),
      logger,
      metrics,
      blocks,
      max_concurrent: 2,
      max_response_bytes: 8_192,
    };
    const engine: FlowEngine = createFlowEngine({ ...deps, callStep: blocks.call });
    const library = { verify: (pack_id: string) => Promise.resolve(err(failure("RUMI-PACK-005", { pack_id }))) };
    store.onAppended(() => void (batches += 1));
    return { declarations: flowDeclarations({ sources, engine, library, max_concurrent: 2 }) };
  });
  await sources.refresh();
  batches = 0;
});
afterEach(() => world.close());

const put = (flow_id: string, steps: string): void => {
  mkdirSync(join(world.folder, "flows"), { recursive: true });
  writeFileSync(
    join(world.folder, "flows", `${flow_id}.flow.yaml`),
    `flow_id: ${flow_id}\nphases: [p]\nsteps: [${steps}]\n`,
  );
};
const set = (at: number): string => `{id: s${at}, phase: p, priority: ${at}, type: set, input: {x: ${at}}}`;
const sets = (count: number): string => Array.from({ length: count }, (_, at) => set(at)).join(", ");
const sub = (id: string, flow_id: string): string => `{id: ${id}, phase: p, type: flow, input: {flow_id: ${flow_id}}}`;
const run = (flow_id: string, body: Record<string, unknown> = {}, key?: string) =>
  world.command("flows.run", body, { params: { flow_id }, ...(key === undefined ? {} : { key }) });
const computed = async (flow_id: string): Promise<boolean> => {
  const entry = (await sources.refresh()).entries.get(flow_id);
  if (entry === undefined) throw new Error(`there is no flow ${flow_id}`);
  return isComputed(entry.closure, flow_id);
};

it("[R-14.1] the wish, its end and their events are one commit, and are told like any other run's", async () => {
  put("f", sets(3));
  expect(dataOf(await run("f", { reason: "to see it" }))).toEqual({
    flow_id: "f",
    result: { x: 2 },
    execution_time: expect.any(Number) as number,
  });
  expect(batches).toBe(1);
  expect(await world.actions()).toEqual([
    "controlplane.command.requested",
    "flow.executed",
    "controlplane.command.applied",
  ]);
  const { runs } = dataOf(await world.query("flows.runs", {}, { flow_id: "f" })) as { runs: Record<string, unknown>[] };
  expect(runs).toMatchObject([{ state: "done", blocks: [], error_code: null, actor: "user:root" }]);
  const [event] = await world.store.rows<{ run_id: string; request_id: string; payload: string }>({
    sql: "SELECT run_id, request_id, payload FROM log_entry JOIN log_payload USING (idx) WHERE action = 'flow.executed'",
    parameters: [],
  });
  expect(event).toMatchObject({ run_id: runs[0]?.["run_id"], request_id: runs[0]?.["command_id"] });
  expect(event?.payload).toContain('"steps":3');
  const feed = await world.store.rows({ sql: "SELECT kind FROM change_feed", parameters: [] });
  expect(feed, "as of any other run, watchers are told of none of it").toEqual([]);
  const count = (name: string) => metrics.snapshot().find((one) => one.name === name)?.series[0]?.value;
  expect([count("flow.step.success"), count("flow.execution.complete")]).toEqual([3, 1]);
});
it("[R-14.1] the same key again is the same run, its failure too", async () => {
  put("f", sets(1));
  const first = await run("f", {}, "k");
  expect(await run("f", {}, "k")).toEqual({ ...first, duplicate_suppressed: true });
  put("wrong", sub("a", "needs"));
  writeFileSync(
    join(world.folder, "flows/needs.flow.yaml"),
    "flow_id: needs\ninputs: {n: {type: integer, required: true}}\nphases: [p]\nsteps: []\n",
  );
  await sources.refresh();
  const failed = await run("wrong", {}, "w");
  expect([failed.status, codeOf(failed)]).toEqual([500, "RUMI-FLOW-003"]);
  expect(await run("wrong", {}, "w")).toMatchObject({ status: 500, failure: { code: "RUMI-FLOW-003" } });
  expect((await world.actions()).filter((action) => action === "flow.executed")).toHaveLength(2);
});
it("[R-14.1] a run of as many steps as may be taken at once is none of them, also by way of sub-flows", async () => {
  put("most", sets(FLOW_LIMITS.steps_at_once - 1));
  put("more", sets(FLOW_LIMITS.steps_at_once));
  put("ten", sets(10));
  put("below", Array.from({ length: 22 }, (_, at) => sub(`a${at}`, "ten")).join(", "));
  put("above", Array.from({ length: 24 }, (_, at) => sub(`a${at}`, "ten")).join(", "));
  put("block", "{id: a, phase: p, type: python_file_call, owner_pack: x, file: f.py}");
  put("calls", sub("a", "block"));
  const names = ["most", "more", "ten", "below", "above", "block", "calls"];
  expect(await Promise.all(names.map(async (name) => [name, await computed(name)]))).toEqual([
    ["most", true],
    ["more", false],
    ["ten", true],
    ["below", true],
    ["above", false],
    ["block", false],
    ["calls", false],
  ]);
  expect(dataOf(await run("more"))).toMatchObject({ result: { x: FLOW_LIMITS.steps_at_once - 1 } });
  expect(batches, "its admission and its end").toBe(2);
});
