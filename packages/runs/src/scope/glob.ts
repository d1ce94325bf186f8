/**
 * Globs over paths as small automata, so that two of them can be compared exactly and no pattern makes matching slow.
 *
 * `*` is any run of characters of one name, `?` one of them, `[a-z]` and `[!a-z]` one of a set, `\` takes the next character as
 * it is; `**` as a whole name is any number of folders, at the end everything below. A pattern that ends in `/` means
 * everything below that folder. Patterns are matched from the repository's root, and case matters.
 *
 * Invariants (glob.test.ts)
 * - Matching costs at most pattern × path; nothing goes back.
 * - Two sets of patterns share a path exactly if a path is found that both match.
 */
import { err, ok, type Result } from "@rumi/kernel";

export const GLOB_LIMITS = {
  /** UTF-16 code units of one pattern. */
  characters: 512,
  /** Patterns of one list. */
  patterns: 64,
  /** Steps of one pattern that are remembered before it begins to remember anew. */
  known_steps: 20_000,
  /** States looked at before two scopes are taken to overlap. */
  compared_states: 50_000,
} as const;

/** Code points, both ends included. */
type Range = readonly [number, number];
type Edge = { readonly ranges: readonly Range[]; readonly to: number };
type State = { readonly edges: readonly Edge[]; readonly free: readonly number[] };
export type Glob = { readonly text: string; readonly states: readonly State[] };
export type GlobProblem = { readonly pattern: string; readonly problem: string };

const SLASH = 0x2f;
const LAST = 0x10ffff;
const ANY: readonly Range[] = [[1, LAST]];
const IN_NAME: readonly Range[] = [
  [1, SLASH - 1],
  [SLASH + 1, LAST],
];
const just = (point: number): readonly Range[] => [[point, point]];

export function parseGlob(text: string): Result<Glob, GlobProblem> {
  const wrong = (problem: string): Result<Glob, GlobProblem> => err({ pattern: text.slice(0, 100), problem });
  if (text === "") return wrong("it is empty");
  if (text.length > GLOB_LIMITS.characters) return wrong(`it is longer than ${GLOB_LIMITS.characters} characters`);
  if (!text.isWellFormed() || text.includes("\0")) return wrong("it holds what no path can hold");
  if (text.startsWith("/")) return wrong("it begins with a slash; patterns begin at the repository's root");
  const names = (text.endsWith("/") ? `${text}**` : text).split("/");
  const odd = names.find((name) => name === "" || name === "." || name === "..");
  if (odd !== undefined) return wrong(odd === "" ? "it holds an empty name" : `it holds the name ${odd}`);
  const states: { edges: Edge[]; free: number[] }[] = [{ edges: [], free: [] }];
  const at = (): number => states.length - 1;
  const step = (ranges: readonly Range[]): void => {
    states.push({ edges: [], free: [] });
    states[at() - 1]?.edges.push({ ranges, to: at() });
  };
  for (const [index, name] of names.entries()) {
    const isLast = index === names.length - 1;
    if (name === "**") addFolders(states, isLast);
    else {
      const problem = addName(states, name, step);
      if (problem !== undefined) return wrong(problem);
      if (!isLast) step(just(SLASH));
    }
  }
  return ok({ text, states });
}

/** Inside the pattern: any number of `name/`. At its end: one character or more, whatever they are. */
function addFolders(states: { edges: Edge[]; free: number[] }[], isLast: boolean): void {
  const from = states.length - 1;
  const state = states[from];
  if (isLast) {
    states.push({ edges: [{ ranges: ANY, to: from + 1 }], free: [] });
    state?.edges.push({ ranges: ANY, to: from + 1 });
    return;
  }
  states.push({
    edges: [
      { ranges: IN_NAME, to: from + 1 },
      { ranges: just(SLASH), to: from },
    ],
    free: [],
  });
  states.push({ edges: [], free: [] });
  state?.edges.push({ ranges: IN_NAME, to: from + 1 });
  state?.free.push(from + 2);
}

function addName(
  states: { edges: Edge[]; free: number[] }[],
  name: string,
  step: (ranges: readonly Range[]) => void,
): string | undefined {
  const points = Array.from(name);
  for (let i = 0; i < points.length; i += 1) {
    const point = points[i] ?? "";
    if (point === "*") {
      const from = states.length - 1;
      states.push({ edges: [{ ranges: IN_NAME, to: from + 1 }], free: [] });
      states[from]?.free.push(from + 1);
    } else if (point === "?") step(IN_NAME);
    else if (point === "[") {
      const read = readSet(points, i);
      if (read === undefined) return "it holds a [ without its ]";
      if (read.ranges.length === 0) return "it holds a set of characters that is empty or runs backwards";
      step(read.ranges);
      i = read.end;
    } else if (point === "\\") {
      i += 1;
      const next = points[i];
      if (next === undefined) return "it ends in a backslash";
      step(just(codeOf(next)));
    } else step(just(codeOf(point)));
  }
  return undefined;
}

/** `[abc]`, `[a-z]`, `[!a-z]`, and `]` as its first member; never a slash. */
function readSet(points: readonly string[], start: number): { ranges: readonly Range[]; end: number } | undefined {
  let at = start + 1;
  const isNegated = points[at] === "!" || points[at] === "^";
  if (isNegated) at += 1;
  const found: Range[] = [];
  for (let first = true; ; first = false) {
    let low = points[at];
    if (low === undefined) return undefined;
    if (low === "]" && !first) break;
    if (low === "\\") low = points[(at += 1)];
    if (low === undefined) return undefined;
    let high = low;
    const isRange = points[at + 1] === "-" && points[at + 2] !== undefined && points[at + 2] !== "]";
    if (isRange) {
      at += 2;
      if (points[at] === "\\") at += 1;
      high = points[at] ?? low;
    }
    if (codeOf(high) < codeOf(low)) return { ranges: [], end: at };
    found.push([codeOf(low), codeOf(high)]);
    at += 1;
  }
  return { ranges: withoutSlash(isNegated ? complement(found) : found), end: at };
}

function complement(ranges: readonly Range[]): readonly Range[] {
  const out: Range[] = [];
  let next = 1;
  for (const [low, high] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (low > next) out.push([next, low - 1]);
    next = Math.max(next, high + 1);
  }
  if (next <= LAST) out.push([next, LAST]);
  return out;
}

function withoutSlash(ranges: readonly Range[]): readonly Range[] {
  return ranges.flatMap(([low, high]): readonly Range[] => {
    if (SLASH < low || SLASH > high) return [[low, high]];
    const below: readonly Range[] = low < SLASH ? [[low, SLASH - 1]] : [];
    return high > SLASH ? [...below, [SLASH + 1, high]] : below;
  });
}

const codeOf = (text: string): number => text.codePointAt(0) ?? 0;

export function matches(glob: Glob, path: string): boolean {
  const known = WALKS.get(glob);
  const walk = known === undefined || known.steps > GLOB_LIMITS.known_steps ? startWalk(glob) : known;
  let at = walk.start;
  for (const point of path) {
    const code = codeOf(point);
    let next = at.next.get(code);
    if (next === undefined) {
      next = stepOf(walk, after(glob, at.places, code));
      at.next.set(code, next);
      walk.steps += 1;
    }
    if (next.places.size === 0) return false;
    at = next;
  }
  return accepts(glob, at.places);
}

/** Steps that were taken before, so that ten thousand paths cost about one look for each character. */
type Step = { readonly places: Places; readonly next: Map<number, Step> };
type Walk = { readonly start: Step; readonly all: Map<string, Step>; steps: number };
const WALKS = new WeakMap<Glob, Walk>();

function startWalk(glob: Glob): Walk {
  const start: Step = { places: startOf(glob), next: new Map() };
  const walk: Walk = { start, all: new Map([[[...start.places].join(","), start]]), steps: 0 };
  WALKS.set(glob, walk);
  return walk;
}

function stepOf({ all }: Walk, places: Places): Step {
  const key = [...places].toSorted((x, y) => x - y).join(",");
  const found = all.get(key) ?? { places, next: new Map<number, Step>() };
  all.set(key, found);
  return found;
}

type Places = ReadonlySet<number>;

function startOf(glob: Glob): Places {
  return closed(glob, new Set([0]));
}

function after({ states }: Glob, places: Places, code: number): Places {
  const next = new Set<number>();
  for (const place of places)
    for (const { ranges, to } of states[place]?.edges ?? [])
      if (ranges.some(([low, high]) => code >= low && code <= high)) next.add(to);
  return closed({ states }, next);
}

/** With everything that is reached for nothing; `places` is filled in place. */
function closed({ states }: Pick<Glob, "states">, places: Set<number>): Places {
  for (const place of places) for (const to of states[place]?.free ?? []) places.add(to);
  return places;
}

const accepts = ({ states }: Glob, places: Places): boolean => places.has(states.length - 1);

export type Allowed = { readonly write: readonly Glob[]; readonly exclude: readonly Glob[] };
export type Overlap =
  | { readonly kind: "none" }
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "unknown" };

/**
 * Whether a path exists that both may write, the shortest such path if so. `unknown`: the patterns are too intricate to be
 * compared within the limit; whoever must be sure takes that for an overlap.
 */
export function overlapOf(a: Allowed, b: Allowed): Overlap {
  const groups = [a.write, b.write, [...a.exclude, ...b.exclude]] as const;
  const letters = alphabet(groups.flat());
  const first = groups.map((globs) => globs.map(startOf));
  const seen = new Set([keyOf(first, "")]);
  let layer = [{ at: first, path: "" }];
  while (layer.length > 0) {
    const next: typeof layer = [];
    for (const { at, path } of layer)
      for (const code of letters) {
        if (code === SLASH && (path === "" || path.endsWith("/"))) continue; // no name is empty
        const moved = at.map((places, group) =>
          places.map((one, index) => {
            const glob = groups[group]?.[index];
            return glob === undefined ? one : after(glob, one, code);
          }),
        );
        if (!isAlive(moved[0]) || !isAlive(moved[1])) continue;
        const longer = path + String.fromCodePoint(code);
        const key = keyOf(moved, longer);
        if (seen.has(key)) continue;
        seen.add(key);
        const [one, two, out] = groups.map((globs, group) =>
          globs.some((glob, i) => accepts(glob, moved[group]?.[i] ?? new Set())),
        );
        if (one === true && two === true && out !== true && code !== SLASH) return { kind: "path", path: longer };
        if (seen.size > GLOB_LIMITS.compared_states) return { kind: "unknown" };
        next.push({ at: moved, path: longer });
      }
    layer = next;
  }
  return { kind: "none" };
}

const isAlive = (places: readonly Places[] | undefined): boolean => places?.some((one) => one.size > 0) === true;
/** Where a name begins is part of the state: there no slash may follow. */
const keyOf = (at: readonly (readonly Places[])[], path: string): string =>
  `${path.endsWith("/") ? "/" : ""}${at
    .map((group) => group.map((places) => [...places].toSorted((x, y) => x - y).join(",")).join(";"))
    .join("|")}`;

/** One code point of each class that no pattern tells apart, a readable one where the class has one. */
function alphabet(globs: readonly Glob[]): readonly number[] {
  const bounds = new Set([1, SLASH, SLASH + 1, 0xd800, 0xe000]);
  for (const { states } of globs)
    for (const { edges } of states)
      for (const { ranges } of edges)
        for (const [low, high] of ranges) {
          bounds.add(low);
          if (high < LAST) bounds.add(high + 1);
        }
  const starts = [...bounds].toSorted((x, y) => x - y);
  const codes = starts.map((low, index) => {
    const end = starts[index + 1] ?? LAST + 1;
    return (
      READABLE.split("")
        .map(codeOf)
        .find((code) => code >= low && code < end) ?? low
    );
  });
  return codes.filter((code) => code < 0xd800 || code > 0xdfff).toSorted((x, y) => rankOf(x) - rankOf(y));
}

const READABLE = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_-. ";
const rankOf = (code: number): number => {
  const rank = READABLE.indexOf(String.fromCodePoint(code));
  return rank < 0 ? 1_000 + code : rank;
};
