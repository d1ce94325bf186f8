/** Groups over the pipeline: membership is one truth with the bots' own specifications; commands go to a frozen list. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { commandBody, openControl, type Control } from "../../test/kit.ts";

const BOTS = ["a", "b", "c", "d", "e"];
let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  for (const bot_id of BOTS) dataOf(await world.makeBot(bot_id));
});
afterEach(() => world.close());

const create = (over: Record<string, unknown> = {}) =>
  world.command("groups.create", { command_id: world.id(), group_id: "desk", reason: "a desk", ...over });
const change = (name: "groups.add" | "groups.remove", bot_id: string, group_id = "desk") =>
  world.command(name, { command_id: world.id(), bot_id, reason: "who belongs where" }, { params: { group_id } });
const show = async (group_id = "desk") => dataOf(await world.query("groups.show", {}, { group_id }));
const members = async () => ((await show())["bots"] as { bot_id: string }[]).map(({ bot_id }) => bot_id);
const command = (from: string, to: string, over: Record<string, unknown> = {}) =>
  world.command("commands.submit", { ...commandBody(world, "", from, to), target: { group_id: "desk" }, ...over });
const step = () => world.control.bulk(world.pipeline).run();
const bulkOf = async (bulk_id: string) => dataOf(await world.query("bulk.show", {}, { bulk_id }));
async function untilOver(bulk_id: string): Promise<Record<string, unknown>> {
  await world.until("over", async () => {
    await step();
    return (await bulkOf(bulk_id))["state"] === "over";
  });
  return bulkOf(bulk_id);
}
const stateOf = async (bot_id: string) => (await world.bot(bot_id))["state"];
const reasonOf = (answer: Awaited<ReturnType<typeof create>>) =>
  answer.kind === "refused" ? [answer.failure.code, answer.failure.reasonCode] : answer.kind;

describe("[G-1.2] membership", () => {
  it("a group is made with bots or by their own word, joined and left; each change is another generation of bot and group, audited", async () => {
    dataOf(await world.makeBot("early", { group_id: "desk" }));
    const made = dataOf(await create({ bot_ids: ["a", "b"], display_name: "The desk" }));
    expect(made).toMatchObject({ group_id: "desk", generation: 1, count: 3 });
    expect(await members()).toEqual(["a", "b", "early"]);
    expect(await world.bot("a")).toMatchObject({ generation: 2, version: "1.0.1", spec: { group_id: "desk" } });
    expect(dataOf(await change("groups.add", "c"))).toMatchObject({ generation: 2, changed: true });
    expect(dataOf(await change("groups.add", "c"))).toMatchObject({ generation: 2, changed: false });
    expect(dataOf(await change("groups.remove", "a"))).toMatchObject({ generation: 3, changed: true });
    dataOf(await world.makeBot("late", { group_id: "desk" }));
    const before = await show();
    expect(before).toMatchObject({ generation: 4, count: 4 });
    expect(await members()).toEqual(["b", "c", "early", "late"]);
    expect((await world.bot("a"))["spec"]).not.toHaveProperty("group_id");
    dataOf(await change("groups.remove", "b"));
    expect((await show())["digest"]).not.toBe(before["digest"]);
    expect(dataOf(await world.query("groups.list"))).toMatchObject({ count: 1, groups: [{ group_id: "desk" }] });
    const actions = await world.actions();
    for (const action of ["bot.group.created", "bot.group.changed", "bot.version.created"])
      expect(actions).toContain(action);
  });

  it("a name twice, a stranger, a bot of another group, one that runs or does not belong: each refused with its code", async () => {
    dataOf(await create({ bot_ids: ["a"] }));
    dataOf(await create({ group_id: "other", bot_ids: ["b"] }));
    expect(codeOf(await create())).toBe("RUMI-BOT-070");
    expect(codeOf(await create({ group_id: "third", bot_ids: ["nobody"] }))).toBe("RUMI-BOT-001");
    expect(codeOf(await change("groups.add", "b"))).toBe("RUMI-BOT-071");
    expect(codeOf(await change("groups.remove", "b"))).toBe("RUMI-BOT-072");
    expect(codeOf(await change("groups.add", "c", "none"))).toBe("RUMI-BOT-015");
    expect(codeOf(await world.query("groups.show", {}, { group_id: "none" }))).toBe("RUMI-BOT-015");
    dataOf(await world.move("c", "IDLE", "RUNNING_PAPER"));
    expect(codeOf(await change("groups.add", "c"))).toBe("RUMI-BOT-073");
    expect(await members()).toEqual(["a"]);
  });

  it("nobody gets out of what holds the group by leaving it", async () => {
    dataOf(await create({ bot_ids: ["a"] }));
    dataOf(
      await world.command("killswitch.set", {
        command_id: world.id(),
        scope: { group_id: "desk" },
        level: "BLOCK",
        reason: "hands off",
      }),
    );
    expect(reasonOf(await change("groups.remove", "a"))).toEqual(["RUMI-CMD-007", "G.KILLSWITCH.BLOCK"]);
    dataOf(
      await world.command("holds.set", { command_id: world.id(), kind: "freeze", scope: { bot_id: "a" }, reason: "x" }),
    );
    expect(reasonOf(await change("groups.remove", "a"))).toEqual(["RUMI-CMD-007", "G.FREEZE"]);
    expect(await members()).toEqual(["a"]);
  });
});

describe("[G-1.2] [G-6.1] [L-N11] a command to a group", () => {
  beforeEach(async () => void dataOf(await create({ bot_ids: BOTS })));

  it("goes to the list that was frozen with generation and digest: who joins later and who changed since are not started", async () => {
    const digest = (await show())["digest"];
    const command_id = world.id();
    const told = dataOf(await command("IDLE", "RUNNING_PAPER", { command_id }));
    expect(told).toMatchObject({
      status: "accepted",
      group_id: "desk",
      group_generation: 1,
      digest,
      max_errors: 1,
      left_out: [],
    });
    dataOf(await world.makeBot("late", { group_id: "desk" }));
    expect(dataOf(await world.query("commands.show", {}, { command_id }))).toMatchObject({ status: "accepted" });
    const over = await untilOver(command_id);
    expect(over).toMatchObject({ done: BOTS, failed: [], aborted: false });
    expect(await stateOf("late")).toBe("IDLE");
    expect(dataOf(await world.query("commands.show", {}, { command_id }))).toMatchObject({
      status: "applied",
      bulk: { done: BOTS },
    });
  });

  it("a bot that was changed after the list was frozen is not started, and the first failure ends a start", async () => {
    const command_id = world.id();
    dataOf(await command("IDLE", "RUNNING_PAPER", { command_id }));
    dataOf(
      await world.command(
        "bots.config_apply",
        { command_id: world.id(), config: { fast: 11 }, at: "next_tick", reason: "x" },
        { params: { bot_id: "b" } },
      ),
    );
    expect(await untilOver(command_id)).toMatchObject({
      done: ["a"],
      failed: [{ bot_id: "b", error_code: "RUMI-BOT-011", reason_code: "G.BULK.GENERATION_MOVED" }],
      aborted: true,
    });
    expect([await stateOf("b"), await stateOf("c")]).toEqual(["IDLE", "IDLE"]);
  });

  it("a stop goes to all at once and stands neither behind a start nor behind another's proof", async () => {
    await untilOver(String(dataOf(await command("IDLE", "RUNNING_PAPER"))["bulk_id"]));
    // A start of others that never comes to its end: its runner is gone between the command and the report.
    dataOf(await world.makeBot("slow"));
    const slow = world.command("bulk.start", {
      command_id: world.id(),
      selector: { bot_ids: ["slow"] },
      requested_transition: { from: "IDLE", to: "RUNNING_PAPER" },
      max_errors: 1,
      reason: "x",
    });
    dataOf(await slow);
    const stop = String(dataOf(await command("RUNNING_PAPER", "STOPPING"))["bulk_id"]);
    const sent: string[] = [];
    await world.control
      .bulk(
        {
          ...world.pipeline,
          execute: (operation, request) => {
            const { target, requested_transition } = request.raw.body as {
              target: { bot_id: string };
              requested_transition: { to: string };
            };
            sent.push(`${target.bot_id} ${requested_transition.to}`);
            return world.pipeline.execute(operation, request);
          },
        },
        ["stops"],
      )
      .run();
    // One round, before any of them is proven to have stopped.
    expect(sent).toEqual(BOTS.map((bot_id) => `${bot_id} STOPPING`));
    expect(await untilOver(stop)).toMatchObject({ done: BOTS, failed: [] });
  });

  it("live, a release, states that no command reaches, an empty match and an unknown group are refused by name; nothing moves", async () => {
    expect(reasonOf(await command("IDLE", "RUNNING_LIVE"))).toEqual(["RUMI-BOT-074", "G.GROUP.ONE_BY_ONE"]);
    expect(reasonOf(await command("QUARANTINED", "IDLE"))).toEqual(["RUMI-BOT-074", "G.GROUP.ONE_BY_ONE"]);
    expect(codeOf(await command("RUNNING_PAPER", "ERROR"))).toBe("RUMI-BOT-033");
    expect(codeOf(await command("IDLE", "PAUSED"))).toBe("RUMI-BOT-010");
    expect(reasonOf(await command("PAUSED", "STOPPING"))).toEqual(["RUMI-BOT-075", "G.STATE_MOVED"]);
    expect(codeOf(await command("IDLE", "RUNNING_PAPER", { target: { group_id: "none" } }))).toBe("RUMI-BOT-015");
    expect(codeOf(await command("IDLE", "RUNNING_PAPER", { target: { group_id: "desk", bot_id: "a" } }))).toBe(
      "RUMI-BOT-029",
    );
    expect(codeOf(await command("IDLE", "RUNNING_PAPER", { actor: "user:somebody" }))).toBe("RUMI-VAL-002");
    for (const bot_id of BOTS) expect(await stateOf(bot_id)).toBe("IDLE");
    expect(await world.actions()).not.toContain("bulk.started");
  });

  it("a hold on the group refuses its start as a whole and no stop of it; the same command twice is one", async () => {
    const first = world.id();
    await untilOver(String(dataOf(await command("IDLE", "RUNNING_PAPER", { command_id: first }))["bulk_id"]));
    expect(await command("IDLE", "RUNNING_PAPER", { command_id: first, reason: "test" })).toMatchObject({
      kind: "refused",
    });
    dataOf(await world.move("e", "RUNNING_PAPER", "STOPPING"));
    await world.until("e is idle", async () => (await stateOf("e")) === "IDLE");
    dataOf(
      await world.command("holds.set", {
        command_id: world.id(),
        kind: "freeze",
        scope: { group_id: "desk" },
        reason: "x",
      }),
    );
    expect(reasonOf(await command("IDLE", "RUNNING_PAPER"))).toEqual(["RUMI-CMD-007", "G.FREEZE"]);
    const stop = dataOf(await command("RUNNING_PAPER", "STOPPING"));
    expect(stop["left_out"]).toEqual([{ bot_id: "e", state: "IDLE" }]);
    expect(await untilOver(String(stop["bulk_id"]))).toMatchObject({ done: ["a", "b", "c", "d"] });
  });

  it("[L-34] a dry run tells whom it would be for, and who is left out", async () => {
    dataOf(await world.move("b", "IDLE", "RUNNING_PAPER"));
    expect(dataOf(await command("IDLE", "RUNNING_PAPER", { dry_run: true }))).toMatchObject({
      would: "apply",
      preview: {
        group_id: "desk",
        targets: ["a", "c", "d", "e"],
        left_out: [{ bot_id: "b", state: "RUNNING_PAPER" }],
        waves: 3,
      },
    });
    expect(await stateOf("a")).toBe("IDLE");
  });
});
