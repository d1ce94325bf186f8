/**
 * The exchange: one market that everybody sees, an account for each bot, every order under its client order id once.
 *
 * It never fails; what fails is the way to it. It is the judge of what really left the runners: every request that arrives
 * is told to the checkers with who sent it.
 */
import type { ClientOrderId, Random } from "@rumi/kernel";
import type { NewOrder, OrderSnapshot, RefusalKind, TradeRow, VenueFill } from "@rumi/venues";
import { between, happens } from "../world/chance.ts";
import { FOREVER, type World } from "../world/world.ts";

export const ROW_EVERY_US = 500_000;
const EPOCH_US = 1_768_464_000_000_000;

type Account = {
  readonly orders: Map<ClientOrderId, OrderSnapshot>;
  readonly fills: VenueFill[];
  readonly listeners: Set<(order: OrderSnapshot, fill: VenueFill | null) => void>;
};
export type Outcome =
  | { readonly kind: "done"; readonly order: OrderSnapshot }
  | { readonly kind: "refused"; readonly refusal: RefusalKind; readonly order: OrderSnapshot | null };
export type MarketRow = { readonly seq: number; readonly row: TradeRow };

export class Exchange {
  readonly #world: World;
  readonly #random: Random;
  readonly #accounts = new Map<string, Account>();
  readonly rows: MarketRow[] = [];
  #price = 100_000;
  #ids = 0;
  readonly #onRow = new Set<(row: MarketRow) => void>();

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random.stream("exchange");
    const next = (): void => {
      this.#move();
      world.schedule(ROW_EVERY_US, FOREVER, next);
    };
    world.schedule(ROW_EVERY_US, FOREVER, next);
  }

  time_us(): number {
    return EPOCH_US + Math.floor(this.#world.now_us);
  }

  follow(listener: (row: MarketRow) => void): () => void {
    this.#onRow.add(listener);
    return () => void this.#onRow.delete(listener);
  }

  account(name: string): Account {
    const known = this.#accounts.get(name);
    if (known !== undefined) return known;
    const made: Account = { orders: new Map(), fills: [], listeners: new Set() };
    this.#accounts.set(name, made);
    return made;
  }

  place(name: string, order: NewOrder): Outcome {
    const account = this.account(name);
    const known = account.orders.get(order.client_order_id);
    if (known !== undefined) return { kind: "refused", refusal: "duplicate", order: known };
    const made: OrderSnapshot = {
      client_order_id: order.client_order_id,
      venue_order_id: `v${(this.#ids += 1)}`,
      instrument: order.instrument,
      side: order.side,
      price: order.price,
      quantity: order.quantity,
      filled: 0,
      state: "open",
      reason_code: null,
      updated_us: this.time_us(),
    };
    this.#tell(account, made, null);
    if (order.type === "market" || this.#crosses(made)) this.#fill(account, made, made.quantity);
    const now = account.orders.get(order.client_order_id) ?? made;
    return { kind: "done", order: now };
  }

  cancel(name: string, id: ClientOrderId): Outcome {
    const account = this.account(name);
    const known = account.orders.get(id);
    if (known === undefined) return { kind: "refused", refusal: "unknown_order", order: null };
    if (known.state !== "open") return { kind: "refused", refusal: "order_closed", order: known };
    const order: OrderSnapshot = { ...known, state: "cancelled", updated_us: this.time_us() };
    this.#tell(account, order, null);
    return { kind: "done", order };
  }

  /** Open orders of an account. */
  open(name: string): readonly OrderSnapshot[] {
    return [...this.account(name).orders.values()].filter((order) => order.state === "open");
  }

  #move(): void {
    this.#price = Math.max(1_000, this.#price + between(this.#random, -40, 40));
    const at = this.time_us();
    const seq = this.rows.length + 1;
    const row: TradeRow = {
      instrument: 0,
      event_time_us: at,
      received_time_us: at,
      flags: 0,
      price: this.#price,
      quantity: between(this.#random, 1, 500),
      aggressor: 1,
      trade_id: seq,
    };
    this.rows.push({ seq, row });
    for (const account of this.#accounts.values())
      for (const order of account.orders.values())
        if (order.state === "open" && this.#crosses(order)) {
          const left = order.quantity - order.filled;
          this.#fill(account, order, left > 1 && happens(this.#random, 0.3) ? Math.ceil(left / 2) : left);
        }
    for (const listener of this.#onRow) listener({ seq, row });
  }

  #crosses({ side, price }: Pick<OrderSnapshot, "side" | "price">): boolean {
    return side === "buy" ? price >= this.#price : price <= this.#price;
  }

  #fill(account: Account, order: OrderSnapshot, quantity: number): void {
    const filled = order.filled + quantity;
    const time_us = this.time_us();
    const state = filled === order.quantity ? "filled" : "open";
    const fill: VenueFill = {
      number: account.fills.length + 1,
      fill_id: `f${account.fills.length + 1}-${order.venue_order_id}`,
      client_order_id: order.client_order_id,
      venue_order_id: order.venue_order_id,
      instrument: order.instrument,
      side: order.side,
      price: order.price === 0 ? this.#price : order.price,
      quantity,
      fee: "0",
      liquidity: "taker",
      time_us,
    };
    account.fills.push(fill);
    this.#tell(account, { ...order, filled, state, updated_us: time_us }, fill);
  }

  #tell(account: Account, order: OrderSnapshot, fill: VenueFill | null): void {
    account.orders.set(order.client_order_id, order);
    for (const listener of account.listeners) listener(order, fill);
  }
}
