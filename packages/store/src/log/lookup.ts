/**
 * The lookup of the audit log: which entries belong to a trace, a run, a request, a resource or a kind.
 *
 * How to think: an index that is kept with every entry dirties a page of its own for almost each of its words, and
 * those pages were most of what a commit had to write. So entries join the lookup a chunk at a time, sorted, in the
 * transaction that completes the chunk. Whoever searches reads the lookup up to its head and scans the few entries
 * behind it (audit-query.ts); nothing is ever found late.
 *
 * Invariant: every entry below `log_lookup_head.size` is in the lookup with all its words (conformance.ts).
 */

/** Entries that join the lookup together; as many may have to be scanned by a search. */
export const LOOKUP_CHUNK = 1_024;

export type LookupTables = {
  log_lookup: { word: string; idx: number };
  log_lookup_head: { size: number };
};

/** Words of one entry, each a letter and a value; the letters keep the kinds apart. */
const WORDS = {
  action: "'a' || action",
  resource: "'r' || resource_type || ' ' || resource_id",
  trace_id: "'t' || trace_id",
  run_id: "'n' || run_id",
  request_id: "'q' || request_id",
} as const;
const NULLABLE: ReadonlySet<string> = new Set(["run_id", "request_id"]);

export const lookupWord = {
  action: (action: string): string => `a${action}`,
  resource: (type: string, id: string): string => `r${type} ${id}`,
  trace_id: (id: string): string => `t${id}`,
  run_id: (id: string): string => `n${id}`,
  request_id: (id: string): string => `q${id}`,
} as const;

/** Puts the entries of `range` (an SQL condition on idx) into the lookup, in the order of its own pages. */
function fill(range: string): string {
  const parts = Object.entries(WORDS).map(([column, word]) => {
    const present = NULLABLE.has(column) ? ` AND ${column} IS NOT NULL` : "";
    return `SELECT ${word} AS word, idx FROM log_entry WHERE ${range}${present}`;
  });
  return `INSERT INTO log_lookup (word, idx) SELECT word, idx FROM (${parts.join(" UNION ALL ")}) AS words ORDER BY word, idx`;
}

/** Fills from the lookup's head to a bound that is the statement's one parameter; then {@link moveHead} to the same. */
export const fillLookup = (parameter: "?1" | "$1"): string =>
  fill(`idx >= (SELECT size FROM log_lookup_head) AND idx < ${parameter}`);
export const moveHead = (parameter: "?1" | "$1"): string => `UPDATE log_lookup_head SET size = ${parameter}`;

/** The bound up to which entries are to be in the lookup of a log of `size`, if the step from `before` made it move. */
export function lookupBound(before: number, size: number): number | undefined {
  const bound = size - (size % LOOKUP_CHUNK);
  return bound > before - (before % LOOKUP_CHUNK) ? bound : undefined;
}

/** The schema's step; entries that are there join at once. */
export function lookupStep(integer: string, clustered: string): readonly string[] {
  return [
    `CREATE TABLE log_lookup (word TEXT NOT NULL, idx ${integer} NOT NULL, PRIMARY KEY (word, idx))${clustered}`,
    `CREATE TABLE log_lookup_head (size ${integer} NOT NULL)`,
    fill("idx >= 0"),
    "INSERT INTO log_lookup_head (size) SELECT coalesce(max(idx) + 1, 0) FROM log_entry",
    ...["action", "resource", "trace", "run", "request"].map((name) => `DROP INDEX log_entry_${name}`),
  ];
}
