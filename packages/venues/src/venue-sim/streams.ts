/**
 * The simulator's two streams: market data for everybody, updates for the key that signed.
 *
 * How to think: what is handed in here is true and durable already; this file decides only when and how often it is said,
 * and is the place where the faults of streams happen. Market messages keep their order even when they are held back.
 */
import type { WebSocket } from "ws";
import type { FaultPlan } from "./faults.ts";
import type { SimEvent } from "./sim-exchange.ts";
import type { MarketMessage, UpdateMessage, WireTrade } from "./wire.ts";

export const STREAM_LIMITS = {
  /** Bytes a slow reader may owe before it is cut off. */
  backlog_bytes: 8_388_608,
} as const;

type Unnumbered = UpdateMessage extends infer M ? (M extends UpdateMessage ? Omit<M, "seq"> : never) : never;

export class MarketStreams {
  readonly #faults: FaultPlan;
  readonly #sockets = new Set<WebSocket>();
  readonly #held = new Set<NodeJS.Timeout>();
  /** When the last message that was held back is let go. */
  #free_at = 0;

  constructor(faults: FaultPlan) {
    this.#faults = faults;
  }

  add(socket: WebSocket): void {
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
  }

  tell(trades: readonly WireTrade[]): void {
    const kept = trades.filter(() => this.#faults.take("market_gap") === undefined);
    if (kept.length > 0) this.#send({ type: "trades", trades: kept });
    if (this.#faults.take("market_disconnect") !== undefined) for (const socket of this.#sockets) socket.terminate();
  }

  end(last_seq: number): void {
    this.#send({ type: "end", last_seq });
  }

  close(): void {
    for (const timer of this.#held) clearTimeout(timer);
  }

  #send(message: MarketMessage): void {
    const text = JSON.stringify(message);
    const now = performance.now();
    const stale = this.#faults.take("stale_data");
    this.#free_at = Math.max(this.#free_at, now + (stale?.delay_ms ?? 0));
    if (this.#free_at <= now) return this.#out(text);
    const timer = setTimeout(() => {
      this.#held.delete(timer);
      this.#out(text);
    }, this.#free_at - now);
    this.#held.add(timer);
  }

  #out(text: string): void {
    for (const socket of this.#sockets) deliver(socket, text);
  }
}

export class UpdateStreams {
  readonly #faults: FaultPlan;
  readonly #streams = new Map<WebSocket, { readonly account: string; seq: number }>();
  readonly #held = new Set<NodeJS.Timeout>();

  constructor(faults: FaultPlan) {
    this.#faults = faults;
  }

  add(socket: WebSocket, account: string, fills: number, time_us: number): void {
    this.#streams.set(socket, { account, seq: 0 });
    socket.on("close", () => this.#streams.delete(socket));
    this.#send(socket, { type: "ready", fills, time_us });
  }

  tell({ account, ...event }: SimEvent): void {
    for (const [socket, stream] of this.#streams) {
      if (stream.account !== account) continue;
      if (this.#faults.take("update_gap") !== undefined) {
        stream.seq += 1;
        continue;
      }
      const late = event.type === "fill" ? this.#faults.take("late_fill") : undefined;
      if (late !== undefined) {
        const timer = setTimeout(() => {
          this.#held.delete(timer);
          this.#send(socket, event);
        }, late.delay_ms);
        this.#held.add(timer);
        continue;
      }
      this.#send(socket, event);
      if (this.#faults.take("duplicate_update") !== undefined) {
        stream.seq -= 1;
        this.#send(socket, event);
      }
      if (this.#faults.take("update_disconnect") !== undefined) socket.terminate();
    }
  }

  close(): void {
    for (const timer of this.#held) clearTimeout(timer);
  }

  #send(socket: WebSocket, message: Unnumbered): void {
    const stream = this.#streams.get(socket);
    if (stream === undefined) return;
    stream.seq += 1;
    deliver(socket, JSON.stringify({ seq: stream.seq, ...message }));
  }
}

function deliver(socket: WebSocket, text: string): void {
  if (socket.bufferedAmount > STREAM_LIMITS.backlog_bytes) return socket.terminate();
  socket.send(text, () => undefined);
}
