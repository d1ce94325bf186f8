/**
 * A change request over HTTP: a command is proposed with its diff, read and approved by somebody else, committed once, and
 * whatever is late, altered, stale, one's own or restrained by then is refused with its code.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPipeline } from "@rumi/operations";
import { botBody, commandBody } from "../../control/test/kit.ts";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { openServedControl, type Reply, type ServedControl } from "./served-control.ts";

type Person = { readonly user_id: string; readonly token: string };
type Change = Readonly<Record<string, unknown>> & { readonly change_id: string; readonly intent_hash: string };

let world: ServedControl;
let ann: Person;
let ben: Person;
beforeEach(async () => {
  world = await openServedControl();
  [ann, ben] = [await make(), await make()];
  await post("/api/bots", botBody(world, "bot-1", world.digest));
});
afterEach(() => world.close());

const ask = (url: string, body: Record<string, unknown>, by?: Person): Promise<Reply> =>
  world.http("POST", url, { command_id: world.id(), reason: "because", ...body }, by?.token);
async function post(url: string, body: Record<string, unknown>, by?: Person): Promise<Record<string, unknown>> {
  const { status, body: said } = await ask(url, body, by);
  if (status >= 300) throw new Error(`${url}: ${status} ${JSON.stringify(said)}`);
  return said["data"] as Record<string, unknown>;
}
async function make(roles: readonly string[] = ["operator", "admin"], by?: Person): Promise<Person> {
  const user_id = String((await post("/api/users", { display_name: "Sam", roles }, by))["user_id"]);
  return { user_id, token: String((await post(`/api/users/${user_id}/tokens`, {}, by))["token"]) };
}
const said = ({ status, body }: Reply): unknown =>
  status < 300 ? "done" : [status, body["error_code"], body["reason_code"]];

/** Another configuration for the bot, unless something else is meant. */
const CONFIG = { bot_id: "bot-1", config: { fast: 11 }, at: "next_tick" };
const propose = (over: Record<string, unknown> = {}, by = ann): Promise<Reply> =>
  ask("/api/changes", { operation: "bots.config_apply", input: CONFIG, ...over }, by);
async function proposed(over: Record<string, unknown> = {}, by = ann): Promise<Change> {
  const { status, body } = await propose(over, by);
  expect(status, JSON.stringify(body)).toBe(201);
  return body["data"] as Change;
}
async function read(change_id: string, by = ann): Promise<Change> {
  const { status, body } = await world.http("GET", `/api/changes/${change_id}`, undefined, by.token);
  expect(status, JSON.stringify(body)).toBe(200);
  return body["data"] as Change;
}
const settle = (verb: string, change: Change, by: Person, over: Record<string, unknown> = {}): Promise<Reply> =>
  ask(`/api/changes/${change.change_id}/${verb}`, { intent_hash: change.intent_hash, ...over }, by);
async function approve(change: Change, by = ben): Promise<Reply> {
  await read(change.change_id, by);
  return settle("approve", change, by);
}
const commit = (change: Change, over: Record<string, unknown> = {}, by = ann): Promise<Reply> =>
  settle("commit", change, by, over);
async function approved(over: Record<string, unknown> = {}): Promise<Change> {
  const change = await proposed(over);
  expect(said(await approve(change))).toBe("done");
  return change;
}
const config = async (): Promise<unknown> =>
  ((await world.bot())["spec"] as Readonly<Record<string, unknown>>)["config"];
const UNTOUCHED = { fast: 10, slow: 50 };
const told = async (action: string): Promise<number> => (await world.actions()).filter((one) => one === action).length;

describe("[L-10] [L-45] a change is staged, reviewed and committed", () => {
  it("is told with its diff, impact, base and end; is read and approved by somebody else; is done once, each step in the log", async () => {
    const change = await proposed({ valid_for_seconds: 3_600 });
    expect(change).toMatchObject({
      state: "PROPOSED",
      operation: "bots.config_apply",
      target: { resource_type: "bot", resource_id: "bot-1" },
      requires: ["second_person"],
      diff: [{ field: "fast", before: 10, after: 11 }],
      impact: { bot_id: "bot-1", state: "IDLE", generation: 1 },
      blocked_by: [],
      base: { bot_generation: 1, danger: "none" },
    });
    expect(Date.parse(String(change["expires_at"])) - world.clock.now() / 1_000).toBeGreaterThan(3_500_000);
    expect(await config()).toEqual(UNTOUCHED);
    expect(said(await commit(change))).toEqual([409, "RUMI-CMD-017", "APPROVAL_REQUIRED"]);

    const shown = await read(change.change_id, ben);
    expect(shown).toMatchObject({
      intent_hash: change.intent_hash,
      intent: { operation: "bots.config_apply", actor: ann.user_id, input: CONFIG },
      diff: change["diff"],
      blocked_by: [],
      proposed_by: ann.user_id,
      approver_roles: ["operator", "admin"],
    });
    const done = await approve(change);
    expect(done.body["data"]).toMatchObject({ change_id: change.change_id, state: "APPROVED" });
    expect(await config()).toEqual(UNTOUCHED);

    const command_id = world.id();
    const committed = await commit(change, { command_id });
    expect(committed.body["data"]).toMatchObject({ bot_id: "bot-1", applied: true, changed: ["fast"] });
    const again = await commit(change, { command_id });
    expect(again.body["data"]).toEqual({ ...(committed.body["data"] as object), duplicate_suppressed: true });
    expect(said(await commit(change))).toEqual([409, "RUMI-CMD-016", "CONFIRMATION_USED"]);
    expect(await config()).toEqual({ ...UNTOUCHED, fast: 11 });
    expect(await read(change.change_id)).toMatchObject({
      state: "COMMITTED",
      settled_by: ann.user_id,
      approvals: [{ approver: ben.user_id, reason: "because" }],
    });
    for (const action of ["change.proposed", "change.approved", "change.committed", "bot.config.applied"])
      expect(await told(action), action).toBe(1);
    const { body } = await world.http("GET", "/api/changes?state=SETTLED", undefined, ben.token);
    expect(body["data"]).toMatchObject({ count: 1, changes: [{ change_id: change.change_id, state: "COMMITTED" }] });
    const open = await world.http("GET", "/api/changes?state=OPEN");
    expect(open.body["data"]).toMatchObject({ count: 0 });
  });

  it("changes and challenges are listed apart", async () => {
    const { change_id } = await proposed();
    await ask("/api/safety/set", { mode: "SAFE" });
    const { challenge } = (await ask("/api/safety/set", { mode: "NORMAL" })).body as {
      readonly challenge: { readonly challenge_id: string };
    };
    const changes = (await world.http("GET", "/api/changes")).body["data"];
    expect(changes).toMatchObject({ count: 1, changes: [{ change_id }] });
    const challenges = (await world.http("GET", "/api/challenges")).body["data"];
    expect(challenges).toMatchObject({ count: 1, challenges: [{ challenge_id: challenge.challenge_id }] });
  });

  it("fifty commits at once have one effect", async () => {
    const change = await approved();
    const all = await Promise.all(Array.from({ length: 50 }, () => commit(change)));
    expect(all.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await told("bot.config.applied")).toBe(1);
    expect(await world.bot()).toMatchObject({ generation: 2 });
  });

  it("the id of a proposal names its command: nobody sends another one under it, and what became of it is told", async () => {
    const command_id = world.id();
    const change = await proposed({ command_id });
    expect(said(await ask("/api/bots/bot-1/config/apply", { ...CONFIG, command_id }, ann))).toEqual([
      422,
      "RUMI-CMD-002",
      "COMMAND_ID_REUSED",
    ]);
    const status = async (): Promise<unknown> =>
      ((await world.http("GET", `/api/commands/${command_id}`)).body["data"] as Record<string, unknown>)["status"];
    expect(await status()).toBe("proposed");
    expect(said(await approve(change))).toBe("done");
    expect(said(await commit(change))).toBe("done");
    expect(await status()).toBe("committed");
  });

  it("a dry run shows the change and keeps none", async () => {
    const { body } = await propose({ dry_run: true });
    expect(body["data"]).toMatchObject({
      would: "apply",
      preview: { diff: [{ field: "fast", before: 10, after: 11 }], blocked_by: [] },
    });
    expect((await world.http("GET", "/api/changes")).body["data"]).toMatchObject({ count: 0 });
  });

  it("what stands in the way already is told with the proposal, and may be gone at the commit", async () => {
    await post("/api/safety/set", { mode: "SAFE" });
    const change = await proposed();
    expect(change["blocked_by"]).toEqual([expect.objectContaining({ reason_code: "G.SAFETY.SAFE", stage: "safety" })]);
    expect(said(await approve(change))).toBe("done");
    const { challenge } = (await ask("/api/safety/set", { mode: "NORMAL" })).body as { challenge: Change };
    const { intent_hash, phrase } = challenge;
    await post(`/api/challenges/${String(challenge["challenge_id"])}/confirm`, { intent_hash, phrase });
    expect((await read(change.change_id))["blocked_by"]).toEqual([]);
    expect(said(await commit(change))).toBe("done");
  });
});

describe("[L-10] [L-N10] [L-43] a change takes two people", () => {
  it("nobody approves their own, nor a second account of theirs, nor what they were not shown, nor by another hash", async () => {
    const change = await proposed();
    expect(said(await approve(change, ann))).toEqual([403, "RUMI-CMD-018", "SECOND_PERSON_REQUIRED"]);
    expect(said(await approve(change, await make(["admin"], ann)))).toEqual([
      403,
      "RUMI-AUTH-014",
      "SECOND_PERSON_SAME_HAND",
    ]);
    const blind = await settle("approve", change, ben);
    expect(said(blind)).toEqual([409, "RUMI-CMD-019", "INTENT_NOT_SERVED"]);
    expect(blind.body["suggestion"]).toContain(`GET /api/changes/${change.change_id}`);
    await read(change.change_id, ben);
    const other = await proposed({ input: { ...CONFIG, config: { fast: 12 } } });
    expect(said(await settle("approve", { ...change, intent_hash: other.intent_hash }, ben))).toEqual([
      409,
      "RUMI-CMD-014",
      "CONFIRMATION_MISMATCH",
    ]);
    expect(said(await commit(change))).toEqual([409, "RUMI-CMD-017", "APPROVAL_REQUIRED"]);
    expect(await config()).toEqual(UNTOUCHED);
  });

  it("only who could ask for it approves it, and whom policies forbid it lets nobody else do it", async () => {
    const change = await proposed({
      operation: "overrides.grant",
      input: { bot_id: "bot-1", check: "runbook", valid_for_seconds: 600 },
    });
    const olga = await make(["operator"]);
    expect(said(await approve(change, olga))).toEqual([403, "RUMI-AUTH-003", "PERMISSION_DENIED"]);
    expect(said(await approve(change, await make(["view_only"])))).toEqual([403, "RUMI-AUTH-003", "PERMISSION_DENIED"]);
    const input = { bot_id: "bot-1", check: "runbook", valid_for_seconds: 600 };
    expect(said(await propose({ operation: "overrides.grant", input }, olga))).toEqual([
      403,
      "RUMI-AUTH-003",
      "PERMISSION_DENIED",
    ]);
    const rule = (who: Person): string =>
      `@id("all") permit(principal, action, resource); @id("no") forbid(principal == User::"${who.user_id}", action == Action::"bots.config_apply", resource);`;
    const forbid = async (who: Person): Promise<void> => {
      const { challenge } = (await ask("/api/policies/set", { cedar: rule(who) })).body as { challenge: Change };
      const { intent_hash, phrase } = challenge;
      await post(`/api/challenges/${String(challenge["challenge_id"])}/confirm`, { intent_hash, phrase });
    };
    const config_change = await proposed();
    await forbid(ben);
    expect(said(await approve(config_change))).toEqual([403, "RUMI-AUTH-011", "POLICY_DENIED"]);
    expect(said(await approve(config_change, olga))).toBe("done");
    await forbid(ann);
    expect(said(await propose())).toEqual([403, "RUMI-AUTH-011", "POLICY_DENIED"]);
    expect(said(await commit(config_change)), "also at the commit").toEqual([403, "RUMI-AUTH-011", "POLICY_DENIED"]);
    expect(await config()).toEqual(UNTOUCHED);
  });

  it("of two who approve at once one does", async () => {
    const change = await proposed();
    const cleo = await make();
    for (const one of [ben, cleo]) await read(change.change_id, one);
    const both = await Promise.all([ben, cleo].map((one) => settle("approve", change, one)));
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    expect(await told("change.approved")).toBe(1);
    expect((await read(change.change_id))["approvals"]).toHaveLength(1);
  });

  it("whoever proposed it commits it, and an approval falls with the approver's role", async () => {
    const change = await approved();
    expect(said(await commit(change, {}, ben))).toEqual([409, "RUMI-CMD-014", "CONFIRMATION_MISMATCH"]);
    await post(`/api/users/${ben.user_id}/roles`, { roles: ["view_only"] });
    expect(said(await commit(change))).toEqual([403, "RUMI-AUTH-003", "PERMISSION_DENIED"]);
    expect(await config()).toEqual(UNTOUCHED);
  });

  it("who may not see a configuration is not shown it, and has not been served it", async () => {
    const change = await proposed();
    const viewer = await make(["view_only"]);
    const seen = await read(change.change_id, viewer);
    expect(seen["diff"]).toEqual([{ field: "fast" }]);
    expect(JSON.stringify(seen)).toContain("withheld");
    await post(`/api/users/${viewer.user_id}/roles`, { roles: ["admin"] });
    expect(said(await settle("approve", change, viewer))).toEqual([409, "RUMI-CMD-019", "INTENT_NOT_SERVED"]);
  });
});

describe("[L-10] [L-45] a change ends", () => {
  it("rejected by who could have approved it, withdrawn by whoever proposed it, or by its time, and is not committed any more", async () => {
    const [rejected, withdrawn] = [await approved(), await approved()];
    expect(said(await settle("reject", rejected, await make(["view_only"])))).toEqual([
      403,
      "RUMI-AUTH-003",
      "PERMISSION_DENIED",
    ]);
    expect((await settle("reject", rejected, ben)).body["data"]).toMatchObject({ state: "REJECTED" });
    expect((await settle("reject", withdrawn, ann)).body["data"]).toMatchObject({ state: "WITHDRAWN" });
    for (const one of [rejected, withdrawn])
      expect(said(await commit(one))).toEqual([409, "RUMI-CMD-016", "CONFIRMATION_USED"]);
    const [late, unread] = [await proposed({ valid_for_seconds: 60 }), await proposed({ valid_for_seconds: 60 })];
    world.clock.skip(40_000);
    expect(said(await approve(late)), "its time does not begin anew").toBe("done");
    world.clock.skip(20_001);
    expect(said(await commit(late))).toEqual([409, "RUMI-CMD-013", "CONFIRMATION_EXPIRED"]);
    expect(said(await approve(unread))).toEqual([409, "RUMI-CMD-013", "CONFIRMATION_EXPIRED"]);
    expect(await read(late.change_id)).toMatchObject({ state: "EXPIRED", blocked_by: null });
    await world.rounds(1);
    expect(await told("change.expired")).toBe(2);
    expect(await told("change.rejected")).toBe(1);
    expect(await told("change.withdrawn")).toBe(1);
    expect(await config()).toEqual(UNTOUCHED);
  });

  it("its time is bounded, and so are one person's open ones", async () => {
    for (const valid_for_seconds of [59, 604_801, 0.5])
      expect((await propose({ valid_for_seconds })).status, String(valid_for_seconds)).toBe(400);
    for (let count = 0; count < 64; count += 1) await proposed();
    expect(said(await propose())).toEqual([429, "RUMI-CMD-027", "L.CHANGE.FULL"]);
    await proposed({}, ben);
  });
});

describe("[L-10] [L-45] what was approved is what is carried out", () => {
  it("a stored command that was altered is none that anybody approved", async () => {
    const change = await approved();
    const altered = await world.store.commit({
      writes: [
        { sql: `UPDATE challenge SET input = replace(input, '"fast":11', '"fast":13')`, parameters: [], expect: 1 },
      ],
      events: [],
    });
    expect(altered.ok).toBe(true);
    expect(said(await commit(change))).toEqual([409, "RUMI-CMD-014", "CONFIRMATION_MISMATCH"]);
    expect(await config()).toEqual(UNTOUCHED);
  });

  it("a bot that has another generation by then makes the plan stale, for ever", async () => {
    const change = await approved();
    await post("/api/bots/bot-1/config/apply", { ...CONFIG, config: { fast: 12 } });
    const stale = await commit(change);
    expect(said(stale)).toEqual([409, "RUMI-CMD-015", "CONFIRMATION_STALE"]);
    expect(stale.body["details"]).toMatchObject({
      asked_for: { bot_generation: 1 },
      now: { bot_generation: 2 },
    });
    expect(stale.body["error"]).toContain(`change ${change.change_id}`);
    expect(await read(change.change_id)).toMatchObject({ state: "FAILED", error_code: "RUMI-CMD-015" });
    expect(said(await commit(change))).toEqual([409, "RUMI-CMD-016", "CONFIRMATION_USED"]);
    expect(await config()).toEqual({ ...UNTOUCHED, fast: 12 });
  });

  const TEAM = { from: "IDLE", to: "RUNNING_PAPER" };
  for (const [name, operation, input] of [
    ["a bulk", "bulk.start", { selector: { label: "team=a" }, requested_transition: TEAM, max_errors: 1 }],
    [
      "a group",
      "commands.submit",
      {
        target: { group_id: "desk" },
        requested_transition: TEAM,
        schema_version: 1,
      },
    ],
  ] as const)
    it(`a bot that joins the list of ${name} meanwhile makes it stale`, async () => {
      await post("/api/groups", { group_id: "desk", bot_ids: ["bot-1"] });
      const ids = operation === "bulk.start" ? {} : { trace_id: world.id(), run_id: world.id() };
      const change = await approved({ operation, input: { ...input, ...ids } });
      expect(change["impact"]).toMatchObject({ targets: ["bot-1"] });
      await post("/api/bots", { ...botBody(world, "bot-2", world.digest), group_id: "desk" });
      expect(said(await commit(change))).toEqual([409, "RUMI-CMD-015", "CONFIRMATION_STALE"]);
      expect(await told("bulk.started")).toBe(0);
    });

  /** Lets the program die at the n-th transaction from now on, before or after it is durable; resolves when it is dead. */
  function dieAt(n: number, when: "before" | "after"): { readonly dead: Promise<void>; readonly revive: () => void } {
    const store = world.pipeline.settings.store as { commit: typeof world.store.commit };
    const real = store.commit;
    const never = new Promise<never>(() => {});
    let commits = 0;
    let die = (): void => {};
    const dead = new Promise<void>((resolve) => (die = resolve));
    store.commit = async (batch) => {
      commits += 1;
      if (commits > n) return never;
      if (commits < n) return real(batch);
      if (when === "after") await real(batch);
      die();
      return never;
    };
    return { dead, revive: () => void (store.commit = real) };
  }
  /** Another program on the same store. */
  const recovered = () => createPipeline(world.pipeline.settings).recover();

  for (const [n, when, found] of [
    [1, "before", 0],
    [1, "after", 1],
    [2, "before", 1],
    [2, "after", 0],
  ] as const)
    it(`a program that dies ${when} transaction ${n} of a commit has carried it out once, after its next start and one more try`, async () => {
      const change = await approved();
      const command_id = world.id();
      const { dead, revive } = dieAt(n, when);
      void commit(change, { command_id });
      await dead;
      revive();
      expect(await recovered()).toEqual({ found, applied: found, refused: 0, failed: 0 });
      expect(await recovered()).toMatchObject({ found: 0 });
      if (n === 1 && when === "before") {
        expect(await read(change.change_id)).toMatchObject({ state: "APPROVED" });
        expect(said(await commit(change))).toBe("done");
      }
      expect(await told("bot.config.applied")).toBe(1);
      expect(await told("change.committed")).toBe(1);
      expect(await config()).toEqual({ ...UNTOUCHED, fast: 11 });
      expect(await read(change.change_id)).toMatchObject({ state: "COMMITTED" });
    });

  it("a commit that a crash interrupted does nothing once its time has passed", async () => {
    const change = await approved({ valid_for_seconds: 60 });
    const { dead, revive } = dieAt(1, "after");
    void commit(change);
    await dead;
    revive();
    world.clock.skip(60_001);
    expect(await recovered()).toMatchObject({ found: 1, applied: 0, refused: 1 });
    expect(await config()).toEqual(UNTOUCHED);
  });
});

describe("[L-10] [L-45] every guard is asked at the commit", () => {
  const hold = (kind: string) => post("/api/holds", { kind, scope: { all: true } });
  const gate = (verb: string, over: Record<string, unknown> = {}) => post(`/api/gates/market/${verb}`, over);
  for (const [name, restrain, code] of [
    ["the kill switch", () => post("/api/killswitch/set", { scope: { all: true }, level: "BLOCK" }), "RUMI-CMD-007"],
    ["a freeze", () => hold("freeze"), "RUMI-CMD-007"],
    ["SAFE", () => post("/api/safety/set", { mode: "SAFE" }), "RUMI-CMD-005"],
    ["a required gate that fails", () => gate("report", { state: "FAIL", rules: [], ttl_seconds: 60 }), "RUMI-CMD-006"],
  ] as const)
    it(`${name} set after the approval refuses it, and it is spent`, async () => {
      await gate("require");
      await gate("report", { state: "PASS", rules: [], ttl_seconds: 60 });
      await world.dialRunner();
      const { reason: _, command_id: _id, ...input } = commandBody(world, "bot-1", "IDLE", "RUNNING_PAPER");
      const change = await approved({ operation: "commands.submit", input });
      expect(change).toMatchObject({
        diff: [{ field: "state", before: "IDLE", after: "RUNNING_PAPER" }],
        blocked_by: [],
      });
      await restrain();
      const refused = await commit(change);
      expect(said(refused)).toEqual([409, code, expect.stringMatching(/^G\./)]);
      expect(await read(change.change_id)).toMatchObject({ state: "FAILED", error_code: code });
      expect(await world.bot()).toMatchObject({ state: "IDLE" });
    });
});

describe("[L-10] what is dangerous stays as bound as without a change", () => {
  const LOOSEN = { operation: "killswitch.set", input: { scope: { all: true }, level: "ALLOW" } };
  beforeEach(() => post("/api/killswitch/set", { scope: { all: true }, level: "CLOSE_ONLY" }));

  it("takes its phrase beside the second person, half an hour at most, and two minutes for the commit", async () => {
    const change = await proposed(LOOSEN);
    expect(change).toMatchObject({ requires: ["phrase", "second_person"], phrase: "I UNDERSTAND LIVE RISK" });
    expect(Date.parse(String(change["expires_at"])) - world.clock.now() / 1_000).toBeLessThanOrEqual(1_800_000);
    expect(said(await approve(change))).toBe("done");
    expect(said(await commit(change))).toEqual([409, "RUMI-CMD-014", "CONFIRMATION_MISMATCH"]);
    expect(said(await commit(change, { phrase: "I UNDERSTAND LIVE RISK" }))).toBe("done");
    expect((await world.http("GET", "/api/killswitch")).body["data"]).toMatchObject({ rules: [] });
    await post("/api/killswitch/set", { scope: { all: true }, level: "CLOSE_ONLY" });
    const slow = await approved(LOOSEN);
    world.clock.skip(120_001);
    expect(said(await commit(slow, { phrase: "I UNDERSTAND LIVE RISK" }))).toEqual([
      409,
      "RUMI-CMD-013",
      "CONFIRMATION_EXPIRED",
    ]);
  });

  it("what has become dangerous since is not what was approved", async () => {
    const input = { scope: { all: true }, level: "FLATTEN" };
    const change = await approved({ operation: "killswitch.set", input });
    expect(change).toMatchObject({ base: { danger: "none" } });
    await post("/api/killswitch/set", { scope: { all: true }, level: "BLOCK" });
    expect(said(await commit(change))).toEqual([409, "RUMI-CMD-015", "CONFIRMATION_STALE"]);
    expect((await world.http("GET", "/api/killswitch")).body["data"]).toMatchObject({ rules: [{ level: "BLOCK" }] });
  });

  it("what policies ask for beside is asked for of a change too", async () => {
    const { challenge } = (
      await ask("/api/policies/set", {
        cedar: '@id("all") permit(principal, action, resource);',
        confirmations: [{ operation: "bots.config_apply", requires: ["phrase", "ticket"] }],
      })
    ).body as { challenge: Change };
    const { intent_hash, phrase } = challenge;
    await post(`/api/challenges/${String(challenge["challenge_id"])}/confirm`, { intent_hash, phrase });
    await post("/api/killswitch/set", { scope: { all: true }, level: "CLOSE_ONLY" });
    const change = await approved();
    expect(change).toMatchObject({ requires: ["phrase", "second_person", "ticket"] });
    const mismatch = [409, "RUMI-CMD-014", "CONFIRMATION_MISMATCH"];
    expect(said(await commit(change, { ticket: "OPS-1" }))).toEqual(mismatch);
    expect(said(await commit(change, { phrase: change["phrase"] }))).toEqual(mismatch);
  });

  it("nothing is proposed by whoever has to be reviewed after break-glass", async () => {
    const roles = ["admin", "break_glass"];
    const [gus, hal] = [await make(roles), await make(roles)];
    const { challenge } = (await ask("/api/break_glass", { verbs: ["gates.disable"] }, gus)).body as {
      challenge: Change;
    };
    const { intent_hash, phrase } = challenge;
    const path = `/api/challenges/${String(challenge["challenge_id"])}`;
    await world.http("GET", path, undefined, hal.token);
    await post(`${path}/approve`, { intent_hash }, hal);
    const { session_id } = await post(`${path}/confirm`, { intent_hash, phrase }, gus);
    await post(`/api/break_glass/${String(session_id)}/close`, {}, gus);
    expect(said(await propose({}, gus))).toMatchObject([expect.any(Number), "RUMI-CMD-023", expect.any(String)]);
  });

  it("the doors of challenges know no change, and the other way round", async () => {
    const change = await approved(LOOSEN);
    const { change_id, intent_hash } = change;
    const path = `/api/challenges/${change_id}`;
    const phrase = "I UNDERSTAND LIVE RISK";
    const UNKNOWN = [404, "RUMI-CMD-020", undefined];
    expect(said(await world.http("GET", path))).toEqual(UNKNOWN);
    for (const verb of ["approve", "confirm", "reject"])
      expect(said(await ask(`${path}/${verb}`, { intent_hash, phrase }, ann)), verb).toEqual(UNKNOWN);
    const { challenge } = (await ask("/api/killswitch/set", LOOSEN.input, ann)).body as { challenge: Change };
    const other = { change_id: String(challenge["challenge_id"]), intent_hash: challenge.intent_hash };
    expect(said(await commit(other, { phrase }))).toEqual(UNKNOWN);
  });
});

describe("[L-10] what can be proposed", () => {
  it("is exactly a request of an operation that the proposer may ask for, and nothing that is asked for directly", async () => {
    const refused = async (over: Record<string, unknown>): Promise<unknown> => {
      const { status, body } = await propose(over);
      return [status, body["error_code"], (body["error"] as string).match(/\$\.[a-z_.]+/)?.[0]];
    };
    expect(await refused({ operation: "bots.nothing" })).toEqual([400, "RUMI-VAL-002", "$.operation"]);
    expect(await refused({ operation: "bots.list" })).toEqual([400, "RUMI-VAL-002", "$.operation"]);
    for (const operation of ["changes.approve", "changes.propose", "challenges.confirm", "changes.commit"])
      expect(await refused({ operation, input: {} }), operation).toEqual([400, "RUMI-VAL-002", "$.operation"]);
    for (const [field, value] of [
      ["command_id", world.id()],
      ["reason", "mine"],
      ["dry_run", true],
    ] as const)
      expect(await refused({ input: { ...CONFIG, [field]: value } })).toEqual([
        400,
        "RUMI-VAL-002",
        `$.input.${field}`,
      ]);
    expect(await refused({ input: { ...CONFIG, more: 1 } })).toEqual([400, "RUMI-VAL-008", "$.input.more"]);
    expect(await refused({ input: { bot_id: "bot-1" } })).toEqual([400, "RUMI-VAL-001", "$.input.config"]);
    const { command_id: _id, reason: _why, ...input } = commandBody(world, "bot-1", "IDLE", "RUNNING_PAPER");
    expect(await refused({ operation: "commands.submit", input: { ...input, actor: ben.user_id } })).toEqual([
      400,
      "RUMI-VAL-002",
      "$.input.actor",
    ]);
    const endless = { ...input, expires_at: "2026-13-45T00:00:00.000000Z" };
    expect(await refused({ operation: "commands.submit", input: endless })).toEqual([
      400,
      "RUMI-VAL-002",
      "$.input.expires_at",
    ]);
    expect(await told("change.proposed")).toBe(0);
  });
});

it("[L-10] where dangerous operations are switched off, also since its approval, a change does none, and the rest goes on", async () => {
  await world.close();
  const home = temporaryFolder();
  world = await openServedControl({ home: home.path });
  [ann, ben] = [await make(), await make()];
  const scope = { all: true };
  const LOOSEN = { operation: "killswitch.set", input: { scope, level: "ALLOW" } };
  await post("/api/killswitch/set", { scope, level: "BLOCK" });
  const before = await approved(LOOSEN);
  const harmless = await approved({ operation: "groups.create", input: { group_id: "desk" } });
  await world.close();
  world = await openServedControl({ home: home.path, dangerous_operations: "disabled" });
  const off = [403, "RUMI-CMD-003", "DANGEROUS_OPS_DISABLED"];
  expect(said(await commit(before, { phrase: before["phrase"] }))).toEqual(off);
  expect(said(await propose(LOOSEN))).toEqual(off);
  expect((await world.http("GET", "/api/killswitch")).body["data"]).toMatchObject({ rules: [{ level: "BLOCK" }] });
  expect(said(await commit(harmless))).toBe("done");
  home.remove();
});
