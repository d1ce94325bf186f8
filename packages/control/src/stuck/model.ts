/**
 * A bot that is STOPPING for longer than it may (G-10.1). Pure.
 *
 * How to think: being stuck is a condition with a beginning. It says which rung of which stop is waited for and since
 * when, leads to its runbook, and has its evidence collected once per time of being stuck. It ends when the bot leaves
 * STOPPING, by whatever way, and the next time is another one.
 *
 * Invariant (stuck.test.ts): no bot is called stopped because it is stuck.
 */
import { isoFromMicros, micros } from "@rumi/kernel";
import type { Condition } from "../bots/model.ts";
import type { BotRow } from "../bots/tables.ts";
import type { LadderRow } from "../attestation/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";

export const STUCK_RUNBOOK = "docs/runbooks/stuck-stopping.md";

type Blocked = Pick<LadderRow, "instance_id" | "blocked_rung" | "blocked_why" | "blocked_since">;

export const isStuck = ({ state, state_since }: Pick<BotRow, "state" | "state_since">, now: number): boolean =>
  state === "STOPPING" && now - state_since > CONTROL_LIMITS.stuck_stopping_ms * 1_000;

/** One time of being stuck; what is collected of it is collected once. */
export const stuckOccasion = ({ bot_id, state_since }: Pick<BotRow, "bot_id" | "state_since">): string =>
  `stuck:${bot_id}:${state_since}`;

export function stuckCondition(bot: BotRow, blocked: readonly Blocked[]): Omit<Condition, "last_transition_time"> {
  const held = blocked.flatMap(({ instance_id, blocked_rung, blocked_why, blocked_since }) =>
    blocked_rung === null || blocked_since === null
      ? []
      : [
          `${instance_id} waits for ${blocked_rung} since ${isoFromMicros(micros(blocked_since))}: ${blocked_why ?? ""}`,
        ],
  );
  const what = held.length === 0 ? "no rung of its stop is known yet" : held.join("; ");
  return {
    type: "Stuck",
    status: "True",
    reason: "STOPPING_TOO_LONG",
    message: `${what.slice(0, 512)}; ${STUCK_RUNBOOK}`,
    observed_generation: bot.generation,
  };
}

export const unstuckCondition = (bot: BotRow): Omit<Condition, "last_transition_time"> => ({
  type: "Stuck",
  status: "False",
  reason: bot.state,
  message: "",
  observed_generation: bot.generation,
});
