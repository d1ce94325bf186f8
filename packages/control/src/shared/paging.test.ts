import { expect, it } from "vitest";
import { pageOf } from "./paging.ts";
import { decodeCursor } from "./sql.ts";

it("a page has at most its limit, and another one follows only where a row is left", () => {
  const rows = [1, 2, 3];
  const place = (row: number) => [row];
  expect(pageOf([], 2, place)).toEqual({ page: [], next_cursor: null });
  expect(pageOf(rows, 3, place)).toEqual({ page: rows, next_cursor: null });
  const { page, next_cursor } = pageOf(rows, 2, place);
  expect(page).toEqual([1, 2]);
  expect(decodeCursor(next_cursor ?? undefined, ["number"])).toEqual({ ok: true, value: [2] });
});
