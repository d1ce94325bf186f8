/**
 * One wish for many bots: a list that was frozen once, waves of 1, 2, 4, …, and a limit of errors (L-N11, L-44). Pure.
 *
 * How to think: the list is part of the state and nothing adds to it. `due` says which targets to begin now; `follow` takes
 * what became of one. A wave begins when the one before it is over. Too many errors, or a person, abort: nothing more begins,
 * and what is under way is told as such until its outcome is known. A pause begins nothing more either, until it is resumed. A
 * retry takes the failed ones alone. What only tightens has one wave for all: no stop waits for the proof of another's.
 *
 * Invariants (bulk.test.ts, every reachable state; wired.test.ts over the pipeline)
 * - No target outside the list is ever begun, none twice in one try, none after an abort or in a pause.
 * - Never more are under way than the wave allows; errors never exceed what was under way when the limit was reached.
 */
export type TargetState = "waiting" | "begun" | "done" | "failed";

export type Bulk = {
  /** Frozen: resolved once from the selector. */
  readonly targets: Readonly<Record<string, TargetState>>;
  /** Size of the first wave of each try. */
  readonly first_wave: number;
  /** Size of the wave that is under way, and how many of it have begun. */
  readonly wave: number;
  readonly begun_in_wave: number;
  readonly errors: number;
  /** From this many errors on nothing more begins; at least 1. */
  readonly max_errors: number;
  readonly aborted: boolean;
  readonly paused: boolean;
};

export type BulkFact =
  | { readonly kind: "begun"; readonly target: string }
  | { readonly kind: "done" | "failed"; readonly target: string }
  | { readonly kind: "abort" | "pause" | "resume" }
  | { readonly kind: "retry_failed" };

export function beginBulk(targets: readonly string[], max_errors: number, first_wave = 1): Bulk {
  const frozen = Object.fromEntries(targets.map((target) => [target, "waiting" as const]));
  return {
    targets: frozen,
    first_wave,
    wave: first_wave,
    begun_in_wave: 0,
    errors: 0,
    max_errors,
    aborted: false,
    paused: false,
  };
}

/** Targets to begin now, in order of name. */
export function due(bulk: Bulk): readonly string[] {
  if (bulk.aborted || bulk.paused) return [];
  return named(bulk, "waiting").slice(0, Math.max(0, bulk.wave - bulk.begun_in_wave));
}

/** Under way: what an abort has to tell of. */
export const inFlight = (bulk: Bulk): readonly string[] => named(bulk, "begun");

export function isOver(bulk: Bulk): boolean {
  return inFlight(bulk).length === 0 && (bulk.aborted || named(bulk, "waiting").length === 0);
}

/** What it is after the fact; the same where the fact says nothing new or names nobody of the list. */
export function follow(bulk: Bulk, fact: BulkFact): Bulk {
  switch (fact.kind) {
    case "begun":
      return due(bulk).includes(fact.target)
        ? { ...change(bulk, fact.target, "begun"), begun_in_wave: bulk.begun_in_wave + 1 }
        : bulk;
    case "done":
    case "failed": {
      if (bulk.targets[fact.target] !== "begun") return bulk;
      const errors = bulk.errors + (fact.kind === "failed" ? 1 : 0);
      const known = {
        ...change(bulk, fact.target, fact.kind),
        errors,
        aborted: bulk.aborted || errors >= bulk.max_errors,
      };
      return nextWave(known);
    }
    case "abort":
      return isOver(bulk) ? bulk : { ...bulk, aborted: true };
    case "pause":
      return isOver(bulk) || bulk.aborted || bulk.paused ? bulk : { ...bulk, paused: true };
    case "resume":
      return bulk.paused && !bulk.aborted ? { ...bulk, paused: false } : bulk;
    case "retry_failed": {
      if (!isOver(bulk) || named(bulk, "failed").length === 0) return bulk;
      const targets = Object.fromEntries(
        Object.entries(bulk.targets).map(([target, state]) => [target, state === "failed" ? "waiting" : state]),
      );
      // Who was still waiting when it was aborted stays out of it: those were never tried.
      const kept = Object.fromEntries(Object.entries(targets).filter(([target]) => bulk.targets[target] !== "waiting"));
      return {
        ...bulk,
        targets: kept,
        wave: bulk.first_wave,
        begun_in_wave: 0,
        errors: 0,
        aborted: false,
        paused: false,
      };
    }
  }
}

function nextWave(bulk: Bulk): Bulk {
  const isWhole = bulk.begun_in_wave >= bulk.wave && inFlight(bulk).length === 0;
  return isWhole ? { ...bulk, wave: bulk.wave * 2, begun_in_wave: 0 } : bulk;
}

const named = (bulk: Bulk, wanted: TargetState): readonly string[] =>
  Object.entries(bulk.targets)
    .filter(([, state]) => state === wanted)
    .map(([target]) => target)
    .sort();

const change = (bulk: Bulk, target: string, state: TargetState): Bulk => ({
  ...bulk,
  targets: { ...bulk.targets, [target]: state },
});
