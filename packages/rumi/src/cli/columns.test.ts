import { describe, expect, it } from "vitest";
import { tableOf } from "./columns.ts";

describe("the columns of a list", () => {
  it("show what was filled, out of the row's inner record", () => {
    const fill = { side: "buy", quantity: "0.3", price: "100.1", fee: "0", liquidity: "taker", instrument_id: "A.B" };
    const { columns, rows } = tableOf("fills", [{ run_id: "r", at_us: 1_767_603_600_000_001, bot_id: "b", fill }]);
    expect(columns.map((column) => rows[0]?.[column])).toEqual([
      "2026-01-05T09:00:00.000001Z",
      "b",
      "buy",
      "0.3",
      "100.1",
      "A.B",
      "0",
      "taker",
      undefined,
    ]);
  });
  it("are a row's own fields everywhere else, nine at most", () => {
    const row = Object.fromEntries("abcdefghijk".split("").map((name) => [name, 1]));
    expect(tableOf("packs", [{ ...row, inner: {} }]).columns).toEqual("abcdefghi".split(""));
    expect(tableOf("fills", [{ seq: 1 }]).columns).toEqual(["seq"]);
    expect(tableOf("fills", []).columns).toEqual([
      "at",
      "bot_id",
      "side",
      "quantity",
      "price",
      "instrument_id",
      "fee",
      "liquidity",
      "client_order_id",
    ]);
  });
});
