/** What JSON can say but the store and the log cannot hold: NUL, lone surrogates, numbers beyond every number. */
export type WritableProblem = { readonly field: string; readonly problem: string };

export function unwritableProblem(value: unknown, field = "$"): WritableProblem | undefined {
  if (typeof value === "string") return textProblem(value, field);
  if (typeof value === "number")
    return Number.isFinite(value) ? undefined : { field, problem: "the number is too large" };
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, item] of Object.entries(value)) {
    const at = Array.isArray(value) ? `${field}[${name}]` : `${field}.${name}`;
    const found = textProblem(name, field) ?? unwritableProblem(item, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

function textProblem(text: string, field: string): WritableProblem | undefined {
  if (text.includes("\u0000")) return { field, problem: "it holds the character NUL" };
  return text.isWellFormed() ? undefined : { field, problem: "it holds half of a character pair" };
}
