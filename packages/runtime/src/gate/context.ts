/** What the gate is told: the limits of the instance, and the moment of the judgement. */
import type { InstrumentSpec } from "@rumi/abi";
import type { KillLevel } from "../kill-switch/rules.ts";

export type Restriction = "none" | "limit_only" | "reduce_size" | "reduce_only" | "no_trade";

export type GateContext = {
  readonly instruments: readonly InstrumentSpec[];
  /** By index of `instruments`: the descriptor allows it. */
  readonly instrument_allowed: readonly boolean[];
  readonly order_types: readonly ("limit" | "market")[];
  readonly venue_allowed: boolean;
  readonly intents_per_event: number;
  /** The descriptor's cap and the bot's cap; the event time's second is the window. */
  readonly intents_per_second: number;
  readonly instance_intents_per_second: number;
  readonly max_open_orders: number;
  /** Quote currency, scaled by 10^8. */
  readonly capital: bigint;
  readonly shadow: boolean;
};

/** An order that is not over. */
export type OpenOrderView = {
  readonly key: number;
  readonly instrument: number;
  readonly side: "buy" | "sell";
  readonly type: "limit" | "market";
  readonly price: number;
  /** Not filled yet. */ readonly remaining: number;
  /** Filled part included; an amend names this total. */ readonly quantity: number;
};

/** What is said to an instance from above it. */
export type SafetyWord = {
  readonly safety: "NORMAL" | "SAFE" | "EMERGENCY_STOP";
  readonly kill_switch: KillLevel;
};

/** What the gate must know of the moment. */
export type GateMoment = {
  readonly now_us: number;
  readonly safety: "NORMAL" | "SAFE" | "EMERGENCY_STOP";
  readonly kill_switch: KillLevel;
  readonly restriction: Restriction;
  /** Why, where another room than the instance's health asks for it; then verdicts bear it. */
  readonly restriction_reason?: string;
  readonly open_orders: readonly OpenOrderView[];
  /** Signed, by instrument index. */
  readonly positions: ArrayLike<number>;
  readonly last_prices: ArrayLike<number>;
};
