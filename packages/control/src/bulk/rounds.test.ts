/** What one round does, and what stops it: refusals, aborts at the worst moment, runners that are away, bots that do not arrive. */
import type { Pipeline } from "@rumi/operations";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";

const BOTS = ["a", "b", "c", "d", "e"];
let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  for (const bot_id of BOTS) dataOf(await world.makeBot(bot_id, { group_id: "desk" }));
});
afterEach(() => world.close());

type Move = { readonly from: string; readonly to: string };
const START: Move = { from: "IDLE", to: "RUNNING_PAPER" };
const begin = (over: Record<string, unknown> = {}) =>
  world.command("bulk.start", {
    command_id: world.id(),
    selector: { group_id: "desk" },
    requested_transition: START,
    max_errors: 5,
    reason: "the desk opens",
    ...over,
  });
const start = async (over: Record<string, unknown> = {}) => String(dataOf(await begin(over))["bulk_id"]);
const show = async (bulk_id: string) => dataOf(await world.query("bulk.show", {}, { bulk_id }));
const abort = (bulk_id: string) => world.command("bulk.abort", { reason: "stop it" }, { params: { bulk_id } });
const step = (pipeline: Pipeline = world.pipeline) => world.control.bulk(pipeline).run();
const stateOf = async (bot_id: string) => (await world.bot(bot_id))["state"];
const targetOf = (request: Parameters<Pipeline["execute"]>[1]) =>
  (request.raw.body as { readonly target: { readonly bot_id: string } }).target.bot_id;
/** The pipeline, with something in front of each command that a bulk sends. */
const before = (act: (bot_id: string) => Promise<void>): Pipeline => ({
  ...world.pipeline,
  execute: async (operation, request) => {
    await act(targetOf(request));
    return world.pipeline.execute(operation, request);
  },
});
async function untilOver(bulk_id: string, pipeline?: Pipeline): Promise<Record<string, unknown>> {
  await world.until("over", async () => {
    await step(pipeline);
    return (await show(bulk_id))["state"] === "over";
  });
  return show(bulk_id);
}
const noRunner = async (): Promise<void> => {
  world.runner.drop();
  await expect.poll(() => world.control.hub.ready().length, { timeout: 10_000 }).toBe(0);
};
/** Rounds of a bulk leave nothing in the log, so that none nudges the next. */
async function expectSilence(): Promise<void> {
  const told = (await world.actions()).length;
  for (let i = 0; i < 5; i += 1) await step();
  expect((await world.actions()).slice(told)).toEqual([]);
}

describe("[L-N11] [L-44] a finished answer is final", () => {
  it("a refusal of a server's fault is a failure like any other and is not asked for again", async () => {
    const bulk_id = await start({ selector: { bot_ids: ["a"] } });
    await step(before(noRunner)); // it goes between the round's look and the command
    expect(await show(bulk_id)).toMatchObject({
      state: "over",
      in_flight: [],
      failed: [{ bot_id: "a", error_code: "RUMI-BOT-018" }],
    });
    await expectSilence();
  });

  it("a refusal that the bulk could not write down is read from the command", async () => {
    const bulk_id = await start({ selector: { bot_ids: ["a", "b"] } });
    let sent = 0;
    const dies = before(async () => {
      sent += 1;
      await noRunner();
    });
    const lost: Pipeline = {
      ...dies,
      execute: async (operation, request) => {
        await dies.execute(operation, request);
        throw new Error("the program dies here");
      },
    };
    await expect(step(lost)).rejects.toThrow("dies here");
    expect(await show(bulk_id)).toMatchObject({ in_flight: ["a"] });
    await step(before(() => Promise.reject(new Error("it was asked for again"))));
    expect(await show(bulk_id)).toMatchObject({ failed: [{ bot_id: "a", error_code: "RUMI-BOT-018" }] });
    expect(sent).toBe(1);
    await expectSilence();
  });

  it("a command that fails inside is tried as often as the pipeline allows, and then failed", async () => {
    const bulk_id = await start({ selector: { bot_ids: ["a"] } });
    const store = world.store as { commit: typeof world.store.commit };
    const whole = store.commit;
    store.commit = (batch) =>
      batch.writes.some(({ sql }) => sql.includes('insert into "command"'))
        ? Promise.reject(new Error("a fault inside"))
        : whole.call(world.store, batch);
    await step();
    expect(await show(bulk_id)).toMatchObject({ in_flight: ["a"] });
    for (let i = 0; i < 8; i += 1) await step();
    store.commit = whole;
    expect(await show(bulk_id)).toMatchObject({ state: "over", failed: [{ bot_id: "a", error_code: "RUMI-CMD-010" }] });
    await expectSilence();
  });

  it("a bot that somebody moved back is failed, and its command is not replayed", async () => {
    const bulk_id = await start({ selector: { bot_ids: ["a"] } });
    await step();
    dataOf(await world.move("a", "RUNNING_PAPER", "STOPPING"));
    await world.until("idle", async () => (await stateOf("a")) === "IDLE");
    await step();
    expect(await show(bulk_id)).toMatchObject({
      state: "over",
      failed: [{ bot_id: "a", error_code: "RUMI-BOT-011", reason_code: "G.BULK.MOVED_ON" }],
    });
    await expectSilence();
    expect(await world.actions()).not.toContain("command.duplicate_suppressed");
  });

  it("without a runner no start is begun, a stop is; with one it goes on", async () => {
    dataOf(await world.move("e", "IDLE", "RUNNING_PAPER"));
    await world.until("running", () => world.runner.instances.size === 1);
    const bulk_id = await start();
    await noRunner();
    await expectSilence();
    expect(await show(bulk_id)).toMatchObject({ waiting: ["a", "b", "c", "d"], in_flight: [], failed: [] });
    const stop = await start({
      selector: { bot_ids: ["e"] },
      requested_transition: { from: "RUNNING_PAPER", to: "STOPPING" },
    });
    await step();
    expect(await show(stop)).toMatchObject({ in_flight: ["e"] });
    expect(await stateOf("e")).toBe("STOPPING");
    await world.runner.dial();
    expect(await untilOver(bulk_id)).toMatchObject({ done: ["a", "b", "c", "d"], failed: [] });
  });
});

describe("[L-N11] [L-44] an abort", () => {
  it("between two sends of one wave lets the second one be, and tells of the first", async () => {
    const bulk_id = await start();
    let told: unknown;
    const over = await untilOver(
      bulk_id,
      before(async (bot_id) => {
        if (bot_id === "b") told = dataOf(await abort(bulk_id))["in_flight"];
      }),
    );
    expect(told).toEqual(["b"]);
    expect(over).toMatchObject({ aborted: true, done: ["a", "b"], waiting: ["c", "d", "e"], failed: [] });
    expect(await stateOf("c")).toBe("IDLE");
  });

  it("that lands while a target is being begun wins: its command is not sent", async () => {
    const bulk_id = await start();
    const store = world.store as { commit: typeof world.store.commit };
    const whole = store.commit;
    store.commit = async (batch) => {
      if (batch.writes.some(({ sql }) => sql.startsWith('update "bulk"'))) {
        store.commit = whole;
        dataOf(await abort(bulk_id));
      }
      return whole.call(world.store, batch);
    };
    await step();
    expect(await show(bulk_id)).toMatchObject({ state: "over", aborted: true, in_flight: [], waiting: BOTS });
    expect(await stateOf("a")).toBe("IDLE");
  });

  it("after a program that died before it sent: what was begun and never taken is not sent any more", async () => {
    const bulk_id = await start();
    await expect(step(before(() => Promise.reject(new Error("dies"))))).rejects.toThrow("dies");
    expect(dataOf(await abort(bulk_id))).toMatchObject({ in_flight: ["a"] });
    await step();
    expect(await show(bulk_id)).toMatchObject({
      state: "over",
      failed: [{ bot_id: "a", error_code: "RUMI-CMD-012", reason_code: "G.BULK.ABORTED" }],
    });
    expect(await stateOf("a")).toBe("IDLE");
  });
});

describe("[L-N11] [L-44] the ramp and the brake measure what runs", () => {
  it("a round sends one command; running is what a runner reports, paused what stands, a stop what is proven", async () => {
    const bulk_id = await start();
    const sent: string[] = [];
    const counted = before((bot_id) => Promise.resolve(void sent.push(bot_id)));
    // No round of the instances: each bot is RUNNING_PAPER by its command, and nothing runs.
    for (let i = 0; i < 3; i += 1) await step(counted);
    expect(await stateOf("a")).toBe("RUNNING_PAPER");
    expect(await show(bulk_id)).toMatchObject({ wave: 1, in_flight: ["a"], done: [] });
    expect(sent).toEqual(["a"]);
    await world.until("a runs", async () => {
      await step(counted);
      return sent.length > 1;
    });
    expect(sent).toEqual(["a", "b"]);
    await untilOver(bulk_id, counted);
    expect(sent).toEqual(BOTS);
    for (const [to, state] of [
      ["PAUSED", "PAUSED"],
      ["STOPPING", "IDLE"],
    ] as const) {
      const from = to === "PAUSED" ? "RUNNING_PAPER" : "PAUSED";
      const next = await start({ requested_transition: { from, to } });
      for (let i = 0; i < 3; i += 1) await step();
      expect(await stateOf("a")).toBe(to);
      expect(await show(next)).toMatchObject({ in_flight: ["a"], done: [] });
      expect(await untilOver(next)).toMatchObject({ done: BOTS, failed: [] });
      expect(await stateOf("e")).toBe(state);
    }
  });

  it("bots that a runner refuses to start reach the limit of errors: the rest stays where it is", async () => {
    world.runner.refuseStarts.with = {
      error_code: "RUMI-STR-020",
      reason_code: "M.ADMISSION.REFUSED",
      error: "no",
      suggestion: "none",
    };
    const bulk_id = await start({ max_errors: 2 });
    const over = await untilOver(bulk_id);
    expect(over).toMatchObject({
      aborted: true,
      errors: 2,
      done: [],
      failed: ["a", "b"].map((bot_id) => ({ bot_id, error_code: "RUMI-STR-020", reason_code: "M.ADMISSION.REFUSED" })),
      waiting: ["c", "d", "e"],
    });
  });
});

describe("[L-N11] who, and whom", () => {
  it("a retry is the retrier's: their name, their reason, their roles", async () => {
    dataOf(
      await world.command("holds.set", { command_id: world.id(), kind: "freeze", scope: { bot_id: "a" }, reason: "x" }),
    );
    const bulk_id = await start({ selector: { bot_ids: ["a"] } });
    await untilOver(bulk_id);
    const [hold] = dataOf(await world.query("holds.list"))["holds"] as readonly [{ hold_id: string }];
    dataOf(
      await world.confirm(await world.command("holds.lift", { reason: "x" }, { params: { hold_id: hold.hold_id } })),
    );
    const made = await world.command("users.create", { display_name: "Uli", roles: ["operator"], reason: "joins" });
    const id = String(dataOf(made)["user_id"]);
    const principal = { id, roles: ["operator"] } as const;
    const word = { params: { bulk_id }, principal };
    expect(dataOf(await world.command("bulk.retry", { reason: "once more" }, word))).toMatchObject({ actor: id });
    expect(await untilOver(bulk_id)).toMatchObject({ actor: id, done: ["a"] });
    const sql = "SELECT actor, reason FROM command WHERE bot_id = 'a'";
    expect(await world.store.rows({ sql, parameters: [] })).toEqual([{ actor: id, reason: "once more" }]);
  });

  it("bots that do not exist are refused by name, and who is left out stands in the answer", async () => {
    for (const dry_run of [true, false]) {
      const asked = await begin({ selector: { bot_ids: ["a", "nobody", "none"] }, dry_run });
      if (!dry_run) expect(codeOf(asked)).toBe("RUMI-BOT-001");
      expect(JSON.stringify(asked)).toContain("G.BULK.UNKNOWN_BOT");
      expect(JSON.stringify(asked)).toContain("nobody, none");
    }
    dataOf(await world.move("b", "IDLE", "RUNNING_PAPER"));
    expect(await begin()).toMatchObject({
      status: 202,
      data: { next: ["a"], left_out: [{ bot_id: "b", state: "RUNNING_PAPER" }] },
    });
  });
});
