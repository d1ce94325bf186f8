/** From a runner's report or a host's fact to the safety mode, over HTTP, and out of it again as far as a person may. */
import type { Reconciler } from "@rumi/platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { botBody, commandBody, INSTRUMENT } from "../../control/test/kit.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

type Challenge = { readonly challenge_id: string; readonly intent_hash: string; readonly phrase: string };
let world: ServedControl;
let interlocks: Reconciler;
let free = 50;
let clock_error_ms = 0;
beforeEach(async () => {
  free = 50;
  clock_error_ms = 0;
  world = await openServedControl();
  interlocks = world.control.interlocks(world.pipeline, {
    diskFreePercent: () => free,
    clockErrorMs: () => clock_error_ms,
  });
  await world.dialRunner();
});
afterEach(() => world.close());

const ask = (url: string, body: Record<string, unknown>, token?: string): Promise<Reply> =>
  world.http("POST", url, { command_id: world.id(), reason: "test", ...body }, token);
async function post(url: string, body: Record<string, unknown>, token?: string): Promise<Record<string, unknown>> {
  const { status, body: said } = await ask(url, body, token);
  if (status >= 300) throw new Error(`${url}: ${status} ${JSON.stringify(said)}`);
  return said["data"] as Record<string, unknown>;
}
const confirm = (asked: Reply, token?: string): Promise<Reply> => {
  const { challenge_id, intent_hash, phrase } = asked.body["challenge"] as Challenge;
  return ask(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase }, token);
};
async function shown(url: string): Promise<Record<string, unknown>> {
  return (await world.http("GET", url)).body["data"] as Record<string, unknown>;
}
const mode = async (): Promise<unknown> => (await shown("/api/safety"))["mode"];
async function untilMode(wanted: string): Promise<void> {
  await world.until(wanted, async () => {
    await interlocks.run();
    return (await mode()) === wanted;
  });
}
/** Samples go on for a while, and nothing comes of them. */
async function stays(wanted: string): Promise<void> {
  const until = world.clock.monotonic() + 2_500;
  while (world.clock.monotonic() < until) {
    await interlocks.run();
    await world.rounds(1);
  }
  expect(await mode()).toBe(wanted);
}
async function live(): Promise<string> {
  const venue = { venue_id: "OUT", kind: "venue_sim", url: "http://127.0.0.1:8900", key: { file: "/keys/out.json" } };
  await post("/api/venues", { ...venue, instruments: [INSTRUMENT] });
  await post("/api/bots", { ...botBody(world, "bot-1", world.digest), venue: "OUT", runbook: "docs/runbooks/bots.md" });
  const done = await confirm(await ask("/api/commands", commandBody(world, "bot-1", "IDLE", "RUNNING_LIVE")));
  return runs(done);
}
async function runs({ body }: Reply): Promise<string> {
  const { run_id } = body["data"] as { run_id: string };
  await world.until("it runs", () => world.runner.instances.has(run_id));
  world.runner.report(run_id, { counters: { outcome_unknown: 0 } });
  await stays("NORMAL");
  return run_id;
}
async function events(action: string): Promise<readonly Record<string, unknown>[]> {
  return (await shown(`/api/audit/events?action=${action}&limit=50`))["events"] as readonly Record<string, unknown>[];
}
const said = ({ status, body }: Reply): unknown =>
  status < 300 ? "done" : [status, body["error_code"], body["reason_code"]];

describe("[G-5.3] [L-N4] interlocks", () => {
  it("an order storm stops everything and is latched: nobody loosens it outside a break-glass session, inside one it is cleared", async () => {
    const run_id = await live();
    world.runner.report(run_id, { intents_total: 100_000 });
    await untilMode("EMERGENCY_STOP");
    expect((await shown("/api/safety"))["reason"]).toMatch(/interlock order_storm: \d+ is at least 120 per_second/);
    expect(await events("interlock.tripped")).toMatchObject([
      { actor: "system:interlocks", resource_id: "order_storm", details: { rule_id: "order_storm", threshold: "120" } },
    ]);
    expect((await events("safety.transition"))[0]).toMatchObject({ actor: "system:interlocks" });
    const listed = (await shown("/api/interlocks"))["interlocks"] as readonly Record<string, unknown>[];
    expect(listed.find(({ rule }) => rule === "order_storm")).toMatchObject({
      latched: true,
      reason: expect.any(String),
    });
    expect(said(await ask("/api/commands", commandBody(world, "bot-1", "RUNNING_LIVE", "STOPPING")))).toBe("done");
    for (const milder of ["SAFE", "NORMAL"])
      expect(said(await ask("/api/safety/set", { mode: milder }))).toEqual([
        403,
        "RUMI-CMD-022",
        "L.BREAK_GLASS.REQUIRED",
      ]);

    const second = await post("/api/users", { display_name: "Sam", roles: ["admin", "break_glass"] });
    const token = String((await post(`/api/users/${String(second["user_id"])}/tokens`, {}))["token"]);
    const session = await ask("/api/break_glass", { verbs: ["safety.set"] });
    const { challenge_id, intent_hash } = session.body["challenge"] as Challenge;
    await world.http("GET", `/api/challenges/${challenge_id}`, undefined, token);
    await post(`/api/challenges/${challenge_id}/approve`, { intent_hash }, token);
    expect(said(await confirm(session))).toBe("done");
    const asked = await ask("/api/safety/set", { mode: "NORMAL" });
    expect(said(asked)).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
    // The storm is over by then: a minute's windows do not hold what a run did that does not run any more.
    world.runner.report(run_id, { phase: "stopped" });
    await world.until("stopped", async () => (await world.bot())["state"] === "IDLE");
    const cleared = await confirm(asked);
    expect(said(cleared)).toBe("done");
    expect(await events("interlock.cleared")).toMatchObject([{ actor: "user:root", resource_id: "order_storm" }]);
  });

  it("a disk that is nearly full stops everything, and room alone does not let it go on", async () => {
    free = 5.5;
    await stays("NORMAL");
    free = 4.9;
    await untilMode("EMERGENCY_STOP");
    expect(await events("interlock.tripped")).toMatchObject([{ resource_id: "disk_free" }]);
    free = 50;
    await stays("EMERGENCY_STOP");
    expect(said(await ask("/api/safety/set", { mode: "NORMAL" }))).toEqual([
      403,
      "RUMI-CMD-022",
      "L.BREAK_GLASS.REQUIRED",
    ]);
    expect(await events("interlock.tripped"), "once").toHaveLength(1);
  });

  it("[G-5.3] a program that dies with the very commit that stops everything leaves it latched", async () => {
    const { pipeline } = world;
    const execute: typeof pipeline.execute = async (...command) => {
      await pipeline.execute(...command);
      throw new Error("died");
    };
    const dying = world.control.interlocks(
      { ...pipeline, execute },
      { diskFreePercent: () => 4.9, clockErrorMs: () => 0 },
    );
    await expect(dying.run()).rejects.toThrow("died");
    expect(await mode()).toBe("EMERGENCY_STOP");
    expect(await events("interlock.tripped")).toMatchObject([{ resource_id: "disk_free" }]);
    expect(said(await ask("/api/safety/set", { mode: "NORMAL" }))).toEqual([
      403,
      "RUMI-CMD-022",
      "L.BREAK_GLASS.REQUIRED",
    ]);
  });

  it("requests whose outcome nobody knows make it SAFE, which an administrator leaves as ever", async () => {
    const run_id = await live();
    world.runner.report(run_id, { counters: { outcome_unknown: 50 } });
    await untilMode("SAFE");
    expect(await events("interlock.tripped")).toEqual([]);
    expect(said(await ask("/api/safety/set", { mode: "NORMAL" }))).toEqual([
      409,
      "RUMI-CMD-004",
      "CONFIRMATION_REQUIRED",
    ]);
  });

  it("a jump of the exposure and a clock that leaves its pace stop everything", async () => {
    clock_error_ms = 1_400;
    const run_id = await live();
    const position = { instrument_id: "XRPETH.SIM", average_price: "1", realised_profit: "0", unrealised_profit: "0" };
    const holds = (quantity: string) => ({ positions: [{ ...position, fees: "0", quantity, last_price: "1" }] });
    world.runner.report(run_id, holds("300"));
    await stays("NORMAL");
    world.runner.report(run_id, holds("-400"));
    await untilMode("EMERGENCY_STOP");
    clock_error_ms = 2_000;
    await world.until("both hold", async () => {
      await interlocks.run();
      return (await events("interlock.tripped")).length === 2;
    });
    const rules = (await events("interlock.tripped")).map(({ resource_id }) => resource_id);
    expect(new Set(rules)).toEqual(new Set(["clock_error", "exposure_jump"]));
  });

  it("what trades on paper may run a day in a minute: it is no storm", async () => {
    await post("/api/bots", botBody(world, "bot-1", world.digest));
    const run_id = await runs(await ask("/api/commands", commandBody(world, "bot-1", "IDLE", "RUNNING_PAPER")));
    world.runner.report(run_id, { intents_total: 100_000, counters: { outcome_unknown: 500, foreign_order: 5 } });
    await stays("NORMAL");
  });
});
