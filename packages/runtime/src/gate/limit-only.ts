/**
 * A market order as the limit order that limit-only makes of it (M-8.1.3).
 *
 * It may pay as much worse than the last price as its own intent allows (`max_slippage_bps`), to the tick that is not
 * worse; what does not fill at once is gone, as with the market order that it was.
 */
import type { OrderWish } from "./intent.ts";

const BPS = 10_000n;

/** `last` is a known price above zero; the answer's price is a multiple of the tick, at least one. */
export function asLimitOrder(wish: OrderWish, last: number, max_slippage_bps: number, tick: number): OrderWish {
  const slip = BigInt(max_slippage_bps);
  const [reference, step] = [BigInt(last), BigInt(tick)];
  const ticks =
    wish.side === "buy"
      ? (reference * (BPS + slip)) / (BPS * step)
      : (reference * (BPS > slip ? BPS - slip : 0n) + BPS * step - 1n) / (BPS * step);
  const price = Number((ticks > 0n ? ticks : 1n) * step);
  return { ...wish, type: "limit", time_in_force: wish.time_in_force === "fok" ? "fok" : "ioc", price };
}
