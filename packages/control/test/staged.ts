/** Intents that wait for a person's word, as tests of them furnish the table. */
import { write } from "@rumi/store";
import { expect } from "vitest";
import { dataOf } from "../../platform/test/kit.ts";
import { readInstances } from "../src/instances/tables.ts";
import type { StagedRow, StagingTables } from "../src/staging/tables.ts";
import { openControl, type Control } from "./kit.ts";

export const stagedRow = (over: Partial<StagedRow> = {}): StagedRow => ({
  run_id: "run-1",
  idempotency_key: "3",
  seq: 1,
  bot_id: "bot-1",
  strategy_id: "s",
  instance_id: "main",
  trace_id: "t",
  epoch: 2,
  staged_at: 0,
  expires_at: 100,
  state: "staged",
  reason_code: null,
  decision: null,
  decided_by: null,
  decided_at: null,
  decision_reason: null,
  delivered: 0,
  failure: null,
  client_order_id: null,
  intent: "{}",
  updated_at: 0,
  row_version: 1,
  ...over,
});

/** A bot that runs on paper, with one waiting intent under each key. */
export async function withStaged(
  keys: readonly string[],
): Promise<{ readonly world: Control; readonly run_id: string }> {
  const world = await openControl();
  await world.dialRunner();
  dataOf(await world.makeBot());
  const run_id = String(dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))["run_id"]);
  await world.until("running", () => world.runner.instances.has(run_id));
  const [instance] = await readInstances(world.store, world.store, "bot-1");
  if (instance === undefined) throw new Error("the bot that runs has no instance");
  const { strategy_id, instance_id, epoch } = instance;
  const now = world.clock.now();
  const times = { staged_at: now, expires_at: now + 600_000_000, updated_at: now };
  const rows = keys.map((idempotency_key) =>
    stagedRow({ run_id, idempotency_key, seq: Number(idempotency_key), strategy_id, instance_id, epoch, ...times }),
  );
  const insert = world.store.builder<StagingTables>().insertInto("staged_intent").values(rows);
  expect(await world.store.commit({ writes: [write(insert, rows.length)], events: [] })).toMatchObject({ ok: true });
  return { world, run_id };
}
