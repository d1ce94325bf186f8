/** What stands before a start, as somebody meets it over HTTP: needs, runbook, override, clone, template, and who sees what. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { botBody, commandBody, INSTRUMENT } from "../../control/test/kit.ts";
import { dataOf } from "../../platform/test/kit.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

let world: ServedControl;
beforeEach(async () => {
  world = await openServedControl();
  await world.dialRunner();
  await post("/api/venues", {
    venue_id: "OUT",
    kind: "venue_sim",
    url: "http://127.0.0.1:8900",
    key: { file: "/keys/out.json" },
    instruments: [INSTRUMENT],
  });
});
afterEach(() => world.close());

const ask = (url: string, body: Record<string, unknown>, token?: string): Promise<Reply> =>
  world.http("POST", url, { command_id: world.id(), reason: "test", ...body }, token);
async function post(url: string, body: Record<string, unknown>, token?: string): Promise<Record<string, unknown>> {
  const { status, body: said } = await ask(url, body, token);
  if (status >= 300) throw new Error(`${url}: ${status} ${JSON.stringify(said)}`);
  return said["data"] as Record<string, unknown>;
}
async function get(url: string, token?: string): Promise<Record<string, unknown>> {
  const { body } = await world.http("GET", url, undefined, token);
  return body["data"] as Record<string, unknown>;
}
const make = (bot_id: string, over: Record<string, unknown> = {}): Promise<Record<string, unknown>> => {
  const { runbook: _, ...body } = botBody(world, bot_id, world.digest);
  return post("/api/bots", { ...body, ...over });
};
const move = (bot_id: string, from: string, to: string): Promise<Reply> =>
  ask("/api/commands", commandBody(world, bot_id, from, to));
const confirm = (asked: Reply, token?: string): Promise<Reply> => {
  const { challenge_id, intent_hash, phrase } = asked.body["challenge"] as Record<string, string>;
  return ask(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase }, token);
};
const said = ({ status, body }: Reply): unknown => [status, body["error_code"], body["reason_code"]];
async function tokenOf(role: string): Promise<string> {
  const user = { display_name: role, roles: [role], reason: "joins" };
  const { user_id } = dataOf(await world.command("users.create", user)) as { user_id: string };
  const issued = await world.command("tokens.issue", { reason: "laptop" }, { params: { user_id } });
  return String(dataOf(issued)["token"]);
}

it("[L-47] no runbook, no live: refused by its code with the way out; attached, it is shown and live can be confirmed", async () => {
  await make("bot-1", { venue: "OUT" });
  const refused = await confirm(await move("bot-1", "IDLE", "RUNNING_LIVE"));
  expect(said(refused)).toEqual([409, "RUMI-BOT-083", "L.RUNBOOK.MISSING"]);
  expect(refused.body["suggestion"]).toContain("POST /api/bots/bot-1/runbook");
  expect(refused.body["details"]).toMatchObject({ failed_item: "runbook", runbook: null });
  expect(said(await ask("/api/bots/bot-1/runbook", { runbook: "ask Jo" }))).toEqual([
    409,
    "RUMI-BOT-083",
    "L.RUNBOOK.MISSING",
  ]);
  const runbook = "https://wiki.example/bot-1";
  expect(await post("/api/bots/bot-1/runbook", { runbook })).toMatchObject({
    attached: true,
    version: "1.0.1",
    generation: 2,
    spec: { runbook },
  });
  expect((await confirm(await move("bot-1", "IDLE", "RUNNING_LIVE"))).status).toBe(202);
  expect(await get("/api/bots/bot-1")).toMatchObject({ state: "RUNNING_LIVE", spec: { runbook } });
});

it("[L-03] [L-47] a missing need refuses the start by name, with the bot's runbook; the graph shows it", async () => {
  await make("bot-1", { dependencies: ["bot:feeder", "data:SIM"], runbook: "docs/desk.md" });
  const refused = await move("bot-1", "IDLE", "RUNNING_PAPER");
  expect(said(refused)).toEqual([409, "RUMI-BOT-081", "L.DEPENDENCY.MISSING"]);
  expect(refused.body["details"]).toMatchObject({ missing: ["bot:feeder"], runbook: "docs/desk.md" });
  expect(await get("/api/bots/bot-1"), "and whoever looks at the bot").toMatchObject({
    triage: { state: "failing", findings: [{ reason_code: "L.DEPENDENCY.MISSING" }], bot_runbook: "docs/desk.md" },
  });
  const { nodes, needed_by } = await get("/api/bots/bot-1/dependencies");
  expect(nodes).toEqual(
    expect.arrayContaining([
      { dependency: "bot:feeder", kind: "bot", state: "MISSING", problem: "there is no such bot" },
      { dependency: "data:SIM", kind: "data", state: "MET", problem: null },
    ]),
  );
  expect(needed_by).toEqual([]);
  const circle = await ask("/api/bots", { ...botBody(world, "feeder", world.digest), dependencies: ["bot:bot-1"] });
  expect(said(circle)).toEqual([409, "RUMI-BOT-082", "L.DEPENDENCY.CYCLE"]);
});

it("[L-40] [L-N14] an override is asked for by one person, approved by another, used, and over at its time", async () => {
  await make("bot-1", { dependencies: ["bot:feeder"] });
  const admin = await tokenOf("admin");
  const wish = { bot_id: "bot-1", check: "dependencies", valid_for_seconds: 60 };
  const asked = await ask("/api/overrides", wish, admin);
  expect(said(asked)).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
  const { challenge_id, intent_hash } = asked.body["challenge"] as Record<string, string>;
  expect(said(await confirm(asked, admin))).toEqual([409, "RUMI-CMD-017", "APPROVAL_REQUIRED"]);
  await get(`/api/challenges/${challenge_id}`);
  await post(`/api/challenges/${challenge_id}/approve`, { intent_hash });
  expect((await confirm(asked, admin)).status).toBe(201);
  expect((await move("bot-1", "IDLE", "RUNNING_PAPER")).status).toBe(202);
  expect(await get("/api/overrides")).toMatchObject({ overrides: [{ state: "IN_FORCE", approver: "user:root" }] });
  world.clock.skip(61_000);
  expect(await get("/api/overrides")).toMatchObject({ overrides: [{ state: "EXPIRED" }] });
});

describe("[G-3.2] [L-11] what is made like a live bot", () => {
  it("stands still and in no mode, be it cloned or from a template, and neither takes a mode", async () => {
    await make("bot-1", { venue: "OUT", runbook: "docs/desk.md" });
    expect((await confirm(await move("bot-1", "IDLE", "RUNNING_LIVE"))).status).toBe(202);
    await post("/api/templates", { template_id: "steady", from_bot_id: "bot-1" });
    await post("/api/bots/bot-1/clone", { new_bot_id: "bot-2", capital: "5" });
    await post("/api/templates/steady/apply", { bot_id: "bot-3", capital: "5" });
    for (const [url, wish] of [
      ["/api/bots/bot-1/clone", { new_bot_id: "bot-4" }],
      ["/api/templates/steady/apply", { bot_id: "bot-4" }],
    ] as const)
      for (const more of [{ mode: "live" }, { state: "RUNNING_LIVE" }])
        expect((await ask(url, { ...wish, capital: "5", ...more })).status, url).toBe(400);
    await world.rounds(5);
    for (const bot_id of ["bot-2", "bot-3"]) {
      expect(await get(`/api/bots/${bot_id}`)).toMatchObject({
        state: "IDLE",
        status: { mode: null, run_id: null },
        instances: [],
      });
      expect(said(await move(bot_id, "IDLE", "RUNNING_LIVE"))).toEqual([409, "RUMI-CMD-004", "CONFIRMATION_REQUIRED"]);
    }
  });
});

it("[L-39] a token that may only look sees no configuration, and what it looks at money with is noted", async () => {
  await make("bot-1");
  const viewer = await tokenOf("view_only");
  const [seen, full] = [await get("/api/bots", viewer), await get("/api/bots", await tokenOf("operator"))];
  expect(seen).toMatchObject({ bots: [{ spec: { config: {}, withheld: ["config"], capital: "1000" } }] });
  expect(JSON.stringify(seen)).not.toContain('"fast"');
  expect(full).toMatchObject({ bots: [{ spec: { config: { fast: 10, slow: 50 } } }] });
  await get("/api/positions", viewer);
  await get("/api/positions", viewer);
  const { events } = await get("/api/audit/events?action=query.sensitive_read");
  expect(events).toMatchObject([{ details: { query: "positions.list", fields: ["pnl"] } }]);
});
