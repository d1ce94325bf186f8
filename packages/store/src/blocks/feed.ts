/**
 * The change feed: what the console and other watchers are told, in the order of its commits.
 *
 * Written in the batch that makes the change; read after a sequence number, which is what server-sent
 * events carry as Last-Event-ID. Bounded: old rows go, and a reader that fell behind is told so.
 * In PostgreSQL the sealer numbers rows after their commit, so that no reader sees 7 before 6.
 */
import type { Micros } from "@rumi/kernel";
import { sql, type Generated } from "kysely";
import { compiledText, write } from "../builder.ts";
import type { Reader, Store, Write } from "../port.ts";

export type FeedRow = {
  readonly seq: number;
  readonly kind: string;
  readonly key: string;
  /** JSON text. */ readonly data: string;
  readonly at: Micros;
};
type Columns = { -readonly [name in keyof FeedRow]: FeedRow[name] };
export type FeedTables = { change_feed: Omit<Columns, "seq"> & { seq: Generated<number> } };

/** Rows kept by {@link trimFeedWrite} unless the caller names another number. */
export const FEED_ROWS_KEPT = 100_000;

type Sql = Pick<Store, "builder">;

const INSERT_ROW = compiledText<FeedTables>((db) =>
  db.insertInto("change_feed").values({ kind: "", key: "", data: "", at: 0 as Micros }),
);

export function feedWrite(store: Sql, { kind, key, data, at }: Omit<FeedRow, "seq">): Write {
  return { sql: INSERT_ROW(store), parameters: [kind, key, data, at], expect: 1 };
}

export type FeedPage = {
  readonly rows: readonly FeedRow[];
  /** True when rows after the asked-for number are gone already: read the state afresh. */
  readonly gap: boolean;
};

/** Rows after `seq`, oldest first. `seq` 0 reads from the beginning of what is kept and is never a gap. */
export async function readFeed(store: Sql, reader: Reader, seq: number, limit: number): Promise<FeedPage> {
  const [bounds] = await reader.rows<{ first: number | null }>(
    store
      .builder<FeedTables>()
      .selectFrom("change_feed")
      .select(sql<number | null>`min(seq)`.as("first")),
  );
  const rows = await reader.rows<FeedRow>(
    store
      .builder<FeedTables>()
      .selectFrom("change_feed")
      .select(["seq", "kind", "key", "data", "at"])
      .where("seq", ">", seq)
      .orderBy("seq")
      .limit(limit),
  );
  const first = bounds?.first ?? null;
  return { rows, gap: seq > 0 && first !== null && first > seq + 1 };
}

/** The newest sequence number, 0 when there is none: where a new watcher begins. */
export async function feedEnd(store: Sql, reader: Reader): Promise<number> {
  const [row] = await reader.rows<{ last: number | null }>(
    store
      .builder<FeedTables>()
      .selectFrom("change_feed")
      .select(sql<number | null>`max(seq)`.as("last")),
  );
  return row?.last ?? 0;
}

/** Deletes all but the newest `kept` rows. */
export function trimFeedWrite(store: Sql, kept: number = FEED_ROWS_KEPT): Write {
  const end = store
    .builder<FeedTables>()
    .selectFrom("change_feed")
    .select(sql<number>`max(seq) - ${kept}`.as("end"));
  return write(store.builder<FeedTables>().deleteFrom("change_feed").where("seq", "<=", end), "any");
}
