/** Asks freezes, incidents and locks before risk may grow; also at actuation, since a confirmed command is judged anew. */
import { err, failure } from "@rumi/kernel";
import { PASSES, type Guard, type GuardContext } from "@rumi/operations";
import { readBot } from "../bots/tables.ts";
import { botOf, killTarget } from "../kill-switch/guard.ts";
import type { Sql } from "../shared/sql.ts";
import { holdOn, holdScopeText, holdState } from "./model.ts";
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
      const holds = holdOn(rows, bot === undefined ? null : killTarget(bot)) ?? holdOnRule(rows, target);
      if (holds === undefined) return PASSES;
      const state = holdState(holds, now) === "REVIEW_NEEDED" ? ", its time is over and its review is due" : "";
      return err(
        failure(
          "RUMI-CMD-007",
          {
            target: `${target.resource_type} ${target.resource_id}`.slice(0, 256),
            rule: holds.kind,
            problem: `${holdScopeText(holds)} by ${holds.set_by}${state}`,
          },
          { reasonCode: `G.${holds.kind.toUpperCase()}`, details: { hold_id: holds.hold_id } },
        ),
      );
    },
  };
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
