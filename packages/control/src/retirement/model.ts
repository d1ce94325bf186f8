/**
 * The end of a bot: whether it may be retired, and what a retired one refuses. Pure.
 *
 * How to think: retiring is final, so it rests on proof and on nothing else. Every run that the bot ever held a lease for
 * has a signed record that it stopped (nothing sends, no order is open, its credential is fenced: attestation/model.ts). A
 * person's claim is no such record. The bot stays IDLE and readable; its id is never given again.
 *
 * Invariants (retirement.test.ts)
 * - Nothing retires a bot of which something runs, is held, or is not proven to have stopped.
 * - A retired bot refuses every command, by one code, whoever asks; and no bulk, group or job has it on its list.
 */
import { err, failure, isoFromMicros, micros, ok, type Failure, type Result } from "@rumi/kernel";
import type { LeaseRow } from "@rumi/store";
import type { LadderRow } from "../attestation/tables.ts";
import type { BotRow } from "../bots/tables.ts";
import { standsStill } from "../groups/model.ts";
import type { InstanceRow } from "../instances/tables.ts";

/** One of the bot's instances with what is known of its stop and of its lease. */
export type Ended = {
  readonly instance: InstanceRow;
  readonly ladder: LadderRow | undefined;
  readonly lease: LeaseRow | undefined;
};

export function judgeRetired({ bot_id, retired_at }: Pick<BotRow, "bot_id" | "retired_at">): Result<null, Failure> {
  if (retired_at === null) return ok(null);
  return err(
    failure("RUMI-BOT-077", { bot_id, at: isoFromMicros(micros(retired_at)) }, { reasonCode: "L.LIFECYCLE.RETIRED" }),
  );
}

export function judgeRetirement(bot: BotRow, ended: readonly Ended[]): Result<null, Failure> {
  const { bot_id, state } = bot;
  const already = judgeRetired(bot);
  if (!already.ok) return already;
  const still = standsStill(
    bot,
    ended.map(({ instance }) => instance),
  );
  if (state !== "IDLE" || !still)
    return err(failure("RUMI-BOT-073", { bot_id, state, act: "to retire it" }, { reasonCode: "L.LIFECYCLE.NOT_IDLE" }));
  const unproven = ended.filter((one) => !isProven(one)).map(({ instance }) => instance.run_id);
  if (unproven.length === 0) return ok(null);
  return err(
    failure(
      "RUMI-BOT-078",
      { bot_id, many: unproven.length },
      { reasonCode: "L.LIFECYCLE.STOP_NOT_ATTESTED", details: { run_ids: unproven } },
    ),
  );
}

/** It never had a lease, or its last one ended in a signed stop. */
function isProven({ instance, ladder }: Ended): boolean {
  if (instance.epoch === 0) return true;
  return ladder !== undefined && ladder.epoch === instance.epoch && ladder.attested_at !== null;
}
