/** No policy keeps anybody with the role from tightening, over HTTP; whatever the same operations loosen stays forbidden. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { botBody, commandBody } from "../../control/test/kit.ts";
import { dataOf } from "../../platform/test/kit.ts";
import { ROOT } from "./program.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

const POLICIES: Readonly<Record<string, string>> = {
  "that forbid everything to everybody": '@id("nobody") forbid(principal, action, resource);',
  "that permit nothing": '@id("reads") permit(principal, action in Action::"reads", resource);',
  "that fail while they are evaluated":
    '@id("all") permit(principal, action, resource); @id("no") forbid(principal, action, resource) when { 9223372036854775807 + 1 == 0 };',
};

let world: ServedControl;
let operator = "";
let admin = "";
let viewer = "";

beforeEach(async () => {
  world = await openServedControl();
  await world.dialRunner();
  for (const id of ["bot-1", "bot-2", "bot-3"]) dataOf(await world.makeBot(id));
  for (const id of ["bot-1", "bot-2"]) dataOf(await world.move(id, "IDLE", "RUNNING_PAPER"));
  for (const id of ["bot-1", "bot-2"]) await untilRuns(id);
  [operator, admin, viewer] = [await tokenOf("operator"), await tokenOf("admin"), await tokenOf("view_only")];
});
afterEach(() => world.close());

async function untilRuns(bot_id: string): Promise<void> {
  await world.until(`${bot_id} runs`, async () => {
    const { instances } = await world.bot(bot_id);
    return (instances as readonly { phase: string }[])[0]?.phase === "running";
  });
}
async function tokenOf(role: string): Promise<string> {
  const { user_id } = dataOf(
    await world.command("users.create", { display_name: role, roles: [role], reason: "joins" }),
  ) as { user_id: string };
  const issued = await world.command("tokens.issue", { reason: "laptop" }, { params: { user_id } });
  return String(dataOf(issued)["token"]);
}
const post = (url: string, body: Record<string, unknown>, token = operator): Promise<Reply> =>
  world.http("POST", url, { command_id: world.id(), reason: "something is wrong", ...body }, token);
const said = ({ status, body }: Reply): unknown =>
  status < 300 ? "done" : [status, body["error_code"], body["reason_code"]];
const move = (bot_id: string, from: string, to: string, token?: string): Promise<Reply> =>
  post("/api/commands", commandBody(world, bot_id, from, to), token);
const bulk = (from: string, to: string): Promise<Reply> =>
  post("/api/bulk", { selector: { bot_ids: ["bot-2"] }, requested_transition: { from, to }, max_errors: 1 });
const report = (state: string): Promise<Reply> =>
  post("/api/gates/market/report", { state, rules: [], ttl_seconds: 60 });

describe("[G-5.3] [L-04] tightening", () => {
  for (const [which, cedar] of Object.entries(POLICIES))
    it(`passes policies ${which}; loosening, growing and reading do not`, async () => {
      const asked = await post("/api/killswitch/set", { scope: { bot_id: "bot-3" }, level: "BLOCK" });
      expect(said(asked)).toBe("done");
      const opened = await post("/api/killswitch/set", { scope: { bot_id: "bot-3" }, level: "ALLOW" }, admin);
      const { challenge_id } = opened.body["challenge"] as { challenge_id: string };
      dataOf(await world.confirm(await world.command("policies.set", { command_id: world.id(), cedar, reason: "x" })));
      const denied = which.includes("fail")
        ? [403, "RUMI-AUTH-012", "POLICY_ERROR"]
        : [403, "RUMI-AUTH-011", "POLICY_DENIED"];

      expect(said(await move("bot-3", "IDLE", "RUNNING_PAPER")), "a start").toEqual(denied);
      expect(said(await post("/api/bots", botBody(world, "bot-4", world.digest))), "a new bot").toEqual(denied);
      expect(said(await post("/api/bots/bot-1/config/apply", { config: {}, at: "next_tick" }))).toEqual(denied);

      const trip = { action: "trip", mode: "no_trade" };
      for (const [name, reply] of [
        ["pause", await move("bot-1", "RUNNING_PAPER", "PAUSED")],
        ["stop", await move("bot-1", "PAUSED", "STOPPING")],
        ["breaker", await post("/api/bots/bot-2/breaker", trip)],
        ["bulk pause", await bulk("RUNNING_PAPER", "PAUSED")],
        ["quarantine", await move("bot-3", "IDLE", "QUARANTINED")],
        ["kill switch", await post("/api/killswitch/set", { scope: { all: true }, level: "BLOCK" })],
        ["freeze", await post("/api/holds", { kind: "freeze", scope: { all: true } })],
        ["incident", await post("/api/holds", { kind: "incident", scope: { venue: "SIM" } })],
        ["gate required", await post("/api/gates/market/require", {})],
        ["gate FAIL", await report("FAIL")],
        ["a challenge rejected", await post(`/api/challenges/${challenge_id}/reject`, {}, admin)],
        ["SAFE", await post("/api/safety/set", { mode: "SAFE" })],
        ["EMERGENCY_STOP", await post("/api/safety/set", { mode: "EMERGENCY_STOP" })],
        ["lock", await post("/api/holds", { kind: "lock", scope: { all: true } })],
      ] as const)
        expect([name, said(reply)]).toEqual([name, "done"]);

      expect(said(await report("PASS")), "evidence that lets risk grow").toEqual(denied);
      expect(said(await post("/api/safety/set", { mode: "NORMAL" }, admin))).toEqual(denied);
      const lowered = { scope: { all: true }, level: "ALLOW" };
      expect(said(await post("/api/killswitch/set", lowered, admin))).toEqual(denied);
      expect(said(await post("/api/bots/bot-2/breaker", { action: "reset" }))).toEqual(denied);
      expect(said(await bulk("PAUSED", "RUNNING_PAPER"))).toEqual(denied);
      expect(said(await move("bot-3", "QUARANTINED", "IDLE", admin))).toEqual(denied);
    });

  it("takes the role all the same: who may only read tightens nothing, with or without policies", async () => {
    const refused = [403, "RUMI-AUTH-003", "PERMISSION_DENIED"];
    const tries = async (): Promise<void> => {
      expect(said(await move("bot-1", "RUNNING_PAPER", "PAUSED", viewer))).toEqual(refused);
      expect(said(await post("/api/safety/set", { mode: "SAFE" }, viewer))).toEqual(refused);
      expect(said(await post("/api/holds", { kind: "lock", scope: { all: true } }, viewer))).toEqual(refused);
      expect(said(await post("/api/killswitch/set", { scope: { all: true }, level: "BLOCK" }, viewer))).toEqual(
        refused,
      );
    };
    await tries();
    const cedar = '@id("all") permit(principal, action, resource);';
    dataOf(await world.confirm(await world.command("policies.set", { command_id: world.id(), cedar, reason: "x" })));
    await tries();
  });

  it("[G-12] the page on policies names exactly the operations that are above them", () => {
    const page = readFileSync(join(ROOT, "docs/policies.md"), "utf8");
    const line = page.split("\n").find((one) => one.startsWith("Above policies: ")) ?? "";
    const named = [...line.matchAll(/`([a-z_.]+)`/g)].map(([, name]) => name);
    const above = [...world.registry.operations.values()]
      .filter(({ definition }) => definition.emergency === true || definition.above_policies !== undefined)
      .map(({ definition }) => definition.name);
    expect(new Set(named)).toEqual(new Set(above));
  });
});
