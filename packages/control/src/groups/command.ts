/**
 * A command whose target is a group: the same wish for each of its bots (G-1.2, G-6.1).
 *
 * The list is resolved once and frozen (bulk/begin.ts); each bot gets the ordinary command, judged by every guard. A start
 * goes in waves of 1, 2, 4, … and the first failure ends it. What only tightens goes to all at once, and no failure of one
 * holds up another's stop. What is dangerous is confirmed for one bot at a time and refused here.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { DecideContext, Decision } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import type { BotRow } from "../bots/tables.ts";
import { bulkRow, impactOf, isMeant, isStartTo, judgeTargets, leftOut } from "../bulk/begin.ts";
import { beginBulk } from "../bulk/model.ts";
import { bulkEvent, bulkView } from "../bulk/operations.ts";
import { insertBulk } from "../bulk/tables.ts";
import type { SubmitCommand } from "../commands/model.ts";
import { mayMove } from "../lifecycle/states.ts";
import type { Sql } from "../shared/sql.ts";
import { botsOfGroup, readGroup, type GroupRow } from "./tables.ts";

export type GroupFacts = { readonly group: GroupRow; readonly bots: readonly BotRow[] };
type Transition = SubmitCommand["requested_transition"];

export async function loadGroup(reader: Reader, sql: Sql, group_id: string): Promise<GroupFacts | undefined> {
  const group = await readGroup(reader, sql, group_id);
  return group === undefined ? undefined : { group, bots: await botsOfGroup(reader, sql, group_id) };
}

export function decideGroup(
  facts: GroupFacts | undefined,
  { command_id, target, requested_transition, reason, trace_id }: SubmitCommand,
  { principal, now, store }: DecideContext,
): Result<Decision, Failure> {
  if (facts === undefined) return err(failure("RUMI-BOT-015", { group_id: target.group_id ?? "" }));
  const { group, bots } = facts;
  const { from, to } = requested_transition;
  const allowed = judgeTransition(group.group_id, requested_transition);
  if (!allowed.ok) return allowed;
  if (!bots.some((bot) => isMeant(bot, from)))
    return err(
      failure(
        "RUMI-BOT-075",
        { what: `the group ${group.group_id}`, from },
        { reasonCode: "G.STATE_MOVED", details: { left_out: leftOut(bots, from) } },
      ),
    );
  const targets = judgeTargets({ bots, unknown: [] }, from);
  if (!targets.ok) return targets;
  const { max_errors, first_wave } = mannerOf(to, targets.value.length);
  const row = bulkRow({
    bulk_id: command_id,
    actor: principal.id,
    reason,
    trace_id,
    now,
    from,
    to,
    bulk: beginBulk(
      targets.value.map(({ bot_id }) => bot_id),
      max_errors,
      first_wave,
    ),
    targets: targets.value,
    group,
  });
  return ok({
    writes: [insertBulk(store, row)],
    events: [bulkEvent("bulk.started", row)],
    outbox: [],
    status: 202,
    data: { command_id, status: "accepted", ...bulkView(row), left_out: leftOut(bots, from), trace_id },
  });
}

export function previewGroup(facts: GroupFacts | undefined, requested_transition: Transition) {
  if (facts === undefined) return { group_id: null };
  const { group, bots } = facts;
  const { from, to } = requested_transition;
  const { max_errors, first_wave } = mannerOf(to, bots.filter((bot) => isMeant(bot, from)).length);
  const impact = impactOf(bots, requested_transition, max_errors, first_wave);
  return { group_id: group.group_id, group_generation: group.generation, ...impact };
}

/** A start is tried on one bot first and ends with the first failure; a stop is for all of them, whatever becomes of one. */
const mannerOf = (to: string, targets: number) =>
  isStartTo(to)
    ? { max_errors: 1, first_wave: 1 }
    : { max_errors: Math.max(1, targets), first_wave: Math.max(2, targets) };

function judgeTransition(group_id: string, { from, to }: Transition): Result<null, Failure> {
  const what = `the group ${group_id}`;
  if (mayMove("operator", from, to)) return ok(null);
  if (mayMove("dangerous", from, to))
    return err(failure("RUMI-BOT-074", { from, to, what }, { reasonCode: "G.GROUP.ONE_BY_ONE" }));
  return to === "IDLE" || to === "ERROR" || to === "CREATED"
    ? err(failure("RUMI-BOT-033", { to }, { reasonCode: "G.TRANSITION_NOT_ALLOWED" }))
    : err(failure("RUMI-BOT-010", { bot_id: what, from, to }, { reasonCode: "G.TRANSITION_NOT_ALLOWED" }));
}
