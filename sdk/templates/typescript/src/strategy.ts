/** In for fifty trades, out for fifty. */
import {
  type Config,
  type Context,
  decimal,
  MONEY_DIGITS,
  packIntegers,
  Refusal,
  type RestoredState,
  serve,
  STATUS,
  type Strategy,
  type StrategyEvent,
  unpackIntegers,
} from "rumi-sdk";

const RISK = {
  maxSlippageBps: 50,
  maxLatencyUs: 1_000_000,
  expectedHoldingUs: 60_000_000,
  budget: decimal("100000", MONEY_DIGITS),
};

class Blinker implements Strategy {
  static readonly stateVersion = 1;
  private quantity = 0;
  private seen = 0;

  onInit(context: Context, config: Config, restored: RestoredState | null): void {
    const [instrument] = context.instruments;
    if (instrument === undefined) throw new Refusal("no instrument", STATUS.config_refused);
    this.quantity = decimal(config["order_quantity"], instrument.quantityDigits);
    if (restored !== null) this.seen = unpackIntegers(restored.bytes)?.[0] ?? 0;
  }

  onEvent(context: Context, event: StrategyEvent): void {
    if (event.kind !== "trade") return;
    this.seen += 1;
    if (this.seen % 50 === 0) {
      const wantsIn = (this.seen / 50) % 2 === 1;
      context.position(RISK, wantsIn ? this.quantity : 0);
    }
  }

  saveState(): Uint8Array {
    return packIntegers([this.seen]);
  }
}

serve(Blinker);
