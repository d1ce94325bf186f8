/** Small helpers for building batches. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { feedWrite, type Reader, type Store, type Write } from "@rumi/store";

export type Sql = Pick<Store, "builder" | "dialect">;
export type Compilable = { compile(): { readonly sql: string; readonly parameters: readonly unknown[] } };

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the row, as Reader.rows does
export async function first<Row>(reader: Reader, query: Compilable): Promise<Row | undefined> {
  return (await reader.rows<Row>(query))[0];
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- names the type where stored text becomes a value
export function jsonOf<T>(text: string): T {
  return JSON.parse(text) as T;
}

/** A line of the change feed: what the console hears over SSE. */
export function feed(sql: Sql, kind: string, key: string, data: Readonly<Record<string, unknown>>, at: number): Write {
  return feedWrite(sql, { kind, key, data: JSON.stringify(data), at: at as Parameters<typeof feedWrite>[1]["at"] });
}

/** Cursors are opaque to callers: base64url of what the next page starts after. */
export function encodeCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString("base64url");
}

export function decodeCursor(
  text: string | undefined,
  forms: readonly ("string" | "number")[],
): Result<readonly (string | number)[] | undefined, Failure> {
  if (text === undefined) return ok(undefined);
  const refused = err(failure("RUMI-VAL-002", { field: "cursor", problem: "it is not a cursor of this list" }));
  try {
    const parts = JSON.parse(Buffer.from(text, "base64url").toString("utf8")) as unknown;
    if (!Array.isArray(parts) || parts.length !== forms.length) return refused;
    const isStorable = (part: unknown): boolean =>
      typeof part === "string" ? !part.includes("\0") && part.isWellFormed() : Number.isSafeInteger(part);
    const fits = forms.every((form, at) => typeof parts[at] === form && isStorable(parts[at]));
    return fits ? ok(parts as (string | number)[]) : refused;
  } catch {
    return refused;
  }
}
