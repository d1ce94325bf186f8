import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allocateColumns, mergeFeeds, sliceByTime, sliceColumns } from "./columns.ts";
import type { TradeColumns } from "./types.ts";

function feed(times: readonly number[], firstId: number): TradeColumns {
  const columns = allocateColumns(times.length);
  columns.received_time_us.set(times);
  times.forEach((_, row) => (columns.trade_id[row] = firstId + row));
  return columns;
}

describe("columns", () => {
  it("joining loses nothing, orders by received time and keeps the order of equal times", () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(12), { maxLength: 40 }), { minLength: 1, maxLength: 5 }), (files) => {
        const joined = mergeFeeds(
          files.map((times, index) => ({
            columns: feed(times, index * 1_000),
            instruments: [index],
          })),
        );
        const expected = files
          .flatMap((times, index) => times.map((time, row) => ({ time, id: index * 1_000 + row, instrument: index })))
          .toSorted((a, b) => a.time - b.time || a.id - b.id);
        expect([...joined.trade_id]).toEqual(expected.map((row) => row.id));
        expect([...joined.received_time_us]).toEqual(expected.map((row) => row.time));
        expect([...joined.instrument]).toEqual(expected.map((row) => row.instrument));
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it("slices by row and by time", () => {
    const columns = feed([1, 2, 2, 5, 9], 0);
    expect([...sliceColumns(columns, 1, 99).trade_id]).toEqual([1, 2, 3, 4]);
    expect([...sliceByTime(columns, 2, 9).trade_id]).toEqual([1, 2, 3]);
    expect(sliceByTime(columns, 10, 20).length).toBe(0);
  });
});
