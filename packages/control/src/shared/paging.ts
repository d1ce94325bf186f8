/** Lists by pages: the same two fields everywhere, and a cursor that names the last row that was shown. */
import { Type } from "@sinclair/typebox";
import { encodeCursor } from "./sql.ts";

/** Input of every list that comes in pages; without a `limit` the page has fifty rows. */
export const PAGE_FIELDS = {
  cursor: Type.Optional(Type.String({ maxLength: 512 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })),
} as const;

/** The page of `rows`, of which one more than `limit` was asked for; the next one begins behind the place of its last row. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  placeOf: (row: Row) => Parameters<typeof encodeCursor>[0],
): { readonly page: readonly Row[]; readonly next_cursor: string | null } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, next_cursor: rows.length > limit && last !== undefined ? encodeCursor(placeOf(last)) : null };
}
