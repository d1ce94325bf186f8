/** Drift provoked in every place it can stand in: rows edited by hand, rogue instances, other bytes, clocks, runners that go. */
import { chmodSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canonicalJson, digestOf, micros } from "@rumi/kernel";
import type { InstanceStatus } from "@rumi/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { codeOf, dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { statusOf } from "../../test/fake-runner.ts";
import { backoff, brakeAt, DRIFT_LIMITS, DRIFT_RULES, takeoverBackoff } from "./model.ts";

const AT_ONCE = { look_every_ms: 0, stands_for_ms: 0, read_packs_every_ms: 0 };
let world: Control;
let drift: { run(): Promise<void> };
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  drift = world.control.drift(AT_ONCE);
});
afterEach(() => world.close());

type Listed = { readonly drift: readonly Record<string, unknown>[]; readonly brake: Record<string, unknown> };
const list = async (over: Record<string, string> = {}) => dataOf(await world.query("drift.list", over)) as Listed;
const newest = async () => (await list()).drift[0];
const edit = async (sql: string, ...parameters: unknown[]): Promise<void> => {
  const done = await world.store.commit({ writes: [{ sql, parameters, expect: "any" }], events: [] });
  expect(done.ok).toBe(true);
};
async function running(bot_id = "bot-1", over: Record<string, unknown> = {}): Promise<string> {
  dataOf(await world.makeBot(bot_id, over));
  dataOf(await world.move(bot_id, "IDLE", "RUNNING_PAPER"));
  await world.until("it runs", async () => (await instance(bot_id))["phase"] === "running");
  return String((await instance(bot_id))["run_id"]);
}
const instance = async (bot_id = "bot-1") =>
  ((await world.bot(bot_id))["instances"] as Record<string, unknown>[])[0] ?? {};
const stateOf = async (bot_id = "bot-1") => (await world.bot(bot_id))["state"];
const until = (what: string, check: () => Promise<boolean>) =>
  world.until(what, async () => {
    await drift.run();
    return check();
  });
const untilOutcome = (drift_class: string, outcome: string) =>
  until(`${drift_class} ${outcome}`, async () => {
    const one = (await list()).drift.find((row) => row["drift_class"] === drift_class);
    return one?.["outcome"] === outcome;
  });
const hash = (config: Record<string, unknown>) => digestOf(canonicalJson(config as never));
const inForce = (over: Partial<NonNullable<InstanceStatus["in_force"]>> = {}) => ({
  pack_digest: world.digest as never,
  config_hash: hash(startedWith().config),
  capital: startedWith().limits.capital,
  ...over,
});
const startedWith = () => {
  const [one] = [...world.runner.instances.values()];
  if (one === undefined) throw new Error("nothing runs");
  return one.spec;
};

it("nothing drifts where nothing differs, and looking leaves nothing in the log", async () => {
  const run_id = await running();
  world.runner.report(run_id, { in_force: inForce() });
  await world.rounds(3);
  const before = (await world.actions()).length;
  for (let i = 0; i < 3; i += 1) await drift.run();
  expect(await list()).toMatchObject({ drift: [], brake: { engaged: false } });
  expect((await world.actions()).length).toBe(before);
});

describe("[L-N5] [L-N6] [L-13] [L-14] what was decided is put back, or the bot is ended, by rule", () => {
  it("a configuration edited in the store is found, told and put back, of a bot at rest and of one that runs", async () => {
    for (const bot_id of ["at-rest", "runs"]) {
      if (bot_id === "runs") await running(bot_id);
      else dataOf(await world.makeBot(bot_id));
      const decided = (await world.bot(bot_id))["spec"];
      await edit("UPDATE bot SET spec = replace(spec, '\"fast\":10', '\"fast\":9') WHERE bot_id = ?", bot_id);
      expect((await world.bot(bot_id))["spec"]).not.toEqual(decided);
      await until(
        "put back",
        async () => JSON.stringify((await world.bot(bot_id))["spec"]) === JSON.stringify(decided),
      );
      expect(await newest()).toMatchObject({ bot_id, drift_class: "config", place: "bot", outcome: "repaired" });
    }
    expect(await stateOf("runs")).toBe("RUNNING_PAPER");
    const actions = await world.actions();
    for (const action of ["drift.detected", "drift.repaired"])
      expect(actions.filter((one) => one === action)).toHaveLength(2);
  });

  it("capital raised in the bot's row or in its instance's is put back to what was decided; a digest ends the bot", async () => {
    await running();
    await edit('UPDATE bot SET spec = replace(spec, \'"capital":"1000"\', \'"capital":"9000"\')');
    await untilOutcome("limits", "repaired");
    expect((await world.bot())["spec"]).toMatchObject({ capital: "1000" });
    await edit('UPDATE instance SET spec = replace(spec, \'"capital":"1000"\', \'"capital":"9000"\')');
    await until("put back", async () => {
      const [row] = await world.store.rows<{ spec: string }>({ sql: "SELECT spec FROM instance", parameters: [] });
      return row?.spec.includes('"capital":"1000"') === true;
    });
    const other = `sha256:${"1".repeat(64)}`;
    await edit("UPDATE bot SET spec = replace(spec, ?, ?)", world.digest, other);
    await until("ended", async () => (await stateOf()) === "QUARANTINED");
    // Whoever releases it finds what was decided.
    expect(JSON.stringify((await world.bot())["spec"])).toContain(world.digest);
    await world.until("it is stopped", async () => (await instance())["phase"] === "stopped");
    expect(await world.actions()).toContain("drift.quarantined");
  });

  it("a row that no version explains, and bytes that are not those of their digest, end the bot", async () => {
    await running("odd");
    await edit("UPDATE bot SET generation = 7 WHERE bot_id = 'odd'");
    await until("ended", async () => (await stateOf("odd")) === "QUARANTINED");
    await running("bytes");
    const folder = join(world.folder, "user_data/packs", readdirSync(join(world.folder, "user_data/packs"))[0] ?? "");
    const file = join(folder, "ecosystem.json");
    chmodSync(folder, 0o755);
    chmodSync(file, 0o644);
    writeFileSync(file, "{}", { mode: statSync(file).mode });
    await until("ended", async () => (await stateOf("bytes")) === "QUARANTINED");
    expect((await list({ bot_id: "bytes" })).drift[0]).toMatchObject({ drift_class: "digest", place: "disk" });
  });

  it("a runner that runs another configuration is sent the decided one; one of other capital or digest is ended", async () => {
    const run_id = await running();
    world.runner.report(run_id, { in_force: inForce({ config_hash: hash({ fast: 99 }) }) });
    await world.rounds(2);
    await until("it was sent again", async () => world.runner.received.some(({ type }) => type === "config"));
    const sent = world.runner.received.find(({ type }) => type === "config");
    expect(sent).toMatchObject({ config: startedWith().config, actor: "system:drift" });
    world.runner.report(run_id, { in_force: inForce() });
    await untilOutcome("config", "repaired");
    expect(await stateOf()).toBe("RUNNING_PAPER");
    world.runner.report(run_id, { in_force: inForce({ capital: "1000000" }) });
    await until("ended", async () => (await stateOf()) === "QUARANTINED");
  });

  it("a configuration of an earlier version is on its way and no drift", async () => {
    const run_id = await running();
    const former = inForce();
    dataOf(
      await world.command(
        "bots.config_apply",
        { command_id: world.id(), config: { fast: 11 }, at: "next_checkpoint", reason: "x" },
        { params: { bot_id: "bot-1" } },
      ),
    );
    await world.until("taken", () => world.runner.received.some(({ type }) => type === "config"));
    await world.rounds(3);
    world.runner.report(run_id, { in_force: former });
    await world.rounds(2);
    for (let i = 0; i < 3; i += 1) await drift.run();
    expect((await list()).drift).toEqual([]);
  });

  it("a rogue instance is found and stopped: of no bot, and of a bot that somebody else runs", async () => {
    await running();
    const rogue = world.runnerNamed("rogue");
    const spec = { ...startedWith(), run_id: world.id() as never };
    const nobody = { ...spec, bot_id: "nobody" as never, run_id: world.id() as never };
    await rogue.dial();
    for (const one of [spec, nobody]) {
      rogue.instances.set(one.run_id, { spec: one, status: statusOf(one) });
      rogue.report(one.run_id, {});
    }
    await until("both are stopped", async () =>
      [...rogue.instances.values()].every(({ status }) => status.phase === "stopped"),
    );
    await until("settled", async () => (await list({ open: "true" })).drift.length === 0);
    expect(new Set((await list()).drift.map((one) => one["bot_id"]))).toEqual(new Set(["bot-1", "nobody"]));
    expect((await list()).drift).toHaveLength(2);
    expect(await stateOf()).toBe("RUNNING_PAPER");
    expect((await instance())["holder"]).toBe("runner-1");
  });

  it("a runner's clock that is off in three words ends what it runs; one late word does not", async () => {
    await running();
    const word = (off_ms: number) =>
      world.runner.send({
        type: "renew",
        request: 1,
        wall_us: micros(world.clock.now() + off_ms * 1_000),
        leases: [],
      });
    for (const off of [0, -60_000, 10]) word(off);
    await world.rounds(2);
    await drift.run();
    expect((await list()).drift).toEqual([]);
    for (const off of [5_000, 5_100, 5_050]) word(off);
    await until("ended", async () => (await stateOf()) === "QUARANTINED");
    expect(await newest()).toMatchObject({ drift_class: "clock", outcome: "quarantined" });
  });

  it("a runner that goes leaves something missing: told, started again on another, and its row outlives the program", async () => {
    const run_id = await running();
    world.runner.drop();
    await until("told", async () => (await newest())?.["drift_class"] === "missing_instance");
    expect(await newest()).toMatchObject({ state: "open", run_id, attempts: 1, found: "its runner is gone" });
    await world.control.hub.runnerGone("runner-1");
    const other = world.runnerNamed("runner-2");
    await other.dial();
    // Another program's reconciler goes on with the same row.
    drift = world.control.drift(AT_ONCE);
    await untilOutcome("missing_instance", "repaired");
    expect(await instance()).toMatchObject({ run_id, holder: "runner-2", phase: "running" });
    expect(await stateOf()).toBe("RUNNING_PAPER");
    // Again within a moment: it counts on, and the start waits.
    other.drop();
    await until("told again", async () => (await newest())?.["state"] === "open");
    expect(await newest()).toMatchObject({ attempts: 2 });
    const { not_before } = (
      await world.store.rows<{ not_before: number }>({ sql: "SELECT not_before FROM drift", parameters: [] })
    )[0] ?? { not_before: 0 };
    expect(not_before).toBeGreaterThan(0);
    await edit("UPDATE drift SET not_before = ?", world.clock.now() + 3_600_000_000);
    await world.control.hub.runnerGone("runner-2");
    const third = world.runnerNamed("runner-3");
    await third.dial();
    await world.rounds(5);
    expect(third.received.some(({ type }) => type === "start")).toBe(false);
    await edit("UPDATE drift SET not_before = 0");
    await world.until("it is started", () => third.received.some(({ type }) => type === "start"));
  });

  it("what went missing too often is ended instead of started for ever", async () => {
    await running();
    world.runner.drop();
    await until("told", async () => (await newest())?.["drift_class"] === "missing_instance");
    await edit("UPDATE drift SET attempts = ?, not_before = 0", DRIFT_LIMITS.attempts);
    await until("ended", async () => (await stateOf()) === "QUARANTINED");
  });
});

describe("[L-14] the brake", () => {
  it("more than its share at once is held, over a restart, until a person confirms; a rogue is stopped all the same", async () => {
    const bots = ["a", "b", "c", "d"];
    for (const bot_id of bots) await running(bot_id);
    const rogue = world.runnerNamed("rogue");
    await rogue.dial();
    const spec = { ...startedWith(), run_id: world.id() as never };
    rogue.instances.set(spec.run_id, { spec, status: statusOf(spec) });
    rogue.report(spec.run_id, {});
    await world.rounds(1);
    await edit("UPDATE bot SET spec = replace(spec, '\"fast\":10', '\"fast\":9')");
    for (let i = 0; i < 3; i += 1) await drift.run();
    drift = world.control.drift(AT_ONCE);
    await until("the rogue is stopped", () =>
      Promise.resolve([...rogue.instances.values()].every(({ status }) => status.phase === "stopped")),
    );
    expect((await list({ open: "true" })).brake).toMatchObject({ engaged: true, bots });
    expect(JSON.stringify((await world.bot("a"))["spec"])).toContain('"fast":9');
    expect((await world.actions()).filter((action) => action === "drift.brake.engaged")).toHaveLength(1);
    const asked = await world.command("drift.release", { command_id: world.id(), reason: "I looked" });
    expect(asked).toMatchObject({ kind: "refused", failure: { reasonCode: "CONFIRMATION_REQUIRED" } });
    dataOf(await world.confirm(asked));
    await until("all are put back", async () => (await list({ open: "true" })).drift.length === 0);
    for (const bot_id of bots) expect(JSON.stringify((await world.bot(bot_id))["spec"])).toContain('"fast":10');
    expect(dataOf(await world.command("drift.release", { command_id: world.id(), reason: "x" }))).toMatchObject({
      released: 0,
    });
  });
});

it("[L-N5] a rule is set within the bounds of its class and nowhere else, and is followed", async () => {
  const set = (drift_class: string, action: string) =>
    world.command("drift.rule_set", { command_id: world.id(), drift_class, action, reason: "x" });
  expect(codeOf(await set("digest", "repair"))).toBe("RUMI-BOT-079");
  expect(codeOf(await set("clock", "repair"))).toBe("RUMI-BOT-079");
  expect(codeOf(await set("config", "ignore"))).toMatch(/^RUMI-VAL/);
  expect(Object.values(DRIFT_RULES).every(({ usual, may }) => may.includes(usual) && may.includes("quarantine"))).toBe(
    true,
  );
  expect(dataOf(await set("config", "quarantine"))).toMatchObject({ former: "repair" });
  await running();
  await edit("UPDATE bot SET spec = replace(spec, '\"fast\":10', '\"fast\":9')");
  await until("ended", async () => (await stateOf()) === "QUARANTINED");
  expect(JSON.stringify((await world.bot())["spec"])).toContain('"fast":10');
});

it("[L-14] waits grow to their limit, and the brake's share never falls below its few", () => {
  expect([0, 1, 2, 3, 4].map((attempts) => backoff(attempts) / 1_000)).toEqual([0, 0, 500, 1_000, 2_000]);
  expect(backoff(DRIFT_LIMITS.attempts) / 1_000).toBe(DRIFT_LIMITS.backoff_most_ms);
  expect([1, 2, 5, 6, 9].map((attempts) => takeoverBackoff(attempts) / 1_000)).toEqual([0, 500, 4_000, 5_000, 5_000]);
  expect([0, 15, 20, 1_000].map(brakeAt)).toEqual([3, 3, 4, 200]);
});
