/**
 * What happened in a row and is not on the record yet: intents that passed the gate, reports of the venue.
 *
 * How to think: judging and following are the hot path; the record (decimal text, ids by a hash, trace ids) is told right
 * after it, once, before anything else is recorded, made durable, saved or sent. Order and place of the entries are those
 * of the happening.
 *
 * Invariant: an order keeps the id that its intent was told with, under the epoch in force then (recovery.test.ts).
 */
import type { InstrumentSpec } from "@rumi/abi";
import type { ExecutionReport } from "@rumi/venues";
import type { Verdict } from "../gate/gate.ts";
import type { Intent } from "../gate/intent.ts";
import { type StagedIntent, stagingJson } from "../staging/staged-intents.ts";
import { fillJson, intentJson, isFill, orderJson } from "./entry.ts";
import type { MachineOptions } from "./machine-options.ts";
import type { LiveOrders } from "./orders.ts";

type Place = {
  readonly event_time_us: number;
  readonly cursor: number;
  /** 16 bytes, of one of `#spare`. */
  readonly trace: Uint8Array;
};
type Gated = Place & {
  readonly intent: Intent;
  readonly verdict: Omit<Verdict, "state">;
  /** It waits for approval, or was approved: then it keeps the id that it was staged with. */
  readonly staged: StagedIntent | undefined;
};
/** `key` is the order's, 0 where it is not known; amounts are in the digits of `of`. */
type Heard = { readonly report: ExecutionReport; readonly key: number; readonly of: InstrumentSpec | undefined };
type Reported = Place & { readonly heard: Heard };

export class Untold {
  readonly #options: Pick<MachineOptions, "identity" | "instruments" | "orderId" | "record">;
  readonly #orders: LiveOrders;
  readonly #waiting: (Gated | Reported)[] = [];
  /** Rooms for trace ids whose entries have been told. */
  readonly #spare: Uint8Array[] = [];
  #hasIntents = false;

  constructor(options: Pick<MachineOptions, "identity" | "instruments" | "orderId" | "record">, orders: LiveOrders) {
    this.#options = options;
    this.#orders = orders;
  }

  get hasIntents(): boolean {
    return this.#hasIntents;
  }

  /** `trace` is the caller's and may change afterwards. */
  addIntent(
    intent: Intent,
    verdict: Omit<Verdict, "state">,
    event_time_us: number,
    cursor: number,
    trace: Uint8Array,
    staged?: StagedIntent,
  ): void {
    this.#hasIntents = true;
    this.#waiting.push({ intent, verdict, event_time_us, cursor, trace: this.#copyOf(trace), staged });
  }

  addReport(heard: Heard, event_time_us: number, cursor: number, trace: Uint8Array): void {
    this.#waiting.push({ heard, event_time_us, cursor, trace: this.#copyOf(trace) });
  }

  tell(): void {
    this.#hasIntents = false;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      if ("intent" in next) this.#tellIntent(next);
      else this.#tellReport(next);
      this.#spare.push(next.trace);
    }
  }

  #copyOf(trace: Uint8Array): Uint8Array {
    const copy = this.#spare.pop() ?? new Uint8Array(16);
    for (let at = 0; at < copy.length; at += 1) copy[at] = trace[at] ?? 0;
    return copy;
  }

  #tellIntent({ intent, verdict, event_time_us, cursor, trace, staged }: Gated): void {
    const { identity, instruments, record } = this.#options;
    const trace_id = Buffer.from(trace).toString("hex");
    // Named before the entry is told: telling it may end a replay, and the epoch in force with it. The order keeps the
    // id that its intent was journaled with, or a real venue would take it twice.
    const isWaiting = verdict.verdict === "staged";
    const client_order_id = isWaiting ? null : this.#nameOrders(verdict, trace_id, staged?.client_order_id);
    const json = intentJson(intent, identity, trace_id, instruments, verdict.actions);
    record({
      kind: "intent",
      event_time_us,
      cursor,
      trace_id,
      intent: staged === undefined ? json : { ...json, staging: stagingJson(staged, isWaiting) },
      verdict: verdict.verdict,
      reason_code: verdict.reason_code,
      client_order_id,
      idempotency_key: String(intent.key),
    });
  }

  #tellReport({ heard: { report, key, of }, event_time_us, cursor, trace }: Reported): void {
    const place = { event_time_us, cursor, trace_id: Buffer.from(trace).toString("hex") };
    this.#options.record(
      isFill(report)
        ? { kind: "fill", ...place, fill: fillJson(report, key, of) }
        : { kind: "order", ...place, report: orderJson(report, key, of) },
    );
  }

  /** Answers the id of the order that the first action sends or changes. */
  #nameOrders({ actions }: Pick<Verdict, "actions">, trace_id: string, staged_id?: string | null): string | null {
    for (const action of actions)
      if (action.kind === "submit")
        this.#orders.name(action.key, staged_id ?? this.#options.orderId(action.key), trace_id);
    const first = actions[0];
    if (first === undefined) return null;
    return this.#orders.byKey(first.kind === "submit" ? first.key : first.target_key)?.client_order_id ?? null;
  }
}

/** The options of a machine, every way out of which first puts on the record what is gated. */
export function tellingFirst(options: MachineOptions, tell: () => void): MachineOptions {
  const { record, onHint, onService } = options;
  const after =
    <A extends readonly unknown[]>(way: (...told: A) => void) =>
    (...told: A): void => {
      tell();
      way(...told);
    };
  return {
    ...options,
    record: after(record),
    ...(onHint === undefined ? {} : { onHint: after(onHint) }),
    ...(onService === undefined ? {} : { onService: after(onService) }),
  };
}
