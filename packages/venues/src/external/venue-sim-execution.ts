/**
 * Orders to a venue simulator and its updates back: the execution port over HTTP and WebSocket.
 *
 * Invariant: nothing here decides or repeats; each call is one request, and what is not known is said to be unknown.
 */
import type { InstrumentSpec } from "@rumi/abi";
import { formatDecimal, type ClientOrderId } from "@rumi/kernel";
import { WebSocket } from "ws";
import type { NewOrder } from "../types.ts";
import type { PlaceOrder, UpdateMessage, WireFill, WireOrder } from "../venue-sim/wire.ts";
import type { Asked, ExecutionVenue, OrderSnapshot, UpdateSink, VenueAnswer, VenueFill } from "./ports.ts";
import { readMessage, VenueSimHttp, type HttpAnswer, type HttpOptions } from "./venue-sim-http.ts";
import { refusalOf, Words } from "./venue-sim-words.ts";

export const STREAM_TIMES = { redial_ms: 200, redial_max_ms: 5_000 } as const;

export class VenueSimExecution implements ExecutionVenue {
  readonly recv_window_ms: number;
  readonly #http: VenueSimHttp;
  readonly #words: Words;
  readonly #o: HttpOptions;
  #socket: WebSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #tries = 0;

  constructor(options: HttpOptions & { readonly instruments: readonly InstrumentSpec[] }) {
    this.#o = options;
    this.#http = new VenueSimHttp(options);
    this.#words = new Words(options.instruments);
    this.recv_window_ms = options.recv_window_ms;
  }

  async place(order: NewOrder): Promise<VenueAnswer> {
    const spec = this.#words.spec(order.instrument);
    const wire: PlaceOrder = {
      client_order_id: order.client_order_id,
      instrument_id: spec?.instrument_id ?? "",
      side: order.side,
      type: order.type,
      time_in_force: order.time_in_force,
      price: formatDecimal(order.price, spec?.price_digits ?? 0),
      quantity: formatDecimal(order.quantity, spec?.quantity_digits ?? 0),
      reduce_only: order.reduce_only,
      post_only: order.post_only,
    };
    return this.#outcome(await this.#http.send("POST", "/v1/orders", wire));
  }

  async cancel(id: ClientOrderId): Promise<VenueAnswer> {
    return this.#outcome(await this.#http.send("DELETE", `/v1/orders/${id}`));
  }

  async amend(
    id: ClientOrderId,
    change: { readonly instrument: number; readonly price: number; readonly quantity: number },
  ): Promise<VenueAnswer> {
    const spec = this.#words.spec(change.instrument);
    return this.#outcome(
      await this.#http.send("PATCH", `/v1/orders/${id}`, {
        price: formatDecimal(change.price, spec?.price_digits ?? 0),
        quantity: formatDecimal(change.quantity, spec?.quantity_digits ?? 0),
      }),
    );
  }

  async query(id: ClientOrderId): Promise<Asked<OrderSnapshot | null>> {
    const asked = this.#asked(await this.#http.send("GET", `/v1/orders/${id}`), (body) =>
      isObject(body["order"]) ? this.#words.order(body["order"] as unknown as WireOrder) : undefined,
    );
    return asked.kind === "refused" && asked.refusal === "unknown_order"
      ? { kind: "answer", value: null, time_us: asked.time_us }
      : asked;
  }

  async openOrders(): Promise<Asked<readonly OrderSnapshot[]>> {
    return this.#asked(await this.#http.send("GET", "/v1/orders"), (body) =>
      all(body["orders"] as readonly WireOrder[], (order) => this.#words.order(order)),
    );
  }

  async fillsAfter(number: number): Promise<Asked<readonly VenueFill[]>> {
    return this.#asked(await this.#http.send("GET", `/v1/fills?after=${number}`), (body) =>
      all(body["fills"] as readonly WireFill[], (fill) => this.#words.fill(fill)),
    );
  }

  async syncClock(): Promise<Asked<number>> {
    const before_us = this.#o.wallNow_us();
    const answer = await this.#http.send("GET", "/v1/time");
    const asked = this.#asked(answer, (body) => (typeof body["time_us"] === "number" ? body["time_us"] : undefined));
    if (asked.kind !== "answer") return asked;
    this.#http.lead_us = asked.value - (before_us + this.#o.wallNow_us()) / 2;
    return { ...asked, value: this.#http.lead_us };
  }

  listen(sink: UpdateSink): void {
    if (this.#closed) return;
    const target = "/v1/updates";
    const url = new URL(target, this.#o.url);
    url.protocol = "ws:";
    const socket = new WebSocket(url, {
      headers: this.#http.signed("GET", target, ""),
      handshakeTimeout: this.#o.timeout_ms,
    });
    this.#socket = socket;
    let seq = 0;
    let problem = "the stream was closed";
    socket.on("error", (error) => (problem = error.message));
    socket.on("message", (data: Buffer) => {
      const message = readMessage(data) as UpdateMessage | undefined;
      if (message === undefined) return socket.terminate();
      if (message.seq <= seq) return; // told before
      if (message.seq > seq + 1) sink.gap();
      seq = message.seq;
      this.#tries = 0;
      if (message.type === "ready") return sink.ready();
      const order = this.#words.order(message.order);
      const fill = message.type === "fill" ? this.#words.fill(message.fill) : undefined;
      if (order === undefined || (message.type === "fill" && fill === undefined)) return sink.gap();
      if (fill !== undefined) sink.fill(fill);
      sink.order(order);
    });
    socket.on("close", () => {
      if (this.#closed) return;
      sink.lost(problem);
      const wait = Math.min(STREAM_TIMES.redial_max_ms, STREAM_TIMES.redial_ms * 2 ** this.#tries);
      this.#tries += 1;
      this.#timer = setTimeout(() => this.listen(sink), wait);
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.on("error", () => undefined);
    this.#socket?.terminate();
    this.#http.close();
  }

  #outcome(answer: HttpAnswer): VenueAnswer {
    if (answer.kind === "unknown") return answer;
    const { status, body } = answer;
    const order = isObject(body["order"]) ? this.#words.order(body["order"] as unknown as WireOrder) : undefined;
    const time_us = typeof body["time_us"] === "number" ? body["time_us"] : 0;
    if (status === 429) return { kind: "rate_limited", retry_after_ms: answer.retry_after_ms };
    if (status < 300 && order !== undefined) return { kind: "done", order, time_us };
    const refusal = status < 300 ? undefined : refusalOf(body);
    return refusal === undefined
      ? { kind: "unknown", problem: `status ${status} without a word that we know` }
      : { kind: "refused", ...refusal, order: order ?? null, time_us };
  }

  #asked<T>(
    answer: HttpAnswer,
    read: (body: Readonly<Record<string, unknown>>) => T | undefined,
  ): Exclude<Asked<T>, { kind: "refused" }> | (Extract<Asked<T>, { kind: "refused" }> & { readonly time_us: number }) {
    if (answer.kind === "unknown") return answer;
    const { status, body } = answer;
    if (status === 429) return { kind: "rate_limited", retry_after_ms: answer.retry_after_ms };
    const time_us = typeof body["time_us"] === "number" ? body["time_us"] : 0;
    if (status >= 300) {
      const refusal = refusalOf(body);
      return refusal === undefined
        ? { kind: "unknown", problem: `status ${status} without a word that we know` }
        : { kind: "refused", ...refusal, time_us };
    }
    const value = read(body);
    return value === undefined
      ? { kind: "unknown", problem: "the answer is not what was asked for" }
      : { kind: "answer", value, time_us };
  }
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;

function all<W, T>(wires: readonly W[] | undefined, read: (wire: W) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(wires)) return undefined;
  const values: T[] = [];
  for (const wire of wires as readonly W[]) {
    const value = read(wire);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}
