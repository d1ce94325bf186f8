/** An intent as the gate sees it: decoded, still untrusted; and what it may become at the venue. */
import type { MissingField } from "@rumi/abi";

export type OrderWish = {
  readonly kind: "order";
  readonly instrument: number;
  readonly side: "buy" | "sell";
  readonly type: "limit" | "market";
  readonly time_in_force: "gtc" | "ioc" | "fok";
  readonly reduce_only: boolean;
  readonly post_only: boolean;
  readonly price: number;
  readonly quantity: number;
};
export type IntentBody =
  | OrderWish
  | { readonly kind: "cancel"; readonly target_key: number; readonly instrument: number }
  /** -1 keeps price or quantity. */
  | {
      readonly kind: "amend";
      readonly target_key: number;
      readonly instrument: number;
      readonly price: number;
      readonly quantity: number;
    }
  | {
      readonly kind: "position";
      readonly instrument: number;
      readonly type: "limit" | "market";
      readonly target: number;
      readonly limit_price: number;
    }
  | {
      readonly kind: "alert";
      readonly code: number;
      readonly severity: "info" | "warning" | "critical";
      readonly args: readonly number[];
    }
  | { readonly kind: "noop"; readonly reason: number }
  | {
      readonly kind: "risk_hint";
      readonly instrument: number;
      readonly hint: "reduce" | "pause" | "volatile" | "illiquid" | "drift";
      readonly value: number;
    };
export type IntentKind = IntentBody["kind"];

export type RiskContext = {
  readonly max_slippage_bps: number;
  readonly max_latency_us: number;
  readonly expected_holding_us: number;
  readonly budget: number;
};

export type Intent = {
  readonly missing: MissingField | "";
  /** The first identity field that is not the instance's own. */
  readonly foreign: "" | "bot_id" | "strategy_id" | "strategy_version" | "instance_id" | "run_id" | "trace_id";
  readonly key: number;
  readonly risk: RiskContext;
  readonly body: IntentBody;
};

/** What the gate lets out. Ids are given at dispatch; orders are named by their intent's key. */
export type VenueAction =
  | { readonly kind: "submit"; readonly key: number; readonly order: Omit<OrderWish, "kind"> }
  | { readonly kind: "cancel"; readonly target_key: number }
  | { readonly kind: "amend"; readonly target_key: number; readonly price: number; readonly quantity: number };
