/**
 * The gate's second word on a staged intent, with the limits of the moment in which it was approved. Pure.
 *
 * How to think: what was shown is what is judged, not what the strategy wished first: so it may be refused or become
 * less, and never more, dearer or of another type than what somebody approved (staging.test.ts).
 */
import { decide, type Decision, type GateContext, type GateMoment, missingQuantity } from "../gate/gate.ts";
import type { Intent, VenueAction } from "../gate/intent.ts";

type Shown = { readonly intent: Intent; readonly action: Exclude<VenueAction, { readonly kind: "cancel" }> };

export function decideAgain({ intent, action }: Shown, context: GateContext, moment: GateMoment): Decision {
  const { key, risk, body } = intent;
  if (action.kind === "amend") {
    const instrument = "instrument" in body ? body.instrument : -1;
    const { target_key, price, quantity } = action;
    return decide({ key, risk, body: { kind: "amend", target_key, instrument, price, quantity } }, context, moment);
  }
  let { order } = action;
  let isLess = false;
  if (body.kind === "position") {
    const missing = missingQuantity(body, moment);
    const isReached = order.side === "buy" ? missing <= 0 : missing >= 0;
    if (isReached) return { kind: "refused", reason: "M.STAGING.OVERTAKEN" };
    isLess = Math.abs(missing) < order.quantity;
    if (isLess) order = { ...order, quantity: Math.abs(missing) };
  }
  const decided = decide({ key, risk, body: { kind: "order", ...order } }, context, moment);
  return isLess && decided.kind === "passes" && decided.changed === ""
    ? { ...decided, changed: "M.STAGING.OVERTAKEN" }
    : decided;
}
