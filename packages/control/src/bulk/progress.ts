/**
 * How far a bot has come that a bulk moves: judged by what its instances report, not by what was commanded. Pure but for `see`.
 *
 * How to think: a command's own commit sets the bot's state, so the state alone says that it was accepted. A wave that
 * went on upon that would begin the next one before anything of this one runs, and its brake would count nothing.
 *
 * Invariants (progress.test.ts): running is done when every instance of this start is reported running, paused when every
 * instance stands, a stop when it is proven (IDLE), a quarantine when nothing of the bot is held by a runner any more. What
 * does not arrive within CONTROL_LIMITS.bulk_arrival_ms is failed by name, so that no bulk waits for ever.
 */
import type { Reader } from "@rumi/store";
import type { BotRow, BotTables } from "../bots/tables.ts";
import { isShadow } from "../instances/shards.ts";
import type { InstanceRow, InstanceTables } from "../instances/tables.ts";
import { isRunning, type BotState } from "../lifecycle/states.ts";
import type { FailureNote } from "../shared/fields.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { jsonOf, type Sql } from "../shared/sql.ts";

export type Why = Pick<FailureNote, "error_code" | "reason_code">;
export type Progress =
  | { readonly kind: "done" | "on_its_way" }
  /** Where it began: only its command says whether it was sent, refused, or done and undone. */
  | { readonly kind: "unmoved"; readonly why: Why }
  | { readonly kind: "failed"; readonly why: Why };

export type SeenInstance = Pick<
  InstanceRow,
  "bot_id" | "instance_id" | "phase" | "desired" | "desired_since" | "holder" | "failure"
>;
export type Seen = {
  readonly bot: Pick<BotRow, "bot_id" | "state" | "state_since">;
  /** All of the bot, shadows and former shards included. */
  readonly instances: readonly SeenInstance[];
};

/** Carried out, and the bot is where it began: something else moved it back. */
const MOVED_ON: Why = { error_code: "RUMI-BOT-011", reason_code: "G.BULK.MOVED_ON" };
/** Its runner never reported what was commanded, or never proved that it stopped. */
const NOT_REPORTED: Why = { error_code: "RUMI-BOT-032", reason_code: "G.BULK.NOT_REPORTED" };
const NOT_PROVEN: Why = { error_code: "RUMI-BOT-032", reason_code: "G.BULK.STOP_NOT_PROVEN" };

export function progressOf(seen: Seen | undefined, from: string, to: string, now: number): Progress {
  const progress = reached(seen, from, to);
  if (seen === undefined || progress.kind !== "on_its_way") return progress;
  // What was commanded is so for the bot's row since then; a wave does not wait for ever for a runner's word.
  if (now - seen.bot.state_since <= CONTROL_LIMITS.bulk_arrival_ms * 1_000) return progress;
  return { kind: "failed", why: to === "STOPPING" || to === "QUARANTINED" ? NOT_PROVEN : NOT_REPORTED };
}

function reached(seen: Seen | undefined, from: string, to: string): Progress {
  if (seen === undefined) return { kind: "failed", why: elsewhere("GONE") };
  const { bot, instances } = seen;
  const own = instances.filter((one) => !isShadow(one));
  const { state } = bot;
  if (to === "STOPPING" && state === "IDLE") return { kind: "done" };
  if (state === to) return arrival(state, bot, own, instances);
  const why = state === "ERROR" ? (failureOf(own) ?? elsewhere(state)) : elsewhere(state);
  return state === from ? { kind: "unmoved", why: state === "ERROR" ? why : MOVED_ON } : { kind: "failed", why };
}

/** The bot's row says what was commanded: is it so? */
function arrival(
  state: BotState,
  bot: Seen["bot"],
  own: readonly SeenInstance[],
  all: readonly SeenInstance[],
): Progress {
  if (isRunning(state)) {
    // Former shards keep their rows; what this start wished for was wished at the moment of the bot's change, or later.
    const wished = own.filter(({ desired_since }) => desired_since >= bot.state_since);
    const why = failureOf(wished);
    if (why !== undefined) return { kind: "failed", why };
    return done(wished.length > 0 && wished.every(({ phase }) => phase === "running" || phase === "feed_ended"));
  }
  if (state === "PAUSED") return done(own.every(({ desired, phase }) => desired !== "paused" || phase === "paused"));
  return done(state === "QUARANTINED" && all.every(({ holder }) => holder === null));
}

const done = (isSo: boolean): Progress => ({ kind: isSo ? "done" : "on_its_way" });

function failureOf(instances: readonly SeenInstance[]): Why | undefined {
  const failed = instances.find(({ phase }) => phase === "failed");
  if (failed === undefined) return undefined;
  if (failed.failure === null) return elsewhere("ERROR");
  const { error_code, reason_code } = jsonOf<FailureNote>(failed.failure);
  return { error_code, reason_code };
}

const elsewhere = (state: string): Why => ({ error_code: "RUMI-BOT-011", reason_code: `G.STATE_${state}` });

/** All of them at one moment, by name. */
export async function see(reader: Reader, sql: Sql, bot_ids: readonly string[]): Promise<ReadonlyMap<string, Seen>> {
  if (bot_ids.length === 0) return new Map();
  const bots = await reader.rows<Seen["bot"]>(
    sql
      .builder<BotTables>()
      .selectFrom("bot")
      .select(["bot_id", "state", "state_since"])
      .where("bot_id", "in", bot_ids),
  );
  const instances = await reader.rows<SeenInstance>(
    sql
      .builder<InstanceTables>()
      .selectFrom("instance")
      .select(["bot_id", "instance_id", "phase", "desired", "desired_since", "holder", "failure"])
      .where("bot_id", "in", bot_ids),
  );
  const of = new Map(bots.map(({ bot_id }): [string, SeenInstance[]] => [bot_id, []]));
  for (const one of instances) of.get(one.bot_id)?.push(one);
  return new Map(bots.map((bot) => [bot.bot_id, { bot, instances: of.get(bot.bot_id) ?? [] }]));
}
