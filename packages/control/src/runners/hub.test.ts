import { micros, millis } from "@rumi/kernel";
import type { ControlMessage } from "@rumi/runtime";
import { afterEach, describe, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { fillEntry, intentEntry, orderEntry, type FakeRunner } from "../../test/fake-runner.ts";
import { openControl, RUNNER_KEY, type Control, type ControlOptions } from "../../test/kit.ts";
import { fakeRunner } from "../../test/fake-runner.ts";

let worlds: Control[] = [];
afterEach(async () => {
  for (const world of worlds.toReversed()) await world.close();
  worlds = [];
});
const open = async (options: ControlOptions = {}): Promise<Control> => {
  const world = await openControl(options);
  worlds.push(world);
  return world;
};
async function started(world: Control, runner: FakeRunner = world.runner): Promise<string> {
  await runner.dial();
  await world.until("a ready runner", () => world.control.hub.ready().includes(runner.runner_id));
  dataOf(await world.makeBot());
  const run_id = String(dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))["run_id"]);
  await world.until(
    "running",
    async () =>
      runner.instances.has(run_id) && JSON.stringify((await world.bot())["instances"]).includes('"phase":"running"'),
  );
  return run_id;
}
const rows = <Row>(world: Control, sql: string): Promise<readonly Row[]> =>
  world.store.rows<Row>({ sql, parameters: [] });
const count = async (world: Control, action: string): Promise<number> =>
  (await world.actions()).filter((one) => one === action).length;

describe("the socket", () => {
  it("[L-0.1] a wrong key never gets past the handshake", async () => {
    const world = await open({ bare: true });
    await expect(fakeRunner(world.socketPath, new Uint8Array(32), "evil").dial()).rejects.toThrow();
    expect(world.control.hub.ready()).toEqual([]);
    await fakeRunner(world.socketPath, RUNNER_KEY, "good").dial();
    await world.until("ready", () => world.control.hub.ready().includes("good"));
  });
});

describe("the journal", () => {
  it("[M-8.2.2] is taken in exactly once through cuts, repeats and overlaps, and acknowledged after the commit", async () => {
    const world = await open();
    const run_id = await started(world);
    const entries = [
      intentEntry(1, "C1"),
      orderEntry(2, "C1", "accepted"),
      fillEntry(3, "C1"),
      orderEntry(4, "C1", "filled"),
      intentEntry(5, "C2"),
    ];
    const journal = (from: number, to: number): void =>
      world.runner.send({ type: "journal", run_id: run_id as never, entries: entries.slice(from - 1, to) });
    journal(1, 3);
    journal(5, 5); // a hole: must not be taken
    journal(2, 4);
    journal(1, 5);
    journal(1, 5);
    await world.until("acknowledged", () =>
      world.runner.received.some((one) => one.type === "journal_ack" && one.seq === 5),
    );
    const list = async (name: string) => dataOf(await world.query(`${name}.list`, { bot_id: "bot-1" }));
    expect(await list("intents")).toMatchObject({ count: 2, intents: [{ seq: 5, client_order_id: "C2" }, { seq: 1 }] });
    expect(await list("orders")).toMatchObject({ count: 1, orders: [{ client_order_id: "C1", status: "filled" }] });
    expect(await list("fills")).toMatchObject({ count: 1, fills: [{ seq: 3, fill: { price: "1.5" } }] });
    const fed = await rows<{ kind: string }>(
      world,
      "SELECT kind FROM change_feed WHERE kind IN ('intent', 'order', 'fill')",
    );
    expect(fed).toHaveLength(5);
    for (const id of ["C1", "key-1", run_id]) {
      const trace = dataOf(await world.query("trace.show", {}, { id })) as {
        intents: unknown[];
        orders: unknown[];
        fills: unknown[];
        commands: unknown[];
        runs: unknown[];
        events: { action: string }[];
      };
      expect(trace).toMatchObject({
        orders: [{ client_order_id: "C1" }],
        fills: [{ seq: 3 }],
        commands: [{ to_state: "RUNNING_PAPER" }],
        runs: [{ run_id }],
      });
      expect(trace.events.map((event) => event.action)).toEqual(
        expect.arrayContaining(["controlplane.command.requested", "lease.acquired", "instance.started"]),
      );
    }
    expect((await world.query("trace.show", {}, { id: "nothing" })).kind).toBe("refused");
  });
  it("a closed segment becomes one leaf, however often it is sent", async () => {
    const world = await open();
    const run_id = await started(world);
    const segment = {
      run_id: run_id as never,
      segment: 0,
      first_seq: 1,
      last_seq: 4,
      root: "ab".repeat(32),
      records: 4,
    };
    for (let i = 0; i < 3; i += 1) world.runner.send({ type: "segment", segment });
    await world.until(
      "acknowledged",
      () => world.runner.received.filter((one) => one.type === "segment_ack").length === 3,
    );
    expect(await count(world, "journal.segment.sealed")).toBe(1);
  });
  it("[M-7.1.2] a runner that is not the run's holder adds nothing", async () => {
    const world = await open();
    const run_id = await started(world);
    const other = world.runnerNamed("runner-2");
    await other.dial();
    other.send({ type: "journal", run_id: run_id as never, entries: [intentEntry(1, "X")] });
    await world.rounds(5);
    expect(await rows(world, "SELECT seq FROM intent_view")).toEqual([]);
    expect(other.received.some((one) => one.type === "journal_ack")).toBe(false);
  });
});

describe("clocks", () => {
  it("a renewal that waits behind a journal says nothing of the runner's clock; one that is off does", async () => {
    const world = await open();
    const run_id = await started(world);
    const commit = world.store.commit.bind(world.store);
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let waits = 0;
    world.store.commit = async (group) => {
      waits += 1;
      await held;
      return commit(group);
    };
    world.runner.send({ type: "journal", run_id: run_id as never, entries: [intentEntry(1, "C1")] });
    // The world's own rounds would wait for the store as well.
    await expect.poll(() => waits).toBeGreaterThan(0);
    const renew = (off_ms: number): void => {
      const wall_us = micros(world.clock.now() + off_ms * 1_000);
      world.runner.send({ type: "renew", request: 1, wall_us, leases: [] });
    };
    const errors = () => world.control.hub.clockErrors().get("runner-1");
    const sent_at = world.clock.now();
    for (let said = 0; said < 3; said += 1) renew(0);
    await expect.poll(errors, { message: "heard while the journal is held" }).toBeDefined();
    const way_ms = (world.clock.now() - sent_at) / 1_000;
    world.clock.skip(8_000);
    world.store.commit = commit;
    release();
    await world.rounds(3);
    expect(Math.abs(errors() ?? NaN), "no more than a word is on its way").toBeLessThanOrEqual(way_ms);
    for (let said = 0; said < 3; said += 1) renew(-4_000);
    await world.until("a clock that is off", () => (errors() ?? 0) < -3_900);
  });
});

describe("reports", () => {
  it("[M-2.2.2] only changed conditions are audited; positions are shown", async () => {
    const world = await open();
    const run_id = await started(world);
    const before = (await world.actions()).length;
    for (let i = 0; i < 5; i += 1) world.runner.report(run_id, { events_total: i });
    await world.rounds(5);
    expect((await world.actions()).length).toBe(before);
    world.runner.report(run_id, {
      health_state: "degraded",
      reason_code: "M.HEALTH.SLOW",
      positions: [
        {
          instrument_id: "XRPETH.SIM",
          quantity: "2",
          average_price: "1.5",
          realised_profit: "0",
          unrealised_profit: "0.1",
          fees: "0",
          last_price: "1.55",
        },
      ],
    });
    await world.until("degraded", async () => (await count(world, "instance.health.changed")) === 1);
    expect(await count(world, "bot.condition.changed")).toBeGreaterThan(0);
    expect(dataOf(await world.query("positions.list"))).toMatchObject({
      count: 1,
      positions: [{ instrument_id: "XRPETH.SIM", unrealised_profit: "0.1" }],
    });
    expect(dataOf(await world.query("instances.list"))).toMatchObject({
      instances: [{ health_state: "degraded", reason_code: "M.HEALTH.SLOW" }],
    });
  });
  it("[G-2.1b] a failed instance takes the bot to ERROR, which only a person leaves, with the same run", async () => {
    const world = await open();
    const run_id = await started(world);
    const { trace_id } = world.runner.instances.get(run_id)?.spec ?? {};
    expect(trace_id).toMatch(/^[0-9a-f-]{32,36}$/);
    world.runner.report(run_id, {
      phase: "failed",
      reason_code: "M.FAULT.TRAP",
      failure: { error_code: "RUMI-STR-001", reason_code: "M.FAULT.TRAP", error: "it trapped", suggestion: "mend it" },
    });
    await world.until("ERROR", async () => (await world.bot())["state"] === "ERROR");
    await world.rounds(5);
    expect(await world.bot()).toMatchObject({
      state: "ERROR",
      status: { reason: "M.FAULT.TRAP" },
      instances: [{ failure: { error: "it trapped" }, holder: null }],
    });
    expect(dataOf(await world.move("bot-1", "ERROR", "RUNNING_PAPER"))).toMatchObject({ run_id });
    await world.until("resumed", () => world.runner.instances.get(run_id)?.spec.start === "resume");
    // Its records bear the run's first trace; under another one a replay could not make them again [M-8.2.2].
    expect(world.runner.instances.get(run_id)?.spec).toMatchObject({ epoch: 2, trace_id });
  });
  it("a refused start is ERROR with the runner's own words", async () => {
    const world = await open();
    world.runner.refuseStarts.with = {
      error_code: "RUMI-STR-003",
      reason_code: "M.DESCRIPTOR.BINARY_HASH",
      error: "wrong binary",
      suggestion: "approve again",
    };
    await world.runner.dial();
    await world.until("ready", () => world.control.hub.ready().length === 1);
    dataOf(await world.makeBot());
    dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
    await world.until("ERROR", async () => (await world.bot())["state"] === "ERROR");
    expect(await world.bot()).toMatchObject({ instances: [{ failure: { error: "wrong binary" } }] });
    expect(await rows(world, "SELECT holder FROM lease")).toEqual([{ holder: null }]);
    dataOf(await world.move("bot-1", "ERROR", "STOPPING")); // nothing runs: proven at once
    expect(await world.bot()).toMatchObject({ state: "IDLE" });
  });
});

describe("leases, failover, adoption", () => {
  it("[M-7.1.2] a renewal is granted only while the row says so", async () => {
    const world = await open({ lease_ttl: millis(3_000) });
    const run_id = await started(world);
    expect(await world.runner.renew(run_id)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 3_001));
    expect(await world.runner.renew(run_id)).toBe(false);
  });
  it("[M-7.1.3] when the runner's process is proven gone, another takes over at once under a new epoch and resumes; the bot keeps its state", async () => {
    const world = await open();
    const run_id = await started(world);
    world.runner.drop();
    const second = world.runnerNamed("runner-2");
    await second.dial();
    await world.rounds(5);
    expect(second.instances.has(run_id)).toBe(false); // the lease still runs and nothing proves the first dead
    await world.control.hub.runnerGone("runner-1");
    await world.until("taken over", () => second.instances.has(run_id));
    expect(second.instances.get(run_id)?.spec).toMatchObject({ epoch: 2, start: "resume" });
    expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER", instances: [{ holder: "runner-2", epoch: 2 }] });
    expect(await count(world, "bot.state.transition")).toBe(3); // CREATED, IDLE, RUNNING_PAPER: no other
  });
  it("[M-7.1.3] without proof the takeover waits for the lease's end", async () => {
    const world = await open({ lease_ttl: millis(600) });
    const run_id = await started(world);
    const lease = "SELECT holder, expires_at, acquired_at FROM lease";
    const [first] = await rows<{ holder: string; expires_at: number }>(world, lease);
    expect(first?.holder).toBe("runner-1");
    world.runner.drop();
    const second = world.runnerNamed("runner-2");
    await second.dial();
    await world.until("taken over", () => second.instances.has(run_id));
    const [next] = await rows<{ holder: string; acquired_at: number }>(world, lease);
    expect(next?.holder).toBe("runner-2");
    expect(next?.acquired_at).toBeGreaterThanOrEqual(first?.expires_at ?? Infinity);
    expect(second.instances.get(run_id)?.spec.epoch).toBe(2);
  });
  it("a restarted control plane adopts a living runner by its lease's epoch: the bot keeps its state", async () => {
    const first = await open();
    const run_id = await started(first);
    first.runner.drop();
    first.control.close();
    const second = await open({ home: first.folder, adoption_window: millis(5_000) });
    await second.rounds(1);
    const survivor = second.runnerNamed("runner-1");
    for (const [id, one] of first.runner.instances) survivor.instances.set(id, one);
    await survivor.dial();
    await second.until("adopted", async () => (await count(second, "runner.adopted")) === 1);
    await second.rounds(3);
    expect(await second.bot()).toMatchObject({
      state: "RUNNING_PAPER",
      instances: [{ run_id, epoch: 1, holder: "runner-1" }],
    });
    expect(survivor.received.some((one) => one.type === "start" || one.type === "stop")).toBe(false);
  });
  it("an instance that the lease does not vouch for is told to stop", async () => {
    const world = await open();
    const run_id = await started(world);
    const rogue = world.runnerNamed("runner-9");
    const own = world.runner.instances.get(run_id);
    if (own === undefined) throw new Error("no instance");
    rogue.instances.set(run_id, { spec: own.spec, status: { ...own.status, epoch: 7 } });
    await rogue.dial();
    await world.until("told to stop", () => rogue.received.some((one) => one.type === "stop"));
    expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER", instances: [{ holder: "runner-1" }] });
  });
  it("[G-2.1b] after a restart, what no living runner claims goes to ERROR and waits for a person", async () => {
    const first = await open({ lease_ttl: millis(2_500) });
    await started(first);
    first.runner.drop();
    first.control.close();
    const second = await open({ home: first.folder, adoption_window: millis(0), lease_ttl: millis(2_500) });
    await second.rounds(1);
    expect((await second.bot())["state"]).toBe("RUNNING_PAPER"); // [M-7.1.1] a silent runner may act until its lease is over
    await second.until("ERROR", async () => (await second.bot())["state"] === "ERROR");
    const fresh = second.runnerNamed("runner-2");
    await fresh.dial();
    await second.rounds(5);
    expect(await second.bot()).toMatchObject({ state: "ERROR", status: { reason: "PROGRAM_RESTARTED" } });
    expect(fresh.instances.size).toBe(0);
    await second.move("bot-1", "ERROR", "RUNNING_PAPER");
    await second.until("started by a person", () => fresh.instances.size === 1);
    await second.rounds(5);
    expect(await second.bot()).toMatchObject({ state: "RUNNING_PAPER", instances: [{ holder: "runner-2" }] });
  });
  it("[M-7.1.3] a runner that fenced itself is given the run again under a new epoch; the bot keeps its state", async () => {
    const world = await open();
    const run_id = await started(world);
    world.runner.report(run_id, { phase: "stopped", reason_code: "M.LEASE.LOST" });
    await world.until("taken up again", () => world.runner.instances.get(run_id)?.spec.epoch === 2);
    expect(world.runner.instances.get(run_id)?.spec.start).toBe("resume");
    expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER" });
  });
  it("[M-7.1.3] a start whose lease was over before it came is no failure of the bot's: it is begun under the next epoch", async () => {
    const world = await open();
    world.runner.refuseStarts.with = LEASE_OVER;
    await world.runner.dial();
    await world.until("ready", () => world.control.hub.ready().length === 1);
    dataOf(await world.makeBot());
    const { run_id } = dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
    await world.until("asked under a later epoch", () => startsOf(world).some(({ spec }) => spec.epoch > 1));
    expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER", instances: [{ failure: null }] });
    world.runner.refuseStarts.with = null;
    await world.until("it runs", () => world.runner.instances.has(String(run_id)));
    await world.rounds(2);
    expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER", instances: [{ run_id, phase: "running" }] });
  });
  it("[M-7.1.3] a bot that is to stop meanwhile stops: its start is not asked for again", async () => {
    const world = await open();
    world.runner.refuseStarts.with = "no answer";
    await world.runner.dial();
    await world.until("ready", () => world.control.hub.ready().length === 1);
    dataOf(await world.makeBot());
    dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"));
    await world.until("asked", () => startsOf(world).length === 1);
    dataOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"));
    const request = startsOf(world)[0]?.request ?? expect.fail("no start");
    world.runner.send({ type: "reply", request, ok: false, failure: LEASE_OVER });
    await world.until("IDLE", async () => (await world.bot())["state"] === "IDLE");
    await world.rounds(5);
    expect(startsOf(world)).toHaveLength(1);
  });
  it("stopAll stops every bot with proof, and the runner is told to forget what is over", async () => {
    const world = await open();
    const run_id = await started(world);
    expect(await world.control.stopAll("Ctrl-C", millis(5_000))).toEqual([]);
    expect(await world.bot()).toMatchObject({ state: "IDLE" });
    expect(world.runner.instances.get(run_id)?.status.phase).toBe("stopped");
    await world.until("told to forget", () =>
      world.runner.received.some((one) => one.type === "forget" && one.run_id === run_id),
    );
  });
});

const LEASE_OVER = {
  error_code: "RUMI-STR-029",
  reason_code: "M.LEASE.LOST",
  error: "its lease is over",
  suggestion: "it is started again",
};

function startsOf({ runner }: Control): readonly Extract<ControlMessage, { type: "start" }>[] {
  return runner.received.filter((one) => one.type === "start");
}
