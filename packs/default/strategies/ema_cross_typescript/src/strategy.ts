/**
 * Moving-average cross, as ema_cross does it: long while the fast average of trade prices leads the slow one.
 *
 * Whole numbers only, exact below 2^52, so that every machine decides the same and the same as in Rust. One order at a
 * time: nothing new is sent until the last one is filled, refused or gone, and for a cooldown after that; five minutes at
 * least after a refusal of the Intent Gate, which would only refuse the same again, or half a minute after a restriction of
 * the moment, which may be over by then.
 * `rumi strategy build packs/default` makes strategy.js of it.
 */
import {
  type Config,
  type Context,
  decimal,
  EXECUTION_REPORT,
  HEALTH,
  MONEY_DIGITS,
  ORDER_TYPE,
  packIntegers,
  QUALITY,
  REFUSAL,
  Refusal,
  type RestoredState,
  type RiskContext,
  SAFETY_MODE,
  serve,
  SIDE,
  STATUS,
  type Strategy,
  type StrategyEvent,
  TIME_IN_FORCE,
  unpackIntegers,
} from "rumi-sdk";

type ExecutionEvent = Extract<StrategyEvent, { kind: "execution" }>;

/** Averages carry ten more bits than prices; prices beyond 2^42 are passed over. */
const SCALE = 1_024;
const MAX_PRICE = 2 ** 42;
/** Shortest quiet time after a refusal of the Intent Gate. */
const REFUSED_QUIET_US = 300_000_000;
/** The same after a restriction of the moment: safety mode, health, breaker, data quality. */
const RESTRICTED_QUIET_US = 30_000_000;
const USELESS = QUALITY.dup | QUALITY.out_of_order;
const DOUBTFUL = QUALITY.stale | QUALITY.gap;
/** Of a saved state; version 1 had no safety mode. */
const STATE_WORDS = 9;
const STATE_WORDS_V1 = 8;

class EmaCross implements Strategy {
  static readonly stateVersion = 2;

  private fastHalf = 1;
  private slowHalf = 2;
  private warmup = 0;
  private thresholdPpm = 0;
  private quantity = 0;
  private limit = false;
  private allowShort = false;
  private offsetBps = 0;
  private cooldownUs = 0;
  private orderTimeoutUs = 0;
  private risk: RiskContext = { maxSlippageBps: 0, maxLatencyUs: 0, expectedHoldingUs: 0, budget: 0 };

  private fast = 0;
  private slow = 0;
  private trades = 0;
  private position = 0;
  /** Key of the order that is out; 0: none. */
  private pendingKey = 0;
  private pendingSinceUs = 0;
  private cancelSent = 0;
  private quietUntilUs = 0;
  private safety: number = SAFETY_MODE.normal;

  onInit(context: Context, config: Config, restored: RestoredState | null): void {
    this.configure(context, config);
    if (restored === null) return;
    const words = restored.version === EmaCross.stateVersion ? unpackIntegers(restored.bytes) : null;
    if (words?.length !== STATE_WORDS) throw new Refusal("state", STATUS.state_refused);
    [
      this.fast = 0,
      this.slow = 0,
      this.trades = 0,
      this.position = 0,
      this.pendingKey = 0,
      this.pendingSinceUs = 0,
      this.cancelSent = 0,
      this.quietUntilUs = 0,
      this.safety = 0,
    ] = words;
  }

  onEvent(context: Context, event: StrategyEvent): void {
    switch (event.kind) {
      case "trade":
        if (context.instrument === 0) this.onTrade(context, event.price);
        return;
      case "execution":
        this.onExecution(context, event);
        return;
      case "safety":
        this.safety = event.mode;
        return;
      case "config":
        this.configure(context, event.config);
        return;
    }
  }

  onHealthcheck(): { health: number; reason: number } {
    return { health: HEALTH.healthy, reason: 0 };
  }

  saveState(): Uint8Array {
    return packIntegers([
      this.fast,
      this.slow,
      this.trades,
      this.position,
      this.pendingKey,
      this.pendingSinceUs,
      this.cancelSent,
      this.quietUntilUs,
      this.safety,
    ]);
  }

  static migrateState(fromVersion: number, bytes: Uint8Array): Uint8Array | null {
    const words = fromVersion === 1 ? unpackIntegers(bytes) : null;
    return words?.length === STATE_WORDS_V1 ? packIntegers([...words, SAFETY_MODE.normal]) : null;
  }

  private configure(context: Context, config: Config): void {
    const [instrument] = context.instruments;
    if (instrument === undefined) throw new Refusal("no instrument", STATUS.config_refused);
    const lot = Math.max(instrument.lotSize, 1);
    const quantity = Math.floor(decimal(config["order_quantity"], instrument.quantityDigits) / lot) * lot;
    if (quantity < Math.max(instrument.minQuantity, 1) || quantity > instrument.maxQuantity)
      throw new Refusal("order_quantity outside the instrument's bounds", STATUS.config_refused);
    const fastHalf = Math.floor((Number(config["fast_trades"]) + 1) / 2);
    const slowHalf = Math.floor((Number(config["slow_trades"]) + 1) / 2);
    if (fastHalf < 1 || fastHalf >= slowHalf)
      throw new Refusal("fast_trades must be below slow_trades", STATUS.config_refused);
    this.fastHalf = fastHalf;
    this.slowHalf = slowHalf;
    this.warmup = Number(config["slow_trades"]);
    this.thresholdPpm = Number(config["threshold_ppm"]);
    this.quantity = quantity;
    this.limit = config["order_type"] === "limit";
    this.allowShort = config["allow_short"] === true;
    this.offsetBps = Number(config["limit_offset_bps"]);
    this.cooldownUs = Number(config["cooldown"]) * 1_000;
    this.orderTimeoutUs = Number(config["order_timeout"]) * 1_000;
    this.risk = {
      maxSlippageBps: Number(config["max_slippage_bps"]),
      maxLatencyUs: Number(config["max_latency"]) * 1_000,
      expectedHoldingUs: Number(config["expected_holding"]) * 1_000,
      budget: decimal(config["budget"], MONEY_DIGITS),
    };
  }

  private onTrade(context: Context, price: number): void {
    const flags = context.flags;
    if ((flags & USELESS) !== 0 || price < 1 || price >= MAX_PRICE) return;
    const scaled = price * SCALE;
    let fast = this.fast;
    let slow = this.slow;
    if (this.trades === 0) fast = slow = scaled;
    this.trades += 1;
    this.fast = fast += Math.trunc((scaled - fast) / this.fastHalf);
    this.slow = slow += Math.trunc((scaled - slow) / this.slowHalf);
    if ((flags & DOUBTFUL) === 0) this.decide(context, price, fast, slow);
  }

  private decide(context: Context, price: number, fast: number, slow: number): void {
    const pending = this.pendingKey;
    if (pending !== 0) {
      if (this.cancelSent === 0 && context.nowUs - this.pendingSinceUs > this.orderTimeoutUs) {
        context.cancel(this.risk, pending);
        this.cancelSent = 1;
      }
      return;
    }
    if (this.trades < this.warmup) return;
    const margin = Math.trunc(slow / 1_000_000) * this.thresholdPpm;
    let wanted = this.quantity;
    if (fast <= slow + margin) {
      if (fast >= slow - margin) return;
      wanted = this.allowShort ? -wanted : 0;
    }
    const position = this.position;
    const delta = wanted - position;
    if (delta === 0 || context.nowUs < this.quietUntilUs) return;
    const grows = Math.abs(wanted) > Math.abs(position) || Math.sign(wanted) * Math.sign(position) < 0;
    if (grows && this.safety !== SAFETY_MODE.normal) return;
    const side = delta > 0 ? SIDE.buy : SIDE.sell;
    const quantity = Math.abs(delta);
    this.pendingKey = this.limit
      ? context.order(this.risk, {
          side,
          quantity,
          orderType: ORDER_TYPE.limit,
          timeInForce: TIME_IN_FORCE.gtc,
          price: limitPrice(context, price, this.offsetBps, side),
        })
      : context.order(this.risk, { side, quantity });
    this.pendingSinceUs = context.nowUs;
    this.cancelSent = 0;
    context.telemetry("ema.spread_ppm", Math.trunc((fast - slow) / Math.max(Math.trunc(slow / 1_000_000), 1)));
  }

  private onExecution(context: Context, report: ExecutionEvent): void {
    if (report.report === EXECUTION_REPORT.partially_filled || report.report === EXECUTION_REPORT.filled) {
      this.position += report.side === SIDE.buy ? report.quantity : -report.quantity;
      context.requestCheckpoint();
    } else if (report.report === EXECUTION_REPORT.cancel_rejected) this.cancelSent = 0;
    const ended =
      report.report === EXECUTION_REPORT.filled ||
      report.report === EXECUTION_REPORT.rejected ||
      report.report === EXECUTION_REPORT.cancelled;
    if (ended && report.idempotencyKey === this.pendingKey) {
      this.pendingKey = 0;
      this.quietUntilUs = context.nowUs + Math.max(this.cooldownUs, refusedQuietUs(report));
    }
  }
}

/** Shortest time until the next wish, after what the Intent Gate refused; 0 after anything else. */
function refusedQuietUs({ report, reason }: ExecutionEvent): number {
  if (report !== EXECUTION_REPORT.rejected || reason < REFUSAL.intent) return 0;
  return reason === REFUSAL.restricted ? RESTRICTED_QUIET_US : REFUSED_QUIET_US;
}

/** `offsetBps` past the last price, on a tick, never worse than that. */
function limitPrice(context: Context, price: number, offsetBps: number, side: number): number {
  const tick = Math.max(context.instruments[0]?.tickSize ?? 1, 1);
  const offset = Math.floor((price * offsetBps) / 10_000);
  return side === SIDE.buy
    ? Math.floor((price + offset) / tick) * tick
    : Math.ceil(Math.max(price - offset, 1) / tick) * tick;
}

serve(EmaCross);
