/** One row for each bot that runs under stop conditions: what was seen, what tripped, and who has acknowledged it. */
import type { StopConditions } from "@rumi/runtime";
import { compiledText, write, type Reader, type Write } from "@rumi/store";
import { jsonOf, type Sql } from "../shared/sql.ts";
import { UNWATCHED, type Tripped, type Watched } from "./stops.ts";

export type StopRow = {
  bot_id: string;
  /** JSON of {@link StopConditions}. */
  conditions: string;
  /** JSON of {@link Watched}. */
  watched: string;
  /** JSON of {@link Tripped}. */
  tripped: string | null;
  tripped_at: number | null;
  /** 1 once its instances are told to stop. */
  acted: number;
  acknowledged_by: string | null;
  acknowledged_at: number | null;
  row_version: number;
};
export type StopTables = { stop_watch: StopRow };

export const stopStatements = (integer: string): readonly string[] => [
  `CREATE TABLE stop_watch (
    bot_id TEXT NOT NULL PRIMARY KEY, conditions TEXT NOT NULL, watched TEXT NOT NULL, tripped TEXT, tripped_at ${integer},
    acted ${integer} NOT NULL, acknowledged_by TEXT, acknowledged_at ${integer}, row_version ${integer} NOT NULL)`,
  "CREATE INDEX stop_watch_to_act ON stop_watch (bot_id) WHERE tripped IS NOT NULL AND acted = 0",
];

const SELECT = compiledText<StopTables>((db) => db.selectFrom("stop_watch").selectAll().where("bot_id", "=", ""));

export async function readStops(reader: Reader, sql: Sql, bot_id: string): Promise<StopRow | undefined> {
  return (await reader.rows<StopRow>({ sql: SELECT(sql), parameters: [bot_id] }))[0];
}

/** Most that one round of the reconciler takes. */
const TRIPPED_PER_ROUND = 1_000;

export function readTripped(reader: Reader, sql: Sql): Promise<readonly StopRow[]> {
  return reader.rows<StopRow>(
    sql
      .builder<StopTables>()
      .selectFrom("stop_watch")
      .selectAll()
      .where("tripped", "is not", null)
      .where("acted", "=", 0)
      .orderBy("bot_id")
      .limit(TRIPPED_PER_ROUND),
  );
}

export const trippedOf = ({ tripped }: StopRow): Tripped | null => (tripped === null ? null : jsonOf<Tripped>(tripped));

/** Tripped, and nobody has said that they have seen it. */
export const isOpen = (row: StopRow | undefined): row is StopRow =>
  row !== undefined && row.tripped !== null && row.acknowledged_at === null;

export function updateStops(sql: Sql, row: StopRow, change: Partial<Omit<StopRow, "bot_id" | "row_version">>): Write {
  return write(
    sql
      .builder<StopTables>()
      .updateTable("stop_watch")
      .set({ ...change, row_version: row.row_version + 1 })
      .where("bot_id", "=", row.bot_id)
      .where("row_version", "=", row.row_version),
    1,
  );
}

/** What a start leaves: counted anew for a new run, on with what was counted for one that goes on. */
export function watchWrites(
  sql: Sql,
  row: StopRow | undefined,
  of: { readonly bot_id: string; readonly conditions: StopConditions; readonly goes_on: boolean },
): readonly Write[] {
  const conditions = JSON.stringify(of.conditions);
  const watches = Object.keys(of.conditions).length > 0;
  const anew = {
    conditions,
    watched: JSON.stringify(UNWATCHED),
    tripped: null,
    tripped_at: null,
    acted: 0,
    acknowledged_by: null,
    acknowledged_at: null,
  };
  if (row === undefined) {
    const first = { bot_id: of.bot_id, ...anew, row_version: 1 };
    return watches ? [write(sql.builder<StopTables>().insertInto("stop_watch").values(first), 1)] : [];
  }
  return [updateStops(sql, row, of.goes_on ? { conditions } : anew)];
}

export type Seen = { readonly watched: Watched; readonly tripped: Tripped | null };

/** What a report changes of it; nothing where it says nothing new. The first trip stays. */
export function seenWrites(sql: Sql, row: StopRow, seen: Seen, now: number): readonly Write[] {
  const watched = JSON.stringify(seen.watched);
  const trips = seen.tripped !== null && row.tripped === null;
  if (!trips && watched === row.watched) return [];
  return [
    updateStops(sql, row, {
      watched,
      ...(trips ? { tripped: JSON.stringify(seen.tripped), tripped_at: now, acted: 0 } : {}),
    }),
  ];
}
