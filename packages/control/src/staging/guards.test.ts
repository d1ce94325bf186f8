/** An approval lets a bot's risk grow: what holds the bot holds the approval, though its target is an intent. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { write } from "@rumi/store";
import { dataOf } from "../../../platform/test/kit.ts";
import { openControl, type Control } from "../../test/kit.ts";
import { HOLD_KINDS } from "../holds/tables.ts";
import { readInstances } from "../instances/tables.ts";
import type { StagingTables } from "./tables.ts";

let world: Control;
let run_id: string;
beforeEach(async () => {
  world = await openControl();
  await world.dialRunner();
  dataOf(await world.makeBot());
  run_id = String(dataOf(await world.move("bot-1", "IDLE", "RUNNING_PAPER"))["run_id"]);
  await world.until("running", () => world.runner.instances.has(run_id));
  const [instance] = await readInstances(world.store, world.store, "bot-1");
  const now = world.clock.now();
  const rows = ["1", "2"].map((idempotency_key) => ({
    run_id,
    idempotency_key,
    seq: Number(idempotency_key),
    bot_id: "bot-1",
    strategy_id: instance?.strategy_id ?? "",
    instance_id: instance?.instance_id ?? "",
    trace_id: "t",
    epoch: instance?.epoch ?? 0,
    staged_at: now,
    expires_at: now + 600_000_000,
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
    updated_at: now,
    row_version: 1,
  }));
  const insert = world.store.builder<StagingTables>().insertInto("staged_intent").values(rows);
  await world.store.commit({ writes: [write(insert, 2)], events: [] });
});
afterEach(() => world.close());

const say = (verb: "approve" | "reject", idempotency_key: string) =>
  world.command(
    `intents.${verb}`,
    { command_id: world.id(), reason: "looked at" },
    { params: { run_id, idempotency_key } },
  );
const refusal = (answer: Awaited<ReturnType<typeof say>>) =>
  answer.kind === "refused" ? [answer.failure.code, answer.failure.reasonCode] : ["done"];

describe("[M-8.3.1] [L-16] a staged intent", () => {
  for (const kind of HOLD_KINDS)
    it(`is not approved under a ${kind} on its bot, may be rejected, and is approved where another bot is held`, async () => {
      dataOf(await world.makeBot("bot-2"));
      const hold = (bot_id: string) =>
        world.command("holds.set", { command_id: world.id(), kind, scope: { bot_id }, reason: "test" });
      dataOf(await hold("bot-2"));
      dataOf(await say("approve", "1"));
      dataOf(await hold("bot-1"));
      expect(refusal(await say("approve", "2"))).toEqual(["RUMI-CMD-007", `G.${kind.toUpperCase()}`]);
      dataOf(await say("reject", "2"));
    });

  it("[G-5.3] is not approved under a rule of the kill switch that meets its bot", async () => {
    dataOf(
      await world.command("killswitch.set", {
        command_id: world.id(),
        scope: { venue: "SIM" },
        level: "CLOSE_ONLY",
        reason: "test",
      }),
    );
    expect(refusal(await say("approve", "1"))).toEqual(["RUMI-CMD-007", "G.KILLSWITCH.CLOSE_ONLY"]);
    dataOf(await say("reject", "1"));
  });
});
