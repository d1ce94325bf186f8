/** The end of a bot: what it rests on, that it is confirmed, and that it is final. */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { write } from "@rumi/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import type { LadderTables } from "../attestation/tables.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
});
afterEach(() => world.close());

const retire = (bot_id = "bot-1", over: Record<string, unknown> = {}) =>
  world.command("bots.retire", { command_id: world.id(), reason: "it has served", ...over }, { params: { bot_id } });
const reasonOf = (answer: Awaited<ReturnType<typeof retire>>) =>
  answer.kind === "refused" ? [answer.failure.code, answer.failure.reasonCode] : answer.kind;
async function ranAndStopped(bot_id = "bot-1"): Promise<void> {
  dataOf(await world.makeBot(bot_id));
  dataOf(await world.move(bot_id, "IDLE", "RUNNING_PAPER"));
  await world.until("it runs", async () => (await instances(bot_id))[0]?.["phase"] === "running");
  dataOf(await world.move(bot_id, "RUNNING_PAPER", "STOPPING"));
  await world.until("it is idle", async () => (await world.bot(bot_id))["state"] === "IDLE");
}
const instances = async (bot_id = "bot-1") => (await world.bot(bot_id))["instances"] as Record<string, unknown>[];
const untilProven = (bot_id = "bot-1") =>
  world.until("the stop is proven", async () => {
    const { attestations } = dataOf(await world.query("attestations.list", { bot_id })) as {
      attestations: { proven: boolean }[];
    };
    return attestations.every(({ proven }) => proven);
  });
const leaseHolders = () =>
  world.store.rows<{ holder: string | null }>({
    sql: "SELECT holder FROM lease WHERE bot_id = 'bot-1'",
    parameters: [],
  });

describe("[L-05] retire", () => {
  it("needs a confirmed challenge and the proof of every stop, releases the leases, and is told", async () => {
    await ranAndStopped();
    await untilProven();
    const asked = await retire();
    expect(reasonOf(asked)).toEqual([expect.stringMatching(/^RUMI-CMD-/), "CONFIRMATION_REQUIRED"]);
    expect((await world.bot())["retired_at"]).toBeNull();
    const done = dataOf(await world.confirm(asked));
    expect(done).toMatchObject({
      state: "IDLE",
      status: { reason: "RETIRED" },
      retired_at: expect.any(String) as unknown,
    });
    expect(await leaseHolders()).toEqual([{ holder: null }]);
    expect(await world.actions()).toContain("bot.retired");
  });

  it("is refused while it runs, while a stop is not attested, and upon a person's claim alone", async () => {
    dataOf(await world.makeBot());
    dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
    await world.until("it runs", async () => (await instances())[0]?.["phase"] === "running");
    expect(reasonOf(await retire())).toEqual(["RUMI-BOT-073", "L.LIFECYCLE.NOT_IDLE"]);
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"));
    await world.until("idle", async () => (await world.bot())["state"] === "IDLE");
    await untilProven();
    // The record is gone; somebody claims in its place that it stopped.
    const db = world.store.builder<LadderTables>();
    const forget = db.updateTable("stop_ladder").set({ attested_at: null, envelope: null, asserted_by: "user:x" });
    await world.store.commit({ writes: [write(forget, 1)], events: [] });
    const refused = await retire();
    expect(reasonOf(refused)).toEqual(["RUMI-BOT-078", "L.LIFECYCLE.STOP_NOT_ATTESTED"]);
    expect((await world.bot())["retired_at"]).toBeNull();
    expect(codeOf(await retire("nobody"))).toBe("RUMI-BOT-001");
  });

  it("a plan that moved meanwhile is stale: who starts between question and word is not retired", async () => {
    dataOf(await world.makeBot());
    const asked = await retire();
    dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
    expect((await world.confirm(asked)).kind).toBe("refused");
    expect((await world.bot())["retired_at"]).toBeNull();
  });

  it("is final: every command is refused by one code, groups and bulks leave it out, and its id is never given again", async () => {
    await ranAndStopped();
    dataOf(await world.makeBot("bot-2", { group_id: "desk" }));
    dataOf(
      await world.command("groups.create", {
        command_id: world.id(),
        group_id: "desk",
        bot_ids: ["bot-1"],
        reason: "a desk",
      }),
    );
    await untilProven();
    dataOf(await world.confirm(await retire()));
    const params = { bot_id: "bot-1" };
    const { digest } = world;
    const tried = {
      paper: await world.move("bot-1", "IDLE", "RUNNING_PAPER"),
      live: await world.move("bot-1", "IDLE", "RUNNING_LIVE"),
      quarantine: await world.move("bot-1", "IDLE", "QUARANTINED"),
      stop: await world.move("bot-1", "RUNNING_PAPER", "STOPPING"),
      config: await world.command(
        "bots.config_apply",
        { command_id: world.id(), config: { fast: 11 }, at: "next_tick", reason: "x" },
        { params },
      ),
      update: await world.command(
        "bots.update",
        { command_id: world.id(), strategy_version: "1.0.0", digest, config: { fast: 12 }, reason: "x" },
        { params },
      ),
      leave: await world.command(
        "groups.remove",
        { command_id: world.id(), bot_id: "bot-1", reason: "x" },
        { params: { group_id: "desk" } },
      ),
      again: await retire(),
      create: await world.makeBot(),
    };
    for (const [name, answer] of Object.entries(tried))
      expect(reasonOf(answer), name).toEqual(["RUMI-BOT-077", "L.LIFECYCLE.RETIRED"]);
    const bulk = await world.command("commands.submit", {
      command_id: world.id(),
      target: { group_id: "desk" },
      requested_transition: { from: "IDLE", to: "RUNNING_PAPER" },
      reason: "x",
      trace_id: world.id(),
      run_id: world.id(),
      schema_version: 1,
    });
    expect(dataOf(bulk)).toMatchObject({ waiting: ["bot-2"], left_out: [{ bot_id: "bot-1", state: "RETIRED" }] });
    await world.rounds(5);
    expect(await world.bot()).toMatchObject({ state: "IDLE", status: { reason: "RETIRED" } });
  });
});

it("[L-05] [L-N12] a deployment reads the bytes: a pack that was altered since its approval gives no bot", async () => {
  appendFileSync(join(world.folder, "ecosystem/demo_pack/ecosystem.json"), "\n");
  expect(codeOf(await world.makeBot())).toBe("RUMI-PACK-007");
  expect(codeOf(await world.query("bots.show", {}, { bot_id: "bot-1" }))).toBe("RUMI-BOT-001");
});
