/**
 * The shared dictionary: in a namespace a token stands for a value, which may be a token again. Pure.
 *
 * Every proposal is answered and written to the journal, taken or not: `accepted`, `rejected`, `conflict` (the token stands for
 * something else) or `cycle_detected`.
 *
 * Invariants (model.test.ts): what is in it never leads round, and no token is more than ten hops from what it stands for.
 */

export const SHARED_DICT_LIMITS = {
  namespaces: 1_000,
  entries: 10_000,
  hops: 10,
  value_characters: 1_024,
  /** Lines that the journal keeps, the newest. */
  journal_lines: 100_000,
} as const;
export const NAMESPACE_PATTERN = "^[A-Za-z0-9_.-]{1,128}$";
export const TOKEN_PATTERN = "^[A-Za-z0-9_./:-]{1,256}$";

export const DICT_RESULTS = ["accepted", "rejected", "conflict", "cycle_detected"] as const;
export type DictResult = (typeof DICT_RESULTS)[number];
export type DictAction = "propose" | "remove" | "clear";
export type DictEntry = { readonly namespace: string; readonly token: string; readonly value: string };
/** `reason` says why it was not taken, or what was special about it. */
export type DictOutcome = { readonly result: DictResult; readonly reason: string | null };

/** What one namespace says. */
export type Meanings = ReadonlyMap<string, string>;

export type Resolved = {
  readonly value: string;
  /** The token, what it stands for, and so on to the value. */
  readonly path: readonly string[];
};

/** Follows a token to what it stands for in the end; undefined where it stands for nothing. */
export function resolve(meanings: Meanings, token: string): Resolved | undefined {
  const path = [token];
  for (let next = meanings.get(token); next !== undefined; next = meanings.get(next)) {
    path.push(next);
    if (path.length > SHARED_DICT_LIMITS.hops) break;
  }
  const value = path.at(-1);
  return value === undefined || path.length === 1 ? undefined : { value, path };
}

/** What comes of a proposal; it changes something only where it is accepted and its reason is null. */
export function proposed(
  meanings: Meanings,
  { token, value }: Pick<DictEntry, "token" | "value">,
  entries: number,
): DictOutcome {
  const before = meanings.get(token);
  if (before === value) return { result: "accepted", reason: "it stands so already" };
  if (before !== undefined) return { result: "conflict", reason: `it stands for ${before}` };
  const below = resolve(meanings, value)?.path ?? [value];
  if (below.includes(token)) return { result: "cycle_detected", reason: [token, ...below].join(" → ") };
  if (entries >= SHARED_DICT_LIMITS.entries)
    return { result: "rejected", reason: `there are ${SHARED_DICT_LIMITS.entries} entries already` };
  const hops = longestTo(meanings, token) + below.length;
  return hops > SHARED_DICT_LIMITS.hops
    ? { result: "rejected", reason: `it would be ${hops} hops long; ${SHARED_DICT_LIMITS.hops} are allowed` }
    : { result: "accepted", reason: null };
}

/** Hops of the longest way that leads to a token. */
function longestTo(meanings: Meanings, token: string): number {
  let hops = 0;
  for (const start of meanings.keys()) {
    const at = resolve(meanings, start)?.path.indexOf(token) ?? -1;
    hops = Math.max(hops, at);
  }
  return hops;
}
