/** What shape a value of an answer has, so that it can be laid out. Pure. */
export type Known = Readonly<Record<string, unknown>>;
type Scalar = string | number | boolean | null | undefined;

/** More columns are narrower than their words. */
export const COLUMNS_SHOWN = 6;

export function isScalar(value: unknown): value is Scalar {
  return value === null || ["string", "number", "boolean", "undefined"].includes(typeof value);
}

export function isRecord(value: unknown): value is Known {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export const namesOf = (name: string): string => name.replaceAll("_", " ");

/** Columns in the order in which they are met; those that are empty in every row are none. */
export function columnsOf(rows: readonly Known[]): { readonly columns: readonly string[]; readonly more: number } {
  const met = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) =>
    rows.some((row) => row[name] !== null && row[name] !== undefined),
  );
  return { columns: met.slice(0, COLUMNS_SHOWN), more: Math.max(0, met.length - COLUMNS_SHOWN) };
}
