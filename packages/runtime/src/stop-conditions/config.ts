/** What ends a bot by itself: part of its version, additive and optional. Money is quote currency, as decimal strings. */

/** More than so many within so long, event time. */
export type StopRate = { readonly count: number; readonly within_us: number };

export type StopConditions = {
  /** Of everything since the run began: realised and unrealised profit less fees may fall this far below nothing. */
  readonly max_loss?: string;
  /** … and this far below the highest it has been. */
  readonly max_drawdown?: string;
  /** What its positions are worth together, long and short added. */
  readonly max_exposure?: string;
  /** Orders that the venue refused. */
  readonly max_rejections?: StopRate;
  /** Orders and amendments that passed the gate. */
  readonly max_order_rate?: StopRate;
};

export const STOP_CONDITIONS = ["loss", "drawdown", "exposure", "rejections", "order_rate"] as const;
export type StopCondition = (typeof STOP_CONDITIONS)[number];

export const STOP_LIMITS = {
  /** Largest `count`; so many times and one are kept of each. */
  count: 1_000,
  /** Longest window: a day. */
  within_us: 86_400_000_000,
} as const;

export const STOP_REASON: Readonly<Record<StopCondition, string>> = {
  loss: "M.STOP.LOSS",
  drawdown: "M.STOP.DRAWDOWN",
  exposure: "M.STOP.EXPOSURE",
  rejections: "M.STOP.REJECTIONS",
  order_rate: "M.STOP.ORDER_RATE",
};

/** Which of them tripped, and by what. Amounts as decimal strings, counts as they are. */
export type StopTrip = {
  readonly condition: StopCondition;
  readonly reason_code: string;
  readonly observed: string;
  readonly limit: string;
  /** Event time. */ readonly at_us: number;
};
