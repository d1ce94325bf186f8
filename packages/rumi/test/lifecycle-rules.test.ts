/**
 * The rules of a bot's life as somebody meets them over HTTP: who may move it where, that nothing makes it live or takes it
 * out of ERROR or QUARANTINED by itself, and what is left where something cannot be observed or is not safe.
 */
import { BOT_STATES, mayMove, type BotState } from "@rumi/control";
import { millis } from "@rumi/kernel";
import { write } from "@rumi/store";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { botBody, commandBody, INSTRUMENT, type ControlOptions } from "../../control/test/kit.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

let world: ServedControl;
const opened: ServedControl[] = [];
async function open(options: ControlOptions = {}): Promise<ServedControl> {
  world = await openServedControl(options);
  opened.push(world);
  return world;
}
async function ready(): Promise<void> {
  await world.dialRunner();
}
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

const ask = (url: string, body: Record<string, unknown>): Promise<Reply> =>
  world.http("POST", url, { command_id: world.id(), reason: "test", ...body });
async function post(url: string, body: Record<string, unknown>): Promise<Record<string, unknown>> {
  const { status, body: said } = await ask(url, body);
  if (status >= 300) throw new Error(`${url}: ${status} ${JSON.stringify(said)}`);
  return said["data"] as Record<string, unknown>;
}
const move = (bot_id: string, from: string, to: string): Promise<Reply> =>
  ask("/api/commands", commandBody(world, bot_id, from, to));
const said = ({ status, body }: Reply): unknown =>
  status < 300 ? "done" : [status, body["error_code"], body["reason_code"]];
async function confirm(asked: Reply): Promise<Reply> {
  const { challenge_id, intent_hash, phrase } = asked.body["challenge"] as Record<string, string>;
  return ask(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase });
}
async function stateOf(bot_id = "bot-1"): Promise<unknown> {
  const { body } = await world.http("GET", `/api/bots/${bot_id}`);
  return (body["data"] as { state: unknown }).state;
}
const outside = (): Promise<unknown> =>
  post("/api/venues", {
    venue_id: "OUT",
    kind: "venue_sim",
    url: "http://127.0.0.1:8900",
    key: { file: "/keys/out.json" },
    instruments: [INSTRUMENT],
  });
/** A bot that is live, confirmed as ever. */
async function live(bot_id = "bot-1"): Promise<string> {
  await outside();
  await post("/api/bots", { ...botBody(world, bot_id, world.digest), venue: "OUT" });
  const done = await confirm(await move(bot_id, "IDLE", "RUNNING_LIVE"));
  const { run_id } = done.body["data"] as { run_id: string };
  await world.until("it runs", () => world.runner.instances.has(run_id));
  return run_id;
}
async function transitions(bot_id = "bot-1"): Promise<readonly string[]> {
  const { body } = await world.http(
    "GET",
    `/api/audit/events?action=bot.state.transition&resource_id=${bot_id}&limit=200`,
  );
  const { events } = body["data"] as { events: readonly { details: Record<string, unknown> }[] };
  return events.map(({ details }) => `${String(details["from"])}→${String(details["to"])}`);
}

describe("[G-2.2a] the 9×9 matrix, asked for by an operator", () => {
  beforeEach(async () => {
    await open();
    await ready();
  });
  for (const from of BOT_STATES)
    it(`from ${from}: done, challenged or refused with code and next step, as the table says, and nothing else moves it`, async () => {
      for (const to of BOT_STATES) {
        const bot_id = `to-${to.toLowerCase().replace("_", "-")}`;
        await post("/api/bots", botBody(world, bot_id, world.digest));
        await place(bot_id, from);
        const reply = await move(bot_id, from, to);
        if (mayMove("operator", from, to)) expect([to, said(reply)]).toEqual([to, "done"]);
        else {
          const wanted = mayMove("dangerous", from, to) ? "CONFIRMATION_REQUIRED" : "G.TRANSITION_NOT_ALLOWED";
          const status = from === "QUARANTINED" && to !== "IDLE" ? 403 : 409;
          expect([to, reply.status, reply.body["reason_code"]]).toEqual([to, status, wanted]);
          expect(reply.body["suggestion"]).toEqual(expect.stringMatching(/\S/));
          expect([to, await stateOf(bot_id)]).toEqual([to, from]);
        }
      }
    });

  /** As if what leads there had happened; the operator's move from there is what is tried. */
  async function place(bot_id: string, state: BotState): Promise<void> {
    const set = world.store
      .builder<{ bot: { bot_id: string; state: string } }>()
      .updateTable("bot")
      .set({ state })
      .where("bot_id", "=", bot_id);
    expect((await world.store.commit({ writes: [write(set, 1)], events: [] })).ok).toBe(true);
  }
});

describe("[G-0.1] nothing is live that nobody made live", () => {
  it("no request without it said, no bulk, no group, no unconfirmed challenge, no pause and no other mode leads there", async () => {
    await open();
    await ready();
    await outside();
    await post("/api/bots", { ...botBody(world, "bot-1", world.digest), venue: "OUT" });
    const body = commandBody(world, "bot-1", "IDLE", "RUNNING_LIVE");
    const { requested_transition: _, ...unsaid } = body;
    expect((await ask("/api/commands", unsaid)).status).toBe(400);
    expect((await ask("/api/commands", { ...body, requested_transition: { to: "RUNNING_LIVE" } })).status).toBe(400);
    expect((await ask("/api/bots", { ...botBody(world, "bot-2", world.digest), mode: "live" })).status).toBe(400);
    const many = { selector: { bot_ids: ["bot-1"] }, max_errors: 1 };
    const bulk = { ...many, requested_transition: { from: "IDLE", to: "RUNNING_LIVE" } };
    expect((await ask("/api/bulk", bulk)).status).toBe(400);
    expect((await ask("/api/commands", { ...body, target: { group_id: "desk" } })).status).toBeGreaterThanOrEqual(400);
    const asked = await move("bot-1", "IDLE", "RUNNING_LIVE");
    expect(said(asked)).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
    world.clock.skip(61_000);
    await world.rounds(3);
    expect(said(await confirm(asked))).toEqual([409, "RUMI-CMD-013", "CONFIRMATION_EXPIRED"]);
    expect(await stateOf()).toBe("IDLE");
    expect(await transitions()).toEqual(["CREATED→IDLE", "null→CREATED"]);
  });

  it("a live bot that stood still goes on live only as asked for and confirmed again; as a shadow it stays a shadow", async () => {
    await open();
    await ready();
    const run_id = await live();
    expect(said(await move("bot-1", "RUNNING_LIVE", "PAUSED"))).toBe("done");
    await world.until("it stands", () => world.runner.instances.get(run_id)?.status.phase === "paused");
    await world.rounds(5);
    expect(await stateOf()).toBe("PAUSED");
    expect(said(await move("bot-1", "PAUSED", "RUNNING_LIVE"))).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
    expect(said(await move("bot-1", "PAUSED", "RUNNING_SHADOW"))).toBe("done");
    await world.rounds(5);
    expect(await stateOf()).toBe("RUNNING_SHADOW");
    expect((await transitions()).filter((one) => one.endsWith("→RUNNING_LIVE"))).toHaveLength(1);
  });

  it("[G-2.1b] a restart of the whole server leaves a live bot in ERROR; only a new confirmation makes it live", async () => {
    const first = await open({ lease_ttl: millis(2_500) });
    await ready();
    await live();
    first.runner.drop();
    first.control.close();
    await open({ home: first.folder, adoption_window: millis(0), lease_ttl: millis(2_500) });
    await world.until("ERROR", async () => (await stateOf()) === "ERROR");
    const fresh = world.runnerNamed("runner-2");
    await fresh.dial();
    await world.until("a ready runner", () => world.control.hub.ready().length === 1);
    await world.rounds(10);
    world.clock.skip(3_600_000);
    await world.rounds(10);
    expect([await stateOf(), fresh.instances.size]).toEqual(["ERROR", 0]);
    const asked = await move("bot-1", "ERROR", "RUNNING_LIVE");
    expect(said(asked)).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
    expect([await stateOf(), fresh.instances.size]).toEqual(["ERROR", 0]);
    expect(said(await confirm(asked))).toBe("done");
    await world.until("started by a person", () => fresh.instances.size === 1);
  });
});

it("[G-2.1b] a bot that fails again and again is in ERROR each time until somebody starts it, however long one waits", async () => {
  await open();
  await ready();
  await post("/api/bots", botBody(world, "bot-1", world.digest));
  const failures = 5;
  for (let at = 0; at < failures; at += 1) {
    const begun = await move("bot-1", at === 0 ? "IDLE" : "ERROR", "RUNNING_PAPER");
    expect(said(begun)).toBe("done");
    const { run_id } = begun.body["data"] as { run_id: string };
    await world.until("it runs", () => world.runner.instances.get(run_id)?.status.phase === "running");
    world.runner.report(run_id, {
      phase: "failed",
      reason_code: "M.FAULT.TRAP",
      failure: { error_code: "RUMI-STR-001", reason_code: "M.FAULT.TRAP", error: "it trapped", suggestion: "mend it" },
    });
    await world.until("ERROR", async () => (await stateOf()) === "ERROR");
    const starts = world.runner.received.filter(({ type }) => type === "start").length;
    world.clock.skip(3_600_000);
    await world.rounds(10);
    expect(await stateOf()).toBe("ERROR");
    expect(world.runner.received.filter(({ type }) => type === "start")).toHaveLength(starts);
    expect(starts).toBe(at + 1);
  }
  expect((await transitions()).filter((one) => one === "ERROR→RUNNING_PAPER")).toHaveLength(failures - 1);
});

describe("[G-10.1] degraded", () => {
  beforeEach(async () => {
    await open();
    await ready();
  });

  it("a gate that is UNKNOWN refuses a live start, a live resume and a live configuration, also at their confirmation", async () => {
    const run_id = await live();
    const unknown = [409, "RUMI-CMD-006", "G.GATE.UNKNOWN"];
    const apply = (): Promise<Reply> => ask("/api/bots/bot-1/config/apply", { config: { fast: 11 }, at: "next_tick" });
    const pending = await apply();
    await post("/api/gates/market/require", {});
    expect(said(await apply())).toEqual(unknown);
    expect(said(await confirm(pending))).toEqual(unknown);
    expect(said(await move("bot-1", "RUNNING_LIVE", "PAUSED"))).toBe("done");
    await world.until("it stands", () => world.runner.instances.get(run_id)?.status.phase === "paused");
    const resume = (): Promise<Reply> => move("bot-1", "PAUSED", "RUNNING_LIVE");
    expect(said(await resume()), "nobody ever reported it").toEqual(unknown);
    await post("/api/gates/market/report", { state: "PASS", rules: [], ttl_seconds: 20 });
    const asked = await resume();
    world.clock.skip(21_000);
    expect(said(await confirm(asked)), "its report has ended").toEqual(unknown);
    await post("/api/gates/market/report", { state: "UNKNOWN", rules: [], ttl_seconds: 20 });
    expect(said(await resume()), "its reporter does not know").toEqual(unknown);
    expect(said(await move("bot-1", "PAUSED", "STOPPING"))).toBe("done");
  });

  for (const mode of ["SAFE", "EMERGENCY_STOP"])
    it(`${mode}: every operation of execution is refused, stopping and diagnosing go on`, async () => {
      const run_id = await live();
      await post("/api/bots", botBody(world, "paper", world.digest));
      const waiting = await ask("/api/bots/bot-1/config/apply", { config: { fast: 11 }, at: "next_tick" });
      await post("/api/safety/set", { mode });
      const version = { strategy_version: "1.0.0", digest: world.digest, config: { fast: 12 } };
      const transition = { from: "IDLE", to: "RUNNING_PAPER" };
      for (const [name, reply] of [
        ["paper", await move("paper", "IDLE", "RUNNING_PAPER")],
        ["shadow", await move("paper", "IDLE", "RUNNING_SHADOW")],
        ["live", await move("paper", "IDLE", "RUNNING_LIVE")],
        [
          "many",
          await ask("/api/bulk", { selector: { bot_ids: ["paper"] }, requested_transition: transition, max_errors: 1 }),
        ],
        ["configuration", await ask("/api/bots/bot-1/config/apply", { config: { fast: 11 }, at: "next_tick" })],
        ["a confirmation that waited", await confirm(waiting)],
        ["update", await ask("/api/bots/bot-1/update", version)],
        ["shadow of another version", await ask("/api/bots/bot-1/shadow", version)],
        ["breaker closed", await ask("/api/bots/bot-1/breaker", { action: "reset" })],
      ] as const)
        expect([name, said(reply)]).toEqual([name, [409, "RUMI-CMD-005", `G.SAFETY.${mode}`]]);
      for (const url of [
        "/api/bots/bot-1",
        "/api/instances",
        "/api/audit/events",
        `/api/trace/${run_id}`,
        "/api/gates",
      ])
        expect([url, (await world.http("GET", url)).status]).toEqual([url, 200]);
      expect(said(await move("bot-1", "RUNNING_LIVE", "PAUSED"))).toBe("done");
      expect(said(await move("bot-1", "PAUSED", "RUNNING_LIVE"))).toEqual([409, "RUMI-CMD-005", `G.SAFETY.${mode}`]);
      expect(said(await move("bot-1", "PAUSED", "STOPPING"))).toBe("done");
      expect(said(await move("paper", "IDLE", "QUARANTINED"))).toBe("done");
    });

  it("QUARANTINED is left by nobody but a confirmed release: not by time, rounds, a runner's word or a restart", async () => {
    const run_id = await live();
    expect(said(await move("bot-1", "RUNNING_LIVE", "QUARANTINED"))).toBe("done");
    await world.until("stopped", () => world.runner.instances.get(run_id)?.status.phase === "stopped");
    world.runner.report(run_id, { phase: "running" });
    world.clock.skip(7 * 86_400_000);
    await world.rounds(10);
    expect(await stateOf()).toBe("QUARANTINED");
    // On paper this bot could not be anyway, which is said first.
    for (const to of BOT_STATES.filter((state) => state !== "IDLE" && state !== "RUNNING_PAPER"))
      expect([to, said(await move("bot-1", "QUARANTINED", to))]).toEqual([
        to,
        [403, "RUMI-BOT-023", "G.TRANSITION_NOT_ALLOWED"],
      ]);
    world.runner.report(run_id, { phase: "stopped" });
    await world.rounds(5);
    world.runner.drop();
    world.control.close();
    await open({ home: world.folder, adoption_window: millis(0) });
    await world.rounds(10);
    expect(await stateOf()).toBe("QUARANTINED");
    const asked = await move("bot-1", "QUARANTINED", "IDLE");
    expect(said(asked)).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
    await world.rounds(3);
    expect(await stateOf()).toBe("QUARANTINED");
  });
});
