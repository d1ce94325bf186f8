/**
 * Circuit breaker of one instance (M-9.*): (state, what happened, now) → next state. Pure; event time is the only time.
 *
 * How to think: each trigger keeps the times of its newest occurrences; as many as its rule names within its window open
 * the breaker in the rule's mode. Open, it may only become stricter until it comes back: after its cooldown, once it
 * has been calm, or by a person's word. Coming back forgets what was counted.
 *
 * Invariants (breaker.test.ts)
 * - Each trigger trips it, at its count and not before; times outside the window do not count (M-9.1.1).
 * - Every opening and closing has a reason code; the same occurrences give the same states (M-9.2.2).
 */
import {
  BREAKER_LIMITS,
  BREAKER_MODES,
  type BreakerConfig,
  type BreakerMode,
  type BreakerRule,
  type BreakerTrigger,
} from "./config.ts";

export const BREAKER_REASON: Readonly<Record<BreakerTrigger | "operator", string>> = {
  timeouts: "M.BREAKER.TIMEOUTS",
  excess_intents: "M.BREAKER.EXCESS_INTENTS",
  latency: "M.BREAKER.LATENCY",
  input_quality: "M.BREAKER.INPUT_QUALITY",
  rejections: "M.BREAKER.REJECTIONS",
  rate_limited: "M.BREAKER.RATE_LIMITED",
  queue: "M.BREAKER.QUEUE",
  operator: "M.BREAKER.OPERATOR",
};
export const BREAKER_BACK = {
  cooldown: "M.BREAKER.BACK_COOLDOWN",
  calm: "M.BREAKER.BACK_CALM",
  operator: "M.BREAKER.BACK_OPERATOR",
} as const;

export type BreakerOpen = {
  readonly trigger: BreakerTrigger | "operator";
  readonly mode: BreakerMode;
  readonly reason_code: string;
  readonly since_us: number;
};

export type BreakerState = {
  readonly open: BreakerOpen | null;
  /** Why it was closed the last time. */
  readonly back_reason: string | null;
  readonly trips: number;
  /** Of anything that counts. */
  readonly newest_us: number;
  readonly times: Readonly<Partial<Record<BreakerTrigger, readonly number[]>>>;
  /** The venue's newest words: when, and whether it refused. Only while a rule asks for a share. */
  readonly outcomes: readonly (readonly [number, 0 | 1])[];
};

export const BREAKER_CLOSED: BreakerState = {
  open: null,
  back_reason: null,
  trips: 0,
  newest_us: 0,
  times: {},
  outcomes: [],
};

/** Something that counts happened. */
export function occurred(
  state: BreakerState,
  config: BreakerConfig,
  trigger: BreakerTrigger,
  now_us: number,
): BreakerState {
  const rule = config.rules[trigger];
  if (rule === undefined) return state;
  const times = [...(state.times[trigger] ?? []), now_us].slice(-Math.min(rule.count, BREAKER_LIMITS.count));
  const next = { ...state, newest_us: now_us, times: { ...state.times, [trigger]: times } };
  return isReached(next, trigger, rule, now_us)
    ? opened(next, { trigger, mode: rule.mode, reason_code: BREAKER_REASON[trigger], since_us: now_us })
    : next;
}

/** The venue said something of an order; refusals count as `rejections` too, and their share is taken over all words. */
export function answered(state: BreakerState, config: BreakerConfig, refused: boolean, now_us: number): BreakerState {
  const rule = config.rules.rejections;
  if (rule === undefined) return state;
  const seen: BreakerState =
    rule.share_percent === undefined
      ? state
      : {
          ...state,
          outcomes: [...state.outcomes.slice(1 - BREAKER_LIMITS.outcomes), [now_us, refused ? 1 : 0] as const],
        };
  return refused ? occurred(seen, config, "rejections", now_us) : seen;
}

/** A person opens it. */
export function trippedByHand(state: BreakerState, mode: BreakerMode, now_us: number): BreakerState {
  return opened(state, { trigger: "operator", mode, reason_code: BREAKER_REASON.operator, since_us: now_us });
}

/** A person closes it. */
export function resetByHand(state: BreakerState): BreakerState {
  return state.open === null ? state : closed(state, BREAKER_BACK.operator);
}

/** Time passed: closes it when its way back says so. */
export function looked(state: BreakerState, config: BreakerConfig, now_us: number): BreakerState {
  if (now_us < nextLook(state, config)) return state;
  return closed(state, config.back.kind === "cooldown" ? BREAKER_BACK.cooldown : BREAKER_BACK.calm);
}

/** When time alone may close it; infinite while nothing but a person can. */
export function nextLook({ open, newest_us }: BreakerState, { back }: BreakerConfig): number {
  // What a person opened, a person closes.
  if (open === null || open.trigger === "operator" || back.kind === "manual") return Number.POSITIVE_INFINITY;
  return back.kind === "cooldown" ? open.since_us + back.after_us : Math.max(open.since_us, newest_us) + back.quiet_us;
}

function isReached(state: BreakerState, trigger: BreakerTrigger, rule: BreakerRule, now_us: number): boolean {
  const times = state.times[trigger] ?? [];
  const first = times[0];
  if (times.length < rule.count || first === undefined || now_us - first > rule.within_us) return false;
  if (trigger !== "rejections" || rule.share_percent === undefined) return true;
  const inWindow = state.outcomes.filter(([at]) => now_us - at <= rule.within_us);
  const refused = inWindow.reduce((sum, [, bad]) => sum + bad, 0);
  return refused * 100 >= rule.share_percent * inWindow.length;
}

function opened(state: BreakerState, next: BreakerOpen): BreakerState {
  const { open } = state;
  if (open !== null && BREAKER_MODES.indexOf(next.mode) <= BREAKER_MODES.indexOf(open.mode)) return state;
  return { ...state, open: next, trips: state.trips + 1 };
}

function closed(state: BreakerState, reason: string): BreakerState {
  return { ...BREAKER_CLOSED, trips: state.trips, back_reason: reason };
}
