/** An approval lets a bot's risk grow: what holds the bot holds the approval, though its target is an intent. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import type { Control } from "../../test/kit.ts";
import { withStaged } from "../../test/staged.ts";
import { HOLD_KINDS } from "../holds/tables.ts";

let world: Control;
let run_id: string;
beforeEach(async () => void ({ world, run_id } = await withStaged(["1", "2"])));
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
