/**
 * A command: one operator's wish to move one bot, judged against what the bot is. Pure.
 *
 * Invariants
 * - `from` must be the present state: a wish made for another moment is refused (409), never adapted (commands.test.ts).
 * - Live and the release from quarantine need a confirmed challenge, whatever the venue: the pipeline asks for it
 *   (challenges.test.ts), and the decision refuses to go on without (explore.test.ts).
 */
import {
  err,
  failure,
  ID_PATTERNS,
  invariant,
  microsFromIso,
  ok,
  type Failure,
  type Micros,
  type Result,
} from "@rumi/kernel";
import { Type, type Static } from "@sinclair/typebox";
import type { DecideContext } from "@rumi/operations";
import type { BotRow } from "../bots/tables.ts";
import { BOT_STATES, isRunning, mayMove, type BotState } from "../lifecycle/states.ts";
import { judgeRetired } from "../retirement/model.ts";
import { BotIdField, CLOSED, CommandIdField, ReasonField, UtcInstantField } from "../shared/fields.ts";
import type { InstanceMode } from "@rumi/runtime";
import type { VenueSpec } from "../venues/model.ts";
import type { InstanceRow } from "../instances/tables.ts";

const StateField = Type.Union(BOT_STATES.map((state) => Type.Literal(state)));

/** What every command has beside whom it is for and where it shall go (G-6.1). */
export const CommandFields = {
  command_id: CommandIdField,
  reason: ReasonField,
  trace_id: Type.String({
    pattern: "^[0-9a-f-]{32,36}$",
    description: "A uuid or a W3C trace id; it travels to every event of the run.",
  }),
  run_id: Type.String({ pattern: ID_PATTERNS.uuid }),
  schema_version: Type.Literal(1),
  actor: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
  expires_at: Type.Optional(UtcInstantField),
} as const;

export const SubmitCommandInput = Type.Object(
  {
    target: Type.Object({ bot_id: Type.Optional(BotIdField), group_id: Type.Optional(BotIdField) }, CLOSED),
    requested_transition: Type.Object({ from: StateField, to: StateField }, CLOSED),
    ...CommandFields,
  },
  CLOSED,
);
export type SubmitCommand = Static<typeof SubmitCommandInput>;

/** Whether the wish fits the bot as it is and only a confirmation is missing; any other is refused as it stands. */
export function needsConfirmation(
  { from, to }: SubmitCommand["requested_transition"],
  bot: Pick<BotRow, "state" | "retired_at"> | undefined,
): boolean {
  return bot?.state === from && bot.retired_at === null && mayMove("dangerous", from, to);
}

/** Starts raise risk; everything else a command can do lowers it. */
export function riskOf({ from, to }: SubmitCommand["requested_transition"]): "increase" | "tighten" {
  return isRunning(to) || from === "QUARANTINED" ? "increase" : "tighten";
}

export type Judged = { readonly bot: BotRow; readonly from: BotState; readonly to: BotState };

/** Is it for one target, sent by whom it says, and still meant? */
export function judgeTarget(
  input: SubmitCommand,
  context: Pick<DecideContext, "principal" | "now">,
): Result<null, Failure> {
  const { bot_id, group_id } = input.target;
  if ((bot_id === undefined) === (group_id === undefined)) return err(failure("RUMI-BOT-029"));
  return judgeWish(input, context);
}

export function judgeWish(
  { actor, expires_at }: Pick<SubmitCommand, "actor" | "expires_at">,
  { principal, now }: Pick<DecideContext, "principal" | "now">,
): Result<null, Failure> {
  if (actor !== undefined && actor !== principal.id)
    return err(failure("RUMI-BOT-014", { actor, principal: principal.id }));
  return judgeExpiry(expires_at, now);
}

/** Of one bot, everything but the preflight: is this wish sound, meant for now, and allowed by the table? */
export function judgeCommand(
  input: SubmitCommand,
  { bot, venue_kind }: { readonly bot: BotRow | undefined; readonly venue_kind: VenueSpec["kind"] | undefined },
  context: Pick<DecideContext, "principal" | "approval_id" | "now">,
): Result<Judged, Failure> {
  const sound = judgeTarget(input, context);
  if (!sound.ok) return sound;
  if (bot === undefined) return err(failure("RUMI-BOT-001", { bot_id: input.target.bot_id ?? "" }));
  const retired = judgeRetired(bot);
  if (!retired.ok) return retired;
  const { from, to } = input.requested_transition;
  const details = { current_state: bot.state };
  if (bot.state !== from)
    return err(
      failure(
        "RUMI-BOT-011",
        { bot_id: bot.bot_id, from, current: bot.state },
        { reasonCode: "G.STATE_MOVED", details },
      ),
    );
  if (to === "RUNNING_PAPER" && venue_kind === "venue_sim")
    return err(failure("RUMI-BOT-047", { bot_id: bot.bot_id }, { reasonCode: "G.VENUE_OUTSIDE", details }));
  if (mayMove("dangerous", from, to)) {
    invariant(context.approval_id !== null, "a dangerous command was decided without a confirmed challenge");
    if (to === "RUNNING_LIVE" && venue_kind !== "venue_sim")
      return err(failure("RUMI-BOT-012", { bot_id: bot.bot_id }, { reasonCode: "G.VENUE_NOT_LIVE", details }));
    return ok({ bot, from, to });
  }
  if (mayMove("operator", from, to)) return ok({ bot, from, to });
  if (from === "QUARANTINED")
    return err(failure("RUMI-BOT-023", { bot_id: bot.bot_id }, { reasonCode: "G.TRANSITION_NOT_ALLOWED", details }));
  if (to === "IDLE" || to === "ERROR" || to === "CREATED")
    return err(failure("RUMI-BOT-033", { to }, { reasonCode: "G.TRANSITION_NOT_ALLOWED", details }));
  return err(
    failure("RUMI-BOT-010", { bot_id: bot.bot_id, from, to }, { reasonCode: "G.TRANSITION_NOT_ALLOWED", details }),
  );
}

function judgeExpiry(expires_at: string | undefined, now: Micros): Result<null, Failure> {
  if (expires_at === undefined) return ok(null);
  const at = microsFromIso(expires_at);
  if (at === undefined)
    return err(
      failure("RUMI-VAL-002", { field: "expires_at", problem: "it is not a UTC instant such as 2026-02-24T12:00:00Z" }),
    );
  return at <= now ? err(failure("RUMI-BOT-013", { expires_at }, { reasonCode: "G.COMMAND_EXPIRED" })) : ok(null);
}

/** Whether a start goes on with the run that is there, or begins a new one. */
export function continues(
  from: BotState,
  mode: InstanceMode,
  instance: InstanceRow | undefined,
  spec: { readonly strategy_id: string; readonly pack_digest: string },
): boolean {
  if (instance === undefined || (from !== "PAUSED" && from !== "ERROR")) return false;
  const former = JSON.parse(instance.spec) as { readonly strategy_id: string; readonly pack_digest: string };
  if (instance.mode !== mode || instance.starts === 0 || former.strategy_id !== spec.strategy_id) return false;
  // A waiting update is taken over from the run that is there.
  return former.pack_digest === spec.pack_digest || instance.next !== null;
}
