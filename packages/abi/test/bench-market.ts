/** What guest tests share: a noisy market, a tiny exchange that fills at the next price, and output decoding. */
import {
  EXECUTION_REPORT,
  type ExecutionEvent,
  frameViews,
  type FrameViews,
  type InitCall,
  makeCancelIntent,
  makeExecutionEvent,
  makeFrameHeader,
  makeInitCall,
  makeIntentMeta,
  makeOrderIntent,
  missingMetadata,
  OUTPUT_KIND,
  readCancelIntent,
  readIntentMeta,
  readOrderIntent,
  RecordWalker,
  type FrameHeader,
} from "../src/index.ts";
import { seededRandom } from "@rumi/kernel";

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const traceOf = (n: number): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, i) => (i < 4 ? (n >> (8 * i)) & 255 : 170));

export const header = (cursor: number, atUs: number, flags = 0): FrameHeader => ({
  ...makeFrameHeader(),
  flags,
  cursor,
  eventTimeUs: atUs,
  receivedTimeUs: atUs,
  processedTimeUs: atUs,
  instrument: 0,
  traceId: traceOf(cursor),
});

export function initCall(config: unknown, state?: { readonly version: number; readonly bytes: Uint8Array }): InitCall {
  return {
    ...makeInitCall(),
    abiVersion: 1,
    mode: 2,
    runId: new Uint8Array(16).fill(9),
    seed: new Uint8Array(16).fill(3),
    nextIntentKey: 1,
    bot: 1,
    strategy: 2,
    version: 3,
    instance: 4,
    botId: "bot",
    strategyId: "strategy",
    strategyVersion: "1.0.0",
    instanceId: "main",
    stateVersion: state?.version ?? 0,
    state: state?.bytes ?? new Uint8Array(0),
    config: encode(JSON.stringify(config)),
    instruments: [
      {
        instrumentId: "XRPETH.SIM",
        baseCurrency: "XRP",
        quoteCurrency: "ETH",
        priceDigits: 8,
        quantityDigits: 0,
        tickSize: 1,
        lotSize: 1,
        minQuantity: 1,
        maxQuantity: 1_000_000,
      },
    ],
  };
}

export type Tick = { readonly atUs: number; readonly price: number; readonly quantity: number };

/** A random walk pulled to a slowly moving centre, XRPETH-like: about 141,342 at eight digits. */
export function noisyTrades(count: number, seed: string): Tick[] {
  const random = seededRandom(seed);
  let [price, centre, atUs] = [141_342, 141_342, 1_570_752_000_000_000];
  return Array.from({ length: count }, () => {
    centre += random.below(41) - 20;
    price += random.below(121) - 60 + Math.trunc((centre - price) / 50);
    atUs += 1_000_000 + random.below(1_000_000);
    return { atUs, price, quantity: 1 + random.below(100) };
  });
}

export type Seen = {
  orders: number;
  cancels: number;
  records: number;
  fills: number;
  position: number;
  journal: string[];
  pending: ExecutionEvent[];
};
export const nothingSeen = (): Seen => ({
  orders: 0,
  cancels: 0,
  records: 0,
  fills: 0,
  position: 0,
  journal: [],
  pending: [],
});

/** Decodes one output; every order is filled at `price` by a later execution event, every cancel refused. */
export function digest(from: FrameViews, at: number, length: number, price: number, seen: Seen): void {
  const walker = new RecordWalker();
  walker.begin(from, at, length);
  for (let kind = walker.step(); kind !== 0; kind = walker.step()) {
    if (kind === -1) throw new Error(walker.fault);
    seen.records += 1;
    if (kind !== OUTPUT_KIND.order_intent && kind !== OUTPUT_KIND.cancel_intent) continue;
    const meta = makeIntentMeta();
    if (readIntentMeta(from, walker.at, meta) !== "" || missingMetadata(meta) !== "") throw new Error("metadata");
    if (kind === OUTPUT_KIND.cancel_intent) {
      const cancel = makeCancelIntent();
      if (readCancelIntent(from, walker.at, walker.length, cancel) !== "") throw new Error("cancel");
      seen.cancels += 1;
      continue;
    }
    const order = makeOrderIntent();
    const bad = readOrderIntent(from, walker.at, walker.length, order);
    if (bad !== "") throw new Error(bad);
    seen.orders += 1;
    seen.fills += 1;
    seen.position += order.side === 1 ? order.quantity : -order.quantity;
    seen.journal.push(
      `${meta.idempotencyKey}:${order.side}:${order.quantity}:${order.price}:${Buffer.from(meta.traceId).toString("hex")}`,
    );
    seen.pending.push({
      ...makeExecutionEvent(),
      report: EXECUTION_REPORT.filled,
      side: order.side,
      liquidity: 2,
      clientOrderId: "RX",
      idempotencyKey: meta.idempotencyKey,
      price,
      quantity: order.quantity,
      remaining: 0,
      fee: 1,
    });
  }
}

type Exports = Readonly<Record<string, unknown>>;
/** The engine, typed here because the compiler's library names it only for browsers. */
export const engine = (
  globalThis as unknown as {
    readonly WebAssembly: {
      readonly Module: { new (bytes: Uint8Array): object; imports(module: object): unknown[] };
      readonly Instance: new (module: object, imports: object) => { readonly exports: Exports };
    };
  }
).WebAssembly;

/** A WebAssembly guest without any fence, for tests of the ABI alone. */
export class Guest {
  readonly #call: (name: string, argument?: number) => number;
  readonly #memory: { readonly buffer: ArrayBuffer };
  readonly inputAt: number;
  readonly outputAt: number;
  #views: FrameViews;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    const instance = new engine.Instance(new engine.Module(bytes), {});
    this.#call = (name, argument) => (instance.exports[name] as (n?: number) => number)(argument);
    this.#memory = instance.exports["memory"] as { readonly buffer: ArrayBuffer };
    this.inputAt = this.#call("rumi_input", 65_536);
    this.outputAt = this.#call("rumi_output");
    if (this.inputAt % 8 !== 0 || this.outputAt % 8 !== 0) throw new Error("buffers are not 8-aligned");
    this.#views = frameViews(this.#memory.buffer, 0, this.#memory.buffer.byteLength);
  }

  get views(): FrameViews {
    if (this.#views.u8.buffer !== this.#memory.buffer)
      this.#views = frameViews(this.#memory.buffer, 0, this.#memory.buffer.byteLength);
    return this.#views;
  }

  call(name: string, length?: number): number {
    return this.#call(name, length);
  }
}
