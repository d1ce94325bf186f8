/** What the gate makes of a kill switch: who may wish for what, and by which reason a wish is refused. */
import type { GateMoment } from "../gate/context.ts";
import { strictest } from "../gate/restriction.ts";

/** Empty where orders may be wished for. A cancel is never asked: it only shrinks risk. */
export function killRefusal({ kill_switch }: Pick<GateMoment, "kill_switch">): string {
  return kill_switch === "BLOCK" || kill_switch === "FLATTEN" ? `M.KILLSWITCH.${kill_switch}` : "";
}

/** Under CLOSE_ONLY an order may only make the position smaller. */
export function underKillSwitch(moment: GateMoment): GateMoment {
  return moment.kill_switch === "CLOSE_ONLY"
    ? { ...moment, restriction: strictest(moment.restriction, "reduce_only") }
    : moment;
}

/** Why only what shrinks a position passes. */
export const reduceOnlyReason = ({ kill_switch }: GateMoment): string =>
  kill_switch === "CLOSE_ONLY" ? "M.KILLSWITCH.CLOSE_ONLY" : "M.DEGRADE.REDUCE_ONLY";
