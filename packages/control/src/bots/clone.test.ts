/** A bot like another one: what it takes over, what it never does. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
});
afterEach(async () => {
  await world.close();
});
const clone = (bot_id: string, new_bot_id: string, over: Record<string, unknown> = {}) =>
  world.command(
    "bots.clone",
    { command_id: world.id(), new_bot_id, capital: "10", reason: "one more", ...over },
    { params: { bot_id } },
  );

async function liveBot(): Promise<void> {
  await world.addVenueOutside();
  await world.dialRunner();
  dataOf(await world.makeBot("bot-1", { venue: "OUT", display_name: "The first", group_id: "desk" }));
  const run_id = String(dataOf(await world.moveConfirmed("bot-1", "IDLE", "RUNNING_LIVE"))["run_id"]);
  await world.until("running", () => world.runner.instances.has(run_id));
}

describe("[G-3.2] [L-11] a clone of a live bot", () => {
  it("[G-0.1] stands still in no mode, has its own money and no group, and goes live by its own challenge only", async () => {
    await liveBot();
    const made = dataOf(await clone("bot-1", "bot-2"));
    expect(made).toMatchObject({
      bot_id: "bot-2",
      display_name: "bot-2",
      state: "IDLE",
      version: "1.0.0",
      generation: 1,
      status: { state: "IDLE", mode: null, run_id: null },
      spec: { venue: "OUT", config: { fast: 10, slow: 50 }, capital: "10", runbook: "docs/runbooks/bots.md" },
    });
    expect(made["spec"]).not.toHaveProperty("group_id");
    expect(JSON.stringify(made).toLowerCase()).not.toContain("live");
    await world.rounds(5);
    expect(await world.bot("bot-2")).toMatchObject({ state: "IDLE", status: { mode: null }, instances: [] });
    expect(world.runner.instances.size).toBe(1);
    expect(codeOf(await world.move("bot-2", "IDLE", "RUNNING_LIVE"))).toBe("RUMI-CMD-004");
    expect(await world.bot("bot-2")).toMatchObject({ state: "IDLE" });
    expect(await world.actions()).toContain("bot.cloned");
  });

  it("takes what is said instead, and neither a mode nor a state can be said", async () => {
    await liveBot();
    expect(
      dataOf(await clone("bot-1", "bot-2", { config: { fast: 3 }, venue: "SIM", group_id: "other", capital: "7" })),
    ).toMatchObject({ spec: { config: { fast: 3, slow: 50 }, venue: "SIM", group_id: "other", capital: "7" } });
    for (const over of [{ mode: "live" }, { state: "RUNNING_LIVE" }, { from_state: "RUNNING_LIVE" }])
      expect(codeOf(await clone("bot-1", "bot-3", over)), JSON.stringify(over)).toBe("RUMI-VAL-008");
    expect(codeOf(await clone("bot-1", "bot-3", { capital: undefined }))).toMatch(/^RUMI-VAL/);
    expect(codeOf(await clone("bot-1", "bot-3", { config: { fast: 0 } }))).toBe("RUMI-BOT-004");
    expect(codeOf(await clone("bot-1", "bot-2"))).toBe("RUMI-BOT-002");
    expect(codeOf(await clone("nobody", "bot-3"))).toBe("RUMI-BOT-001");
  });

  it("an update of a bot that was live leaves it standing still, in no mode", async () => {
    await liveBot();
    dataOf(await world.move("bot-1", "RUNNING_LIVE", "STOPPING"));
    await world.until("IDLE", async () => (await world.bot())["state"] === "IDLE");
    const body = {
      command_id: world.id(),
      strategy_version: "1.0.0",
      digest: world.digest,
      config: { fast: 4 },
      reason: "promoted",
    };
    dataOf(await world.command("bots.update", body, { params: { bot_id: "bot-1" } }));
    await world.rounds(5);
    expect(await world.bot()).toMatchObject({ state: "IDLE", generation: 2, status: { mode: null, run_id: null } });
  });
});

describe("[L-11] [G-3.2] a template", () => {
  const make = (over: Record<string, unknown>) =>
    world.command("templates.create", { command_id: world.id(), template_id: "steady", reason: "ours", ...over });
  const apply = (bot_id: string, over: Record<string, unknown> = {}) =>
    world.command(
      "templates.apply",
      { command_id: world.id(), bot_id, capital: "5", reason: "another", ...over },
      { params: { template_id: "steady" } },
    );

  it("of a live bot holds no mode, money, name or group, and what is made from it stands still", async () => {
    await liveBot();
    const made = dataOf(await make({ from_bot_id: "bot-1" }));
    expect(made).toMatchObject({ template_id: "steady", from_bot_id: "bot-1", spec: { venue: "OUT" } });
    for (const field of ["capital", "group_id", "display_name", "mode"]) expect(made["spec"]).not.toHaveProperty(field);
    expect(JSON.stringify(made).toLowerCase()).not.toContain("live");
    const bot = dataOf(await apply("bot-2"));
    expect(bot).toMatchObject({ state: "IDLE", status: { mode: null, run_id: null }, spec: { capital: "5" } });
    await world.rounds(5);
    expect(await world.bot("bot-2")).toMatchObject({ state: "IDLE", instances: [] });
    expect(codeOf(await world.move("bot-2", "IDLE", "RUNNING_LIVE"))).toBe("RUMI-CMD-004");
    expect(codeOf(await apply("bot-3", { mode: "live" }))).toBe("RUMI-VAL-008");
    expect(dataOf(await world.query("templates.list"))).toMatchObject({ count: 1 });
  });

  it("is judged when it is kept and again when it is used; it is never changed, and removed whole", async () => {
    const strategy = { pack_id: "demo_pack", strategy_id: "ema-cross", strategy_version: "1.0.0" };
    const spec = (digest: string, over: Record<string, unknown> = {}) => ({
      strategy: { ...strategy, digest },
      venue: "SIM",
      instruments: ["XRPETH.SIM"],
      config: { fast: 2 },
      ...over,
    });
    expect(codeOf(await make({ spec: spec("latest") })), "[L-N12] a tag").toBe("RUMI-BOT-003");
    expect(codeOf(await make({ spec: spec(world.digest, { mode: "live" }) }))).toBe("RUMI-VAL-008");
    expect(codeOf(await make({ spec: spec(world.digest, { capital: "1" }) }))).toBe("RUMI-VAL-008");
    expect(codeOf(await make({}))).toBe("RUMI-VAL-002");
    expect(codeOf(await make({ from_bot_id: "nobody" }))).toBe("RUMI-BOT-001");
    dataOf(await make({ spec: spec(world.digest) }));
    expect(codeOf(await make({ spec: spec(world.digest) }))).toBe("RUMI-BOT-085");
    expect(dataOf(await apply("bot-1", { config: { fast: 9 } }))).toMatchObject({ spec: { config: { fast: 9 } } });
    expect(codeOf(await apply("bot-2", { config: { fast: 0 } }))).toBe("RUMI-BOT-004");
    dataOf(
      await world.command(
        "templates.remove",
        { command_id: world.id(), reason: "over" },
        { params: { template_id: "steady" } },
      ),
    );
    expect(codeOf(await apply("bot-3"))).toBe("RUMI-SYS-011");
    expect(await world.bot("bot-1")).toMatchObject({ state: "IDLE" });
  });
});
