/** Orders of one instance that are not finished: by intent key and by client order id. Sorted by key, so that saves are equal. */
import type { ExecutionReport } from "@rumi/venues";
import type { OpenOrderView } from "../gate/gate.ts";
import type { OrderWish } from "../gate/intent.ts";

export type LiveOrder = OpenOrderView & {
  readonly client_order_id: string;
  readonly trace_id: string;
  /** Whole order, filled part included. */
  readonly quantity: number;
  /** A change on its way; it counts once the venue says so. */
  readonly amending: { readonly price: number; readonly quantity: number } | null;
  /** The gate made it something else than what was wished; absent otherwise. */ readonly changed?: true;
};

/** An order of an intent that is not on the record yet: it has neither id nor trace. */
export function unnamedOrder(key: number, wish: Omit<OrderWish, "kind">): LiveOrder {
  const { instrument, side, type, price, quantity } = wish;
  return {
    key,
    client_order_id: "",
    instrument,
    side,
    type,
    price,
    remaining: quantity,
    quantity,
    amending: null,
    trace_id: "",
  };
}

export class LiveOrders {
  readonly #byKey = new Map<number, LiveOrder>();
  readonly #byId = new Map<string, LiveOrder>();
  #listed: readonly LiveOrder[] | undefined;

  add(order: LiveOrder): void {
    this.#listed = undefined;
    this.#byKey.set(order.key, order);
    if (order.client_order_id !== "") this.#byId.set(order.client_order_id, order);
  }

  /** Its intent is on the record now. */
  name(key: number, client_order_id: string, trace_id: string): void {
    const order = this.#byKey.get(key);
    if (order !== undefined) this.add({ ...order, client_order_id, trace_id });
  }

  markChanged(key: number): void {
    const order = this.#byKey.get(key);
    if (order !== undefined) this.add({ ...order, changed: true });
  }

  byKey(key: number): LiveOrder | undefined {
    return this.#byKey.get(key);
  }

  byId(id: string): LiveOrder | undefined {
    return this.#byId.get(id);
  }

  /** It was never sent. */
  drop(key: number): void {
    const order = this.#byKey.get(key);
    if (order === undefined) return;
    this.#byKey.delete(key);
    this.#byId.delete(order.client_order_id);
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** A snapshot that stays as it is. */
  list(): readonly LiveOrder[] {
    return (this.#listed ??= [...this.#byKey.values()]);
  }

  /** Follows a report; finished orders leave. */
  follow(report: ExecutionReport): void {
    const order = this.#byId.get(report.client_order_id);
    if (order === undefined) return;
    const over = report.kind === "filled" || report.kind === "cancelled" || report.kind === "rejected";
    if (over) {
      this.#listed = undefined;
      this.#byKey.delete(order.key);
      this.#byId.delete(order.client_order_id);
    } else if (report.kind === "partially_filled") this.add({ ...order, remaining: report.remaining });
    else if (report.kind === "amended")
      this.add({ ...order, ...order.amending, remaining: report.remaining, amending: null });
    else if (report.kind === "amend_rejected") this.add({ ...order, amending: null });
  }

  restore(orders: readonly LiveOrder[]): void {
    this.#listed = undefined;
    this.#byKey.clear();
    this.#byId.clear();
    for (const order of orders) this.add(order);
  }
}
