/** Leases as they are read: held, over, free; by the store's clock, with what is known of their holder. */
import { micros } from "@rumi/kernel";
import { write, type LeaseTables } from "@rumi/store";
import { afterAll, beforeAll, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { onBothStores } from "../../test/both-stores.ts";
import type { Control } from "../../test/kit.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { putRunner } from "../runners/tables.ts";

type Lease = { readonly bot_id: string; readonly state: string; readonly [name: string]: unknown };
type Answer = { readonly leases: readonly Lease[]; readonly count: number; readonly [name: string]: unknown };

let world: Control;
const HOUR_US = 3_600_000_000;
const wall = (): number => Date.now() * 1_000;

const lease = (bot_id: string, over: Partial<LeaseTables["lease"]> = {}): LeaseTables["lease"] => ({
  bot_id,
  strategy_id: "ema-cross",
  instance_id: "main",
  holder: "runner-a",
  epoch: 3,
  max_epoch: 3,
  acquired_at: wall() - HOUR_US,
  renewed_at: wall(),
  expires_at: wall() + HOUR_US,
  ...over,
});
const put = async (...rows: readonly LeaseTables["lease"][]): Promise<void> => {
  const db = world.store.builder<LeaseTables>();
  const writes = rows.map((row) => write(db.insertInto("lease").values(row), 1));
  expect((await world.store.commit({ writes, events: [] })).ok).toBe(true);
};
const listed = async (query: Readonly<Record<string, string>> = {}): Promise<Answer> =>
  dataOf(await world.query("leases.list", query)) as unknown as Answer;

onBothStores((open) => {
  beforeAll(async () => {
    world = await open();
    await world.store.commit({
      writes: [
        putRunner(world.store, {
          runner_id: "runner-a",
          pid: 1,
          state: "lost",
          isolation: "[]",
          instances: 1,
          connected_at: micros(1),
          last_seen_at: wall(),
        }),
      ],
      events: [],
    });
    await put(
      lease("held"),
      lease("over", { expires_at: wall() - 1_000_000 }),
      lease("released", { holder: null }),
      lease("never", { holder: null, epoch: 0, max_epoch: 0, acquired_at: 0, renewed_at: 0, expires_at: 0 }),
      lease("strange", { holder: "runner-b" }),
    );
  }, 180_000);
  afterAll(async () => {
    await world.close();
  });

  it("[L-15] says who holds what under which epoch and until when, and what is known of that runner", async () => {
    const { leases, count, as_of, ttl_ms, renewal_ms } = await listed({ bot_id: "held" });
    expect([count, ttl_ms, renewal_ms]).toEqual([1, 20_000, 5_000]);
    expect(leases[0]).toMatchObject({ state: "held", holder: "runner-a", holder_state: "lost", epoch: 3 });
    expect(Math.abs(Date.parse(String(as_of)) - Date.now())).toBeLessThan(60_000);
    expect(Date.parse(String(leases[0]?.["expires_at"]))).toBeGreaterThan(Date.parse(String(as_of)));
  });

  it("[L-15] [L-N7] what nobody renewed in time is over, what was given back is free, and neither looks held", async () => {
    const states = Object.fromEntries((await listed()).leases.map(({ bot_id, state }) => [bot_id, state]));
    expect(states).toEqual({ held: "held", over: "over", released: "free", never: "free", strange: "held" });
    const [never] = (await listed({ bot_id: "never" })).leases;
    expect(never).toMatchObject({ holder: null, epoch: 0, acquired_at: null, renewed_at: null, expires_at: null });
    // A runner that this program never saw is named all the same.
    expect((await listed({ bot_id: "strange" })).leases[0]).toMatchObject({ holder: "runner-b", holder_state: null });
    expect(await listed({ bot_id: "nobody" })).toMatchObject({ leases: [], count: 0 });
  });

  it("[L-15] one answer has its limit, and a bot is found beyond it; what is no id is refused", async () => {
    const ids = Array.from({ length: CONTROL_LIMITS.leases_listed }, (_, at) => `a-${String(at).padStart(4, "0")}`);
    await put(...ids.map((id) => lease(id)));
    expect((await listed()).count).toBe(CONTROL_LIMITS.leases_listed);
    expect((await listed({ bot_id: "strange" })).count).toBe(1);
    expect((await world.query("leases.list", { bot_id: "../x" })).kind).toBe("refused");
    expect((await world.query("leases.list", { colour: "red" })).kind).toBe("refused");
  });

  it("[L-15] the time that it is told by is the store's, whatever this program's own clock says", async () => {
    world.clock.skip(HOUR_US / 1_000);
    const { as_of, leases } = await listed({ bot_id: "held" });
    expect(Math.abs(Date.parse(String(as_of)) - Date.now())).toBeLessThan(60_000);
    expect(leases[0]).toMatchObject({ state: "held" });
  });
});
