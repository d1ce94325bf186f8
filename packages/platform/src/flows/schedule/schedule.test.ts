/** Flows that run by themselves, in the real pipeline and store, with a clock that is moved. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { err, failure, ok, systemRandom, type Failure, type Json, type Result } from "@rumi/kernel";
import { createLogger, createMetrics, type Principal } from "@rumi/operations";
import { afterEach, beforeEach, expect, it } from "vitest";
import { dataOf, openWorld, type World } from "../../../test/kit.ts";
import { platformMigrations } from "../../index.ts";
import { createDeprecations } from "../../deprecation.ts";
import { createFlowEngine, type FlowEngine } from "../engine.ts";
import { flowDeclarations } from "../operations.ts";
import { flowSources, type FlowSources } from "../sources.ts";
import { scheduleReconciler, type RunDue } from "./reconciler.ts";

const SCHEDULER: Principal = { id: "system:scheduler", roles: ["operator"] };
let world: World & { close(): Promise<void> };
let sources: FlowSources;
let engine: FlowEngine;
let gate: Promise<void>;
/** In the place of the wish's answer, where it says something. */
let instead: (came: Result<Json, Failure>) => Result<Json, Failure>;
/** No place for the wish. */
let isFull: boolean;
let keys: string[];
let reconcile: () => Promise<void>;

beforeEach(async () => {
  gate = Promise.resolve();
  instead = (came) => came;
  keys = [];
  isFull = false;
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
    engine = createFlowEngine({
      store,
      clock,
      random: systemRandom(),
      logger,
      metrics: createMetrics(),
      blocks: { close: () => Promise.resolve() },
      callStep: async () => {
        await gate;
        return { kind: "output", output: 1 };
      },
      max_concurrent: 2,
      max_response_bytes: 8_192,
    });
    const library = { verify: (pack_id: string) => Promise.resolve(err(failure("RUMI-PACK-005", { pack_id }))) };
    return { declarations: flowDeclarations({ sources, engine, library, max_concurrent: 2 }) };
  });
  begin();
});
afterEach(() => world.close());

const asked = new Set<Promise<unknown>>();
const run: RunDue = (due) => {
  const came = runNow(due);
  asked.add(came);
  return came;
};
const runNow: RunDue = async ({ flow_id, reason, key }) => {
  keys.push(key);
  if (isFull) return err(failure("RUMI-FLOW-005", { limit: 1, seconds: 1 }));
  const answer = await world.command("flows.run", { reason }, { params: { flow_id }, principal: SCHEDULER, key });
  return instead(answer.kind === "refused" ? err(answer.failure) : ok(answer.data as Json));
};
/** A program of its own on the same store. */
function begin(): void {
  const { store, clock, pipeline } = world;
  const { logger } = pipeline.settings;
  const one = scheduleReconciler({ store, clock, logger, sources, engine, max_concurrent: 2, run });
  reconcile = async () => {
    await sources.refresh();
    await one.run();
    await Promise.allSettled(asked);
    asked.clear();
    // What is noted of a run is asked for as soon as it has ended, and batches are committed in their order.
    for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setTimeout(resolve, 5));
    await store.commit({ writes: [], events: [] });
  };
}
const put = (flow_id: string, schedule: string, steps = "[{id: a, phase: p, type: set, input: {x: 1}}]"): void => {
  mkdirSync(join(world.folder, "flows"), { recursive: true });
  writeFileSync(
    join(world.folder, "flows", `${flow_id}.flow.yaml`),
    `flow_id: ${flow_id}\nphases: [p]\nschedule: ${schedule}\nsteps: ${steps}\n`,
  );
};
const BLOCK = "[{id: a, phase: p, type: python_file_call, owner_pack: x, file: f.py}]";
type Row = { readonly flow_id: string; readonly schedule: string; readonly next_at: string; readonly last_at: string };
const schedules = async (): Promise<readonly Row[]> =>
  (dataOf(await world.query("flows.schedules")) as { schedules: Row[] }).schedules;
type Run = { readonly state: string; readonly actor: string };
const runs = async (flow_id: string): Promise<readonly Run[]> =>
  (dataOf(await world.query("flows.runs", {}, { flow_id })) as { runs: Run[] }).runs;

it("[R-14.1] runs when it is due and not before, with the schedule as the reason, and is listed with its next moment", async () => {
  put("f", "{interval: 60}");
  await reconcile();
  const [before] = await schedules();
  expect(before).toMatchObject({ flow_id: "f", schedule: "every 60 s", last_at: null });
  expect(await runs("f")).toEqual([]);
  world.clock.skip(60_500);
  await reconcile();
  await reconcile();
  expect(await runs("f")).toMatchObject([{ state: "done", actor: "system:scheduler" }]);
  const [after] = await schedules();
  expect(after?.last_at).toBe(before?.next_at);
  expect(Date.parse(after?.next_at ?? "") - Date.parse(before?.next_at ?? "")).toBe(60_000);
  const [event] = await world.store.rows<{ payload: string }>({
    sql: "SELECT payload FROM log_entry JOIN log_payload USING (idx) WHERE action = 'flow.executed'",
    parameters: [],
  });
  expect(event?.payload).toContain(`"reason":"schedule every 60 s, due ${before?.next_at ?? ""}"`);
  const { flows } = dataOf(await world.query("flows.list")) as { flows: { schedule: string }[] };
  expect(flows[0]?.schedule).toBe("every 60 s");
});
it("[R-14.1] what was missed is made good by one run, however many moments went by", async () => {
  put("f", "{cron: '* * * * *'}");
  await reconcile();
  world.clock.skip(86_400_000);
  begin();
  for (let round = 0; round < 3; round += 1) await reconcile();
  expect(await runs("f")).toHaveLength(1);
  expect(Date.parse((await schedules())[0]?.next_at ?? "")).toBeGreaterThan(world.clock.now() / 1_000);
});
it("[R-14.1] never runs beside itself, whoever asked for the run", async () => {
  put("f", "{interval: 10}", BLOCK);
  await reconcile();
  let go = (): void => undefined;
  gate = new Promise((resolve) => (go = resolve));
  const own = world.command("flows.run", {}, { params: { flow_id: "f" } });
  await expect.poll(async () => (await runs("f")).length).toBe(1);
  world.clock.skip(30_000);
  await reconcile();
  expect([await runs("f"), keys]).toEqual([[expect.objectContaining({ state: "running" })], []]);
  go();
  await own;
  await reconcile();
  expect(await runs("f")).toHaveLength(2);
});
it("[R-14.1] no place: it stays due, and runs under another key once there is one", async () => {
  put("f", "{interval: 10}");
  await reconcile();
  world.clock.skip(11_000);
  isFull = true;
  await reconcile();
  isFull = false;
  expect(await runs("f")).toEqual([]);
  await reconcile();
  expect(await runs("f")).toHaveLength(1);
  expect(new Set(keys).size).toBe(2);
});
it("[R-14.1] a program that dies between the run and its note asks for the same run again", async () => {
  put("f", "{interval: 10}");
  await reconcile();
  world.clock.skip(11_000);
  instead = () => {
    throw new Error("the program dies here");
  };
  await reconcile();
  expect((await schedules())[0]?.last_at).toBeNull();
  instead = (came) => came;
  begin();
  await reconcile();
  expect(await runs("f")).toHaveLength(1);
  expect((await schedules())[0]?.last_at).not.toBeNull();
  expect(new Set(keys).size).toBe(1);
});
it("[R-14.1] a run that fails is done with; a schedule that changes or is gone counts at once", async () => {
  put("f", "{interval: 10}", "[{id: a, phase: p, type: flow, input: {flow_id: needs}}]");
  writeFileSync(
    join(world.folder, "flows/needs.flow.yaml"),
    "flow_id: needs\ninputs: {n: {type: integer, required: true}}\nphases: [p]\nsteps: []\n",
  );
  await reconcile();
  world.clock.skip(11_000);
  await reconcile();
  expect(await runs("f")).toMatchObject([{ state: "failed" }]);
  expect((await schedules())[0]?.last_at).not.toBeNull();
  put("f", "{cron: '0 0 1 1 *'}");
  await reconcile();
  expect(await schedules()).toMatchObject([
    { schedule: "0 0 1 1 * UTC", next_at: expect.stringContaining("-01-01T00:00:00.000000Z") as string },
  ]);
  rmSync(join(world.folder, "flows/f.flow.yaml"));
  await reconcile();
  expect(await schedules()).toEqual([]);
});
it("[R-14.1] a schedule of a flow that needs an input is refused with its file", async () => {
  mkdirSync(join(world.folder, "flows"), { recursive: true });
  writeFileSync(
    join(world.folder, "flows/f.flow.yaml"),
    "flow_id: f\ninputs: {n: {type: integer, required: true}}\nphases: [p]\nschedule: {interval: 10}\nsteps: []\n",
  );
  const { problems } = await sources.refresh();
  expect(problems).toMatchObject([{ flow_id: "f", failure: { code: "RUMI-FLOW-007", params: { field: "schedule" } } }]);
});
