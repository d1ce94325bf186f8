import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { canonicalJson, sha256, type Json } from "@rumi/kernel";
import { dataOf } from "../../../platform/test/kit.ts";
import { ATTESTER, openControl, type Control } from "../../test/kit.ts";
import { putInstance, readInstances, type InstanceRow } from "../instances/tables.ts";
import { stopReconciler } from "./reconciler.ts";
import { readLadder } from "./tables.ts";
import { STOP_RUNGS } from "./model.ts";
import { verifyStop } from "./verify.ts";

let world: Control;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  dataOf(await world.makeBot());
});
afterEach(() => world.close());

async function running(): Promise<string> {
  const run_id = String(dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))["run_id"]);
  await world.until("running", () => world.runner.instances.has(run_id));
  return run_id;
}
const isProven = async (run_id: string): Promise<boolean> =>
  typeof (await readLadder(world.store, world.store, run_id))?.attested_at === "number";
const stopOf = async (run_id: string) => dataOf(await world.query("attestations.show", {}, { run_id }));
const condition = async (bot_id = "bot-1") =>
  (
    (await world.bot(bot_id))["conditions"] as readonly {
      type: string;
      status: string;
      reason: string;
      message: string;
    }[]
  ).find(({ type }) => type === "StopProven");

describe("[L-N8] [L-33] a stop is proven rung by rung", () => {
  it("an orderly stop climbs the whole ladder, each rung on the record, and its signed record verifies offline", async () => {
    const run_id = await running();
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"));
    await world.until("attested", async () => {
      const found = await world.query("attestations.show", {}, { run_id });
      return found.kind === "done" && (found.data as { proven: boolean }).proven;
    });
    const stop = await stopOf(run_id);
    expect(stop).toMatchObject({ proven: true, blocked: null, open_orders: 0, mode: "paper" });
    expect((stop["rungs"] as readonly { rung: string }[]).map(({ rung }) => rung)).toEqual([...STOP_RUNGS]);
    expect(verifyStop(stop["envelope"], String(stop["public_key"]))).toMatchObject({
      ok: true,
      value: { run_id, epoch: 1, bot_id: "bot-1", environment: "dev" },
    });
    const steps = (await world.actions()).filter((action) => action === "instance.stop.step");
    expect(steps).toHaveLength(STOP_RUNGS.length);
    expect(await condition()).toMatchObject({ status: "True", reason: "ATTESTED" });
  });

  it("a stop that cannot be proven says what blocks it and since when, and does not forget it while nothing moves", async () => {
    const run_id = await running();
    world.runner.drop();
    await world.until("gone", () => world.control.hub.ready().length === 0);
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"));
    await world.rounds(3);
    const first = await stopOf(run_id);
    expect(first).toMatchObject({
      proven: false,
      envelope: null,
      attested_at: null,
      blocked: { rung: "StopAcknowledged", why: "its runner has not answered" },
    });
    expect(await condition()).toMatchObject({
      status: "False",
      reason: "WAITS_FOR_STOPACKNOWLEDGED",
      message: "its runner has not answered",
    });
    await world.rounds(3);
    expect(await stopOf(run_id)).toEqual(first);
    expect((await world.bot())["state"]).toBe("STOPPING");
    expect(dataOf(await world.query("attestations.list", { unproven: "true" }))["attestations"]).toMatchObject([
      { run_id },
    ]);
    expect((await world.actions()).filter((action) => action === "instance.stop.blocked")).toHaveLength(1);
  });

  it("a later run's proof is not the bot's while an earlier run that died at its venue has none", async () => {
    await world.addVenueOutside();
    dataOf(await world.makeBot("bot-2", { venue: "OUT" }));
    const live = async (): Promise<string> => {
      const run_id = String(dataOf(await world.moveConfirmed("bot-2", "IDLE", "RUNNING_LIVE"))["run_id"]);
      await world.until("running", () => world.runner.instances.has(run_id));
      return run_id;
    };
    const held = { status: "False", reason: "WAITS_FOR_ORDERSCLEAR" };
    const lost = await live();
    world.runner.drop();
    await world.until("gone", () => world.control.hub.ready().length === 0);
    dataOf(await world.move("bot-2", "RUNNING_LIVE", "STOPPING"));
    await world.control.hub.runnerGone("runner-1");
    world.runner.instances.clear();
    // Nor can it be wound up.
    world.runner.refuseStarts.with = { error_code: "RUMI-STR-022", reason_code: null, error: "no", suggestion: "none" };
    await world.dialRunner();
    await world.until("its venue is waited for", async () => (await condition("bot-2"))?.reason === held.reason);
    expect(await condition("bot-2")).toMatchObject({ ...held, message: "the venue has not been asked" });
    expect((await world.bot("bot-2"))["state"]).toBe("IDLE");
    world.runner.refuseStarts.with = null;
    const later = await live();
    dataOf(await world.move("bot-2", "RUNNING_LIVE", "STOPPING"));
    await world.until("attested", () => isProven(later));
    expect(await stopOf(later)).toMatchObject({ proven: true, open_orders: 0 });
    expect(await stopOf(lost)).toMatchObject({ proven: false, blocked: { rung: "OrdersClear" } });
    expect(await condition("bot-2")).toMatchObject({ ...held, message: `run ${lost}: the venue has not been asked` });
  });

  it("a record with another epoch, a missing rung, open orders, another predicate or another subject proves nothing", async () => {
    const run_id = await running();
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"));
    await world.until("attested", async () => {
      const found = await world.query("attestations.show", {}, { run_id });
      return found.kind === "done" && (found.data as { proven: boolean }).proven;
    });
    const stop = await stopOf(run_id);
    const { payload } = stop["envelope"] as { payload: string };
    const statement = JSON.parse(Buffer.from(payload, "base64").toString("utf8")) as {
      predicate: Record<string, Json>;
    } & Record<string, Json>;
    const problem = (change: Record<string, Json>): string => {
      // Signed by the right key even: the statement itself has to hold.
      const checked = verifyStop(ATTESTER.sign(canonicalJson({ ...statement, ...change })), ATTESTER.public_pem);
      return checked.ok ? "fine" : String(checked.error.params["problem"]);
    };
    const restated = (change: Record<string, Json>): string => {
      const predicate = { ...statement.predicate, ...change };
      const digest = { sha256: Buffer.from(sha256(canonicalJson(predicate))).toString("hex") };
      return problem({ predicate, subject: [{ name: "run", digest }] });
    };
    expect(problem({})).toBe("fine");
    expect(restated({})).toBe("fine");
    expect(restated({ open_orders: 1 })).toBe("orders were open");
    expect(restated({ rungs: (statement.predicate["rungs"] as readonly Json[]).slice(1) })).toBe(
      "a rung of the ladder is missing",
    );
    expect(problem({ predicate: { ...statement.predicate, epoch: 2 } })).toBe("its subject is not what it states");
    expect(problem({ predicateType: "urn:other" })).toBe("it states something other than a stop");
    expect(problem({ subject: [] })).toBe("its subject is not what it states");
    expect(verifyStop(ATTESTER.sign("no json"), ATTESTER.public_pem)).toMatchObject({ ok: false });
    expect(verifyStop({ ...(stop["envelope"] as object), payload: "AAAA" }, ATTESTER.public_pem)).toMatchObject({
      ok: false,
      error: { code: "RUMI-LOG-027", reasonCode: "L.ATTESTATION.INVALID" },
    });
  });

  it("stops that can never be proven do not starve new ones, and an old one that can be proven at last has its turn", async () => {
    const run_id = await running();
    const [real] = await readInstances(world.store, world.store, "bot-1");
    if (real === undefined) throw new Error("no instance");
    const lost = (bot_id: string, desired_since: number): InstanceRow => ({
      ...real,
      bot_id,
      run_id: bot_id,
      desired: "stopped",
      desired_since,
    });
    const add = (...all: readonly InstanceRow[]) =>
      world.store.commit({ writes: all.map((row) => putInstance(world.store, row, undefined)), events: [] });
    const looked = async (id: string) => (await readLadder(world.store, world.store, id)) !== undefined;
    const deps = { store: world.store, clock: world.clock, environment: "dev", hub: world.control.hub };
    const stops = stopReconciler({ ...deps, attester: ATTESTER }, 4);
    // Before the real one by their names, so that whoever begins from the front every time never comes to it.
    const first = (at: number): string => `0000000${at}`;
    await add(...Array.from({ length: 8 }, (_, at) => lost(first(at), at)));
    for (let round = 0; round < 5; round += 1) await stops.run();
    for (let at = 0; at < 8; at += 1) expect([at, await looked(first(at))]).toEqual([at, true]);
    // A new one is looked at in the very round that it comes, wherever the turn is, and however old its wish.
    for (const id of ["zz0", "zz1", "zz2", "zz3", "zz4"]) {
      await add(lost(id, 3));
      await stops.run();
      expect([id, await looked(id)]).toEqual([id, true]);
    }
    // The real one is stopped, and looked at before it can be proven; then newer wishes come that never can be.
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"));
    await stops.run();
    expect([await looked(run_id), await isProven(run_id)]).toEqual([true, false]);
    await add(...Array.from({ length: 8 }, (_, at) => lost(`zzz${at}`, world.clock.now() + 1 + at)));
    for (let round = 0; round < 5; round += 1) await stops.run();
    const hubOnly = world.control.reconcilers.filter(({ name }) => name !== "stops");
    const isHeld = async () =>
      (await readInstances(world.store, world.store, "bot-1")).some(
        (one) => one.run_id === run_id && one.holder !== null,
      );
    for (let round = 0; round < 300 && (await isHeld()); round += 1) {
      for (const one of hubOnly) await one.run();
      await new Promise((resolve) => setTimeout(resolve, 15)); // its runner answers over a socket
      await world.control.hub.idle();
    }
    expect(await isHeld()).toBe(false);
    expect(await isProven(run_id)).toBe(false);
    // 22 are unproven and two of them have a turn in a round, beside the two newest: one whole turn, and a round to spare.
    for (let round = 0; round < 12; round += 1) await stops.run();
    expect(await isProven(run_id)).toBe(true);
  });
});
