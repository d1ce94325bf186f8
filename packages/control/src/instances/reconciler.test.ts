/** Steps of instances against a real runner's socket: one at a time, and a start only behind its lease. */
import { afterEach, beforeEach, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";

type Start = {
  readonly bot_id: string;
  readonly epoch: number;
  readonly lease: { readonly holder: string | null; readonly epoch: number; readonly left_ms: number } | undefined;
};
const TTL_MS = 20_000;
let world: Control;
/** Every start that was sent, with the lease as it stood in the store at that moment. */
let starts: Start[] = [];
let release: () => void;

beforeEach(async () => {
  world = await openControl();
  starts = [];
  const { hub } = world.control;
  const ask = hub.ask.bind(hub);
  const held = new Promise<void>((resolve) => (release = resolve));
  hub.ask = async (runner_id, request) => {
    if (request.type !== "start") return ask(runner_id, request);
    const { bot_id, epoch } = request.spec;
    const [lease] = await world.store.rows<{ holder: string | null; epoch: number; expires_at: number }>({
      sql: "SELECT holder, epoch, expires_at FROM lease WHERE bot_id = ?",
      parameters: [bot_id],
    });
    const left_ms = ((lease?.expires_at ?? 0) - world.clock.now()) / 1_000;
    starts.push({ bot_id, epoch, lease: lease && { holder: lease.holder, epoch: lease.epoch, left_ms } });
    if (bot_id === "slow") await held;
    return ask(runner_id, request);
  };
  await world.dialRunner();
});
afterEach(async () => {
  release();
  await world.close();
});
const startsOf = (bot_id: string): readonly Start[] => starts.filter((one) => one.bot_id === bot_id);
async function begin(bot_id: string): Promise<void> {
  dataOf(await world.makeBot(bot_id));
  dataOf(await world.move(bot_id, "IDLE", "RUNNING_PAPER"));
}

it("[L-0.1] a step that is under way is not repeated, nothing else is done to its instance, and nobody else waits for it", async () => {
  await begin("slow");
  await begin("quick");
  await world.until("the other one runs", async () =>
    JSON.stringify((await world.bot("quick"))["instances"]).includes('"phase":"running"'),
  );
  await world.rounds(5);
  expect([startsOf("slow").length, startsOf("quick").length]).toEqual([1, 1]);
  dataOf(await world.move("slow", "RUNNING_PAPER", "STOPPING"));
  await world.rounds(5);
  expect(world.runner.received.some(({ type }) => type === "stop")).toBe(false);
  release();
  await world.until("it is stopped", async () => (await world.bot("slow"))["state"] === "IDLE");
  expect([startsOf("slow").length, startsOf("quick").length]).toEqual([1, 1]);
});

it("[M-7.1.1] a start carries the epoch of a lease that its runner took a moment before; a later one, a later epoch", async () => {
  await begin("quick");
  await world.until("started", () => startsOf("quick").length === 1);
  await world.control.hub.runnerGone("runner-1");
  world.runner.drop();
  const second = world.runnerNamed("runner-2");
  await second.dial();
  await world.until("taken over", () => startsOf("quick").length === 2);
  for (const [at, { epoch, lease }] of startsOf("quick").entries()) {
    expect([epoch, lease?.epoch, lease?.holder]).toEqual([at + 1, at + 1, `runner-${at + 1}`]);
    expect(lease?.left_ms).toBeGreaterThan(TTL_MS * 0.75);
    expect(lease?.left_ms).toBeLessThanOrEqual(TTL_MS);
  }
});
