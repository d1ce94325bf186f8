/** A quiet walk around 1,000 ticks: rows of every market kind a strategy subscribes to, every instrument in turn. */
import type { InstrumentSpec } from "@rumi/abi";
import { seededRandom } from "@rumi/kernel";
import { FeedBuilder, type MarketFeed, type RowHead } from "@rumi/venues";

const BEGIN_US = 1_700_000_000_000_000;
const STEP_US = 250_000;
const KINDS = ["trade", "quote", "bar", "book"] as const;
type Kind = (typeof KINDS)[number];

/** The same for every strategy with these subscriptions; a strategy without any gets trades, which it does not hear. */
export function syntheticFeed(
  instruments: readonly InstrumentSpec[],
  subscribe: readonly string[],
  rows: number,
): MarketFeed {
  const random = seededRandom("rumi-admission-1");
  const feed = new FeedBuilder(rows);
  const wanted: readonly Kind[] = KINDS.filter((kind) => subscribe.includes(kind));
  const kinds: readonly Kind[] = wanted.length === 0 ? ["trade"] : wanted;
  for (let row = 0; row < rows; row += 1) {
    const index = Math.floor(row / kinds.length) % Math.max(1, instruments.length);
    const of = instruments[index];
    const tick = of?.tick_size ?? 1;
    const price = tick * (1_000 + random.below(40));
    const quantity = Math.max(of?.min_quantity ?? 1, of?.lot_size ?? 1);
    const at = BEGIN_US + row * STEP_US;
    const head: RowHead = { instrument: index, event_time_us: at, received_time_us: at, flags: 0 };
    switch (kinds[row % kinds.length] ?? "trade") {
      case "trade":
        feed.trade({ ...head, price, quantity, aggressor: 1 + random.below(2), trade_id: row + 1 });
        break;
      case "quote":
        feed.quote({
          ...head,
          bid_price: price,
          bid_quantity: quantity,
          ask_price: price + tick,
          ask_quantity: quantity,
        });
        break;
      case "bar":
        feed.bar({
          ...head,
          duration_us: STEP_US,
          open: price,
          high: price + tick,
          low: price - tick,
          close: price,
          volume: quantity,
          trades: 1,
        });
        break;
      case "book":
        feed.book({
          ...head,
          action: "snapshot",
          first_sequence: row + 1,
          last_sequence: row + 1,
          bids: [[price, quantity]],
          asks: [[price + tick, quantity]],
        });
        break;
    }
  }
  return feed.finish();
}
