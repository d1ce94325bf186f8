import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import type { FakeRunner } from "../../test/fake-runner.ts";
import { CONTROL_LIMITS } from "../limits.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  await world.addVenueOutside();
  dataOf(await world.makeBot("bot-1", { venue: "OUT" }));
});
afterEach(() => world.close());

/** Starts it live, and then its runner is proven dead. */
async function died(): Promise<string> {
  const run_id = String(dataOf(await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE"))["run_id"]);
  await world.until("running", () => world.runner.instances.has(run_id));
  world.runner.drop();
  await world.until("gone", () => world.control.hub.ready().length === 0);
  return run_id;
}
const stopOf = async (run_id: string) => dataOf(await world.query("attestations.show", {}, { run_id }));
const state = async () => (await world.bot())["state"];
const isProven = async (run_id: string) => (await stopOf(run_id))["proven"] === true;
const starts = ({ received }: FakeRunner) =>
  received.flatMap((message) => (message.type === "start" ? [message.spec] : []));
async function another(): Promise<FakeRunner> {
  const runner = world.runnerNamed("runner-2");
  await runner.dial();
  return runner;
}
const REFUSED = { error_code: "RUMI-STR-022", reason_code: null, error: "no", suggestion: "none" };

describe("[L-N8] [L-33] what died at its venue is wound up", () => {
  it("a live run whose runner dies while it is to stop begins again standing still, under a newer epoch, is told to stop, and its stop is proven", async () => {
    const run_id = await died();
    dataOf(await world.move("bot-1", "RUNNING_LIVE", "STOPPING"));
    await world.control.hub.runnerGone("runner-1");
    await world.rounds(3);
    expect(await state(), "nobody is there to ask its venue").toBe("STOPPING");
    const runner = await another();
    await world.until("proven", () => isProven(run_id));
    expect(starts(runner)).toMatchObject([{ run_id, epoch: 2, begin: "paused", start: "resume", mode: "live" }]);
    const told = runner.received.map(({ type }) => type);
    expect(told.filter((type) => type === "continue")).toEqual([]);
    expect(told.indexOf("stop")).toBeGreaterThan(told.indexOf("start"));
    expect(await stopOf(run_id)).toMatchObject({ proven: true, open_orders: 0, epoch: 2, blocked: null });
    expect(await state()).toBe("IDLE");
    await world.rounds(3);
    expect(starts(runner), "once its venue has spoken it is left alone").toHaveLength(1);
  });

  it("nobody winds up while the dead runner's lease still runs: it may only stand still", async () => {
    await died();
    dataOf(await world.move("bot-1", "RUNNING_LIVE", "STOPPING"));
    const runner = await another();
    await world.rounds(5);
    expect([starts(runner), await state()]).toEqual([[], "STOPPING"]);
  });

  it("what failed is left to a person; once it is told to stop it is wound up, and STOPPING until then", async () => {
    const run_id = String(dataOf(await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE"))["run_id"]);
    await world.until("running", () => world.runner.instances.has(run_id));
    world.runner.report(run_id, { phase: "failed", reason_code: "M.STRATEGY.FAULT" });
    await world.until("in ERROR", async () => (await state()) === "ERROR");
    world.clock.skip(CONTROL_LIMITS.wind_up_every_ms * 10);
    await world.rounds(5);
    expect(starts(world.runner)).toHaveLength(1);
    expect(await stopOf(run_id)).toMatchObject({ blocked: { why: "the venue has not been asked" } });
    expect(dataOf(await world.move("bot-1", "ERROR", "STOPPING"))).toMatchObject({ state: "STOPPING" });
    await world.until("proven", () => isProven(run_id));
    expect(starts(world.runner).at(-1)).toMatchObject({ run_id, begin: "paused", epoch: 2 });
    expect(await state()).toBe("IDLE");
  });

  it("one that fails says so, and is tried again after its time and not before", async () => {
    const run_id = await died();
    dataOf(await world.move("bot-1", "RUNNING_LIVE", "STOPPING"));
    await world.control.hub.runnerGone("runner-1");
    const runner = world.runnerNamed("runner-2");
    runner.refuseStarts.with = REFUSED;
    await runner.dial();
    await world.until("given up for now", async () => (await state()) === "IDLE");
    expect(await world.bot()).toMatchObject({
      instances: [{ phase: "failed", failure: { error_code: "RUMI-STR-022" } }],
    });
    await world.rounds(5);
    expect(starts(runner)).toHaveLength(1);
    expect(await isProven(run_id)).toBe(false);
    runner.refuseStarts.with = null;
    world.clock.skip(CONTROL_LIMITS.wind_up_every_ms);
    await world.until("proven", () => isProven(run_id));
    expect(starts(runner)).toHaveLength(2);
    expect(await state()).toBe("IDLE");
  });
});
