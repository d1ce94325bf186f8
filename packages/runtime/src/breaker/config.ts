/** What trips a circuit breaker, what it then does, and how it comes back: part of a bot's version, additive and optional. */

/** What is counted. `latency` and `queue` come from the shell's clock as recorded inputs; the others are the machine's own. */
export const BREAKER_TRIGGERS = [
  "timeouts",
  "excess_intents",
  "latency",
  "input_quality",
  "rejections",
  "rate_limited",
  "queue",
] as const;
export type BreakerTrigger = (typeof BREAKER_TRIGGERS)[number];

/** From mild to strict; a stricter one replaces a milder one, never the other way round. */
export const BREAKER_MODES = ["reduce_only", "no_trade", "cancel_all", "hedge_to_flat"] as const;
export type BreakerMode = (typeof BREAKER_MODES)[number];

export type BreakerRule = {
  /** So many … */
  readonly count: number;
  /** … within so long, event time. */
  readonly within_us: number;
  readonly mode: BreakerMode;
  /** `rejections` only: and at least this share of the venue's words in that time, percent. */
  readonly share_percent?: number;
};

export type BreakerReturn =
  /** So long after it opened, whatever happened. */
  | { readonly kind: "cooldown"; readonly after_us: number }
  /** Once nothing that counts has happened for so long. */
  | { readonly kind: "calm"; readonly quiet_us: number }
  /** Only a person closes it. */
  | { readonly kind: "manual" };

export type BreakerConfig = {
  readonly rules: Readonly<Partial<Record<BreakerTrigger, BreakerRule>>>;
  readonly back: BreakerReturn;
};

export const BREAKER_LIMITS = {
  /** Largest `count`; so many times are kept per trigger. */
  count: 1_000,
  /** Longest window, cooldown or quiet: a day. */
  time_us: 86_400_000_000,
  /** Orders of its own that one trip may send to become flat. */
  hedges: 32,
  /** Words of the venue that a share is taken over. */
  outcomes: 200,
} as const;

/** Without a configuration: wide enough for a strategy that behaves, closed again after a quiet minute. */
export const BREAKER_DEFAULT: BreakerConfig = {
  rules: {
    timeouts: { count: 3, within_us: 60_000_000, mode: "no_trade" },
    excess_intents: { count: 1_000, within_us: 10_000_000, mode: "no_trade" },
    rejections: { count: 50, within_us: 10_000_000, mode: "no_trade", share_percent: 80 },
    rate_limited: { count: 5, within_us: 10_000_000, mode: "no_trade" },
  },
  back: { kind: "calm", quiet_us: 60_000_000 },
};
