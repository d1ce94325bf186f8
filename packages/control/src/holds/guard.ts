/** Asks freezes, incidents and locks before risk may grow; also at actuation, since a confirmed command is judged anew. */
import { err, failure, type Failure, type Micros, type Result } from "@rumi/kernel";
import { PASSES, type Guard, type GuardContext } from "@rumi/operations";
import type { KillRule } from "@rumi/runtime";
import type { Reader } from "@rumi/store";
import { readBot, readMoving } from "../bots/tables.ts";
import { botOf, KILL_SET, killTarget } from "../kill-switch/guard.ts";
import { scopeOf, type ScopeInput } from "../kill-switch/model.ts";
import { readKillSwitch, wireRules } from "../kill-switch/tables.ts";
import { SAFETY_SET } from "../safety/model.ts";
import type { Sql } from "../shared/sql.ts";
import { heldAgainst, holdOn, holdScopeText, holdState } from "./model.ts";
import { holdFence, readHolds, type HoldRow } from "./tables.ts";

/** Lifting a hold is how one gets out of it; its own confirmation guards it. */
export const LIFT = "holds.lift";

export function holdsGuard(sql: Sql): Guard {
  return {
    name: "holds",
    check: async (reader, context) => {
      const { operation, risk, target, now } = context;
      if (operation === LIFT || risk === "tighten") return PASSES;
      const bot_id = botOf(context);
      // What neither raises risk nor is about a bot (people, tokens, packs) goes on in a freeze.
      if (risk === "neutral" && bot_id === null) return PASSES;
      context.fence(await holdFence(reader, sql));
      const rows = await readHolds(reader, sql);
      if (rows.length === 0) return PASSES;
      const bot = bot_id === null ? undefined : await readBot(reader, sql, bot_id);
      const hold = holdOn(rows, bot === undefined ? null : killTarget(bot)) ?? holdOnRule(rows, target);
      if (hold !== undefined) return refused(hold, target, now, "");
      const held = await heldByLoosening(reader, sql, rows, context);
      if (held === undefined) return PASSES;
      const why = `; it holds ${held.bot_id}, which only a kill switch of its own would keep still`;
      return refused(held.hold, target, now, why);
    },
  };
}

function refused(hold: HoldRow, target: GuardContext["target"], now: Micros, why: string): Result<never, Failure> {
  const state = holdState(hold, now) === "REVIEW_NEEDED" ? ", its time is over and its review is due" : "";
  return err(
    failure(
      "RUMI-CMD-007",
      {
        target: `${target.resource_type} ${target.resource_id}`.slice(0, 256),
        rule: hold.kind,
        problem: `${holdScopeText(hold)} by ${hold.set_by}${state}${why}`,
      },
      { reasonCode: `G.${hold.kind.toUpperCase()}`, details: { hold_id: hold.hold_id } },
    ),
  );
}

/** A wider rule or mode goes: whether it is what keeps a bot still that a hold is on. */
async function heldByLoosening(
  reader: Reader,
  sql: Sql,
  holds: readonly HoldRow[],
  { operation, input }: GuardContext,
): Promise<ReturnType<typeof heldAgainst>> {
  if (operation !== KILL_SET && operation !== SAFETY_SET) return undefined;
  const rules = wireRules(await readKillSwitch(reader, sql));
  const moving = (await readMoving(reader, sql)).filter(({ state }) => state !== "QUARANTINED").map(killTarget);
  const everything: KillRule = { scope: "all", id: "", level: "BLOCK" };
  if (operation === SAFETY_SET) {
    const after = input["mode"] === "NORMAL" ? rules : [...rules, everything];
    return heldAgainst(holds, moving, { before: [...rules, everything], after });
  }
  const of = scopeOf(input["scope"] as ScopeInput);
  const others = rules.filter(({ scope, id }) => scope !== of.scope || id !== of.id);
  const after = [...others, { ...of, level: input["level"] as KillRule["level"] }];
  return heldAgainst(holds, moving, { before: rules, after });
}

/**
 * A rule of the kill switch is not loosened under a hold of the same scope, be it a venue, a group or a strategy; a group as
 * a whole is held by a hold of its own.
 */
function holdOnRule(rows: readonly HoldRow[], target: GuardContext["target"]): HoldRow | undefined {
  if (target.resource_type === "group")
    return rows.find(({ scope, id }) => scope === "group_id" && id === target.resource_id);
  if (target.resource_type !== "kill_switch") return undefined;
  return rows.find((row) => holdScopeText(row) === target.resource_id);
}
