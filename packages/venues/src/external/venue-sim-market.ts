/**
 * The market of a venue simulator as a feed: the stream, and the query that fills what the stream left out.
 *
 * How to think: rows are let through only in the venue's own count. A row that is ahead waits while the missing ones are
 * asked for; what the venue no longer tells is flagged on the row after it. Nothing is told twice.
 */
import type { InstrumentSpec } from "@rumi/abi";
import { WebSocket } from "ws";
import { FLAG_GAP, FLAG_STALE } from "../columns.ts";
import type { MarketMessage, WireTrade } from "../venue-sim/wire.ts";
import type { FeedSink, MarketFeedSource } from "./ports.ts";
import { STREAM_TIMES } from "./venue-sim-execution.ts";
import { readMessage, VenueSimHttp, type HttpOptions } from "./venue-sim-http.ts";
import { Words } from "./venue-sim-words.ts";

export const FEED_LIMITS = {
  /** Rows that wait for the missing ones before them. */
  waiting_rows: 100_000,
  /** Missed rows that are caught up with; more are left out, and the next row says so. */
  catch_up_rows: 100_000,
  page_rows: 1_000,
} as const;

export type FeedOptions = HttpOptions & {
  readonly instruments: readonly InstrumentSpec[];
  /** A row received later than this after its event is stale. */
  readonly stale_after_ms: number;
};

export class VenueSimMarket implements MarketFeedSource {
  readonly #o: FeedOptions;
  readonly #http: VenueSimHttp;
  readonly #words: Words;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #tries = 0;
  /** Last row let through; `null` before the first is known. */
  #seq: number | null = null;
  #waiting: WireTrade[] = [];
  #end: number | null = null;
  #asking = false;
  #lost = false;
  /** The stream was just opened, and it is not known yet where it stands. */
  #fresh = false;
  #stale = false;

  constructor(options: FeedOptions) {
    this.#o = options;
    this.#http = new VenueSimHttp(options);
    this.#words = new Words(options.instruments);
  }

  start(after: number | null, sink: FeedSink): void {
    this.#seq = after;
    this.#dial(sink);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.on("error", () => undefined);
    this.#socket?.terminate();
    this.#http.close();
  }

  #dial(sink: FeedSink): void {
    if (this.#closed) return;
    const url = new URL("/v1/market", this.#o.url);
    url.protocol = "ws:";
    const socket = new WebSocket(url, { handshakeTimeout: this.#o.timeout_ms });
    this.#socket = socket;
    let problem = "the stream was closed";
    socket.on("open", () => {
      this.#tries = 0;
      this.#fresh = true;
      void this.#catchUp(sink);
    });
    socket.on("error", (error) => (problem = error.message));
    socket.on("message", (data: Buffer) => {
      const message = readMessage(data) as MarketMessage | undefined;
      if (message === undefined) return socket.terminate();
      if (message.type === "end") this.#end = message.last_seq;
      else this.#waiting.push(...message.trades);
      if (this.#waiting.length > FEED_LIMITS.waiting_rows) return socket.terminate();
      this.#letThrough(sink);
    });
    socket.on("close", () => {
      if (this.#closed || this.#isOver()) return;
      sink.notice("disconnected", problem);
      const wait = Math.min(STREAM_TIMES.redial_max_ms, STREAM_TIMES.redial_ms * 2 ** this.#tries);
      this.#tries += 1;
      this.#timer = setTimeout(() => this.#dial(sink), wait);
    });
  }

  /** Everything that continues the count; a hole starts the query for it. */
  #letThrough(sink: FeedSink): void {
    if (this.#seq === null || this.#asking) return;
    const waiting = this.#waiting.sort((a, b) => a.seq - b.seq);
    let taken = 0;
    for (const trade of waiting) {
      if (trade.seq > this.#seq + 1) break;
      taken += 1;
      if (trade.seq === this.#seq + 1) this.#tell(trade, sink);
    }
    this.#waiting = waiting.slice(taken);
    if (this.#waiting.length > 0 || (this.#end !== null && this.#seq < this.#end)) return void this.#catchUp(sink);
    if (this.#isOver()) {
      sink.end();
      this.close();
    }
  }

  #isOver(): boolean {
    return this.#end !== null && this.#seq !== null && this.#seq >= this.#end;
  }

  async #catchUp(sink: FeedSink): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      while (!this.#closed) {
        const page = await this.#page(this.#seq === null ? Number.MAX_SAFE_INTEGER : this.#seq + 1);
        if (page === undefined) {
          await new Promise((resolve) => setTimeout(resolve, STREAM_TIMES.redial_ms));
          continue;
        }
        if (page.ended) this.#end = page.last_seq;
        if (this.#seq === null) this.#seq = page.last_seq;
        if (page.last_seq - this.#seq > FEED_LIMITS.catch_up_rows) {
          this.#seq = page.last_seq - FEED_LIMITS.catch_up_rows;
          this.#lost = true;
          continue;
        }
        if (this.#lost && page.trades.length > 0) sink.notice("gap_lost", `up to row ${this.#seq}`);
        const before = this.#seq;
        for (const trade of page.trades) if (trade.seq === this.#seq + 1) this.#tell(trade, sink);
        if (before !== null && this.#seq > before && this.#waiting.some((one) => one.seq > before + 1))
          sink.notice("gap_filled", `rows ${before + 1} to ${this.#seq}`);
        if (this.#seq >= page.last_seq) break;
      }
    } finally {
      this.#asking = false;
    }
    if (this.#closed) return;
    if (this.#fresh) sink.notice("connected", `row ${this.#seq}`);
    this.#fresh = false;
    this.#letThrough(sink);
  }

  async #page(
    from: number,
  ): Promise<
    { readonly trades: readonly WireTrade[]; readonly last_seq: number; readonly ended: boolean } | undefined
  > {
    const answer = await this.#http.send("GET", `/v1/trades?from_seq=${from}&limit=${FEED_LIMITS.page_rows}`);
    if (answer.kind === "unknown" || answer.status !== 200) return undefined;
    const { trades, last_seq, ended } = answer.body;
    if (!Array.isArray(trades) || typeof last_seq !== "number") return undefined;
    return { trades: trades as readonly WireTrade[], last_seq, ended: ended === true };
  }

  #tell(trade: WireTrade, sink: FeedSink): void {
    this.#seq = trade.seq;
    const received_us = this.#o.wallNow_us();
    const stale = received_us - trade.time_us > this.#o.stale_after_ms * 1_000;
    if (stale !== this.#stale) sink.notice(stale ? "stale" : "fresh", `row ${trade.seq}`);
    this.#stale = stale;
    const flags = (stale ? FLAG_STALE : 0) | (this.#lost ? FLAG_GAP : 0);
    const row = this.#words.trade(trade, received_us, flags);
    if (row === undefined) return;
    this.#lost = false;
    sink.row(row, trade.seq);
  }
}
