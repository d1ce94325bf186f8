/**
 * A runner's renewals, a thousand at a time: one commit of a few statements while every lease is still held.
 *
 * How to think: where one is lost nothing of the commit happens. Then a read tells which are still held, and those are
 * tried again; only the write decides. What keeps failing is tried one by one.
 *
 * Invariant: a lease is granted by its own row alone, whoever was lost beside it (renewals.test.ts "[M-7.1.2]").
 */
import type { Millis } from "@rumi/kernel";
import type { InstanceKey } from "@rumi/runtime";
import { heldLeases, type LeaseKey, renewLeasesWrite, type Store } from "@rumi/store";

type Asked = InstanceKey & { readonly epoch: number };
export type Granted = Asked & { readonly granted: boolean };

/** Leases of one statement: few different texts, so that the prepared ones are used again. */
const SIZES = [256, 64, 16, 4, 1] as const;
/** Commits of many, before each lease is tried by itself. */
const ATTEMPTS = 3;

export async function renewLeases(
  store: Store,
  holder: string,
  asked: readonly Asked[],
  ttl: Millis,
): Promise<readonly Granted[]> {
  const leases = [...new Map(asked.map((lease) => [textOf(lease), lease])).values()];
  const renewed = new Set((await renewedOf(store, holder, leases, ttl)).map(textOf));
  return asked.map((lease) => {
    const { bot_id, strategy_id, instance_id, epoch } = lease;
    return { bot_id, strategy_id, instance_id, epoch, granted: renewed.has(textOf(lease)) };
  });
}

async function renewedOf(
  store: Store,
  holder: string,
  leases: readonly Asked[],
  ttl: Millis,
): Promise<readonly Asked[]> {
  let left = leases;
  for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt += 1) {
    const writes = inGroups(left).map((group) => renewLeasesWrite(store, holder, group, ttl));
    const done = await store.commit({ writes, events: [] });
    if (done.ok) return left;
    // A store that failed grants nobody anything; the runner asks again.
    if (done.error.kind === "failed") return [];
    left = await stillHeld(store, holder, left);
  }
  const alone = await Promise.all(
    left.map((lease) => store.commit({ writes: [renewLeasesWrite(store, holder, [lease], ttl)], events: [] })),
  );
  return left.filter((_, at) => alone[at]?.ok === true);
}

async function stillHeld(store: Store, holder: string, leases: readonly Asked[]): Promise<readonly Asked[]> {
  const held = new Set<string>();
  await store.snapshot(async (reader) => {
    for (const group of inGroups(leases))
      for (const row of await heldLeases(store, reader, holder, group)) held.add(textOf(row));
  });
  return leases.filter((lease) => held.has(textOf(lease)));
}

const textOf = (lease: LeaseKey & { readonly epoch: number }): string =>
  [lease.bot_id, lease.strategy_id, lease.instance_id, lease.epoch].join("\n");

function inGroups(leases: readonly Asked[]): (readonly Asked[])[] {
  const groups: (readonly Asked[])[] = [];
  for (let at = 0; at < leases.length;) {
    const left = leases.length - at;
    const size = SIZES.find((one) => one <= left) ?? 1;
    groups.push(leases.slice(at, at + size));
    at += size;
  }
  return groups;
}
