/** The layouts of trade files that are known, as rows of column roles; docs/formats/recordings.md shows them. */
import type { RecordingFormat } from "../types.ts";

export type KnownFormat = Exclude<RecordingFormat, "auto">;

export type Role =
  | "id"
  | "price"
  | "quantity"
  | "time"
  | "local_time"
  | "side"
  | "name"
  /** True when the buyer was the maker, so that the seller was the aggressor. */
  | "buyer_is_maker"
  /** Checked for its form, then left out. */
  | "unused_integer"
  | "unused_decimal"
  | "unused_boolean";

export type Layout = {
  readonly format: KnownFormat;
  readonly variant: string;
  readonly columns: readonly Role[];
  /** Whether ids rise by one, so that a missing id is a missing trade. */
  readonly consecutive_ids: boolean;
  /** Tardis says microseconds; Binance files are told apart by the size of their first time. */
  readonly time_unit: "us" | "by_size";
};

const AGGREGATE = ["id", "price", "quantity", "unused_integer", "unused_integer", "time", "buyer_is_maker"] as const;
const SINGLE = ["id", "price", "quantity", "unused_decimal", "time", "buyer_is_maker"] as const;
const binance = { consecutive_ids: true, time_unit: "by_size" } as const;

export const LAYOUTS: readonly Layout[] = [
  {
    ...binance,
    format: "binance_agg_trades",
    variant: "spot",
    columns: [...AGGREGATE, "unused_boolean"],
  },
  { ...binance, format: "binance_agg_trades", variant: "futures", columns: AGGREGATE },
  { ...binance, format: "binance_trades", variant: "spot", columns: [...SINGLE, "unused_boolean"] },
  { ...binance, format: "binance_trades", variant: "futures", columns: SINGLE },
  {
    format: "tardis_trades",
    variant: "trades",
    columns: ["name", "name", "time", "local_time", "id", "side", "price", "quantity"],
    consecutive_ids: false,
    time_unit: "us",
  },
];

/** For messages. */
export const KNOWN_LAYOUTS =
  "binance_agg_trades (8 or 7 columns), binance_trades (7 or 6 columns), tardis_trades (8 columns)";

/** Whether a first line that holds no data is the column header of a known layout. */
export function isKnownHeader(line: string): boolean {
  const names = line.split(",").map((name) => name.toLowerCase().replace(/[^a-z0-9]/g, ""));
  if (names.join(",") === "exchange,symbol,timestamp,localtimestamp,id,side,price,amount") return true;
  return (
    names.length >= 6 &&
    names.length <= 8 &&
    /^(id|a|tradeid|aggtradeid|aggregatetradeid)$/.test(names[0] ?? "") &&
    names[1] === "price" &&
    (names[2] === "quantity" || names[2] === "qty")
  );
}
