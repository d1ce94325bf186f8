/**
 * Intents that have passed the gate and are not on the record yet.
 *
 * How to think: judging is the hot path; the record (decimal text, ids by a hash, trace ids) is told right after it, once,
 * before anything is made durable, recorded, saved or sent. Order and place of the entries are those of the judging.
 *
 * Invariant: an order keeps the id that its intent was told with, under the epoch in force then (recovery.test.ts).
 */
import type { Verdict } from "../gate/gate.ts";
import type { Intent } from "../gate/intent.ts";
import { type StagedIntent, stagingJson } from "../staging/staged-intents.ts";
import { intentJson } from "./entry.ts";
import type { MachineOptions } from "./machine-options.ts";
import type { LiveOrders } from "./orders.ts";

export type GatedIntent = {
  readonly intent: Intent;
  readonly verdict: Omit<Verdict, "state">;
  readonly event_time_us: number;
  readonly cursor: number;
  /** 16 bytes of its own. */
  readonly trace: Uint8Array;
  /** It waits for approval, or was approved: then it keeps the id that it was staged with. */
  readonly staged?: StagedIntent;
};

export class GatedIntents {
  readonly #options: Pick<MachineOptions, "identity" | "instruments" | "orderId" | "record">;
  readonly #orders: LiveOrders;
  readonly #waiting: GatedIntent[] = [];

  constructor(options: Pick<MachineOptions, "identity" | "instruments" | "orderId" | "record">, orders: LiveOrders) {
    this.#options = options;
    this.#orders = orders;
  }

  add(gated: GatedIntent): void {
    this.#waiting.push(gated);
  }

  tell(): void {
    while (this.#waiting.length > 0) {
      const gated = this.#waiting.shift();
      if (gated !== undefined) this.#tell(gated);
    }
  }

  #tell({ intent, verdict, event_time_us, cursor, trace, staged }: GatedIntent): void {
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
