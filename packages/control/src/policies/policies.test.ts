/** Policies beside the roles: they refuse and never grant, any error is a denial, and a change shows what it flips. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ROOT, type Answer, type Principal } from "@rumi/operations";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { challengeOf, openControl, type Control } from "../../test/kit.ts";
import { compilePolicies } from "./cedar.ts";
import { isSpoilt, newPolicyEngine } from "./engine.ts";
import { policyKeeper } from "./keeper.ts";
import { policySchema } from "./schema.ts";

const OLGA: Principal = { id: "user:01900000-0000-7000-8000-00000000000c", roles: ["operator"] };
const ADMIN: Principal = { id: "user:01900000-0000-7000-8000-00000000000d", roles: ["admin"] };
const PERMIT = '@id("all") permit(principal, action, resource);';
const NO_PROD = `${PERMIT}
@id("prod-is-admins") forbid(principal, action in Action::"changes", resource)
  when { resource.kind == "bot" && resource.name like "prod-*" }
  unless { principal in Role::"admin" };`;

const SESSION_OF_ROOT = `INSERT INTO break_glass_session
  (session_id, environment, holder, approval_id, verbs, reason, opened_at, ends_at, row_version)
  VALUES (?, 'dev', 'user:root', ?, '[]', 'test', 0, 1, 1)`;

let world: Control;
beforeEach(async () => {
  world = await openControl();
});
afterEach(async () => {
  await world.close();
});

const propose = (cedar: string, over: Record<string, unknown> = {}, principal?: Principal): Promise<Answer> =>
  world.command(
    "policies.set",
    { command_id: world.id(), cedar, reason: "house rules", ...over },
    principal === undefined ? {} : { principal },
  );
const setPolicy = async (cedar: string, over: Record<string, unknown> = {}): Promise<Answer> =>
  world.confirm(await propose(cedar, over));
const stop = (bot_id: string, principal: Principal): Promise<Answer> =>
  world.command(
    "bots.config_apply",
    { command_id: world.id(), config: {}, at: "next_tick", reason: "x" },
    { params: { bot_id }, principal },
  );
const reason = (answer: Answer): string | undefined =>
  answer.kind === "refused" ? answer.failure.reasonCode : `done ${answer.status}`;

describe("policies in force", () => {
  it("[L-04] forbid what roles allow, by principal, action and resource, from the next command on; and never grant", async () => {
    for (const name of ["prod-1", "test-1"]) dataOf(await world.makeBot(name));
    expect(reason(await stop("prod-1", OLGA))).not.toBe("POLICY_DENIED");
    expect(dataOf(await setPolicy(NO_PROD))).toMatchObject({ version: 1 });
    const denied = await stop("prod-1", OLGA);
    expect(denied).toMatchObject({ kind: "refused", status: 403, failure: { code: "RUMI-AUTH-011" } });
    expect(denied.kind === "refused" && denied.failure.details).toEqual({ policies: ["prod-is-admins"] });
    expect(reason(await stop("test-1", OLGA))).not.toBe("POLICY_DENIED");
    expect(reason(await stop("prod-1", ADMIN))).not.toBe("POLICY_DENIED");
    const viewer: Principal = { id: OLGA.id, roles: ["view_only"] };
    expect(reason(await stop("test-1", viewer)), "a permit is no role").toBe("PERMISSION_DENIED");
    const events = await world.actions();
    expect(events.filter((action) => action === "policy.activated")).toHaveLength(1);
    expect(dataOf(await setPolicy(""))).toMatchObject({ version: 2, cedar: "" });
    expect(reason(await stop("prod-1", OLGA))).not.toBe("POLICY_DENIED");
    const listed = dataOf(await world.query("policies.list")) as { versions: { version: number }[] };
    expect(listed.versions.map(({ version }) => version)).toEqual([2, 1]);
  });

  it("[L-04] hold for reads too, and what nothing permits is denied", async () => {
    dataOf(await setPolicy('@id("reads") permit(principal, action in Action::"reads", resource);'));
    expect(codeOf(await world.query("bots.list", {}, {}, OLGA))).toBe("done 200");
    const denied = await stop("bot-1", OLGA);
    expect([codeOf(denied), denied.kind === "refused" && denied.failure.details]).toEqual([
      "RUMI-AUTH-011",
      { policies: [] },
    ]);
    dataOf(await setPolicy('@id("no-lists") forbid(principal, action == Action::"bots.list", resource);'));
    expect(codeOf(await world.query("bots.list", {}, {}, OLGA))).toBe("RUMI-AUTH-011");
  });

  it("[L-04] an error while evaluating is a denial, also of a forbid that would have been skipped", async () => {
    const cedar = newPolicyEngine();
    const schema = policySchema("dev", { operations: ["bots.create"], queries: [] });
    const asked = {
      principal: OLGA,
      operation: "bots.create",
      target: { resource_type: "bot", resource_id: "a" },
    } as const;
    // Adding to the largest number there is fails while it is evaluated; the permit beside it would allow.
    const overflow = `${PERMIT} @id("no") forbid(principal, action, resource) when { 9223372036854775807 + 1 == 0 };`;
    const compiled = compilePolicies(cedar, overflow, schema, "test-overflow");
    expect(compiled.ok && compiled.value.decide(asked)).toMatchObject({
      kind: "error",
      problem: expect.stringMatching(/^no: /),
    });
    const plain = compilePolicies(cedar, PERMIT, schema, "test-plain");
    expect(plain.ok && plain.value.decide(asked)).toEqual({ kind: "allow" });
    expect(plain.ok && plain.value.decide({ ...asked, operation: "bots.unheard_of" })).toMatchObject({ kind: "error" });
    dataOf(await setPolicy(overflow));
    expect(codeOf(await stop("bot-1", OLGA))).toBe("RUMI-AUTH-012");
  });

  it("[L-04] a text on which the engine stops is refused by name, and what is in force answers as before", async () => {
    dataOf(await world.makeBot("prod-1"));
    dataOf(await setPolicy(NO_PROD));
    const asDeep = (times: number) =>
      `permit(principal, action, resource) when { ${"(".repeat(times)}true${")".repeat(times)} };`;
    const tries = [
      () => world.command("policies.simulate", { cedar: asDeep(5_000) }, { principal: OLGA }),
      () => propose(asDeep(30_000)),
    ];
    for (const attempt of tries) {
      const tried = await attempt();
      expect([codeOf(tried), reason(tried)]).toEqual(["RUMI-AUTH-013", "POLICY_INVALID"]);
      expect(reason(await stop("prod-1", OLGA))).toBe("POLICY_DENIED");
      // Nothing that was remembered answers for it: a bot that nobody asked about before.
      expect(codeOf(await stop(`test-${world.id()}`, OLGA))).toBe("RUMI-BOT-001");
    }
    expect(dataOf(await world.command("policies.simulate", { cedar: PERMIT }, { principal: OLGA }))).toMatchObject({
      policies: ["all"],
    });
    const engine = newPolicyEngine();
    const schema = policySchema("dev", { operations: ["bots.create"], queries: [] });
    const good = compilePolicies(engine, PERMIT, schema, "good");
    expect([compilePolicies(engine, asDeep(30_000), schema, "deep").ok, isSpoilt(engine)]).toEqual([false, true]);
    const target = { resource_type: "bot", resource_id: "a" };
    expect(good.ok && good.value.decide({ principal: OLGA, operation: "bots.create", target })).toEqual({
      kind: "error",
      problem: "the engine failed",
    });
  });

  it("[L-04] policies that were made unreadable deny everything but their repair by the home's own principal", async () => {
    dataOf(await setPolicy(PERMIT));
    const spoilt = await world.store.commit({
      writes: [
        {
          sql: "INSERT INTO policy_version SELECT 2, environment, 'permit(', confirmations, digest, reason, created_at, created_by FROM policy_version",
          parameters: [],
          expect: 1,
        },
      ],
      events: [],
    });
    expect(spoilt.ok).toBe(true);
    const logged: string[] = [];
    const restarted = policyKeeper(world.store, {
      schema: () => policySchema("dev", { operations: ["bots.create"], queries: [] }),
      logger: { error: (message) => void logged.push(message) },
    });
    const target = { resource_type: "bot", resource_id: "a" };
    const asked = async (principal: Principal, operation: string) =>
      (await restarted.refusal({ principal, operation, target }))?.reasonCode;
    expect(await asked(ROOT, "bots.create")).toBe("POLICY_ERROR");
    expect(await asked(ADMIN, "policies.set")).toBe("POLICY_ERROR");
    expect(await asked(ROOT, "policies.set")).toBeUndefined();
    expect(logged).toHaveLength(1);
    restarted.close();
  });

  it("[L-04] refused: what cannot be read, names no operation, has a type error, two of one id, a template, too many", async () => {
    const bad: readonly string[] = [
      "permit(",
      '@id("x") forbid(principal, action == Action::"bots.explode", resource);',
      '@id("x") forbid(principal, action, resource) when { resource.colour == "red" };',
      '@id("x") forbid(principal, action, resource) when { context.environment > 3 };',
      `${PERMIT}${PERMIT}`,
      '@id("x") permit(principal == ?principal, action, resource);',
      Array.from({ length: 201 }, (_, at) => `@id("p${at}") permit(principal, action, resource);`).join(""),
    ];
    for (const cedar of bad) expect(codeOf(await propose(cedar)), cedar.slice(0, 60)).toBe("RUMI-AUTH-013");
    expect(codeOf(await propose("x".repeat(65_537)))).toMatch(/^RUMI-VAL/);
    expect(codeOf(await setPolicy("", { confirmations: [{ operation: "bots.explode", requires: ["ticket"] }] }))).toBe(
      "RUMI-AUTH-013",
    );
    expect(codeOf(await propose(PERMIT, {}, OLGA))).toBe("RUMI-AUTH-003");
    expect(dataOf(await world.query("policies.show"))).toMatchObject({ version: 0 });
  });

  it("[G-12] cannot lock out the bootstrap principal from repairing them", async () => {
    dataOf(await setPolicy('@id("nobody") forbid(principal, action, resource);'));
    expect(codeOf(await world.makeBot("bot-2"))).toBe("RUMI-AUTH-011");
    expect(codeOf(await propose("", {}, ADMIN))).toBe("RUMI-AUTH-011");
    dataOf(await setPolicy(""));
    dataOf(await world.makeBot("bot-2"));
  });

  it("[G-12] [L-27] lock nobody out for ever where a second person is asked for everywhere and there is none yet", async () => {
    const confirmations = [{ operation: "*", requires: ["second_person"] }];
    dataOf(await setPolicy('@id("nobody") forbid(principal, action, resource);', { confirmations }));
    const safety = (mode: string): Promise<Answer> =>
      world.command("safety.set", { command_id: world.id(), mode, reason: "drill" });
    expect(codeOf(await safety("EMERGENCY_STOP")), "everything can be stopped at once").toBe("done 200");
    const loosening = await safety("NORMAL");
    // Its own break-glass session waits for a review, which keeps it from asking for anything more.
    const session_id = world.id();
    const ended = { sql: SESSION_OF_ROOT, parameters: [session_id, world.id()], expect: 1 } as const;
    expect((await world.store.commit({ writes: [ended], events: [] })).ok).toBe(true);
    expect(codeOf(await propose(""))).toBe("RUMI-CMD-023");
    const made = await world.command("users.create", { display_name: "Second", roles: ["admin"], reason: "help" });
    const second: Principal = { id: String((dataOf(made) as { id: unknown }).id), roles: ["admin"] };
    const third: Principal = { ...second, roles: ["operator"] };
    const review = (principal: Principal): Promise<Answer> =>
      world.command("break_glass.review", { reason: "read" }, { params: { session_id }, principal });
    expect(codeOf(await review(third))).toBe("RUMI-AUTH-003");
    dataOf(await review(second));
    const repair = await propose("");
    const view = (principal: Principal, asked: Answer): Promise<Answer> =>
      world.query("challenges.show", {}, { challenge_id: challengeOf(asked).challenge_id }, principal);
    const approve = (principal: Principal, asked: Answer): Promise<Answer> => {
      const { challenge_id, intent_hash } = challengeOf(asked);
      const body = { intent_hash, reason: "looked at it" };
      return world.command("challenges.approve", body, { params: { challenge_id }, principal });
    };
    expect(codeOf(await view(third, repair))).toBe("RUMI-AUTH-011");
    expect(codeOf(await world.query("bots.list", {}, {}, second))).toBe("RUMI-AUTH-011");
    dataOf(await view(second, repair));
    dataOf(await view(second, loosening));
    expect(codeOf(await approve(second, loosening)), "nothing but the repair").toBe("RUMI-AUTH-011");
    dataOf(await approve(second, repair));
    dataOf(await world.confirm(repair));
    dataOf(await approve(second, loosening));
  });
});

describe("a change of policies", () => {
  it("[L-27] [G-4.1] is confirmed by somebody who has seen which recorded commands would flip", async () => {
    dataOf(await world.makeBot("prod-1"));
    const flips = [
      {
        principal: "user:root",
        operation: "bots.create",
        resource: "bot/prod-1",
        before: "allow",
        after: "deny",
        times: 1,
      },
    ];
    const cedar = `${PERMIT} @id("frozen") forbid(principal, action == Action::"bots.create", resource);`;
    const tried = dataOf(await world.command("policies.simulate", { cedar }));
    expect(tried).toMatchObject({ base_version: 0, policies: ["all", "frozen"], flips });
    const asked = await propose(cedar);
    expect(asked.kind === "refused" && asked.extras["challenge"]).toMatchObject({
      preview: { from_version: 0, flips },
    });
    expect(dataOf(await world.query("policies.show"))).toMatchObject({ version: 0 });
    dataOf(await setPolicy(PERMIT));
    expect(codeOf(await world.confirm(asked)), "the version moved").toBe("RUMI-CMD-015");
  });

  it("[L-04] binds a confirmation too: what was asked for under other policies is judged by those in force", async () => {
    dataOf(await world.command("safety.set", { command_id: world.id(), mode: "SAFE", reason: "x" }));
    const asked = await world.command(
      "safety.set",
      { command_id: world.id(), mode: "NORMAL", reason: "x" },
      { principal: ADMIN },
    );
    dataOf(await setPolicy(`${PERMIT} @id("stay") forbid(principal, action == Action::"safety.set", resource);`));
    expect(codeOf(await world.confirm(asked, {}, ADMIN))).toBe("RUMI-AUTH-011");
    expect(dataOf(await world.query("safety.show"))).toMatchObject({ mode: "SAFE" });
  });

  it("[G-12] adds factors to dangerous operations and cannot take any away", async () => {
    const confirmations = [
      { operation: "safety.set", requires: ["ticket"] },
      { operation: "*", requires: ["second_person"] },
    ];
    dataOf(await setPolicy("", { confirmations }));
    dataOf(await world.command("safety.set", { command_id: world.id(), mode: "SAFE", reason: "x" }));
    const asked = await world.command("safety.set", { command_id: world.id(), mode: "NORMAL", reason: "x" });
    expect(challengeOf(asked).requires).toEqual(["phrase", "second_person", "ticket"]);
  });
});

describe("cost", () => {
  it("[L-04] a decision is made once for each key of a version and then looked up", async () => {
    dataOf(await setPolicy(NO_PROD));
    await stop("prod-1", OLGA);
    const asked = {
      principal: OLGA,
      operation: "bots.config_apply",
      target: { resource_type: "bot", resource_id: "prod-1" },
    } as const;
    const { policy } = world.control.guards;
    const refused = policy?.refusal(asked);
    let others = 0;
    const began = performance.now();
    for (let at = 0; at < 100_000; at += 1) if (policy?.refusal(asked) !== refused) others += 1;
    const each_us = ((performance.now() - began) * 1_000) / 100_000;
    expect(others, "the very same answer").toBe(0);
    expect(each_us, "microseconds").toBeLessThan(20);
    if (process.env["RUMI_TEST_LOG"] !== undefined) process.stderr.write(`policy look-up ${each_us.toFixed(2)} us\n`);
  });
});
