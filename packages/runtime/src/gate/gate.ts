/**
 * Intent Gate: the last fence between a strategy and any venue; (state, intent, context) → verdict, pure.
 *
 * Order of questions: well-formed → metadata → identity → key → volume → safety and kill switch → capability → precision → risk → budget.
 * The first that says no names the reason. Cancels pass safety, restrictions and open-order limits: they only shrink risk.
 * Where a restriction can make a wish harmless it changes it (reduce-only, limit-only, half the size) and says so.
 *
 * Invariants
 * - Nothing without complete metadata, foreign identity or a key seen before becomes an action (gate.test.ts).
 * - In shadow mode no verdict carries actions.
 */
import { unreachable } from "@rumi/kernel";
import { RUNTIME_KEYS_FROM } from "../breaker/hedge.ts";
import type { GateContext, GateMoment } from "./context.ts";
import { exceedsBudget, exceedsCapital } from "./exposure.ts";
import type { Intent, IntentBody, OrderWish, RiskContext, VenueAction } from "./intent.ts";
import { killRefusal, reduceOnlyReason, underKillSwitch } from "../kill-switch/orders.ts";
import { asLimitOrder } from "./limit-only.ts";
import { normaliseOrder } from "./normalise.ts";

export type { GateContext, GateMoment, OpenOrderView, Restriction } from "./context.ts";

/** What the gate remembers. Counters are plain numbers so that a checkpoint holds them exactly. */
export type GateState = {
  readonly last_key: number;
  /** Event-time second of the window, and intents in it. */
  readonly second: number;
  readonly in_second: number;
  readonly in_event: number;
};

export type Verdict = {
  /** `staged`: it waits for approval, and `actions` are what it would become (staging/staged-intents.ts). */
  readonly verdict: "forwarded" | "degraded" | "discarded" | "recorded" | "staged";
  readonly reason_code: string | null;
  readonly actions: readonly VenueAction[];
  readonly state: GateState;
};

export const GATE_START: GateState = { last_key: 0, second: 0, in_second: 0, in_event: 0 };

export function judge(state: GateState, intent: Intent, context: GateContext, moment: GateMoment): Verdict {
  const second = Math.floor(moment.now_us / 1_000_000);
  const in_second = (second === state.second ? state.in_second : 0) + 1;
  const in_event = state.in_event + 1;
  const unkeyed = refusedUnseen(intent, state.last_key);
  if (unkeyed !== "") return no(unkeyed, { last_key: state.last_key, second, in_second, in_event });
  const seen: GateState = { last_key: intent.key, second, in_second, in_event };
  if (seen.in_event > context.intents_per_event) return no("M.INTENT.CAP_EVENT", seen);
  if (seen.in_second > context.intents_per_second) return no("M.INTENT.CAP_SECOND", seen);
  if (seen.in_second > context.instance_intents_per_second) return no("M.INTENT.CAP_INSTANCE", seen);

  const decided = decide(intent, context, moment);
  if (decided.kind === "refused") return no(decided.reason, seen);
  if (context.shadow)
    return {
      verdict: "recorded",
      reason_code: decided.changed === "" ? null : decided.changed,
      actions: [],
      state: seen,
    };
  if (decided.changed !== "")
    return { verdict: "degraded", reason_code: decided.changed, actions: decided.actions, state: seen };
  return { verdict: "forwarded", reason_code: null, actions: decided.actions, state: seen };
}

/** Why an intent is refused whose key does not count as seen; empty: its key counts from here on. */
function refusedUnseen({ missing, foreign, key }: Intent, last_key: number): string {
  if (missing !== "") return `M.INTENT.MISSING_${codeWord(missing)}`;
  if (foreign !== "") return `M.INTENT.FOREIGN_${codeWord(foreign)}`;
  if (key >= RUNTIME_KEYS_FROM) return "M.INTENT.RESERVED_KEY";
  return key <= last_key ? "M.INTENT.DUPLICATE_KEY" : "";
}

const no = (reason: string, state: GateState): Verdict => ({
  verdict: "discarded",
  reason_code: reason,
  actions: [],
  state,
});

export type Decision =
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "passes"; readonly actions: readonly VenueAction[]; readonly changed: string };
const refused = (reason: string): Decision => ({ kind: "refused", reason });
const passes = (actions: readonly VenueAction[], changed = ""): Decision => ({ kind: "passes", actions, changed });

/** What a wish may become at this moment, whoever counted it. `key`, `risk` and `body` are the intent's own. */
export function decide(wished: Pick<Intent, "key" | "risk" | "body">, context: GateContext, at: GateMoment): Decision {
  const moment = underKillSwitch(at);
  const decided = decideBody(wished, context, moment);
  return decided.kind === "passes" && exceedsBudget(decided.actions, wished.risk.budget, context.instruments, moment)
    ? refused("M.RISK.BUDGET")
    : decided;
}

function decideBody(
  { key, risk, body }: Pick<Intent, "key" | "risk" | "body">,
  context: GateContext,
  moment: GateMoment,
): Decision {
  switch (body.kind) {
    case "alert":
    case "noop":
    case "risk_hint":
      return passes([]);
    case "cancel": {
      const target = moment.open_orders.find((order) => order.key === body.target_key);
      return target === undefined
        ? refused("M.INTENT.UNKNOWN_TARGET")
        : passes([{ kind: "cancel", target_key: body.target_key }]);
    }
    case "amend":
      return decideAmend(body, context, moment);
    case "order":
      return decideOrder({ key, risk, wished: body }, context, moment);
    case "position": {
      const refusal = mayTrade(body.instrument, body.type, context, moment);
      if (refusal !== "") return refused(refusal);
      const delta = missingQuantity(body, moment);
      if (delta === 0) return passes([]);
      const wish: OrderWish = {
        kind: "order",
        instrument: body.instrument,
        side: delta > 0 ? "buy" : "sell",
        type: body.type,
        time_in_force: body.type === "market" ? "ioc" : "gtc",
        reduce_only: false,
        post_only: false,
        price: body.type === "market" ? 0 : body.limit_price,
        quantity: Math.abs(delta),
      };
      return decideOrder({ key, risk, wished: wish }, context, moment);
    }
    default:
      return unreachable(body);
  }
}

/** What a position intent still lacks, signed: what is held and what open orders bring are counted. */
export function missingQuantity(
  { instrument, target }: Pick<Extract<IntentBody, { kind: "position" }>, "instrument" | "target">,
  { open_orders, positions }: GateMoment,
): number {
  const pending = open_orders
    .filter((order) => order.instrument === instrument)
    .reduce((sum, order) => sum + (order.side === "buy" ? order.remaining : -order.remaining), 0);
  return target - (positions[instrument] ?? 0) - pending;
}

function mayTrade(index: number, type: "limit" | "market", context: GateContext, moment: GateMoment): string {
  if (moment.safety !== "NORMAL") return `M.SAFETY.${moment.safety}`;
  const killed = killRefusal(moment);
  if (killed !== "") return killed;
  if (moment.restriction === "no_trade") return moment.restriction_reason ?? "M.DEGRADE.NO_TRADE";
  if (!context.venue_allowed) return "M.CAPABILITY.VENUE_NOT_ALLOWED";
  if (context.instruments[index] === undefined || context.instrument_allowed[index] !== true)
    return "M.CAPABILITY.INSTRUMENT_NOT_ALLOWED";
  if (!context.order_types.includes(type)) return "M.CAPABILITY.ORDER_TYPE_NOT_ALLOWED";
  return "";
}

function decideOrder(
  { key, risk, wished }: { readonly key: number; readonly risk: RiskContext; readonly wished: OrderWish },
  context: GateContext,
  moment: GateMoment,
): Decision {
  const refusal = mayTrade(wished.instrument, wished.type, context, moment);
  if (refusal !== "") return refused(refusal);
  const instrument = context.instruments[wished.instrument];
  if (instrument === undefined) return refused("M.CAPABILITY.INSTRUMENT_NOT_ALLOWED");
  let changed = "";
  let wish = wished;
  if (moment.restriction === "limit_only" && wished.type === "market") {
    changed = moment.restriction_reason ?? "M.DEGRADE.LIMIT_ONLY";
    if (!context.order_types.includes("limit")) return refused(changed);
    const last = moment.last_prices[wished.instrument] ?? 0;
    if (last === 0) return refused("M.LIMIT.NO_PRICE");
    wish = asLimitOrder(wished, last, risk.max_slippage_bps, instrument.tick_size);
  }
  let reduceOnly = wish.reduce_only;
  let quantity = wish.quantity;
  if (moment.restriction === "reduce_only" && !reduceOnly) {
    const reducible =
      wish.side === "buy" ? -(moment.positions[wish.instrument] ?? 0) : (moment.positions[wish.instrument] ?? 0);
    if (reducible <= 0) return refused(reduceOnlyReason(moment));
    reduceOnly = true;
    quantity = Math.min(quantity, reducible);
    changed = reduceOnlyReason(moment);
  }
  if (moment.restriction === "reduce_size" && !reduceOnly && enlarges(wish, moment)) {
    quantity = Math.floor(quantity / 2);
    changed = moment.restriction_reason ?? "M.DEGRADE.REDUCE_SIZE";
  }
  const fit = normaliseOrder({ side: wish.side, type: wish.type, price: wish.price, quantity }, instrument);
  if (fit.kind === "refused") return refused(fit.reason);
  if (moment.open_orders.length >= context.max_open_orders) return refused("M.LIMIT.OPEN_ORDERS");
  if (!reduceOnly) {
    const over = exceedsCapital(
      { instrument: wish.instrument, side: wish.side, price: fit.price, quantity: fit.quantity },
      context,
      moment,
      -1,
    );
    if (over !== "") return refused(over);
  }
  const order = {
    instrument: wish.instrument,
    side: wish.side,
    type: wish.type,
    time_in_force: wish.time_in_force,
    reduce_only: reduceOnly,
    post_only: wish.post_only,
    price: fit.price,
    quantity: fit.quantity,
  };
  return passes([{ kind: "submit", key, order }], changed === "" ? fit.changed : changed);
}

/** Whether the position would be larger, or on the other side, if all of it filled. */
function enlarges({ instrument, side, quantity }: OrderWish, { positions }: GateMoment): boolean {
  const position = positions[instrument] ?? 0;
  return quantity > (side === "buy" ? -position : position);
}

function decideAmend(body: Extract<IntentBody, { kind: "amend" }>, context: GateContext, moment: GateMoment): Decision {
  const target = moment.open_orders.find((order) => order.key === body.target_key);
  if (target === undefined) return refused("M.INTENT.UNKNOWN_TARGET");
  const refusal = mayTrade(target.instrument, target.type, context, moment);
  if (refusal !== "") return refused(refusal);
  const instrument = context.instruments[target.instrument];
  if (instrument === undefined || target.type === "market") return refused("M.INTENT.NOT_AMENDABLE");
  const fit = normaliseOrder(
    {
      side: target.side,
      type: "limit",
      price: body.price === -1 ? target.price : body.price,
      quantity: body.quantity === -1 ? target.quantity : body.quantity,
    },
    instrument,
  );
  if (fit.kind === "refused") return refused(fit.reason);
  const filled = target.quantity - target.remaining;
  if (fit.quantity <= filled) return refused("M.INTENT.NOT_AMENDABLE");
  const grows = fit.quantity > target.quantity || fit.price > target.price;
  if (moment.restriction === "reduce_only" && grows) return refused(reduceOnlyReason(moment));
  if (moment.restriction === "reduce_size" && grows)
    return refused(moment.restriction_reason ?? "M.DEGRADE.REDUCE_SIZE");
  const over = exceedsCapital(
    { instrument: target.instrument, side: target.side, price: fit.price, quantity: fit.quantity - filled },
    context,
    moment,
    target.key,
  );
  if (grows && over !== "") return refused(over);
  return passes(
    [{ kind: "amend", target_key: target.key, price: fit.price, quantity: body.quantity === -1 ? -1 : fit.quantity }],
    fit.changed,
  );
}

const codeWord = (field: string): string => field.toUpperCase().replaceAll(".", "_");
