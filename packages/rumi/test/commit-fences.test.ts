/**
 * Whatever restrains, set while a start, a configuration or an update is being looked at, holds at its commit: each case
 * happens between the operation's snapshot and its commit, and the answer is the restraint's own refusal.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dataOf } from "../../platform/test/kit.ts";
import { botBody, commandBody } from "../../control/test/kit.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

let world: ServedControl;
/** Done once, while the next operation loads. */
let meanwhile: (() => Promise<void>) | undefined;
let loads = 0;

beforeEach(async () => {
  meanwhile = undefined;
  world = await openServedControl({
    whileLoading: async () => {
      loads += 1;
      const act = meanwhile;
      meanwhile = undefined;
      await act?.();
    },
  });
  await world.dialRunner();
  for (const id of ["bot-1", "bot-2"]) await post("/api/bots", botBody(world, id, world.digest));
  await gate("require");
  await gate("report", { state: "PASS", rules: [], ttl_seconds: 60 });
  loads = 0;
});
afterEach(() => world.close());

/** What was answered; anything else than success ends the test. */
async function post(url: string, body: unknown): Promise<void> {
  const reply = await world.http("POST", url, body);
  if (reply.status >= 300) throw new Error(`${url}: ${reply.status} ${JSON.stringify(reply.body)}`);
}
const gate = (verb: string, over: Record<string, unknown> = {}, name = "market"): Promise<void> =>
  post(`/api/gates/${name}/${verb}`, { reason: "test", ...over });
const hold = (kind: string, scope: unknown): Promise<void> =>
  post("/api/holds", { command_id: world.id(), kind, scope, reason: "something is wrong" });
const kill = (scope: unknown): Promise<void> =>
  post("/api/killswitch/set", { command_id: world.id(), scope, level: "BLOCK", reason: "something is wrong" });

const OPERATIONS: Readonly<Record<string, () => Promise<Reply>>> = {
  start: () => world.http("POST", "/api/commands", commandBody(world, "bot-1", "IDLE", "RUNNING_PAPER")),
  "config apply": () =>
    world.http("POST", "/api/bots/bot-1/config/apply", {
      command_id: world.id(),
      config: { fast: 11 },
      at: "next_tick",
      reason: "test",
    }),
  update: () =>
    world.http("POST", "/api/bots/bot-1/update", {
      command_id: world.id(),
      strategy_version: "1.0.0",
      digest: world.digest,
      config: { fast: 12 },
      reason: "test",
    }),
};
/** A tightening of the default, which one person may do. */
const SIGNED = {
  require_signature: true,
  require_lock_files: false,
  require_hashes: false,
  require_advisories: false,
  max_allowed: { critical: 0, high: 0, medium: 0, low: 0, unknown: 0 },
  advisories_max_age_seconds: 3_600,
  exceptions: { allowed: false, max_seconds: 60 },
};
const RESTRAINTS: readonly (readonly [string, () => Promise<void>, readonly unknown[]])[] = [
  ["a freeze of everything", () => hold("freeze", { all: true }), [409, "RUMI-CMD-007", "G.FREEZE"]],
  ["an incident on its venue", () => hold("incident", { venue: "SIM" }), [409, "RUMI-CMD-007", "G.INCIDENT"]],
  ["a lock on the bot", () => hold("lock", { bot_id: "bot-1" }), [409, "RUMI-CMD-007", "G.LOCK"]],
  ["the kill switch", () => kill({ bot_id: "bot-1" }), [409, "RUMI-CMD-007", "G.KILLSWITCH.BLOCK"]],
  [
    "SAFE",
    () => post("/api/safety/set", { command_id: world.id(), mode: "SAFE", reason: "something is wrong" }),
    [409, "RUMI-CMD-005", "G.SAFETY.SAFE"],
  ],
  [
    "a required gate's FAIL",
    () => gate("report", { state: "FAIL", rules: [], ttl_seconds: 60 }),
    [409, "RUMI-CMD-006", "G.GATE.FAIL"],
  ],
  [
    "a required gate's UNKNOWN",
    () => gate("report", { state: "UNKNOWN", rules: [], ttl_seconds: 60 }),
    [409, "RUMI-CMD-006", "G.GATE.UNKNOWN"],
  ],
  ["a further gate", () => gate("require", {}, "weather"), [409, "RUMI-CMD-006", "G.GATE.UNKNOWN"]],
];

describe("[L-16] [G-5.2] [L-N4] what is set while an operation is being judged", () => {
  for (const [operation, act] of Object.entries(OPERATIONS))
    for (const [restraint, set, refusal] of RESTRAINTS)
      it(`${restraint} refuses a ${operation} that had passed its guards already`, async () => {
        const before = await world.bot();
        meanwhile = set;
        const { status, body } = await act();
        expect([status, body["error_code"], body["reason_code"]]).toEqual(refusal);
        expect(body["suggestion"]).toEqual(expect.stringMatching(/\S/));
        expect(loads, "it was looked at again").toBe(2);
        const after = await world.bot();
        expect([after["state"], after["spec"]]).toEqual([before["state"], before["spec"]]);
        expect(await world.actions()).toContain("controlplane.command.denied");
      });

  for (const operation of ["start", "update"])
    it(`[L-51.2] a denial of the supply chain refuses a ${operation} whose preflight had passed already`, async () => {
      const before = await world.bot();
      const command_id = world.id();
      meanwhile = () => post("/api/supply_chain/policy/set", { command_id, ...SIGNED, reason: "from now on" });
      const { status, body } = (await OPERATIONS[operation]?.()) ?? { status: 0, body: {} };
      expect([status, body["error_code"], body["reason_code"]]).toEqual([409, "RUMI-SUP-050", "L.SUPPLY_CHAIN.DENIED"]);
      expect(loads, "it was looked at again").toBe(2);
      expect((await world.bot())["state"]).toBe(before["state"]);
    });

  describe("[L-50.1] a release certificate", () => {
    const requires = () =>
      post("/api/release/policy/set", { command_id: world.id(), required_for: ["paper"], reason: "from now on" });
    for (const operation of ["start", "update"])
      it(`that is asked for from now on refuses a ${operation} whose preflight had passed already`, async () => {
        meanwhile = requires;
        const { status, body } = (await OPERATIONS[operation]?.()) ?? { status: 0, body: {} };
        expect([status, body["error_code"], body["reason_code"]]).toEqual([
          409,
          "RUMI-REL-001",
          "L.RELEASE_CERT.MISSING",
        ]);
        expect(loads, "it was looked at again").toBe(2);
      });

    it("that is revoked refuses a start whose preflight had passed already", async () => {
      const sent = (url: string, more: Record<string, unknown>, token?: string) =>
        world.http("POST", url, { command_id: world.id(), reason: "test", ...more }, token);
      await sent("/api/supply_chain/gate/run", { artifact_id: world.digest });
      const admin = dataOf(
        await world.command("users.create", { display_name: "a", roles: ["admin"], reason: "joins" }),
      );
      const issued = await world.command(
        "tokens.issue",
        { reason: "x" },
        { params: { user_id: String(admin["user_id"]) } },
      );
      const token = String(dataOf(issued)["token"]);
      const asked = await sent("/api/release/cert/issue", { bot_id: "bot-1" }, token);
      const { challenge_id, intent_hash, phrase } = asked.body["challenge"] as Record<string, string>;
      await world.http("GET", `/api/challenges/${challenge_id}`);
      await sent(`/api/challenges/${challenge_id}/approve`, { intent_hash });
      const confirmed = await sent(`/api/challenges/${challenge_id}/confirm`, { intent_hash, phrase }, token);
      const { cert_id } = confirmed.body["data"] as { cert_id: string };
      loads = 0;
      meanwhile = () => post("/api/release/cert/revoke", { command_id: world.id(), cert_id, reason: "it lost money" });
      const { status, body } = (await OPERATIONS["start"]?.()) ?? { status: 0, body: {} };
      expect([status, body["error_code"], body["reason_code"]]).toEqual([
        409,
        "RUMI-REL-002",
        "L.RELEASE_CERT.REVOKED",
      ]);
      expect(loads, "it was looked at again").toBe(2);
      expect((await world.bot())["state"]).toBe("IDLE");
    });
  });

  for (const [operation, act] of Object.entries(OPERATIONS))
    it(`what concerns another bot only has a ${operation} judged again, and it passes`, async () => {
      meanwhile = () => hold("lock", { bot_id: "bot-2" });
      const { status, body } = await act();
      expect([status, body["success"]]).toEqual([operation === "start" ? 202 : 200, true]);
      expect(loads).toBe(2);
    });

  it("a gate that goes on passing and a hold that is lifted disturb nobody", async () => {
    const set = await world.http("POST", "/api/holds", {
      command_id: world.id(),
      kind: "freeze",
      scope: { bot_id: "bot-2" },
      reason: "test",
    });
    const { hold_id } = set.body["data"] as { hold_id: string };
    const asked = await world.command("holds.lift", { reason: "seen to" }, { params: { hold_id } });
    meanwhile = async () => {
      await gate("report", { state: "PASS", rules: [], ttl_seconds: 90 });
      dataOf(await world.confirm(asked));
    };
    expect((await OPERATIONS["start"]?.())?.status).toBe(202);
    expect(loads).toBe(1);
  });
});
