/**
 * The frames of a feed of mixed kinds: trades as ever, and quotes, bars and book rows of ABI 1.
 *
 * How to think: `bytesOf` says how much room a row's frame needs, 0 where the strategy does not subscribe to its kind;
 * `write` puts it there. Header and numbers go straight from the feed's columns into the strategy's memory.
 *
 * Invariant: byte for byte the frames of the generated codec, all three timestamps and quality flags included
 * (market-frames.test.ts).
 */
import { ABI_VERSION, type FrameViews, putInt64 } from "@rumi/abi";
import { MARKET_KIND, type MarketFeed, type MarketKind, type MixedColumns } from "@rumi/venues";
import { TRADE_FRAME_BYTES, TradeFrames } from "./trade-frame.ts";

export const QUOTE_FRAME_BYTES = 96;
export const BAR_FRAME_BYTES = 128;
export const BOOK_FRAME_BYTES = 96;
const LEVEL_BYTES = 16;

export class MarketFrames extends TradeFrames {
  readonly #feed: MarketFeed;
  readonly #trace: Uint8Array;
  readonly #subscribed: readonly boolean[];

  constructor(feed: MarketFeed, trace: Uint8Array, subscribes: ReadonlySet<string>) {
    super(feed, trace);
    this.#feed = feed;
    this.#trace = trace;
    const kinds = Object.entries(MARKET_KIND) as readonly (readonly [MarketKind, number])[];
    this.#subscribed = kinds.reduce<boolean[]>((known, [word, kind]) => {
      known[kind] = subscribes.has(word);
      return known;
    }, []);
  }

  /** Bytes of the row's frame; 0: the strategy does not hear of rows of this kind. */
  bytesOf(mixed: MixedColumns, row: number): number {
    const kind = mixed.kind[row] ?? 0;
    if (this.#subscribed[kind] !== true) return 0;
    switch (kind) {
      case MARKET_KIND.quote:
        return QUOTE_FRAME_BYTES;
      case MARKET_KIND.bar:
        return BAR_FRAME_BYTES;
      case MARKET_KIND.book: {
        const detail = mixed.detail[row] ?? 0;
        return BOOK_FRAME_BYTES + ((mixed.books.bids[detail] ?? 0) + (mixed.books.asks[detail] ?? 0)) * LEVEL_BYTES;
      }
      default:
        return TRADE_FRAME_BYTES;
    }
  }

  /** `at` is a multiple of 8 with `bytes` = `bytesOf` of room. */
  writeRow(views: FrameViews, at: number, row: number, mixed: MixedColumns, bytes: number): void {
    const kind = mixed.kind[row] ?? 0;
    if (kind === MARKET_KIND.trade) return this.write(views, at, row);
    this.#header(views, at, row, kind, bytes);
    const detail = mixed.detail[row] ?? 0;
    if (kind === MARKET_KIND.quote) this.#quote(views, at + 64, mixed, detail);
    else if (kind === MARKET_KIND.bar) this.#bar(views, at + 64, row, mixed, detail);
    else this.#book(views, at + 64, mixed, detail);
  }

  #header(views: FrameViews, at: number, row: number, kind: number, bytes: number): void {
    const feed = this.#feed;
    const word = at >> 2;
    views.u32[word] = kind | ((feed.flags[row] ?? 0) << 16);
    views.u32[word + 1] = bytes;
    putInt64(views, at + 8, this.inputs);
    putInt64(views, at + 16, feed.event_time_us[row] ?? 0);
    putInt64(views, at + 24, feed.received_time_us[row] ?? 0);
    putInt64(views, at + 32, this.clock);
    views.u32[word + 10] = feed.instrument[row] ?? 0;
    views.u32[word + 11] = ABI_VERSION;
    for (let i = 0; i < 16; i += 1) views.u8[at + 48 + i] = this.#trace[i] ?? 0;
  }

  #quote(views: FrameViews, at: number, { quotes }: MixedColumns, detail: number): void {
    putInt64(views, at, quotes.bid_price[detail] ?? 0);
    putInt64(views, at + 8, quotes.bid_quantity[detail] ?? 0);
    putInt64(views, at + 16, quotes.ask_price[detail] ?? 0);
    putInt64(views, at + 24, quotes.ask_quantity[detail] ?? 0);
  }

  #bar(views: FrameViews, at: number, row: number, { bars }: MixedColumns, detail: number): void {
    const feed = this.#feed;
    const duration = bars.duration_us[detail] ?? 0;
    putInt64(views, at, (feed.event_time_us[row] ?? 0) - duration);
    putInt64(views, at + 8, duration);
    putInt64(views, at + 16, bars.open[detail] ?? 0);
    putInt64(views, at + 24, bars.high[detail] ?? 0);
    putInt64(views, at + 32, bars.low[detail] ?? 0);
    putInt64(views, at + 40, feed.price[row] ?? 0);
    putInt64(views, at + 48, feed.quantity[row] ?? 0);
    putInt64(views, at + 56, feed.trade_id[row] ?? 0);
  }

  #book(views: FrameViews, at: number, { books }: MixedColumns, detail: number): void {
    const bids = books.bids[detail] ?? 0;
    const asks = books.asks[detail] ?? 0;
    putInt64(views, at, books.first_sequence[detail] ?? 0);
    putInt64(views, at + 8, books.last_sequence[detail] ?? 0);
    views.u32[(at + 16) >> 2] = books.action[detail] ?? 0;
    views.u32[(at + 20) >> 2] = bids;
    views.u32[(at + 24) >> 2] = asks;
    views.u32[(at + 28) >> 2] = 0;
    const first = books.first_level[detail] ?? 0;
    for (let i = 0; i < bids + asks; i += 1) {
      putInt64(views, at + 32 + i * LEVEL_BYTES, books.level_price[first + i] ?? 0);
      putInt64(views, at + 40 + i * LEVEL_BYTES, books.level_quantity[first + i] ?? 0);
    }
  }
}
