/**
 * What the Operations Guide starts the program with, as the verbs it means: `rumi --health` is `rumi health`.
 *
 * Source: the guide's chapter on starting. A flag of it that comes first chooses the verb; the others stay its options.
 */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  "--health": ["health"],
  "--validate": ["packs", "validate"],
};
const OF_START: readonly string[] = ["--permissive", "--headless"];

/** `words` are the command line without the program's own name. */
export function withoutGuideFlags(words: readonly string[]): readonly string[] {
  const [first = ""] = words;
  const verb = VERBS[first];
  if (verb !== undefined) return [...verb, ...words.slice(1)];
  return OF_START.includes(first) ? ["start", ...words] : words;
}
