/** The conformance strategy in TypeScript; strategy.rs and strategy.py do the same. */
import {
  type Config,
  type Context,
  HEALTH,
  LOG_LEVEL,
  ORDER_TYPE,
  packIntegers,
  Refusal,
  type RestoredState,
  RISK_HINT,
  serve,
  SEVERITY,
  SIDE,
  STATUS,
  type Strategy,
  type StrategyEvent,
  TIME_IN_FORCE,
  unpackIntegers,
} from "../../../../sdk/typescript/src/index.ts";

const RISK = { maxSlippageBps: 7, maxLatencyUs: 8_000, expectedHoldingUs: 9_000_000, budget: 10_00000000 };

class Conformance implements Strategy {
  static readonly stateVersion = 2;
  private events = 0;
  private lastPrice = 0;

  onInit(context: Context, config: Config, restored: RestoredState | null): void {
    if (config["refuse"] === true) throw new Refusal("as asked", STATUS.config_refused);
    if (restored !== null) {
      const words = restored.version === Conformance.stateVersion ? unpackIntegers(restored.bytes) : null;
      if (words?.length !== 2) throw new Refusal("state", STATUS.state_refused);
      [this.events = 0, this.lastPrice = 0] = words;
    }
    context.telemetry("init.events", this.events);
    context.telemetry("init.instruments", context.instruments.length);
    context.telemetry("init.mode", context.mode);
    context.timer(7, context.nowUs + 1_000);
  }

  onEvent(context: Context, event: StrategyEvent): void {
    switch (event.kind) {
      case "trade":
        return this.onTrade(context, event);
      case "quote":
        return context.telemetry("quote.spread", event.askPrice - event.bidPrice);
      case "bar":
        return context.telemetry("bar.close", event.close + event.trades);
      case "book":
        context.telemetry("book.levels", event.bids.length * 1_000 + event.asks.length);
        return context.telemetry("book.action", event.action);
      case "execution":
        context.telemetry("execution.key", event.idempotencyKey);
        context.telemetry("execution.reason", event.reason);
        return context.telemetry("execution.fee", event.fee);
      case "safety":
        return context.telemetry("safety.mode", event.mode);
      case "signal":
        return context.telemetry("signal.n", (event.signal as { readonly n: number }).n);
      case "config":
        return context.telemetry("config.n", Number(event.config["n"]));
    }
  }

  private onTrade(context: Context, trade: Extract<StrategyEvent, { kind: "trade" }>): void {
    this.events += 1;
    this.lastPrice = trade.price;
    switch (trade.price) {
      case 1:
        context.order(RISK, {
          side: SIDE.sell,
          quantity: 50,
          orderType: ORDER_TYPE.limit,
          price: trade.quantity,
          timeInForce: TIME_IN_FORCE.gtc,
          options: 2,
        });
        return;
      case 2:
        context.cancel(RISK, 41);
        return;
      case 3:
        context.amend(RISK, 41, 12);
        return;
      case 4:
        context.position(RISK, -3);
        return;
      case 5:
        context.alert(RISK, 77, SEVERITY.critical, [1, -2]);
        return;
      case 6:
        context.noop(RISK, 9);
        return;
      case 7:
        context.riskHint(RISK, RISK_HINT.volatile, 0.25);
        return;
      case 8:
        for (let i = 0; i < 3; i += 1) context.telemetry("random", context.random.below(1_000));
        return;
      case 9:
        return context.log("price nine \u00fcber \u4e5d", LOG_LEVEL.warning);
      case 10:
        throw new Refusal("ten");
      case 11:
        context.requestCheckpoint();
        context.telemetry("eleven", -1.5);
        return context.timer(7, 0);
      case 12:
        context.telemetry("header.cursor", context.cursor);
        context.telemetry("now", context.nowUs);
        context.telemetry("trade.id", trade.tradeId);
        context.telemetry("trade.aggressor", trade.aggressor);
        return context.telemetry("trade.quantity", trade.quantity);
      default:
        return;
    }
  }

  onTimer(context: Context, timerId: number, dueUs: number): void {
    context.telemetry("timer", timerId);
    context.timer(timerId, dueUs + 5);
  }

  onShutdown(context: Context, reason: number): void {
    context.telemetry("shutdown", reason);
  }

  onHealthcheck(): { health: number; reason: number } {
    return { health: HEALTH.degraded, reason: 5 };
  }

  saveState(): Uint8Array {
    return packIntegers([this.events, this.lastPrice]);
  }

  static migrateState(fromVersion: number, bytes: Uint8Array): Uint8Array | null {
    const words = fromVersion === 1 ? unpackIntegers(bytes) : null;
    return words?.length === 1 ? packIntegers([...words, 0]) : null;
  }
}

serve(Conformance);
