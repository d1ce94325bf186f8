import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { KILL_LEVELS, KILL_RULES_MAX, isStricter, type KillLevel } from "@rumi/runtime";
import { write } from "@rumi/store";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { challengeOf, openControl, type Control } from "../../test/kit.ts";
import { EMERGENCY_LIMITS } from "../emergency/spool.ts";
import { KILL_LIMITS } from "./model.ts";
import { putRule, readKillSwitch, type KillTables } from "./tables.ts";

const OPERATOR = { id: "user:op", roles: ["operator"] } as const;
const VIEWER = { id: "user:eye", roles: ["view_only"] } as const;
let world: Control;
beforeEach(async () => {
  world = await openControl();
});
afterEach(() => world.close());

type Principal = { readonly id: string; readonly roles: readonly ("view_only" | "operator" | "admin")[] };
const set = (scope: Record<string, unknown>, level: KillLevel, principal: Principal = OPERATOR, reason = "because") =>
  world.command("killswitch.set", { command_id: world.id(), scope, level, reason }, { principal });
const reasonOf = (answer: Awaited<ReturnType<Control["move"]>>) =>
  answer.kind === "refused" ? answer.failure.reasonCode : undefined;
const told = () => world.runner.received.flatMap((one) => (one.type === "killswitch" ? [one] : []));

describe("[G-5.3] the kill switch", () => {
  it("strengthening takes an operator and nothing else; loosening takes an administrator's confirmation; every pair", async () => {
    for (const from of KILL_LEVELS)
      for (const to of KILL_LEVELS) {
        const now = await readKillSwitch(world.store, world.store);
        const rule = { scope: "all", id: "", level: from, reason: "test", set_by: "test", set_at: 0 } as const;
        if (from !== "ALLOW" || now.rules.length > 0)
          await world.store.commit({ writes: putRule(world.store, now, rule), events: [] });
        const answer = await set({ all: true }, to);
        if (!isStricter(from, to)) {
          expect([from, to, dataOf(answer)["changed"]]).toEqual([from, to, from !== to]);
          continue;
        }
        expect([from, to, codeOf(answer)]).toEqual([from, to, "RUMI-AUTH-003"]);
        const asked = await set({ all: true }, to, { id: "user:root", roles: ["admin"] });
        expect([from, to, codeOf(asked), reasonOf(asked)]).toEqual([from, to, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
        expect((await readKillSwitch(world.store, world.store)).rules[0]?.level).toBe(from);
        expect(codeOf(await world.confirm(asked, { phrase: "no" }))).toBe("RUMI-CMD-014");
        expect(dataOf(await world.confirm(asked))).toMatchObject({ changed: true, from, level: to });
      }
  });

  it("a viewer may not; an empty scope, two scopes, a level that is none, an unknown bot and venue are refused", async () => {
    expect(codeOf(await set({ all: true }, "BLOCK", VIEWER))).toBe("RUMI-AUTH-003");
    for (const scope of [{}, { all: true, bot_id: "a" }, { all: false }, { everything: true }])
      expect([scope, codeOf(await set(scope, "BLOCK"))?.startsWith("RUMI-VAL")]).toEqual([scope, true]);
    expect(codeOf(await set({ all: true }, "OPEN" as KillLevel))).toMatch(/^RUMI-VAL/);
    expect(codeOf(await set({ bot_id: "nobody" }, "BLOCK"))).toBe("RUMI-BOT-001");
    expect(codeOf(await set({ venue: "NOWHERE" }, "BLOCK"))).toBe("RUMI-BOT-006");
    expect((await readKillSwitch(world.store, world.store)).generation).toBe(0);
  });

  it("[G-4.2] a reason of blanks is none and is asked for; one that is too long, or no text, is told as what it is", async () => {
    const reasoned = async (reason: unknown) => {
      const answer = await world.command("killswitch.set", {
        command_id: world.id(),
        scope: { all: true },
        level: "BLOCK",
        reason,
      });
      return [answer.kind === "refused" ? answer.status : 0, reasonOf(answer)];
    };
    for (const none of [undefined, "", " ", "\t\n"])
      expect([none, await reasoned(none)]).toEqual([none, [400, "REASON_REQUIRED"]]);
    for (const bad of ["x".repeat(1_025), 7]) expect(await reasoned(bad)).toEqual([400, undefined]);
    expect((await readKillSwitch(world.store, world.store)).generation).toBe(0);
  });

  it("[G-7.1] each change is audited with who, why, from and to, and the runner's word that it was followed", async () => {
    await world.runner.dial();
    dataOf(await set({ venue: "SIM" }, "CLOSE_ONLY", OPERATOR, "venue looks ill"));
    await world.until("followed", async () => (await world.actions()).includes("execution.killswitch.followed"));
    const events = dataOf(await world.query("audit.events", { action: "execution.killswitch.set" })) as unknown as {
      items: readonly { actor: string; details: Record<string, unknown> }[];
    };
    const list = Object.values(events).find(Array.isArray) as readonly {
      actor: string;
      details: Record<string, unknown>;
    }[];
    expect(list).toHaveLength(1);
    expect(list[0]).toMatchObject({
      actor: "user:op",
      details: { from: "ALLOW", to: "CLOSE_ONLY", scope: { venue: "SIM" }, reason: "venue looks ill", generation: 1 },
    });
    expect(dataOf(await world.query("killswitch.show"))).toMatchObject({
      generation: 1,
      rules: [{ scope: { venue: "SIM" }, level: "CLOSE_ONLY", set_by: "user:op" }],
      runners: [{ runner_id: "runner-1", follows: true, generation: 1 }],
    });
  });

  it("of several rules the strictest holds for a bot, and its start is refused with the rule's name until it is lifted", async () => {
    await world.dialRunner();
    dataOf(await world.makeBot("bot-1", { group_id: "desk" }));
    dataOf(await world.makeBot("bot-2"));
    dataOf(await set({ group_id: "desk" }, "FLATTEN"));
    dataOf(await set({ venue: "SIM" }, "CLOSE_ONLY"));
    const effective = async (bot_id: string) => dataOf(await world.query("killswitch.show", { bot_id }))["effective"];
    expect(await effective("bot-1")).toEqual({ bot_id: "bot-1", level: "FLATTEN", scope: { group_id: "desk" } });
    expect(await effective("bot-2")).toEqual({ bot_id: "bot-2", level: "CLOSE_ONLY", scope: { venue: "SIM" } });
    const refused = await world.move("bot-1", "IDLE", "RUNNING_PAPER");
    expect([codeOf(refused), reasonOf(refused)]).toEqual(["RUMI-CMD-007", "G.KILLSWITCH.FLATTEN"]);
    expect(reasonOf(await world.move("bot-2", "IDLE", "RUNNING_SHADOW"))).toBe("G.KILLSWITCH.CLOSE_ONLY");
    for (const scope of [{ group_id: "desk" }, { venue: "SIM" }])
      dataOf(await world.confirm(await set(scope, "ALLOW", { id: "user:root", roles: ["admin"] })));
    expect((await readKillSwitch(world.store, world.store)).rules).toEqual([]);
    dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
  });

  it("a running bot is told, may be stopped and paused under it, and may not go on; what it says names the bots it meets", async () => {
    await world.dialRunner();
    dataOf(await world.makeBot());
    const run_id = String(dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))["run_id"]);
    await world.until("running", () => world.runner.instances.has(run_id));
    expect(dataOf(await set({ bot_id: "bot-1" }, "BLOCK"))).toMatchObject({
      bots_matched: 1,
      bots: [{ bot_id: "bot-1", state: "RUNNING_PAPER" }],
    });
    await world.until("told", () => told().length === 1);
    expect(told()[0]).toEqual({
      type: "killswitch",
      generation: 1,
      rules: [{ scope: "bot_id", id: "bot-1", level: "BLOCK" }],
    });
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "PAUSED"));
    expect(reasonOf(await world.move("bot-1", "PAUSED", "RUNNING_PAPER"))).toBe("G.KILLSWITCH.BLOCK");
    dataOf(await world.move("bot-1", "PAUSED", "STOPPING"));
  });

  it("a runner that dials in is told before anything may be started on it, and hears nothing where there never was a rule", async () => {
    await world.dialRunner();
    expect(told()).toEqual([]);
    dataOf(await set({ all: true }, "BLOCK"));
    const second = world.runnerNamed("runner-2");
    await second.dial();
    await world.until("both ready", () => world.control.hub.ready().length === 2);
    const seen = second.received.map(({ type }) => type);
    expect(seen).toContain("killswitch");
  });

  it("a loosening that was asked for before somebody tightened is stale; a dry run tells whom it would meet and changes nothing", async () => {
    dataOf(await set({ all: true }, "CLOSE_ONLY"));
    const asked = await set({ all: true }, "ALLOW", { id: "user:root", roles: ["admin"] });
    dataOf(await set({ all: true }, "BLOCK"));
    expect(codeOf(await world.confirm(asked))).toBe("RUMI-CMD-015");
    expect(challengeOf(asked).phrase).toBe("I UNDERSTAND LIVE RISK");
    const tried = dataOf(
      await world.command("killswitch.set", {
        command_id: world.id(),
        scope: { venue: "SIM" },
        level: "FLATTEN",
        reason: "what if",
        dry_run: true,
      }),
    );
    expect(tried).toMatchObject({ would: "apply", preview: { from: "ALLOW", to: "FLATTEN", bots_matched: 0 } });
    expect((await readKillSwitch(world.store, world.store)).generation).toBe(2);
  });

  it("beyond its rules a further scope is refused, and what stands, or is for all, can still be tightened", async () => {
    dataOf(await world.makeBot());
    dataOf(await set({ bot_id: "bot-1" }, "CLOSE_ONLY"));
    const db = world.store.builder<KillTables>();
    const rows = Array.from({ length: KILL_LIMITS.rules - 1 }, (_, at) => ({
      scope: "strategy_id" as const,
      id: `s${at}`,
      level: "BLOCK" as const,
      reason: "test",
      set_by: "test",
      set_at: 0,
      generation: 1,
    }));
    for (let at = 0; at < rows.length; at += 1_000)
      await world.store.commit({
        writes: [write(db.insertInto("kill_rule").values(rows.slice(at, at + 1_000)), "any")],
        events: [],
      });
    const refused = await set({ venue: "SIM" }, "BLOCK");
    expect([codeOf(refused), reasonOf(refused)]).toEqual(["RUMI-CMD-026", "G.KILLSWITCH.FULL"]);
    expect(dataOf(await set({ bot_id: "bot-1" }, "BLOCK"))).toMatchObject({ changed: true });
    expect(dataOf(await set({ all: true }, "CLOSE_ONLY"))).toMatchObject({ changed: true });
    expect(dataOf(await set({ all: true }, "BLOCK"))).toMatchObject({ changed: true });
    // With all that may wait in the spool beside them, a runner still takes them.
    expect(KILL_LIMITS.rules + 1 + EMERGENCY_LIMITS.scoped).toBeLessThanOrEqual(KILL_RULES_MAX);
  });
});
