/**
 * Remembers what was read from tables that hardly ever change: what every command asks for (modes, holds, gates, rules)
 * is read from SQLite once for each change of it, not once for each command.
 *
 * How to think: this process is the only writer of the file, and every batch passes here on its way to the writer. From
 * the moment a group is sent until it is answered nobody knows which of its rows a reader sees, so a table that it
 * writes is neither remembered nor recalled meanwhile, and what was known of it is forgotten. A snapshot recalls only
 * from tables to which nothing was sent since it began; it then sees exactly what SQLite would tell it.
 *
 * Invariants (read-memory.test.ts)
 * - A snapshot sees one moment, whether a row of it is remembered or read.
 * - Whoever saw a commit's answer reads what it wrote; a store that is opened knows nothing.
 * - Nothing is remembered of the log, of texts that leave a doubt, or where the schema lets one table change another.
 */
import type { Statement } from "../port.ts";
import type { SqlValue } from "../values.ts";
import { leavesRows, tableRead, tableWritten } from "./statement-tables.ts";

export type Rows = readonly Readonly<Record<string, SqlValue>>[];
export type ReadMemory = {
  /** These writes go to the writer. */
  sent(writes: readonly Statement[]): void;
  /** What was sent last is answered, however it ended. */
  answered(): void;
  /** Stamps a snapshot that begins now. */
  stamp(): number;
  /** What the snapshot of this stamp would read; undefined where it has to. */
  recall(statement: Statement, stamp: number): Rows | undefined;
  /** Remembers what the snapshot of this stamp has read, where that is safe; nobody may change these rows from here on. */
  keep(statement: Statement, stamp: number, rows: Rows): void;
};

export const READ_MEMORY_LIMITS = {
  /** Moments (a snapshot, a group sent or answered) for which a table must have been left alone. */
  quiet_for: 64,
  /** Rows of one answer. */
  rows: 64,
  /** Answers for each table; with one more its memory begins anew. */
  answers: 64,
  /** Texts of which is known what they read or write. */
  texts: 1_024,
} as const;

/** The store's own, which the writer changes beside the batches. */
const LOG = "log_";

export function readMemory(): ReadMemory {
  let time = 0;
  const touched = new Map<string, number>();
  let allTouched = 0;
  /** Tables of what is on its way; null where one of them is in doubt. */
  let inFlight: ReadonlySet<string> | null = new Set();
  const answers = new Map<string, Map<string, Rows>>();
  const reads = remembering(tableRead);
  const writes = remembering(tableWritten);

  function touch(): void {
    time += 1;
    if (inFlight === null) {
      allTouched = time;
      answers.clear();
    } else
      for (const table of inFlight) {
        touched.set(table, time);
        answers.delete(table);
      }
  }

  const touchedAt = (table: string): number => Math.max(allTouched, touched.get(table) ?? 0);
  const isStill = (table: string, stamp: number): boolean =>
    inFlight !== null && !inFlight.has(table) && touchedAt(table) < stamp;

  return {
    sent: (batch) => {
      const tables = new Set<string>();
      inFlight = tables;
      for (const statement of batch) {
        const table = writes(statement.sql);
        if (table === null) inFlight = null;
        else if (!tables.has(table) && !leavesRows(statement)) tables.add(table);
      }
      touch();
    },
    answered: () => {
      touch();
      inFlight = new Set();
    },
    stamp: () => (time += 1),
    recall: (statement, stamp) => {
      const table = reads(statement.sql);
      return table !== null && isStill(table, stamp) ? answers.get(table)?.get(keyOf(statement)) : undefined;
    },
    keep: (statement, stamp, rows) => {
      const table = reads(statement.sql);
      if (table === null || table.startsWith(LOG) || !isStill(table, stamp)) return;
      if (time - touchedAt(table) < READ_MEMORY_LIMITS.quiet_for || rows.length > READ_MEMORY_LIMITS.rows) return;
      if (rows.some((row) => Object.values(row).some((value) => value instanceof Uint8Array))) return;
      const ofTable = answers.get(table) ?? new Map<string, Rows>();
      if (ofTable.size >= READ_MEMORY_LIMITS.answers) ofTable.clear();
      for (const row of rows) Object.freeze(row);
      answers.set(table, ofTable.set(keyOf(statement), Object.freeze(rows)));
    },
  };
}

/** Another key for every other text or parameter. */
function keyOf({ sql, parameters }: Statement): string {
  return parameters.length === 0 ? sql : `${sql}\0${JSON.stringify(parameters)}`;
}

function remembering<T>(tell: (sql: string) => T): (sql: string) => T {
  const known = new Map<string, T>();
  return (sql) => {
    const before = known.get(sql);
    if (before !== undefined) return before;
    const told = tell(sql);
    if (known.size >= READ_MEMORY_LIMITS.texts) known.clear();
    known.set(sql, told);
    return told;
  };
}

/** What makes one table change with another, or a name stand for several. */
export const HIDDEN_WRITES =
  "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view') OR sql LIKE '% ON DELETE %' OR sql LIKE '% ON UPDATE %' LIMIT 1";
