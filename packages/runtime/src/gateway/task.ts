/** What the gateway still has to do for one order. */
import type { ClientOrderId } from "@rumi/kernel";
import type { NewOrder } from "@rumi/venues";
import type { Outgoing } from "./reports.ts";

type Course = {
  readonly client_order_id: ClientOrderId;
  /** `ask`: it may have been done; the venue is asked before anything is sent. */
  phase: "send" | "ask";
  /** Times it left and may have been done. */
  sends: number;
  tries: number;
  clock_syncs: number;
  /** Monotonic milliseconds before which it rests. */
  not_before_ms: number;
  /** Venue time after which no copy of it can still be carried out. */
  void_at_us: number;
};
export type Task = Course &
  (
    | { readonly action: "submit"; readonly order: NewOrder; readonly submitted_us: number }
    | { readonly action: "cancel" }
    | { readonly action: "amend"; readonly instrument: number; readonly price: number; readonly quantity: number }
  );

const begin = (client_order_id: ClientOrderId, phase: Course["phase"]): Course => ({
  client_order_id,
  phase,
  sends: 0,
  tries: 0,
  clock_syncs: 0,
  not_before_ms: 0,
  void_at_us: 0,
});

export function taskOf(request: Outgoing, phase: Course["phase"], now_us: number): Task {
  switch (request.kind) {
    case "submit":
      return {
        ...begin(request.order.client_order_id, phase),
        action: "submit",
        order: request.order,
        submitted_us: now_us,
      };
    case "cancel":
      return { ...begin(request.client_order_id, phase), action: "cancel" };
    case "amend": {
      const { instrument, price, quantity } = request;
      return { ...begin(request.client_order_id, phase), action: "amend", instrument, price, quantity };
    }
  }
}

/** Tasks by order, each order's in their own sequence; one of an order is on its way at a time. */
export class TaskBoard {
  readonly #lines = new Map<ClientOrderId, Task[]>();
  readonly #busy = new Set<ClientOrderId>();
  #submitting = false;
  #size = 0;

  get size(): number {
    return this.#size;
  }
  get inFlight(): number {
    return this.#busy.size;
  }
  has(id: ClientOrderId, action: Task["action"]): boolean {
    return this.#lines.get(id)?.some((task) => task.action === action) === true;
  }

  add(task: Task): void {
    const line = this.#lines.get(task.client_order_id) ?? [];
    line.push(task);
    this.#lines.set(task.client_order_id, line);
    this.#size += 1;
  }

  /** The most urgent one that may go now: cancels, then questions and amendments, then orders in their sequence. */
  next(now_ms: number): Task | undefined {
    let best: Task | undefined;
    let bestRank = Infinity;
    for (const [id, [head]] of this.#lines) {
      if (head === undefined || this.#busy.has(id) || head.not_before_ms > now_ms) continue;
      const rank = head.action === "cancel" ? 0 : head.action === "amend" ? 1 : head.phase === "ask" ? 2 : 3;
      if (rank === 3 && this.#submitting) continue;
      if (rank < bestRank) [best, bestRank] = [head, rank];
    }
    return best;
  }

  /** Milliseconds until the first resting one may go; Infinity when none rests. */
  rest(now_ms: number): number {
    let rest = Infinity;
    for (const [id, [head]] of this.#lines)
      if (head !== undefined && !this.#busy.has(id) && head.not_before_ms > now_ms)
        rest = Math.min(rest, head.not_before_ms - now_ms);
    return rest;
  }

  take(task: Task): void {
    this.#busy.add(task.client_order_id);
    if (task.action === "submit" && task.phase === "send") this.#submitting = true;
  }

  /** Back from its way: it stays at the head of its line, or is over. */
  back(task: Task, wasSubmit: boolean, isOver: boolean): void {
    this.#busy.delete(task.client_order_id);
    if (wasSubmit) this.#submitting = false;
    if (!isOver) return;
    const line = this.#lines.get(task.client_order_id) ?? [];
    line.shift();
    this.#size -= 1;
    if (line.length === 0) this.#lines.delete(task.client_order_id);
  }
}
