/** Freezes, incidents and locks; a row is never deleted, lifting it is a fact of its own. */
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import type { KillScope } from "@rumi/runtime";
import { first, type Sql } from "../shared/sql.ts";

/** From the mildest to the strictest. */
export const HOLD_KINDS = ["freeze", "incident", "lock"] as const;
export type HoldKind = (typeof HOLD_KINDS)[number];

export type HoldRow = {
  hold_id: string;
  kind: HoldKind;
  scope: KillScope;
  id: string;
  reason: string;
  set_by: string;
  set_at: number;
  /** From then on it waits for a review, and holds. */
  ends_at: number | null;
  lifted_at: number | null;
  lifted_by: string | null;
};
/** Rises with every hold that is set. */
type HeadRow = { one: number; generation: number };
export type HoldTables = { hold: HoldRow; hold_head: HeadRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE hold (
    hold_id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('freeze', 'incident', 'lock')),
    scope TEXT NOT NULL CHECK (scope IN ('all', 'venue', 'group_id', 'bot_id', 'strategy_id')), id TEXT NOT NULL,
    reason TEXT NOT NULL, set_by TEXT NOT NULL, set_at ${integer} NOT NULL, ends_at ${integer},
    lifted_at ${integer}, lifted_by TEXT)`,
  "CREATE INDEX hold_in_force ON hold (set_at, hold_id) WHERE lifted_at IS NULL",
];
const headStatements = (integer: string): readonly string[] => [
  `CREATE TABLE hold_head (one ${integer} NOT NULL PRIMARY KEY CHECK (one = 1), generation ${integer} NOT NULL)`,
  "INSERT INTO hold_head (one, generation) VALUES (1, 0)",
];
export const HOLD_MIGRATIONS: Migrations = {
  owner: "control.holds",
  steps: [
    { name: "001-holds", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-head", sqlite: headStatements("INTEGER"), postgres: headStatements("BIGINT") },
  ],
};

// Every command about a bot passes here.
const SELECT_IN_FORCE = compiledText<HoldTables>((db) =>
  db.selectFrom("hold").selectAll().where("lifted_at", "is", null).orderBy("set_at").orderBy("hold_id"),
);
const SELECT_HEAD = compiledText<HoldTables>((db) => db.selectFrom("hold_head").selectAll());
const FENCE = compiledText<HoldTables>((db) =>
  db.updateTable("hold_head").set({ generation: 0 }).where("one", "=", 1).where("generation", "=", 0),
);

/** Those in force, oldest first. */
export function readHolds(reader: Reader, sql: Sql): Promise<readonly HoldRow[]> {
  return reader.rows<HoldRow>({ sql: SELECT_IN_FORCE(sql), parameters: [] });
}

export function readHold(reader: Reader, sql: Sql, hold_id: string): Promise<HoldRow | undefined> {
  return first<HoldRow>(
    reader,
    sql.builder<HoldTables>().selectFrom("hold").selectAll().where("hold_id", "=", hold_id),
  );
}

export const insertHold = (sql: Sql, row: HoldRow): Write =>
  write(sql.builder<HoldTables>().insertInto("hold").values(row), 1);

/** Goes with every hold that is set: by it a start that was judged before finds out. */
export function holdsChanged(sql: Sql): Write {
  const rise = sql
    .builder<HoldTables>()
    .updateTable("hold_head")
    .set((of) => ({ generation: of("generation", "+", 1) }));
  return write(rise.where("one", "=", 1), 1);
}

/** Fits while no hold has been set since this reading. */
export async function holdFence(reader: Reader, sql: Sql): Promise<Write> {
  const [head] = await reader.rows<HeadRow>({ sql: SELECT_HEAD(sql), parameters: [] });
  if (head === undefined) throw new Error("the head of the holds is missing");
  return { sql: FENCE(sql), parameters: [head.generation, 1, head.generation], expect: 1 };
}

export const liftHold = (sql: Sql, hold_id: string, by: string, now: number): Write =>
  write(
    sql
      .builder<HoldTables>()
      .updateTable("hold")
      .set({ lifted_at: now, lifted_by: by })
      .where("hold_id", "=", hold_id)
      .where("lifted_at", "is", null),
    1,
  );
