import { err, failure, millis } from "@rumi/kernel";
import type { InstanceKey } from "@rumi/runtime";
import { acquireLease, readLease, type Store } from "@rumi/store";
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

it("[M-7.1.2] a store that fails decides nothing: those leases are in no answer, and what is known is", async () => {
  const leases = await held(3);
  const { store } = world ?? expect.fail("no world");
  const lost = leases.map((lease, n) => (n === 1 ? { ...lease, epoch: lease.epoch + 1 } : lease));
  const failed = err({ kind: "failed", failure: failure("RUMI-STO-006", { problem: "the disk" }) } as const);
  const conflict = err({ kind: "conflict", write_index: 0, changed: 0 } as const);
  /** What becomes of the first commits; everything after them fails. */
  const after = (...first: readonly ("done" | typeof conflict)[]): Store => {
    const left = [...first];
    return {
      ...store,
      commit: async (batch) => {
        const next = left.shift() ?? failed;
        return next === "done" ? store.commit(batch) : next;
      },
    };
  };
  expect(await renewLeases(after(), HOLDER, leases, TTL)).toEqual([]);
  // The first commit finds out that one is lost; the second, of the others, fails.
  expect(await renewLeases(after("done"), HOLDER, lost, TTL)).toEqual([{ ...lost[1], granted: false }]);
  // Each by itself at last, and the store fails then.
  expect(await renewLeases(after(conflict, conflict, conflict), HOLDER, leases, TTL)).toEqual([]);
  expect(await renewLeases(after(conflict, conflict, conflict, "done"), HOLDER, leases, TTL)).toEqual([
    { ...leases[0], granted: true },
  ]);
});
