/**
 * What a run may change: globs frozen when it begins. `exclude` is stronger than `write`, `write` than `read`. Pure.
 *
 * A path that is in none of them is outside. Whether a violation is acceptable is decided by people only.
 *
 * Invariant (scope.test.ts): a path violates the scope unless a `write` pattern takes it and no `exclude` pattern does.
 */
import { err, ok, type Result } from "@rumi/kernel";
import { GLOB_LIMITS, matches, overlapOf, parseGlob, type Glob, type GlobProblem, type Overlap } from "./glob.ts";

/** As it is kept and shown: every list sorted, none twice. */
export type Scope = {
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly exclude: readonly string[];
};
export type ParsedScope = {
  readonly scope: Scope;
  readonly read: readonly Glob[];
  readonly write: readonly Glob[];
  readonly exclude: readonly Glob[];
};

export const VIOLATION_REASONS = [
  /** No pattern allows it. */
  "outside_write",
  /** It may only be read. */
  "read_only",
  /** It is excluded by name. */
  "excluded",
  /** A repository inside the tree: its own history is not part of the snapshot. */
  "nested_repository",
  /** A populated submodule: what it holds is not part of the snapshot. */
  "submodule_content",
  /** A file of the repository outside the worktree changed while the run went on. */
  "outside_worktree",
  /** It is neither file nor folder nor link, so no snapshot holds it. */
  "special_file",
] as const;
export type ViolationReason = (typeof VIOLATION_REASONS)[number];

/** Nobody's run changes git's own files, however a tree came to hold some. */
export const ALWAYS_EXCLUDED: readonly string[] = [".git/**", "**/.git/**"];

export function parseScope(
  wish: { readonly read?: readonly string[]; readonly write: readonly string[]; readonly exclude?: readonly string[] },
  excludedByOthers: readonly string[],
): Result<ParsedScope, GlobProblem> {
  const scope: Scope = {
    read: unique(wish.read ?? []),
    write: unique(wish.write),
    exclude: unique([...(wish.exclude ?? []), ...excludedByOthers, ...ALWAYS_EXCLUDED]),
  };
  if (scope.write.length === 0)
    return err({ pattern: "", problem: "write names nothing, so the run could change nothing" });
  const lists: Record<keyof Scope, Glob[]> = { read: [], write: [], exclude: [] };
  for (const name of ["read", "write", "exclude"] as const) {
    const most = name === "exclude" ? GLOB_LIMITS.patterns * 3 : GLOB_LIMITS.patterns;
    if (scope[name].length > most) return err({ pattern: name, problem: `it holds more than ${most} patterns` });
    for (const text of scope[name]) {
      const glob = parseGlob(text);
      if (!glob.ok) return glob;
      lists[name].push(glob.value);
    }
  }
  return ok({ scope, ...lists });
}

/** Undefined: within the scope. */
export function violationOf({ read, write, exclude }: ParsedScope, path: string): ViolationReason | undefined {
  if (exclude.some((glob) => matches(glob, path))) return "excluded";
  if (write.some((glob) => matches(glob, path))) return undefined;
  return read.some((glob) => matches(glob, path)) ? "read_only" : "outside_write";
}

export function scopesOverlap(a: ParsedScope, b: ParsedScope): Overlap {
  return overlapOf(a, b);
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)].toSorted();
