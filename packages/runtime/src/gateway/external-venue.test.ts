import type { ClientOrderId } from "@rumi/kernel";
import { DEMO_INSTRUMENT, type ExecutionReport, type NewOrder, type OrderSnapshot, type VenueFill } from "@rumi/venues";
import { describe, expect, it } from "vitest";
import { ExternalVenue } from "./external-venue.ts";
import { GATEWAY_LIMITS } from "./limits.ts";
import type { Outgoing, VenueReport } from "./reports.ts";

const id = (text: string): ClientOrderId => text as ClientOrderId;
const order = (text: string, quantity = 10): NewOrder => ({
  client_order_id: id(text),
  instrument: 0,
  side: "buy",
  type: "limit",
  time_in_force: "gtc",
  price: 100,
  quantity,
  reduce_only: false,
  post_only: false,
});
const snapshot = (text: string, change: Partial<OrderSnapshot> = {}): VenueReport => ({
  kind: "order",
  order: {
    client_order_id: id(text),
    venue_order_id: `v-${text}`,
    instrument: 0,
    side: "buy",
    price: 100,
    quantity: 10,
    filled: 0,
    state: "open",
    reason_code: null,
    updated_us: 1,
    ...change,
  },
});
const fill = (text: string, number: number, quantity: number, change: Partial<VenueFill> = {}): VenueReport => ({
  kind: "fill",
  fill: {
    number,
    fill_id: `f${number}`,
    client_order_id: id(text),
    venue_order_id: `v-${text}`,
    instrument: 0,
    side: "buy",
    price: 100,
    quantity,
    fee: "7",
    liquidity: "maker",
    time_us: number,
    ...change,
  },
});
const refused = (text: string, action: "submit" | "cancel" | "amend", reason_code = "M.VENUE.BUSY"): VenueReport => ({
  kind: "refused",
  action,
  client_order_id: id(text),
  reason_code,
  time_us: 5,
});

function venue(): { readonly venue: ExternalVenue; readonly hear: (...reports: VenueReport[]) => string[] } {
  const made = new ExternalVenue([DEMO_INSTRUMENT]);
  const hear = (...reports: VenueReport[]): string[] => {
    const out: ExecutionReport[] = [];
    for (const report of reports) made.take(report, out);
    return out.map((one) => `${one.kind}${one.reason_code === null ? "" : ` ${one.reason_code}`}`);
  };
  return { venue: made, hear };
}

describe("a venue outside, as the machine sees it", () => {
  const rows: readonly (readonly [string, readonly VenueReport[], readonly string[]])[] = [
    [
      "accepted, filled in parts",
      [snapshot("a"), fill("a", 1, 4), fill("a", 2, 6)],
      ["accepted", "partially_filled", "filled"],
    ],
    [
      "the fill is heard before the acceptance",
      [fill("a", 1, 10), snapshot("a", { state: "filled", filled: 10 })],
      ["accepted", "filled"],
    ],
    [
      "every word twice",
      [snapshot("a"), snapshot("a"), fill("a", 1, 4), fill("a", 1, 4)],
      ["accepted", "partially_filled"],
    ],
    [
      "an older word after a younger one",
      [snapshot("a", { updated_us: 9, price: 101 }), snapshot("a", { updated_us: 2 })],
      ["accepted", "amended"],
    ],
    [
      "cancelled, and a fill of before is heard late: it ends only then",
      [snapshot("a"), snapshot("a", { state: "cancelled", filled: 4, updated_us: 3 }), fill("a", 1, 4)],
      ["accepted", "partially_filled", "cancelled"],
    ],
    [
      "rejected at once",
      [snapshot("a", { state: "rejected", reason_code: "M.VENUE.PRICE" })],
      ["rejected M.VENUE.PRICE"],
    ],
    ["certainly not done", [refused("a", "submit")], ["rejected M.VENUE.BUSY"]],
    ["a refusal after the venue took it is no word about it", [snapshot("a"), refused("a", "submit")], ["accepted"]],
    [
      "amendment and cancel nobody asked for cannot be refused",
      [snapshot("a"), refused("a", "cancel"), refused("a", "amend")],
      ["accepted"],
    ],
    ["orders and fills of somebody else", [snapshot("b"), fill("b", 3, 5), refused("b", "submit")], []],
  ];
  it.each(rows)("%s", (_, reports, expected) => {
    const { venue: made, hear } = venue();
    made.submit(order("a"), 1);
    expect(hear(...reports)).toEqual(expected);
    expect(hear(...reports), "said again, nothing is new").toEqual([]);
  });

  it("a cancel that came before the order left ends it as cancelled; positions count each fill once, also after the end", () => {
    const { venue: made, hear } = venue();
    made.submit(order("a"), 1);
    made.cancel(id("a"));
    expect(hear(refused("a", "submit", "M.GATEWAY.CANCELLED_UNSENT"))).toEqual([
      "cancelled M.GATEWAY.CANCELLED_UNSENT",
    ]);
    expect(hear(fill("a", 1, 3)), "it got there after all").toEqual(["filled"]);
    expect(hear(fill("a", 1, 3), { kind: "fills_up_to", number: 1 }, fill("a", 1, 3))).toEqual([]);
    expect(made.positions()[0]).toMatchObject({ quantity: 3, fees: 7n, cash: -307n });
    expect(made.fillsUpTo).toBe(1);
  });

  it("sends only while it is live, and restore of a save is the same venue, unsettled matters included", () => {
    const { venue: made, hear } = venue();
    const sent: Outgoing[] = [];
    made.submit(order("a"), 1);
    made.onOutgoing = (request) => sent.push(request);
    made.submit(order("b"), 2);
    made.amend(id("b"), { price: 90, quantity: 9 });
    made.cancelAll();
    expect(sent.map((one) => one.kind)).toEqual(["submit", "amend", "cancel", "cancel"]);
    hear(snapshot("b"), fill("b", 2, 4), snapshot("b", { state: "cancelled", filled: 6, updated_us: 2 }));
    const again = new ExternalVenue([DEMO_INSTRUMENT]);
    again.restore(made.save());
    expect(Buffer.from(again.save()).toString()).toBe(Buffer.from(made.save()).toString());
    expect(again.live().map((one) => [one.order.client_order_id, one.state, one.cancel_wished])).toEqual([
      ["a", "sent", true],
      ["b", "open", true],
    ]);
    const out: ExecutionReport[] = [];
    again.take(fill("b", 3, 2), out);
    expect(out.map((one) => one.kind)).toEqual(["partially_filled", "cancelled"]);
    expect(() => new ExternalVenue([]).restore(made.save())).toThrow("RUMI-MKT-008");
    expect(() => again.restore(new TextEncoder().encode("{"))).toThrow("RUMI-MKT-008");
  });

  it("remembers so many finished orders and no more", () => {
    const { venue: made, hear } = venue();
    for (let n = 0; n <= GATEWAY_LIMITS.finished_orders; n += 1) {
      made.submit(order(`o${n}`), n);
      hear(refused(`o${n}`, "submit"));
    }
    expect([made.isFinished("o0"), made.isFinished("o1")]).toEqual([false, true]);
  });
});
