/**
 * Which columns a list has at a terminal: those that answer what somebody asked it for.
 *
 * Rows of the journal's views keep what happened in an inner record; a plain table of their own fields would show ids
 * alone. Everything is in `--json`.
 */
import { isoFromMicros, micros } from "@rumi/kernel";

type Row = Readonly<Record<string, unknown>>;
export type ListTable = { readonly columns: readonly string[]; readonly rows: readonly Row[] };

/** List → its rows' inner record, and the fields of both in the order in which they are read. */
const VIEWS: Readonly<Record<string, { readonly inner: string; readonly columns: readonly string[] }>> = {
  fills: {
    inner: "fill",
    columns: ["at", "bot_id", "side", "quantity", "price", "instrument_id", "fee", "liquidity", "client_order_id"],
  },
  orders: {
    inner: "report",
    columns: ["at", "bot_id", "status", "side", "instrument_id", "remaining", "reason_code", "client_order_id"],
  },
  intents: {
    inner: "intent",
    columns: [
      "at",
      "bot_id",
      "kind",
      "side",
      "quantity",
      "target",
      "instrument_id",
      "verdict",
      "reason_code",
      "client_order_id",
    ],
  },
};
const COLUMNS_MAX = 9;

/** `list` is the name under which the rows came. */
export function tableOf(list: string, rows: readonly Row[]): ListTable {
  const view = VIEWS[list];
  if (view !== undefined && rows.every((row) => isRecord(row[view.inner]))) {
    const opened = rows.map((row): Row => {
      const inner = row[view.inner];
      const at = typeof row["at_us"] === "number" ? { at: isoFromMicros(micros(row["at_us"])) } : {};
      return { ...(isRecord(inner) ? inner : {}), ...row, ...at };
    });
    return { columns: view.columns, rows: opened };
  }
  const plain = rows.flatMap((row) =>
    Object.keys(row).filter((key) => typeof row[key] !== "object" || row[key] === null),
  );
  return { columns: [...new Set(plain)].slice(0, COLUMNS_MAX), rows };
}

const isRecord = (value: unknown): value is Row => typeof value === "object" && value !== null && !Array.isArray(value);
