import { describe, expect, it } from "vitest";
import { changesIn } from "../../answers/diff.ts";
import { moveIn, poolIn, preflightIn } from "./known.ts";
import { columnsOf, COLUMNS_SHOWN, isRecord, isScalar } from "./shape-of.ts";

const item = { item: "capital", state: "FAIL", error_code: "RUMI-RSK-001", message: "too little", next: "raise it" };

describe("what a dry run says", () => {
  it("[G-9.1] is known by name only where it has the form of that name", () => {
    expect(moveIn({ from: "IDLE", to: "RUNNING_LIVE" })).toEqual({ from: "IDLE", to: "RUNNING_LIVE" });
    expect(preflightIn({ report_id: "r", passed: false, items: [item] })?.items).toEqual([item]);
    for (const other of [null, "IDLE", { from: "IDLE" }, [], { items: [{ ...item, state: "MAYBE" }] }])
      expect([moveIn(other), preflightIn(other), poolIn(other)]).toEqual([null, null, null]);
  });
  it("[G-9.1] a pool without a size of its own is as large as what its account holds; a short one says so", () => {
    const pool = { pool_id: "main", size: null, balance: "100", allocated: "40", free: "60", state: "covered" };
    expect(poolIn(pool)).toEqual({
      isShort: false,
      values: { pool: "main", allocated: "40", free: "60", size: "100" },
    });
    expect(poolIn({ ...pool, size: "50", state: "short" })).toMatchObject({ isShort: true, values: { size: "50" } });
  });
  it("[G-9.1] anything else is laid out by its shape: no column is empty, and not more than can be read", () => {
    const wide = Object.fromEntries(Array.from({ length: COLUMNS_SHOWN + 2 }, (_, at) => [`c${at}`, at]));
    expect(columnsOf([{ a: null, b: 1 }, { c: 2 }])).toEqual({ columns: ["b", "c"], more: 0 });
    expect(columnsOf([wide])).toMatchObject({ more: 2 });
    expect([isScalar(null), isScalar(undefined), isScalar([]), isScalar({})]).toEqual([true, true, false, false]);
    expect([isRecord({}), isRecord([]), isRecord(null)]).toEqual([true, false, false]);
  });
  it("[G-9.1] a diff is read whole or not at all; values that are withheld are not made up", () => {
    expect(changesIn([{ field: "a", before: 1, after: null }])).toEqual([{ field: "a", before: 1, after: null }]);
    expect(changesIn([{ field: "a" }])).toEqual([{ field: "a", before: undefined, after: undefined }]);
    for (const none of [null, {}, [1], [{ field: 2 }], "x"]) expect(changesIn(none)).toBeNull();
  });
});
