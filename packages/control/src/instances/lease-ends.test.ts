/** When a lease is over where the wall clock cannot be believed: against the real rows, a real hub and dialled runners. */
import { micros, millis, type Clock } from "@rumi/kernel";
import { afterEach, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { LeaseEnds } from "./lease-ends.ts";
import { readOpenInstances, type InstanceRow } from "./tables.ts";

const TTL = millis(20_000);
/** Where it really passes. */
const SHORT = millis(3_000);
const HOUR_MS = 3_600_000;
let world: Control;
let run_id: string;
afterEach(() => world.close());
async function begin(lease_ttl = TTL): Promise<void> {
  world = await openControl({ lease_ttl });
  await world.dialRunner();
  dataOf(await world.makeBot());
  run_id = String(dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))["run_id"]);
  await world.until("it runs", async () =>
    JSON.stringify((await world.bot())["instances"]).includes('"phase":"running"'),
  );
}

/** Renewed once the store's clock tells another millisecond: two renewals within one leave the row as it was. */
async function renew(): Promise<boolean> {
  const { renewed_at = 0 } = (await lease()) ?? {};
  await expect.poll(() => Date.now(), { interval: 1 }).toBeGreaterThan(renewed_at / 1_000);
  return world.runner.renew(run_id);
}

type Lease = { readonly holder: string | null; readonly epoch: number; readonly renewed_at: number };
async function lease(): Promise<Lease | undefined> {
  return (await world.store.rows<Lease>({ sql: "SELECT holder, epoch, renewed_at FROM lease", parameters: [] }))[0];
}
/** The row as it stands where the clock was an hour ahead when it was last renewed. */
async function setBack(): Promise<void> {
  const sql = "UPDATE lease SET renewed_at = renewed_at + ?, expires_at = expires_at + ?";
  const parameters = [HOUR_MS * 1_000, HOUR_MS * 1_000];
  expect((await world.store.commit({ writes: [{ sql, parameters, expect: 1 }], events: [] })).ok).toBe(true);
}
const expiries = async (): Promise<number> =>
  (await world.actions()).filter((action) => action === "lease.expired").length;

it("[M-7.1.3] [L-N7] a wall clock that was set back delays a takeover by a lease time, not by as much as it was set back", async () => {
  await begin(SHORT);
  const from = performance.now();
  await setBack();
  world.runner.drop();
  const second = world.runnerNamed("runner-2");
  await second.dial();
  await world.until("taken over", () => second.instances.has(run_id));
  expect(performance.now() - from).toBeGreaterThanOrEqual(SHORT);
  expect(await world.bot()).toMatchObject({ state: "RUNNING_PAPER", instances: [{ holder: "runner-2", epoch: 2 }] });
  expect(await expiries()).toBe(1);
});

it("[L-N7] nor does it keep a bot whose runner is gone in STOPPING", async () => {
  await begin(SHORT);
  await setBack();
  world.runner.drop();
  dataOf(await world.move("bot-1", "RUNNING_PAPER", "STOPPING"));
  await world.runnerNamed("runner-2").dial();
  await world.until("it has stopped", async () => (await world.bot())["state"] === "IDLE");
});

/** Only the monotonic clock goes on; by the wall clock every lease of today runs for another hour. */
async function scene(commit: (first: () => Promise<boolean>) => Promise<boolean> = (first) => first()) {
  await begin();
  let passed_ms = 0;
  const clock: Clock = {
    now: () => micros(world.clock.now() - HOUR_MS * 1_000),
    monotonic: () => millis(passed_ms),
    sleep: () => Promise.resolve(),
  };
  const { recorder } = world.control.hub;
  const ends = new LeaseEnds({
    store: world.store,
    clock,
    lease_ttl: TTL,
    recorder: { commit: (...args) => commit(() => recorder.commit(...args)) },
  });
  const [instance] = await readOpenInstances(world.store, world.store);
  if (instance === undefined) throw new Error("no instance is open");
  const look = (ms: number, named: readonly InstanceRow[] = [instance]): Promise<boolean> => {
    passed_ms += ms;
    ends.beginRound(named);
    return ends.isOver(instance);
  };
  return { look };
}

it("[M-7.1.1] [L-N7] what is renewed is never over, what is not is over after a lease time and is given to nobody twice", async () => {
  const { look } = await scene();
  for (let round = 0; round < 5; round += 1) {
    expect(await look(TTL - 1)).toBe(false);
    expect(await renew()).toBe(true);
  }
  expect(await look(TTL)).toBe(false); // the renewal behind the last look is seen now
  expect(await look(TTL - 1)).toBe(false);
  expect([await lease(), await expiries()]).toMatchObject([{ holder: "runner-1" }, 0]);
  expect(await look(1)).toBe(true);
  expect([await lease(), await expiries()]).toMatchObject([{ holder: null, epoch: 1 }, 1]);
  expect(await look(0)).toBe(true);
  expect(await expiries()).toBe(1);
  expect(await renew()).toBe(false);
});

it("[M-7.1.1] [L-N7] a renewal that comes between the look and the taking keeps the lease", async () => {
  const { look } = await scene(async (first) => {
    expect(await renew()).toBe(true);
    return first();
  });
  expect(await look(0)).toBe(false);
  expect(await look(TTL)).toBe(false);
  expect([await lease(), await expiries()]).toMatchObject([{ holder: "runner-1", epoch: 1 }, 0]);
  expect(await renew()).toBe(true);
});

it("what was no longer open is seen anew when it comes back", async () => {
  const { look } = await scene();
  expect(await look(0)).toBe(false);
  expect(await look(TTL - 1)).toBe(false);
  expect(await look(1, [])).toBe(false);
  expect(await look(TTL - 1)).toBe(false);
});
