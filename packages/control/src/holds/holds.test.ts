import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { HOLD_LIMITS } from "./model.ts";
import { HOLD_KINDS, type HoldKind, insertHold } from "./tables.ts";

const OPERATOR = { id: "user:op", roles: ["operator"] } as const;
let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  dataOf(await world.makeBot());
});
afterEach(() => world.close());

const set = (kind: HoldKind, scope: Record<string, unknown>, over: Record<string, unknown> = {}) =>
  world.command(
    "holds.set",
    { command_id: world.id(), kind, scope, reason: "something is wrong", ...over },
    { principal: OPERATOR },
  );
const lift = (hold_id: unknown) =>
  world.command("holds.lift", { reason: "seen to" }, { params: { hold_id: String(hold_id) } });
const refusal = (answer: Awaited<ReturnType<typeof lift>>) =>
  answer.kind === "refused" ? [answer.failure.code, answer.failure.reasonCode] : ["done"];
async function running(): Promise<string> {
  const run_id = String(dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))["run_id"]);
  await world.until("running", () => world.runner.instances.has(run_id));
  return run_id;
}

describe("[L-16] freezes, incidents and locks", () => {
  for (const kind of HOLD_KINDS)
    it(`${kind}: a start is refused for administrators too, in its scope and nowhere else, until somebody confirmed lifts it`, async () => {
      dataOf(await world.makeBot("bot-2"));
      const made = dataOf(await set(kind, { bot_id: "bot-1" }));
      expect(refusal(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))).toEqual([
        "RUMI-CMD-007",
        `G.${kind.toUpperCase()}`,
      ]);
      dataOf(await world.move("bot-2", "IDLE", "RUNNING_PAPER"));
      const asked = await lift(made["hold_id"]);
      expect(refusal(asked)).toEqual(["RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
      expect(refusal(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))[0]).toBe("RUMI-CMD-007");
      expect(dataOf(await world.confirm(asked))).toMatchObject({ state: "LIFTED" });
      dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
    });

  it("what runs runs on in a freeze and may be stopped, paused and quarantined; no configuration is applied", async () => {
    await running();
    dataOf(await set("freeze", { all: true }));
    await world.rounds(3);
    expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER" });
    const apply = await world.command(
      "bots.config_apply",
      { command_id: world.id(), config: { fast: 11 }, at: "next_tick", reason: "test" },
      { params: { bot_id: "bot-1" } },
    );
    expect(refusal(apply)).toEqual(["RUMI-CMD-007", "G.FREEZE"]);
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "PAUSED"));
    dataOf(await world.move("bot-1", "PAUSED", "QUARANTINED"));
    // Tightening passes it, loosening does not: also what is about no bot.
    dataOf(await world.command("safety.set", { command_id: world.id(), mode: "SAFE", reason: "test" }));
    expect(
      refusal(await world.command("safety.set", { command_id: world.id(), mode: "NORMAL", reason: "test" })),
    ).toEqual(["RUMI-CMD-007", "G.FREEZE"]);
  });

  it("a lock ends what runs in its scope: quarantined, told to stop, and it stays so when the lock is lifted", async () => {
    const run_id = await running();
    const lock = dataOf(await set("lock", { venue: "SIM" }));
    await world.until("ended", async () => (await world.bot())["state"] === "QUARANTINED");
    await world.until("stopped", () => world.runner.instances.get(run_id)?.status.phase === "stopped");
    expect(await world.bot()).toMatchObject({ status: { reason: "LOCKED" } });
    expect(refusal(await world.move("bot-1", "QUARANTINED", "IDLE"))).toEqual(["RUMI-CMD-007", "G.LOCK"]);
    dataOf(await world.confirm(await lift(lock["hold_id"])));
    await world.rounds(3);
    expect(await world.bot()).toMatchObject({ state: "QUARANTINED" });
  });

  it("[L-N14] past its time it waits for a review and holds on; a challenge opened before a freeze is refused at its confirmation", async () => {
    const asked = await world.move("bot-1", "IDLE", "RUNNING_LIVE");
    dataOf(await set("freeze", { all: true }, { valid_for_seconds: 60 }));
    expect(refusal(await world.confirm(asked))).toEqual(["RUMI-CMD-007", "G.FREEZE"]);
    world.clock.skip(61_000);
    expect(dataOf(await world.query("holds.list"))["holds"]).toMatchObject([
      { state: "REVIEW_NEEDED", kind: "freeze" },
    ]);
    expect(refusal(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))).toEqual(["RUMI-CMD-007", "G.FREEZE"]);
  });

  it("[G-7.1] setting and lifting are audited by their names; nobody lifts twice, an operator not at all, an unknown one is told", async () => {
    for (const [kind, on, off] of [
      ["freeze", "freeze.set", "freeze.lifted"],
      ["incident", "incident.enabled", "incident.disabled"],
      ["lock", "lock.set", "lock.lifted"],
    ] as const) {
      const made = dataOf(await set(kind, { bot_id: "bot-1" }));
      const params = { hold_id: String(made["hold_id"]) };
      expect(codeOf(await world.command("holds.lift", { reason: "x" }, { params, principal: OPERATOR }))).toBe(
        "RUMI-AUTH-003",
      );
      dataOf(await world.confirm(await lift(made["hold_id"])));
      expect(dataOf(await lift(made["hold_id"]))).toMatchObject({ changed: false, state: "LIFTED" });
      const actions = await world.actions();
      for (const action of [on, off]) expect(actions).toContain(action);
    }
    expect(codeOf(await lift(world.id()))).toBe("RUMI-SYS-011");
    expect(codeOf(await set("freeze", { bot_id: "nobody" }))).toBe("RUMI-BOT-001");
    expect(codeOf(await set("freeze", {}))).toMatch(/^RUMI-VAL/);
  });

  it("[G-5.3] under a hold on its bot or its scope a rule of the kill switch is not loosened, another bot's is", async () => {
    dataOf(await world.makeBot("bot-2"));
    const ROOT = { id: "user:root", roles: ["admin"] } as const;
    const kill = (scope: Record<string, unknown>, level: string) =>
      world.command(
        "killswitch.set",
        { command_id: world.id(), scope, level, reason: "test" },
        { principal: level === "ALLOW" ? ROOT : OPERATOR },
      );
    for (const scope of [{ bot_id: "bot-1" }, { bot_id: "bot-2" }, { group_id: "desk" }])
      dataOf(await kill(scope, "CLOSE_ONLY"));
    dataOf(await set("incident", { bot_id: "bot-1" }));
    dataOf(await set("freeze", { group_id: "desk" }));
    expect(refusal(await kill({ bot_id: "bot-1" }, "ALLOW"))).toEqual(["RUMI-CMD-007", "G.INCIDENT"]);
    expect(refusal(await kill({ group_id: "desk" }, "ALLOW"))).toEqual(["RUMI-CMD-007", "G.FREEZE"]);
    expect(refusal(await kill({ bot_id: "bot-2" }, "ALLOW"))).toEqual(["RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
    dataOf(await kill({ bot_id: "bot-1" }, "BLOCK"));
    dataOf(await set("incident", { venue: "SIM" }));
    expect(refusal(await kill({ bot_id: "bot-2" }, "ALLOW"))).toEqual(["RUMI-CMD-007", "G.INCIDENT"]);
  });

  it("beyond its holds a further one is refused by its code, and what holds everybody is not", async () => {
    const rows = Array.from({ length: HOLD_LIMITS.holds }, () =>
      insertHold(world.store, {
        hold_id: world.id(),
        kind: "freeze",
        scope: "strategy_id",
        id: "nobody",
        reason: "test",
        set_by: "test",
        set_at: 1,
        ends_at: null,
        lifted_at: null,
        lifted_by: null,
      }),
    );
    await world.store.commit({ writes: rows, events: [] });
    expect(refusal(await set("freeze", { bot_id: "bot-1" }))).toEqual(["RUMI-CMD-027", "G.HOLD.FULL"]);
    for (const kind of HOLD_KINDS) {
      const made = dataOf(await set(kind, { all: true }));
      expect(made).toMatchObject({ kind, state: "IN_FORCE", scope: { all: true } });
      expect(dataOf(await set(kind, { all: true }))).toMatchObject({ hold_id: made["hold_id"], changed: false });
    }
    // All three hold everybody: the strictest is named.
    expect(refusal(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))).toEqual(["RUMI-CMD-007", "G.LOCK"]);
  });
});

describe("[L-16] [G-5.3] strictest wins", () => {
  const kill = (scope: Record<string, unknown>, level: string) =>
    world.command("killswitch.set", { command_id: world.id(), scope, level, reason: "test" });
  const mode = (to: string) => world.command("safety.set", { command_id: world.id(), mode: to, reason: "test" });

  it("a rule for all is not loosened while it is what keeps a held bot still; with a rule of the bot's own it is", async () => {
    dataOf(await world.makeBot("bot-2"));
    await running();
    dataOf(await kill({ all: true }, "BLOCK"));
    const hold = dataOf(await set("incident", { bot_id: "bot-1" }));
    for (const level of ["ALLOW", "CLOSE_ONLY"]) {
      const refused = await kill({ all: true }, level);
      expect(refusal(refused)).toEqual(["RUMI-CMD-007", "G.INCIDENT"]);
      expect(refused.kind === "refused" && refused.failure).toMatchObject({
        details: { hold_id: hold["hold_id"] },
        params: { problem: expect.stringContaining("it holds bot-1") },
      });
    }
    dataOf(await kill({ venue: "SIM" }, "CLOSE_ONLY"));
    const milder = await kill({ all: true }, "ALLOW");
    expect(refusal(milder), "a milder rule of another scope does not keep it").toEqual(["RUMI-CMD-007", "G.INCIDENT"]);
    dataOf(await kill({ bot_id: "bot-1" }, "BLOCK"));
    dataOf(await world.confirm(await kill({ all: true }, "ALLOW")));
    expect(dataOf(await world.query("killswitch.show", { bot_id: "bot-1" }))["effective"]).toMatchObject({
      level: "BLOCK",
      scope: { bot_id: "bot-1" },
    });
    expect(refusal(await kill({ bot_id: "bot-1" }, "ALLOW"))).toEqual(["RUMI-CMD-007", "G.INCIDENT"]);
  });

  it("neither is the safety mode; a held bot that stands still is in nobody's way, since it cannot start", async () => {
    await running();
    dataOf(await mode("EMERGENCY_STOP"));
    dataOf(await set("freeze", { bot_id: "bot-1" }));
    dataOf(await world.confirm(await mode("SAFE")));
    expect(refusal(await mode("NORMAL"))).toEqual(["RUMI-CMD-007", "G.FREEZE"]);
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"));
    await world.until("stopped", async () => (await world.bot())["state"] === "IDLE");
    dataOf(await world.confirm(await mode("NORMAL")));
    expect(refusal(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))).toEqual(["RUMI-CMD-007", "G.FREEZE"]);
  });

  it("of several holds the strictest is named, and lifting one for all leaves the bot's own", async () => {
    const wide = dataOf(await set("freeze", { all: true }));
    const own = dataOf(await set("lock", { bot_id: "bot-1" }));
    dataOf(await set("incident", { venue: "SIM" }));
    const start = () => world.move("bot-1", "IDLE", "RUNNING_PAPER");
    expect(refusal(await start())).toEqual(["RUMI-CMD-007", "G.LOCK"]);
    dataOf(await world.confirm(await lift(wide["hold_id"])));
    expect(refusal(await start())).toEqual(["RUMI-CMD-007", "G.LOCK"]);
    dataOf(await world.confirm(await lift(own["hold_id"])));
    expect(refusal(await start())).toEqual(["RUMI-CMD-007", "G.INCIDENT"]);
  });
});
