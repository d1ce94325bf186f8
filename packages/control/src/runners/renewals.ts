/**
 * A runner's renewals, a thousand at a time: one commit of a few statements while every lease is still held.
 *
 * How to think: where one is lost nothing of the commit happens. Then a read tells which are still held, and those are
 * tried again; only the write decides. What keeps failing is tried one by one.
 *
 * Invariants (renewals.test.ts "[M-7.1.2]")
 * - A lease is granted by its own row alone, whoever was lost beside it.
 * - A store that fails has decided nothing: those leases are not in the answer. Their runner goes on until its own
 *   deadline and asks again.
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
  const { renewed, undecided } = await renewedOf(store, holder, leases, ttl);
  const [granted, open] = [new Set(renewed.map(textOf)), new Set(undecided.map(textOf))];
  return asked
    .filter((lease) => !open.has(textOf(lease)))
    .map((lease) => {
      const { bot_id, strategy_id, instance_id, epoch } = lease;
      return { bot_id, strategy_id, instance_id, epoch, granted: granted.has(textOf(lease)) };
    });
}

type Renewed = { readonly renewed: readonly Asked[]; readonly undecided: readonly Asked[] };

async function renewedOf(store: Store, holder: string, leases: readonly Asked[], ttl: Millis): Promise<Renewed> {
  let left = leases;
  for (let attempt = 0; attempt < ATTEMPTS && left.length > 0; attempt += 1) {
    const writes = inGroups(left).map((group) => renewLeasesWrite(store, holder, group, ttl));
    const done = await store.commit({ writes, events: [] });
    if (done.ok) return { renewed: left, undecided: [] };
    if (done.error.kind === "failed") return { renewed: [], undecided: left };
    left = await stillHeld(store, holder, left);
  }
  const alone = await Promise.all(
    left.map((lease) => store.commit({ writes: [renewLeasesWrite(store, holder, [lease], ttl)], events: [] })),
  );
  const failed = (done: (typeof alone)[number] | undefined): boolean =>
    done !== undefined && !done.ok && done.error.kind === "failed";
  return {
    renewed: left.filter((_, at) => alone[at]?.ok === true),
    undecided: left.filter((_, at) => failed(alone[at])),
  };
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
