/** People, policies and dangerous operations on PostgreSQL: the same way as on SQLite, from the token to the effect. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ok, seededRandom, systemClock } from "@rumi/kernel";
import { ROOT, type Principal } from "@rumi/operations";
import { platformMigrations } from "@rumi/platform";
import { openPostgresStore } from "@rumi/store";
import { generateKeyPairSync } from "node:crypto";
import { requires } from "../../../tools/test-support.ts";
import { codeOf, dataOf } from "../../platform/test/kit.ts";
import { startPostgres, type TestServer } from "../../store/test/postgres-server.ts";
import { gateFence } from "../src/gates/tables.ts";
import { holdFence } from "../src/holds/tables.ts";
import { controlMigrations } from "../src/index.ts";
import { killFence, readKillSwitch } from "../src/kill-switch/tables.ts";
import { challengeOf, openControl, type Control } from "./kit.ts";

/** Until then what the home's own token made is no second person. */
const A_DAY_MS = 86_400_000;

describe.runIf(requires("postgresql"))("PostgreSQL", () => {
  let server: TestServer;
  let world: Control;
  beforeAll(async () => {
    server = await startPostgres();
  }, 180_000);
  afterAll(() => server.stop());
  const open = async (of: { readonly bare: boolean; readonly environment: string }): Promise<Control> => {
    const store = await openPostgresStore({
      server: await server.database(),
      migrations: [...platformMigrations, ...controlMigrations],
      signer: {
        origin: "rumi.test/log",
        private_key_pem: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      },
      clock: systemClock(),
      random: seededRandom("salts"),
      before_migration: async () => ok(undefined),
    });
    if (!store.ok) throw new Error(`${store.error.code} ${JSON.stringify(store.error.params)}`);
    return openControl({ ...of, store: store.value });
  };
  beforeEach(async () => {
    world = await open({ bare: true, environment: "prod" });
  }, 180_000);
  afterEach(() => world.close());

  const person = async (roles: readonly string[]): Promise<Principal> => {
    const user_id = String(
      dataOf(await world.command("users.create", { display_name: "Sam", roles, reason: "joins" }))["user_id"],
    );
    const issued = dataOf(await world.command("tokens.issue", { reason: "laptop" }, { params: { user_id } }));
    const found = await world.control.operators.authenticate(String(issued["token"]));
    if (!found.ok) throw new Error(found.error.code);
    return found.value;
  };

  it("[L-04] [L-N10] [G-4.2] two people confirm what neither could alone, once, under the policies in force", async () => {
    const [alice, bob] = [await person(["admin"]), await person(["admin"])];
    world.clock.skip(A_DAY_MS);
    const set = (mode: string, principal = alice) =>
      world.command("safety.set", { command_id: world.id(), mode, reason: "x" }, { principal });
    dataOf(await set("SAFE"));
    const asked = await set("NORMAL");
    const { challenge_id, intent_hash } = challengeOf(asked);
    expect(codeOf(await world.confirm(asked, {}, alice))).toBe("RUMI-CMD-017");
    const approve = (principal: Principal) =>
      world.command("challenges.approve", { intent_hash, reason: "read" }, { params: { challenge_id }, principal });
    expect(codeOf(await approve(alice))).toBe("RUMI-CMD-018");
    const made = await world.command(
      "users.create",
      { display_name: "Sam", roles: ["admin"], reason: "hers" },
      { principal: alice },
    );
    const hers: Principal = { id: String(dataOf(made)["user_id"]), roles: ["admin"] };
    expect(codeOf(await approve(hers))).toBe("RUMI-AUTH-014");
    expect(codeOf(await approve(bob))).toBe("RUMI-CMD-019");
    dataOf(await world.query("challenges.show", {}, { challenge_id }, bob));
    dataOf(await approve(bob));
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.confirm(asked, {}, alice)));
    expect(answers.filter(({ kind }) => kind === "done")).toHaveLength(1);
    expect(dataOf(await world.query("safety.show"))).toMatchObject({ mode: "NORMAL" });
    expect(dataOf(await world.query("challenges.list", { state: "CONFIRMED" }))).toMatchObject({ count: 1 });
  }, 180_000);

  it("[L-N9] [L-27] policies and break-glass are stored, tried and judged there too", async () => {
    const [alice, bob] = [await person(["admin", "break_glass"]), await person(["admin", "break_glass"])];
    world.clock.skip(A_DAY_MS);
    const cedar = '@id("all") permit(principal, action, resource);';
    expect(dataOf(await world.command("policies.simulate", { cedar }))).toMatchObject({ base_version: 0, flips: [] });
    const opened = await world.command(
      "break_glass.open",
      { verbs: ["policies.set"], reason: "siege" },
      { principal: alice },
    );
    const { challenge_id, intent_hash } = challengeOf(opened);
    dataOf(await world.query("challenges.show", {}, { challenge_id }, bob));
    dataOf(
      await world.command(
        "challenges.approve",
        { intent_hash, reason: "read" },
        { params: { challenge_id }, principal: bob },
      ),
    );
    const session_id = String(dataOf(await world.confirm(opened, {}, alice))["session_id"]);
    const act = (verb: string, principal: Principal) =>
      world.command(`break_glass.${verb}`, { reason: "done" }, { params: { session_id }, principal });
    dataOf(await act("close", alice));
    expect(codeOf(await act("review", alice))).toBe("RUMI-CMD-018");
    dataOf(await act("review", bob));
    expect(dataOf(await world.query("break_glass.show", {}, { session_id }, ROOT))).toMatchObject({
      state: "REVIEWED",
    });
    world.clock.skip(1_800_001);
    await world.command("safety.set", { command_id: world.id(), mode: "SAFE", reason: "x" });
    const late = await world.command("safety.set", { command_id: world.id(), mode: "NORMAL", reason: "x" });
    world.clock.skip(1_800_001);
    for (const reconciler of world.control.reconcilers) if (reconciler.name === "challenges") await reconciler.run();
    const { challenge_id: forgotten } = challengeOf(late);
    expect(dataOf(await world.query("challenges.show", {}, { challenge_id: forgotten }))).toMatchObject({
      state: "EXPIRED",
    });
    expect(await world.actions()).toContain("dangerous_op.expire");
  }, 180_000);

  it("[L-16] [G-5.2] what was judged before a hold, a gate or a rule of the kill switch was set does not commit after it", async () => {
    const fences = async () => [
      await holdFence(world.store, world.store),
      await gateFence(world.store, world.store),
      killFence(world.store, await readKillSwitch(world.store, world.store)),
    ];
    const commits = async (of: Awaited<ReturnType<typeof fences>>): Promise<readonly boolean[]> => {
      const done: boolean[] = [];
      for (const fence of of) done.push((await world.store.commit({ writes: [fence], events: [] })).ok);
      return done;
    };
    const before = await fences();
    expect(await commits(before)).toEqual([true, true, true]);
    const scope = { all: true };
    dataOf(await world.command("holds.set", { command_id: world.id(), kind: "freeze", scope, reason: "x" }));
    dataOf(await world.command("gates.require", { reason: "x" }, { params: { gate: "market" } }));
    dataOf(await world.command("killswitch.set", { command_id: world.id(), scope, level: "BLOCK", reason: "x" }));
    expect(await commits(before)).toEqual([false, false, false]);
    dataOf(
      await world.command(
        "gates.report",
        { state: "PASS", rules: [], ttl_seconds: 60 },
        { params: { gate: "market" } },
      ),
    );
    expect(await commits(await fences())).toEqual([true, true, true]);
  }, 180_000);

  it("[L-01] a page of bots is found by state, label and words there too", async () => {
    await world.close();
    world = await open({ bare: false, environment: "dev" });
    for (const [bot_id, labels, display_name] of [
      ["alpha", { team: "x" }, "First_one"],
      ["beta", { team: "y", desk: "1" }, "Second one"],
      ["gamma", {}, "Third%one"],
    ] as const)
      dataOf(await world.makeBot(bot_id, { labels, display_name }));
    const listed = async (filter: Readonly<Record<string, string>>): Promise<readonly string[]> =>
      (dataOf(await world.query("bots.list", filter))["bots"] as { readonly bot_id: string }[]).map(
        (bot) => bot.bot_id,
      );
    expect(await listed({})).toEqual(["alpha", "beta", "gamma"]);
    expect(await listed({ label: "team" })).toEqual(["alpha", "beta"]);
    expect(await listed({ label: "team=y", state: "IDLE" })).toEqual(["beta"]);
    expect(await listed({ q: "T_O" })).toEqual(["alpha"]);
    expect(await listed({ q: "d%" })).toEqual(["gamma"]);
    const first = dataOf(await world.query("bots.list", { limit: "2" }));
    expect(await listed({ limit: "2", cursor: String(first["next_cursor"]) })).toEqual(["gamma"]);
    expect(await listed({ label: "team", state: "RUNNING_LIVE" })).toEqual([]);
  }, 180_000);
});
