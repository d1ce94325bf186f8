/**
 * What each reason code means in plain words, and what to do: the rows of the runbooks' own tables, so that page and
 * runbook never say two things. A row that ends in `*` stands for every code that begins so. Pure.
 */
import { blocksOf } from "./markdown.ts";

/** Of the tables that say it; others name codes as well. */
const HEAD = ["Code", "What happened", "Do"];

export type ReasonRow = { readonly what: string; readonly action: string; readonly page: string };
export type ReasonRows = ReadonlyMap<string, ReasonRow>;

export function reasonRows(pages: readonly (readonly [page: string, text: string])[]): ReasonRows {
  return new Map(pages.flatMap(([page, text]) => rowsOf(page, text)));
}

export function reasonRow(rows: ReasonRows, code: string): ReasonRow | undefined {
  const exact = rows.get(code);
  if (exact !== undefined) return exact;
  const parts = code.split(".");
  for (let length = parts.length - 1; length > 0; length -= 1) {
    const open = rows.get(`${parts.slice(0, length).join(".")}.*`);
    if (open !== undefined) return open;
  }
  return undefined;
}

function rowsOf(page: string, text: string): readonly (readonly [string, ReasonRow])[] {
  return blocksOf(text).flatMap((block) => {
    if (block.kind !== "table" || HEAD.some((name, at) => block.head[at] !== name)) return [];
    return block.rows.map(
      ([code = "", what = "", action = ""]) =>
        [plain(code), { what: plain(what), action: plain(action), page }] as const,
    );
  });
}

/** Without the marks of code and emphasis. */
const plain = (cell: string): string => cell.replaceAll("`", "").replaceAll("**", "");
