/** What restrains and is committed between a start's judgement and its effect: the start is judged anew, and refused. */
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Store } from "@rumi/store";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  dataOf(await world.makeBot());
});
afterEach(() => world.close());

/** Acts once, right before the commit that holds such an event. */
function before(action: string, act: () => Promise<unknown>): void {
  const store = world.store as { commit: Store["commit"] };
  const whole = store.commit;
  store.commit = async (batch) => {
    if (batch.events.some((event) => event.action === action)) {
      store.commit = whole;
      await act();
    }
    return whole(batch);
  };
}
const command = (name: string, body: Record<string, unknown>, params: Record<string, string> = {}) =>
  world.command(name, { command_id: world.id(), ...body, reason: "test" }, { params });

const RESTRAINTS: readonly (readonly [string, string, () => Promise<unknown>])[] = [
  ["a freeze", "G.FREEZE", () => command("holds.set", { kind: "freeze", scope: { all: true } })],
  ["a lock", "G.LOCK", () => command("holds.set", { kind: "lock", scope: { bot_id: "bot-1" } })],
  [
    "a kill rule",
    "G.KILLSWITCH.CLOSE_ONLY",
    () => command("killswitch.set", { scope: { venue: "SIM" }, level: "CLOSE_ONLY" }),
  ],
  ["a safety mode", "G.SAFETY.SAFE", () => command("safety.set", { mode: "SAFE" })],
  ["a gate that is required", "G.GATE.UNKNOWN", () => command("gates.require", {}, { gate: "market" })],
];

it.each(RESTRAINTS)(
  "[G-5.3] [L-N5] %s that is committed while a start is on its way to the log refuses it, and nothing of it happens",
  async (_, reason_code, restrain) => {
    before("bot.state.transition", async () => dataOf((await restrain()) as never));
    const answer = await world.move("bot-1", "IDLE", "RUNNING_PAPER");
    expect(answer.kind === "refused" && answer.failure.reasonCode).toBe(reason_code);
    expect((await world.bot())["state"]).toBe("IDLE");
  },
);

it("[G-5.2] a gate that fails while a start is on its way to the log refuses it", async () => {
  const report = (state: string) => command("gates.report", { state, rules: [], ttl_seconds: 600 }, { gate: "market" });
  dataOf(await command("gates.require", {}, { gate: "market" }));
  dataOf(await report("PASS"));
  before("bot.state.transition", async () => dataOf(await report("FAIL")));
  const answer = await world.move("bot-1", "IDLE", "RUNNING_PAPER");
  expect(answer.kind === "refused" && answer.failure.reasonCode).toBe("G.GATE.FAIL");
  expect((await world.bot())["state"]).toBe("IDLE");
});
