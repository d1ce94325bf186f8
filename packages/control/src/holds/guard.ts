/** Asks freezes, incidents and locks before risk may grow; also at actuation, since a confirmed command is judged anew. */
import { err, failure } from "@rumi/kernel";
import { PASSES, type Guard } from "@rumi/operations";
import { readBot } from "../bots/tables.ts";
import { killTarget } from "../kill-switch/guard.ts";
import type { Sql } from "../shared/sql.ts";
import { holdOn, holdScopeText, holdState } from "./model.ts";
import { readHolds } from "./tables.ts";

/** Lifting a hold is how one gets out of it; its own confirmation guards it. */
export const LIFT = "holds.lift";

export function holdsGuard(sql: Sql): Guard {
  return {
    name: "holds",
    check: async (reader, { operation, risk, target, now }) => {
      if (operation === LIFT || risk === "tighten") return PASSES;
      const isBot = target.resource_type === "bot";
      // What neither raises risk nor is about a bot (people, tokens, packs) goes on in a freeze.
      if (risk === "neutral" && !isBot) return PASSES;
      const rows = await readHolds(reader, sql);
      if (rows.length === 0) return PASSES;
      const bot = isBot ? await readBot(reader, sql, target.resource_id) : undefined;
      const holds = holdOn(rows, bot === undefined ? null : killTarget(bot));
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
