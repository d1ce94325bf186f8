/** Jobs over the pipeline: start, pause, resume, stop, and what each state refuses. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { actOf, JOB_STATES } from "./model.ts";

const BOTS = ["a", "b", "c", "d", "e"];
let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  for (const bot_id of BOTS) dataOf(await world.makeBot(bot_id, { group_id: "desk" }));
});
afterEach(() => world.close());

const create = (over: Record<string, unknown> = {}) =>
  world.command("jobs.create", {
    command_id: world.id(),
    job_id: "open-desk",
    selector: { group_id: "desk" },
    requested_transition: { from: "IDLE", to: "RUNNING_PAPER" },
    max_errors: 1,
    reason: "every morning",
    ...over,
  });
const move = (from: string, to: string, over: Record<string, unknown> = {}, job_id = "open-desk") =>
  world.command(
    "jobs.command",
    {
      command_id: world.id(),
      requested_transition: { from, to },
      reason: "test",
      trace_id: world.id(),
      run_id: world.id(),
      schema_version: 1,
      ...over,
    },
    { params: { job_id } },
  );
const show = async () => dataOf(await world.query("jobs.show", {}, { job_id: "open-desk" }));
const step = () => world.control.bulk(world.pipeline).run();
const stateOf = async (bot_id: string) => (await world.bot(bot_id))["state"];
const until = (state: string) =>
  world.until(state, async () => {
    await step();
    return (await show())["state"] === state;
  });

it("[G-1.2] a job is written down, started, paused, resumed and stopped by commands of a bot's shape, each audited", async () => {
  expect(dataOf(await create())).toMatchObject({ state: "IDLE", generation: 0, bulk: null });
  await step();
  expect(await stateOf("a")).toBe("IDLE");
  dataOf(await world.makeBot("after-writing", { group_id: "desk" }));
  expect(dataOf(await move("IDLE", "RUNNING"))).toMatchObject({ state: "RUNNING", status: "accepted", generation: 1 });
  dataOf(await world.makeBot("after-start", { group_id: "desk" }));
  await step();
  expect(dataOf(await move("RUNNING", "PAUSED"))).toMatchObject({ state: "PAUSED", bulk: { in_flight: ["a"] } });
  // What is under way arrives; nothing more begins, however long one waits.
  await world.until("a runs", async () => {
    await step();
    return ((await show())["bulk"] as { done: string[] }).done.length === 1;
  });
  for (let i = 0; i < 5; i += 1) await step();
  expect(await stateOf("b")).toBe("IDLE");
  dataOf(await move("PAUSED", "RUNNING"));
  await world.until("b is begun", async () => {
    await step();
    return (await stateOf("b")) === "RUNNING_PAPER";
  });
  expect(dataOf(await move("RUNNING", "STOPPING"))).toMatchObject({ state: "STOPPING" });
  await until("IDLE");
  expect(await stateOf("e")).toBe("IDLE");
  // Another run is another list: who was there already is left out, and who came meanwhile is in it.
  dataOf(await move("IDLE", "RUNNING"));
  await until("IDLE");
  expect([await stateOf("e"), await stateOf("after-writing"), await stateOf("after-start")]).toEqual(
    Array(3).fill("RUNNING_PAPER"),
  );
  expect(await show()).toMatchObject({ generation: 2 });
  const actions = await world.actions();
  expect(actions.filter((action) => action === "job.state.transition")).toHaveLength(5);
  for (const action of ["job.created", "bulk.paused", "bulk.resumed", "bulk.aborted"])
    expect(actions).toContain(action);
});

it("[G-1.2] a job whose bots fail ends in ERROR, and is started again by a person alone", async () => {
  dataOf(await create());
  dataOf(
    await world.command("holds.set", { command_id: world.id(), kind: "freeze", scope: { bot_id: "b" }, reason: "x" }),
  );
  dataOf(await move("IDLE", "RUNNING"));
  await until("ERROR");
  expect(await show()).toMatchObject({ bulk: { failed: [{ bot_id: "b", reason_code: "G.FREEZE" }], aborted: true } });
  for (let i = 0; i < 3; i += 1) await step();
  expect(await show()).toMatchObject({ state: "ERROR", generation: 1 });
});

it("[G-1.2] [G-6.2] every other pair of states is refused, so is a wish for another moment, another job or nobody's; twice is once", async () => {
  dataOf(await create());
  expect(codeOf(await create())).toBe("RUMI-BOT-076");
  expect(codeOf(await create({ job_id: "live", requested_transition: { from: "IDLE", to: "RUNNING_LIVE" } }))).toMatch(
    /^RUMI-VAL/,
  );
  for (const to of JOB_STATES.filter((state) => actOf("IDLE", state) === undefined))
    expect([to, codeOf(await move("IDLE", to))]).toEqual([to, "RUMI-BOT-010"]);
  expect(codeOf(await move("RUNNING", "PAUSED"))).toBe("RUMI-BOT-011");
  expect(codeOf(await move("IDLE", "RUNNING", { actor: "user:somebody" }))).toBe("RUMI-VAL-002");
  expect(codeOf(await move("IDLE", "RUNNING", { expires_at: "2001-01-01T00:00:00Z" }))).toBe("RUMI-BOT-013");
  expect(codeOf(await move("IDLE", "RUNNING", {}, "none"))).toBe("RUMI-SYS-011");
  dataOf(await create({ job_id: "close-desk", requested_transition: { from: "PAUSED", to: "STOPPING" } }));
  expect(codeOf(await move("IDLE", "RUNNING", {}, "close-desk"))).toBe("RUMI-BOT-075");
  expect(dataOf(await move("IDLE", "RUNNING", { dry_run: true }))).toMatchObject({
    would: "apply",
    preview: { state: "IDLE", targets: BOTS },
  });
  const same = { command_id: world.id(), trace_id: world.id(), run_id: world.id() };
  const [first, second] = [await move("IDLE", "RUNNING", same), await move("IDLE", "RUNNING", same)];
  expect([first.status, second.status]).toEqual([202, 202]);
  expect(await show()).toMatchObject({ state: "RUNNING", generation: 1 });
  expect(await world.actions()).toContain("controlplane.command.duplicate_suppressed");
  dataOf(
    await world.command("holds.set", { command_id: world.id(), kind: "freeze", scope: { all: true }, reason: "x" }),
  );
  dataOf(await move("RUNNING", "PAUSED"));
  expect(codeOf(await move("PAUSED", "RUNNING"))).toBe("RUMI-CMD-007");
  dataOf(await move("PAUSED", "STOPPING"));
});
