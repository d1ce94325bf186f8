/**
 * The venue simulator as a server: REST for orders, WebSocket for market data and updates, an admin door for faults.
 *
 * How to think: a request changes the exchange at once; its answer and its updates leave after the order log is on the
 * disk (`#settle`, one at a time, in order). Time only moves the market. It holds no money and listens where it is told,
 * by default on this machine alone.
 *
 * Invariants (server.test.ts)
 * - Nothing is told of an order that a crash could still lose.
 * - Every refusal says a code; a request that was not understood changed nothing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { timingSafeEqual } from "node:crypto";
import { WebSocketServer } from "ws";
import { FaultPlan, faultOf, FAULT_KINDS, type Fault } from "./faults.ts";
import { OrderLog } from "./order-log.ts";
import { parseAmendment, parseObject, parseOrder, wholeNumber } from "./requests.ts";
import { SimExchange, type Outcome, type SimExchangeOptions } from "./sim-exchange.ts";
import { isSignedBy, type ApiKey } from "./signature.ts";
import { MarketStreams, UpdateStreams } from "./streams.ts";
import { WIRE, WIRE_LIMITS, type WireCode, type WireRefusal } from "./wire.ts";

export type VenueSimOptions = Omit<SimExchangeOptions, "accounts" | "wallNow_us"> & {
  readonly keys: readonly ApiKey[];
  readonly admin_token: string;
  readonly log_path: string;
  readonly host: string;
  /** 0 chooses one. */
  readonly port: number;
  /** Recorded time × factor, or only when the admin door says so. */
  readonly pace: { readonly kind: "multiple"; readonly factor: number } | { readonly kind: "manual" };
  readonly faults: readonly Fault[];
  /** Signed requests a second and key; 0 is no limit. */
  readonly requests_per_second: number;
  /** Microseconds since the epoch. */
  readonly wallNow_us: () => number;
};

export type VenueSim = {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
};

export const SIM_TIMES = { tick_ms: 10, rows_per_tick: 20_000 } as const;

const STATUS: Readonly<Record<WireCode, number>> = {
  BAD_REQUEST: 400,
  UNAUTHORISED: 401,
  KEY_DISABLED: 403,
  TIMESTAMP: 400,
  RATE_LIMITED: 429,
  DUPLICATE_CLIENT_ORDER_ID: 409,
  UNKNOWN_ORDER: 404,
  ORDER_CLOSED: 409,
  REJECTED: 422,
  VENUE_BUSY: 422,
  NOT_FOUND: 404,
  INTERNAL: 500,
};

type Answer = { readonly status: number; readonly body: object; readonly headers?: Readonly<Record<string, string>> };
type Refused = { readonly refused: Answer };
type Call = {
  readonly method: string;
  readonly url: URL;
  readonly target: string;
  readonly body: string;
  readonly headers: IncomingMessage["headers"];
};

export async function startVenueSim(options: VenueSimOptions): Promise<VenueSim> {
  const sim = new Simulator(options);
  await sim.listen();
  return sim;
}

class Simulator implements VenueSim {
  readonly #o: VenueSimOptions;
  readonly #log: OrderLog;
  readonly #exchange: SimExchange;
  readonly #faults: FaultPlan;
  readonly #market: MarketStreams;
  readonly #updates: UpdateStreams;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, maxPayload: WIRE_LIMITS.body_bytes });
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #started = { monotonic: performance.now(), market_us: 0 };
  readonly #spent = new Map<string, { second: number; count: number }>();
  /** How often an order was asked for under a client order id that was known already. */
  #duplicates_refused = 0;
  #told = 0;
  #ended = false;
  #turn: Promise<void> = Promise.resolve();

  constructor(options: VenueSimOptions) {
    this.#o = options;
    const opened = OrderLog.open(options.log_path);
    this.#log = opened.log;
    this.#exchange = new SimExchange({ ...options, accounts: options.keys.map((key) => key.key_id) }, opened);
    this.#faults = new FaultPlan(options.seed, options.faults);
    this.#market = new MarketStreams(this.#faults);
    this.#updates = new UpdateStreams(this.#faults);
    this.#told = this.#exchange.row;
    this.#started.market_us = this.#exchange.market_us || (options.feed.event_time_us[0] ?? 0);
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head));
    if (options.pace.kind === "multiple") this.#timer = setInterval(() => this.#tick(), SIM_TIMES.tick_ms);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }
  get url(): string {
    return `http://${this.#o.host}:${this.port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#o.port, this.#o.host, resolve);
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#market.close();
    this.#updates.close();
    await this.#settle();
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#log.close();
  }

  #tick(): void {
    if (this.#o.pace.kind !== "multiple") return;
    const passed_us = (performance.now() - this.#started.monotonic) * 1_000 * this.#o.pace.factor;
    const now_us = this.#started.market_us + passed_us;
    const { event_time_us, length } = this.#o.feed;
    let row = this.#exchange.row;
    const most = Math.min(length, row + SIM_TIMES.rows_per_tick);
    while (row < most && (event_time_us[row] ?? 0) <= now_us) row += 1;
    this.#advance(row);
  }

  #advance(to: number): void {
    this.#exchange.advance(to);
    const { row, rows } = this.#exchange;
    if (row > this.#told) {
      this.#market.tell(this.#exchange.trades(this.#told, row - this.#told));
      this.#told = row;
      void this.#settle();
    }
    if (row === rows && !this.#ended) {
      this.#ended = true;
      this.#market.end(rows);
    }
  }

  /** Makes what happened durable, then tells it; turns follow each other. */
  #settle(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      const events = this.#exchange.takeEvents();
      await this.#exchange.sync();
      for (const event of events) this.#updates.tell(event);
    });
    return this.#turn;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request).catch(() => undefined);
    if (body === undefined) return void response.destroy();
    const target = request.url ?? "/";
    const url = new URL(target, "http://venue-sim");
    const call: Call = { method: request.method ?? "GET", url, target, body, headers: request.headers };
    const places = call.method === "POST" && url.pathname === "/v1/orders";
    if (places && this.#faults.take("drop_before_accept") !== undefined) return void request.socket.destroy();
    const { status, headers, body: said } = this.#answer(call);
    await this.#settle();
    if (places && status === 201 && this.#faults.take("drop_after_accept") !== undefined)
      return void request.socket.destroy();
    const slow = url.pathname.startsWith("/v1/orders") ? this.#faults.take("slow_answers") : undefined;
    if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, slow.delay_ms));
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(said));
  }

  #answer(call: Call): Answer {
    const { method, url } = call;
    const { pathname, searchParams } = url;
    if (pathname.startsWith("/admin/")) return this.#admin(call);
    if (method === "GET" && pathname === "/v1/time") return done({ time_us: this.#now_us() });
    if (method === "GET" && pathname === "/v1/instruments") return done({ instruments: this.#o.instruments });
    if (method === "GET" && pathname === "/v1/trades") {
      const from = wholeNumber(searchParams.get("from_seq"), "from_seq", 1, Number.MAX_SAFE_INTEGER);
      const limit = wholeNumber(searchParams.get("limit"), "limit", 500, WIRE_LIMITS.page_rows);
      if (!from.ok) return this.#refuse("BAD_REQUEST", from.problem);
      if (!limit.ok) return this.#refuse("BAD_REQUEST", limit.problem);
      const trades = this.#exchange.trades(Math.max(0, from.value - 1), limit.value);
      return done({ trades, last_seq: this.#exchange.row, ended: this.#ended });
    }
    const account = this.#authorise(call);
    if (typeof account !== "string") return account.refused;
    if (pathname === "/v1/orders") {
      if (method === "POST") return this.#place(account, call);
      if (method === "GET")
        return done({
          orders: this.#exchange.orders(account).filter((order) => order.state === "open"),
          time_us: this.#now_us(),
        });
    }
    if (method === "GET" && pathname === "/v1/fills") {
      const after = wholeNumber(searchParams.get("after"), "after", 0, Number.MAX_SAFE_INTEGER);
      if (!after.ok) return this.#refuse("BAD_REQUEST", after.problem);
      return done({
        fills: this.#exchange.fills(account, after.value, WIRE_LIMITS.page_rows),
        time_us: this.#now_us(),
      });
    }
    if (method === "GET" && pathname === "/v1/positions")
      return done({ positions: this.#exchange.positions(account), time_us: this.#now_us() });
    const id = /^\/v1\/orders\/([A-Za-z0-9_-]{1,36})$/.exec(pathname)?.[1];
    if (id === undefined) return this.#refuse("NOT_FOUND", `nothing is at ${method} ${pathname}`);
    const order = this.#exchange.order(account, id);
    if (method === "DELETE") {
      if (order?.state === "open" && this.#faults.take("cancel_ignored") !== undefined)
        return done({ order: { ...order, state: "cancelled" }, time_us: this.#now_us() });
      return this.#outcome(this.#exchange.cancel(account, id), 200);
    }
    if (order === undefined) return this.#refuse("UNKNOWN_ORDER", `no order has the id ${id}`);
    if (method === "GET") return done({ order, time_us: this.#now_us() });
    if (method === "PATCH") {
      const fields = parseObject(call.body);
      if (!fields.ok) return this.#refuse("BAD_REQUEST", fields.problem);
      const spec = this.#o.instruments.find((one) => one.instrument_id === order.instrument_id);
      if (spec === undefined) return this.#refuse("INTERNAL", "its instrument is not listed");
      const change = parseAmendment(fields.value, spec);
      if (!change.ok) return this.#refuse("BAD_REQUEST", change.problem);
      return this.#outcome(this.#exchange.amend(account, id, change.value), 200);
    }
    return this.#refuse("NOT_FOUND", `nothing is at ${method} ${pathname}`);
  }

  #place(account: string, { body }: Call): Answer {
    const fields = parseObject(body);
    if (!fields.ok) return this.#refuse("BAD_REQUEST", fields.problem);
    const order = parseOrder(fields.value, this.#o.instruments);
    if (!order.ok) return this.#refuse("BAD_REQUEST", order.problem);
    if (this.#faults.take("reject_storm") !== undefined)
      return this.#refuse("VENUE_BUSY", "the venue takes no orders now");
    const outcome = this.#exchange.submit(account, order.value);
    if (!outcome.done && outcome.code === "DUPLICATE_CLIENT_ORDER_ID") this.#duplicates_refused += 1;
    return this.#outcome(outcome, 201);
  }

  #outcome(outcome: Outcome, status: number): Answer {
    if (outcome.done) return { status, body: { order: outcome.order, time_us: this.#now_us() } };
    return this.#refuse(outcome.code, `refused: ${outcome.reason_code ?? outcome.code}`, outcome);
  }

  #authorise(call: Call): string | Refused {
    const refuse = (code: WireCode, message: string): Refused => ({ refused: this.#refuse(code, message) });
    const header = (name: string): string => {
      const value = call.headers[name];
      return typeof value === "string" ? value : "";
    };
    const key = this.#o.keys.find((one) => one.key_id === header(WIRE.key));
    const timestamp = wholeNumber(header(WIRE.timestamp), WIRE.timestamp, 0, Number.MAX_SAFE_INTEGER);
    const window = wholeNumber(header(WIRE.recv_window), WIRE.recv_window, 0, WIRE_LIMITS.recv_window_ms);
    if (key === undefined) return refuse("UNAUTHORISED", "the key is not known");
    if (!timestamp.ok) return refuse("BAD_REQUEST", timestamp.problem);
    if (!window.ok) return refuse("BAD_REQUEST", window.problem);
    const signed = {
      timestamp_ms: timestamp.value,
      recv_window_ms: window.value,
      method: call.method,
      target: call.target,
      body: call.body,
    };
    if (!isSignedBy(key.secret, signed, header(WIRE.signature)))
      return refuse("UNAUTHORISED", "the signature does not fit");
    if (this.#faults.inForce("key_disabled") !== undefined) return refuse("KEY_DISABLED", "the key is disabled");
    const now_ms = this.#now_us() / 1_000;
    if (timestamp.value < now_ms - window.value || timestamp.value > now_ms + 1_000)
      return refuse("TIMESTAMP", `the timestamp is not within ${window.value} ms of the venue's clock`);
    const limited = this.#faults.take("rate_limit");
    if (limited !== undefined || this.#isBeyondRate(key.key_id))
      return { refused: this.#refuse("RATE_LIMITED", "too many requests", null, limited?.retry_after_s ?? 1) };
    return key.key_id;
  }

  #isBeyondRate(key_id: string): boolean {
    if (this.#o.requests_per_second === 0) return false;
    const second = Math.floor(performance.now() / 1_000);
    const spent = this.#spent.get(key_id);
    const count = spent?.second === second ? spent.count + 1 : 1;
    this.#spent.set(key_id, { second, count });
    return count > this.#o.requests_per_second;
  }

  #upgrade(request: IncomingMessage, socket: Parameters<WebSocketServer["handleUpgrade"]>[1], head: Buffer): void {
    const target = request.url ?? "/";
    const url = new URL(target, "http://venue-sim");
    const call: Call = { method: "GET", url, target, body: "", headers: request.headers };
    const account = url.pathname === "/v1/updates" ? this.#authorise(call) : "";
    if (typeof account !== "string" || (url.pathname !== "/v1/market" && url.pathname !== "/v1/updates")) {
      const said = typeof account === "string" ? this.#refuse("NOT_FOUND", "no such stream") : account.refused;
      const text = JSON.stringify(said.body);
      return void socket.end(
        `HTTP/1.1 ${said.status} Refused\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\nconnection: close\r\n\r\n${text}`,
      );
    }
    this.#sockets.handleUpgrade(request, socket, head, (stream) => {
      stream.on("error", () => undefined);
      if (url.pathname === "/v1/market") {
        this.#market.add(stream);
        if (this.#ended) stream.send(JSON.stringify({ type: "end", last_seq: this.#exchange.rows }));
      } else this.#updates.add(stream, account, this.#exchange.fillCount(account), this.#now_us());
    });
  }

  #admin({ method, url, body, headers }: Call): Answer {
    const given = Buffer.from(String(headers[WIRE.admin] ?? ""));
    const wanted = Buffer.from(this.#o.admin_token);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted))
      return this.#refuse("UNAUTHORISED", "the admin token does not fit");
    const route = `${method} ${url.pathname}`;
    if (route === "GET /admin/state") return done(this.#state());
    if (route === "DELETE /admin/faults") {
      const kind = url.searchParams.get("kind");
      const known = FAULT_KINDS.find((one) => one === kind);
      if (kind !== null && known === undefined) return this.#refuse("BAD_REQUEST", "no fault has that kind");
      this.#faults.clear(known);
      return done({ cleared: kind ?? "all" });
    }
    const fields = parseObject(body);
    if (!fields.ok) return this.#refuse("BAD_REQUEST", fields.problem);
    if (route === "POST /admin/faults") {
      const fault = faultOf(fields.value);
      if (!fault.ok) return this.#refuse("BAD_REQUEST", String(fault.error.params["problem"]));
      this.#faults.arm(fault.value);
      return done({ armed: fault.value });
    }
    if (route === "POST /admin/advance") {
      const rows = fields.value["rows"];
      if (!Number.isSafeInteger(rows) || (rows as number) < 0)
        return this.#refuse("BAD_REQUEST", "rows must be a whole number");
      this.#advance(this.#exchange.row + (rows as number));
      return done({ row: this.#exchange.row, rows: this.#exchange.rows });
    }
    return this.#refuse("NOT_FOUND", `nothing is at ${route}`);
  }

  #state(): object {
    return {
      row: this.#exchange.row,
      rows: this.#exchange.rows,
      faults_taken: this.#faults.taken(),
      duplicates_refused: this.#duplicates_refused,
      accounts: this.#o.keys.map(({ key_id }) => ({
        key_id,
        orders: this.#exchange.orders(key_id),
        fills: this.#exchange.fills(key_id, 0, Infinity),
        positions: this.#exchange.positions(key_id),
      })),
    };
  }

  #refuse(
    code: WireCode,
    message: string,
    refused: Extract<Outcome, { done: false }> | null = null,
    retry_after_s = 0,
  ): Answer {
    const body: WireRefusal = {
      code,
      message,
      reason_code: refused?.reason_code ?? null,
      time_us: this.#now_us(),
      order: refused?.order ?? null,
    };
    return {
      status: STATUS[code],
      body,
      ...(code === "RATE_LIMITED" ? { headers: { "retry-after": String(retry_after_s) } } : {}),
    };
  }

  /** The venue's own clock, which may be wrong. */
  #now_us(): number {
    return this.#o.wallNow_us() + (this.#faults.inForce("clock_skew")?.skew_ms ?? 0) * 1_000;
  }
}

const done = (body: object): Answer => ({ status: 200, body });

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes > WIRE_LIMITS.body_bytes) throw new RangeError("the body is too large");
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
