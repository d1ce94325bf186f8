/**
 * What a bot says it needs before it may start: strategies, packs, keys, data, other bots (L-03). Pure.
 *
 * How to think: a dependency is a word of the form `kind:what`, part of the bot's specification. Whether it is met is
 * looked at anew for every start (look.ts); another bot meets it while it runs, since one that stands still serves nobody.
 * Bots that wait for each other could never start, so a circle is refused where it is closed, and again at the start.
 *
 * Invariants (dependencies.test.ts)
 * - A word that cannot be read is refused when the bot is made; it is never skipped.
 * - No chain of bots leads back to where it began.
 */
import { err, failure, ID_PATTERNS, ok, type Failure, type Result } from "@rumi/kernel";

export const DEPENDENCY_LIMITS = {
  /** Bots that one bot's graph may reach; beyond it nobody can say that there is no circle. */
  bots: 1_000,
} as const;

export type Dependency = { readonly text: string } & (
  | {
      readonly kind: "strategy";
      readonly pack_id: string;
      readonly strategy_id: string;
      readonly version: string | undefined;
    }
  | { readonly kind: "pack"; readonly pack_id: string; readonly digest: string | undefined }
  | { readonly kind: "key"; readonly venue_id: string }
  | { readonly kind: "data"; readonly venue_id: string; readonly instrument_id: string | undefined }
  | { readonly kind: "bot"; readonly bot_id: string }
);
export type DependencyState = {
  readonly dependency: string;
  readonly kind: Dependency["kind"];
  readonly state: "MET" | "MISSING";
  readonly problem: string | null;
};
/** Who needs which bots. */
export type Needs = ReadonlyMap<string, readonly string[]>;

const matches = (pattern: string, text: string): boolean => new RegExp(pattern).test(text);

export function parseDependency(text: string): Result<Dependency, Failure> {
  const [kind = "", what = ""] = text.split(/:(.*)/s);
  const unreadable = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-BOT-080", { dependency: text, problem }, { reasonCode: "L.DEPENDENCY.UNREADABLE" }));
  switch (kind) {
    case "strategy": {
      const [, pack_id = "", strategy_id = "", version] = /^([^/@]+)\/([^/@]+)(?:@(.+))?$/.exec(what) ?? [];
      if (!matches(ID_PATTERNS.pack, pack_id)) return unreadable("a strategy is named PACK/STRATEGY");
      return version !== undefined && !matches(ID_PATTERNS.semver, version)
        ? unreadable("the version is not a SemVer")
        : ok({ text, kind, pack_id, strategy_id, version });
    }
    case "pack": {
      const [pack_id = "", digest] = what.split(/@(.*)/s);
      if (!matches(ID_PATTERNS.pack, pack_id)) return unreadable("a pack is named by its id");
      return digest !== undefined && !matches(ID_PATTERNS.digest, digest)
        ? unreadable("after @ stands a digest; a tag may change its meaning")
        : ok({ text, kind, pack_id, digest });
    }
    case "key":
      return matches(ID_PATTERNS.venue, what)
        ? ok({ text, kind, venue_id: what })
        : unreadable("a key is named by its venue");
    case "data": {
      if (matches(ID_PATTERNS.venue, what)) return ok({ text, kind, venue_id: what, instrument_id: undefined });
      return matches(ID_PATTERNS.instrument, what)
        ? ok({ text, kind, venue_id: what.slice(what.indexOf(".") + 1), instrument_id: what })
        : unreadable("data is named by its venue or its instrument");
    }
    case "bot":
      return matches(ID_PATTERNS.bot, what) ? ok({ text, kind, bot_id: what }) : unreadable("a bot is named by its id");
    default:
      return unreadable("it begins with none of strategy:, pack:, key:, data:, bot:");
  }
}

export function parseDependencies(texts: readonly string[]): Result<readonly Dependency[], Failure> {
  const all: Dependency[] = [];
  for (const text of texts) {
    const one = parseDependency(text);
    if (!one.ok) return one;
    all.push(one.value);
  }
  return ok(all);
}

export function botsAmong(dependencies: readonly Dependency[]): readonly string[] {
  return dependencies.flatMap((one) => (one.kind === "bot" ? [one.bot_id] : []));
}

/** The first way that leads from a bot back to itself, both ends named. */
export function circleFrom(bot_id: string, needs: Needs): readonly string[] | undefined {
  const cameFrom = new Map<string, string>();
  const waiting = [bot_id];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const next of needs.get(at) ?? []) {
      if (next === bot_id) return pathTo(at, cameFrom, [bot_id]);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, at);
      waiting.push(next);
    }
  }
  return undefined;
}

function pathTo(last: string, cameFrom: ReadonlyMap<string, string>, end: readonly string[]): readonly string[] {
  const path = [...end];
  for (let at: string | undefined = last; at !== undefined; at = cameFrom.get(at)) path.unshift(at);
  return path;
}

/** What is declared for a new bot, before it is there: readable, and closing no circle. */
export function judgeDeclared(
  bot_id: string,
  texts: readonly string[],
  reached: Needs,
): Result<readonly Dependency[], Failure> {
  const parsed = parseDependencies(texts);
  if (!parsed.ok) return parsed;
  const free = judgeFree(bot_id, new Map([...reached, [bot_id, botsAmong(parsed.value)]]));
  return free.ok ? parsed : free;
}

export function judgeFree(bot_id: string, needs: Needs): Result<null, Failure> {
  const circle = circleFrom(bot_id, needs);
  if (circle !== undefined)
    return err(failure("RUMI-BOT-082", { bot_id, path: circle.join(" → ") }, { reasonCode: "L.DEPENDENCY.CYCLE" }));
  if (needs.size <= DEPENDENCY_LIMITS.bots) return ok(null);
  const problem = `its graph reaches more than ${DEPENDENCY_LIMITS.bots} bots`;
  return err(failure("RUMI-BOT-081", { bot_id, dependency: "bots", problem }, { reasonCode: "L.DEPENDENCY.MISSING" }));
}

/** Whether a start may go on; the first that is missing is the reason. */
export function judgeDependencies(
  bot_id: string,
  { needs, states }: { readonly needs: Needs; readonly states: readonly DependencyState[] },
): Result<null, Failure> {
  const free = judgeFree(bot_id, needs);
  if (!free.ok) return free;
  const missing = states.filter(({ state }) => state === "MISSING");
  const [first] = missing;
  if (first === undefined) return ok(null);
  return err(
    failure(
      "RUMI-BOT-081",
      { bot_id, dependency: first.dependency, problem: first.problem ?? "it is not there" },
      { reasonCode: "L.DEPENDENCY.MISSING", details: { missing: missing.map(({ dependency }) => dependency) } },
    ),
  );
}
