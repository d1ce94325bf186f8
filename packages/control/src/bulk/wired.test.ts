import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { write } from "@rumi/store";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { readBot, type BotTables } from "../bots/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";

const BOTS = ["a", "b", "c", "d", "e"];
let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  for (const bot_id of BOTS) dataOf(await world.makeBot(bot_id, { group_id: "desk" }));
});
afterEach(() => world.close());

const start = (over: Record<string, unknown> = {}) =>
  world.command("bulk.start", {
    command_id: world.id(),
    selector: { group_id: "desk" },
    requested_transition: { from: "IDLE", to: "RUNNING_PAPER" },
    max_errors: 2,
    reason: "the desk opens",
    ...over,
  });
const word = (name: "bulk.abort" | "bulk.retry", bulk_id: string) =>
  world.command(name, { reason: "said" }, { params: { bulk_id } });
const show = async (bulk_id: string) => dataOf(await world.query("bulk.show", {}, { bulk_id }));
const step = () => world.control.bulk(world.pipeline).run();
const stateOf = async (bot_id: string) => (await world.bot(bot_id))["state"];
async function untilOver(bulk_id: string): Promise<Record<string, unknown>> {
  await world.until("over", async () => {
    await step();
    return (await show(bulk_id))["state"] === "over";
  });
  return show(bulk_id);
}

describe("[L-N11] [L-44] bulk operations", () => {
  it("the list is frozen, waves grow from one, each bot's command is audited, and a bot made later is untouched", async () => {
    const bulk_id = String(dataOf(await start())["bulk_id"]);
    dataOf(await world.makeBot("late", { group_id: "desk" }));
    await step();
    expect(await show(bulk_id)).toMatchObject({ wave: 1, in_flight: ["a"], waiting: ["b", "c", "d", "e"] });
    const over = await untilOver(bulk_id);
    expect(over).toMatchObject({ done: BOTS, failed: [], aborted: false });
    expect(await stateOf("late")).toBe("IDLE");
    const actions = await world.actions();
    for (const action of ["bulk.started", "bulk.over"]) expect(actions).toContain(action);
  });

  it("an abort begins nothing more and tells what is under way; too many errors abort by themselves; a retry takes the failed alone", async () => {
    const bulk_id = String(dataOf(await start())["bulk_id"]);
    await step();
    expect(dataOf(await word("bulk.abort", bulk_id))).toMatchObject({ aborted: true, in_flight: ["a"] });
    expect(await untilOver(bulk_id)).toMatchObject({ done: ["a"], waiting: ["b", "c", "d", "e"] });
    expect(await stateOf("b")).toBe("IDLE");

    // One of the rest is held: with a limit of one error it ends the bulk in the middle of its wave.
    dataOf(
      await world.command("holds.set", { command_id: world.id(), kind: "freeze", scope: { bot_id: "c" }, reason: "x" }),
    );
    const second = String(dataOf(await start({ max_errors: 1 }))["bulk_id"]);
    const ended = await untilOver(second);
    expect(ended).toMatchObject({
      aborted: true,
      failed: [{ bot_id: "c", error_code: "RUMI-CMD-007", reason_code: "G.FREEZE" }],
      waiting: ["d", "e"],
    });
    const [hold] = dataOf(await world.query("holds.list"))["holds"] as readonly [{ hold_id: string }];
    const asked = await world.command("holds.lift", { reason: "x" }, { params: { hold_id: hold.hold_id } });
    dataOf(await world.confirm(asked));
    dataOf(await word("bulk.retry", second));
    expect(await untilOver(second)).toMatchObject({ failed: [], tries: 2 });
    expect([await stateOf("c"), await stateOf("e")]).toEqual(["RUNNING_PAPER", "IDLE"]);
    expect(dataOf(await word("bulk.retry", second))).toMatchObject({ changed: false });
  });

  it("a program that dies before or after a bot's command goes on, and the command acts once", async () => {
    const bulk_id = String(dataOf(await start({ selector: { bot_ids: ["a", "b"] } }))["bulk_id"]);
    const { pipeline } = world;
    const dies = (execute: typeof pipeline.execute) =>
      expect(world.control.bulk({ ...pipeline, execute }).run()).rejects.toThrow("the program dies");
    await dies(() => Promise.reject(new Error("the program dies")));
    expect(await show(bulk_id)).toMatchObject({ in_flight: ["a"], waiting: ["b"] });
    expect(await stateOf("a")).toBe("IDLE");
    await dies(async (operation, request) => {
      await pipeline.execute(operation, request);
      throw new Error("the program dies");
    });
    expect(await show(bulk_id)).toMatchObject({ in_flight: ["a"], waiting: ["b"] });
    expect(await untilOver(bulk_id)).toMatchObject({ done: ["a", "b"] });
    const started = (await world.actions()).filter((action) => action === "strategy.admission");
    expect(started).toHaveLength(2);
  });

  it("[L-34] a dry run tells the targets, who is left out, capital, dependencies and waves, and changes nothing", async () => {
    dataOf(await world.move("b", "IDLE", "RUNNING_PAPER"));
    expect(dataOf(await start({ dry_run: true }))).toMatchObject({
      would: "apply",
      preview: {
        targets: ["a", "c", "d", "e"],
        left_out: [{ bot_id: "b", state: "RUNNING_PAPER" }],
        waves: 3,
        capital: expect.arrayContaining([{ bot_id: "a", capital: "1000" }]) as unknown,
        dependencies: [],
      },
    });
    await step();
    expect(await stateOf("a")).toBe("IDLE");
  });

  it("live, no targets, two selectors, an unknown bulk and too large a limit are refused; a freeze of all holds up a start and no stop", async () => {
    const transition = (to: string) => ({ requested_transition: { from: "IDLE", to } });
    expect(codeOf(await start(transition("RUNNING_LIVE")))).toMatch(/^RUMI-VAL/);
    expect(codeOf(await start({ selector: { group_id: "nobody" } }))).toBe("RUMI-VAL-002");
    expect(codeOf(await start({ selector: { group_id: "desk", venue: "SIM" } }))).toMatch(/^RUMI-VAL/);
    expect(codeOf(await start({ max_errors: CONTROL_LIMITS.bulk_targets + 1 }))).toMatch(/^RUMI-VAL/);
    expect(codeOf(await world.query("bulk.show", {}, { bulk_id: world.id() }))).toBe("RUMI-SYS-011");
    const running = String(dataOf(await start({ selector: { label: "team=a" } }))["bulk_id"]);
    await untilOver(running);
    dataOf(
      await world.command("holds.set", { command_id: world.id(), kind: "freeze", scope: { all: true }, reason: "x" }),
    );
    expect(codeOf(await start())).toBe("RUMI-CMD-007");
    const stop = dataOf(await start({ requested_transition: { from: "RUNNING_PAPER", to: "STOPPING" } }));
    expect(await untilOver(String(stop["bulk_id"]))).toMatchObject({ done: BOTS });
  });

  it("a selector that means more bots than one bulk takes is refused with what to do about it, and nothing begins", async () => {
    const bot = await readBot(world.store, world.store, "a");
    if (bot === undefined) throw new Error("no bot");
    const rows = Array.from({ length: CONTROL_LIMITS.bulk_targets }, (_, at) => ({ ...bot, bot_id: `many-${at}` }));
    const db = world.store.builder<BotTables>();
    for (let at = 0; at < rows.length; at += 500)
      await world.store.commit({
        writes: [write(db.insertInto("bot").values(rows.slice(at, at + 500)), "any")],
        events: [],
      });
    const answer = await start();
    expect([codeOf(answer), answer.kind === "refused" && answer.failure.reasonCode]).toEqual([
      "RUMI-CMD-029",
      "G.BULK.FULL",
    ]);
    expect(await world.actions()).not.toContain("bulk.started");
  });
});
