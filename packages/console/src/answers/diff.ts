/** A diff as answers and events carry it: field, before, after. */
export type Change = { readonly field: string; readonly before: unknown; readonly after: unknown };

/** Null for what is no diff; who may not see the values is told the fields alone. */
export function changesIn(value: unknown): readonly Change[] | null {
  if (!Array.isArray(value)) return null;
  const found: Change[] = [];
  for (const one of value as readonly unknown[]) {
    if (typeof one !== "object" || one === null || !("field" in one) || typeof one.field !== "string") return null;
    found.push({
      field: one.field,
      before: "before" in one ? one.before : undefined,
      after: "after" in one ? one.after : undefined,
    });
  }
  return found;
}
