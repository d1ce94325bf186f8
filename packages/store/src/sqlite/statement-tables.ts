/**
 * Which table a statement reads or writes, told from its text.
 *
 * How to think: only shapes that leave no doubt are told; for every other text the answer is null, and whoever asks has to
 * think of any table. The texts come from one compiler, which quotes every name, so a word outside quotation marks is a
 * keyword or something that is not known here (read-memory.test.ts).
 */
import type { Statement } from "../port.ts";

const READ_WORDS: ReadonlySet<string> = new Set(
  "select from where and or not in is null order by asc desc limit".split(" "),
);
const READ = /^select (?:[^()]*) from "(\w+)"(?: where | order by | limit |$)/;

/** The one table of a SELECT whose answer depends on its rows and the parameters alone; null for any doubt. */
export function tableRead(sql: string): string | null {
  const table = READ.exec(sql)?.[1];
  if (table === undefined || /[^\w\s"*?.,()=<>!]/.test(sql)) return null;
  const words = sql.replace(/"\w+"/g, " ").match(/[A-Za-z_]\w*/g) ?? [];
  const isPlain = words.every((word) => READ_WORDS.has(word)) && words.filter((word) => word === "from").length === 1;
  return isPlain ? table : null;
}

/** The one table that an INSERT, UPDATE or DELETE changes; null for any doubt. */
export function tableWritten(sql: string): string | null {
  return /^(?:insert into|update|delete from) "(\w+)"(?: |$)/.exec(sql)?.[1] ?? null;
}

const FENCE = /^update "\w+" set "(\w+)" = \? where ("\w+" = \?(?: and "\w+" = \?)*)$/;

/** An UPDATE that gives a column the value which it asks the same column for: it changes no row. */
export function leavesRows({ sql, parameters }: Statement): boolean {
  const [, column, conditions] = FENCE.exec(sql) ?? [];
  if (column === undefined || conditions === undefined) return false;
  const at = conditions.split(" and ").indexOf(`"${column}" = ?`);
  return at >= 0 && parameters[0] === parameters[at + 1];
}
