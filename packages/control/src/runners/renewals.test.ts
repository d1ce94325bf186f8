import { millis } from "@rumi/kernel";
import type { InstanceKey } from "@rumi/runtime";
import { acquireLease, readLease } from "@rumi/store";
import { afterEach, expect, it } from "vitest";
import { openControl, type Control } from "../../test/kit.ts";
import { renewLeases } from "./renewals.ts";

const TTL = millis(20_000);
const HOLDER = "runner-1";
let world: Control | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

type Lease = InstanceKey & { readonly epoch: number };

async function held(count: number): Promise<readonly Lease[]> {
  world = await openControl({ bare: true });
  const { store } = world;
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const key = { bot_id: "bot-1", strategy_id: "ema_cross", instance_id: `shard-${n}` } as unknown as InstanceKey;
      const taken = await acquireLease(store, key, HOLDER, TTL);
      return { ...key, epoch: taken.ok ? taken.value.epoch : expect.fail("not taken") };
    }),
  );
}

it("[M-7.1.2] hundreds of leases are renewed in one commit", async () => {
  const leases = await held(345);
  const { store } = world ?? expect.fail("no world");
  let commits = 0;
  const counted = {
    ...store,
    commit: (batch: Parameters<typeof store.commit>[0]) => ((commits += 1), store.commit(batch)),
  };
  const before = await Promise.all(leases.map((lease) => readLease(store, store, lease)));
  await new Promise((resolve) => setTimeout(resolve, 5));
  const granted = await renewLeases(counted, HOLDER, leases, TTL);
  expect(granted).toEqual(leases.map((lease) => ({ ...lease, granted: true })));
  expect(commits).toBe(1);
  const after = await Promise.all(leases.map((lease) => readLease(store, store, lease)));
  expect(after.every((row, n) => (row?.expires_at ?? 0) > (before[n]?.expires_at ?? 0))).toBe(true);
});

it("[M-7.1.2] a lost lease, a foreign one and one named twice cost the others nothing", async () => {
  const leases = await held(40);
  const { store } = world ?? expect.fail("no world");
  const asked = [
    ...leases.map((lease, n) => (n % 10 === 3 ? { ...lease, epoch: lease.epoch + 1 } : lease)),
    ...leases.slice(0, 1),
    { ...(leases[0] ?? expect.fail("none")), instance_id: "unheard-of" as Lease["instance_id"] },
  ];
  const granted = await renewLeases(store, HOLDER, asked, TTL);
  expect(granted.map((lease) => lease.granted)).toEqual(asked.map((_, n) => n < 41 && (n === 40 || n % 10 !== 3)));
  expect((await renewLeases(store, "somebody else", leases, TTL)).some((lease) => lease.granted)).toBe(false);
});
