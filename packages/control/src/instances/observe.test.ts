/** What a report may end, and what only a report of this very run may end. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { InstanceStatus } from "@rumi/runtime";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";

let world: Control;
let run_id: string;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  dataOf(await world.makeBot());
  run_id = String(dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))["run_id"]);
  await world.until("running", async () =>
    JSON.stringify((await world.bot())["instances"]).includes('"phase":"running"'),
  );
});
afterEach(() => world.close());
const stateOf = async (): Promise<unknown> => (await world.bot())["state"];
const startsHeard = (): number => world.runner.received.filter(({ type }) => type === "start").length;

it("[G-2.1b] an instance that stops although nobody told it to takes its bot to ERROR, where it stays until a person acts", async () => {
  world.runner.report(run_id, { phase: "stopped", reason_code: "M.FEED.ENDED" });
  await world.until("ERROR", async () => (await stateOf()) === "ERROR");
  world.runner.report(run_id, { phase: "running", reason_code: null });
  await world.rounds(5);
  expect(await world.bot()).toMatchObject({
    state: "ERROR",
    status: { reason: "M.FEED.ENDED" },
    instances: [{ holder: null }],
  });
  expect(startsHeard()).toBe(1);
  dataOf(await world.move("bot-1", "ERROR", "RUNNING_PAPER"));
  await world.until("started by a person", () => startsHeard() === 2);
});

it.each([
  [
    "its holder's own report",
    async (): Promise<void> => {
      const own = world.runner.instances.get(run_id);
      if (own !== undefined) own.status = { ...own.status, phase: "stopped" };
      await world.runner.dial();
    },
  ],
  ["the proof that its holder is dead", () => world.control.hub.runnerGone("runner-1")],
])(
  "[G-2.1b] STOPPING is no IDLE by the word of another run, another epoch or another runner, but by %s",
  async (_, end) => {
    const own = world.runner.instances.get(run_id);
    if (own === undefined) throw new Error("it runs");
    world.runner.drop();
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"));
    const [another, anew] = [{ epoch: own.status.epoch + 1 }, { run_id: world.id() as never }];
    const words: readonly (readonly [string, readonly Partial<InstanceStatus>[]])[] = [
      ["runner-2", [another, anew, {}]],
      ["runner-1", [another, anew]],
    ];
    for (const [runner_id, overs] of words) {
      const runner = world.runnerNamed(runner_id);
      await runner.dial();
      for (const over of overs) {
        runner.send({ type: "status", status: { ...own.status, phase: "stopped", ...over } });
        await world.rounds(2);
        expect([runner_id, over, await stateOf()]).toEqual([runner_id, over, "STOPPING"]);
      }
      runner.drop();
    }
    await end();
    await world.until("IDLE", async () => (await stateOf()) === "IDLE");
  },
);
