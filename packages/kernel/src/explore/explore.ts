/**
 * Walks every state that transition code can reach, breadth first, and checks what must hold in each (L-49.2).
 *
 * How to think: a model wraps the very code that runs, not a copy of it: `steps` calls it and lists what may happen next.
 * Breadth first, the first state that breaks an invariant is reached by a shortest path, and that path is the answer.
 *
 * Invariants (explore.test.ts)
 * - States are told apart by their canonical JSON alone; each is looked at once.
 * - `complete` is true only if nothing was left out for a bound.
 */
import { canonicalJson, type Json } from "../canonical-json.ts";

export type Step<State> = { readonly action: string; readonly next: State };

export type Model<State extends Json> = {
  readonly name: string;
  readonly start: readonly State[];
  /** Everything that may happen in this state. A bound of the model is a step that it does not list. */
  readonly steps: (state: State) => readonly Step<State>[];
  /** By name: what holds in every state. */
  readonly always: Readonly<Record<string, (state: State) => boolean>>;
  /** By name: what holds of every step. */
  readonly everyStep?: Readonly<Record<string, (before: State, action: string, after: State) => boolean>>;
  /** By name: a state of which at least one must be reached, or the model shows nothing. */
  readonly reached: Readonly<Record<string, (state: State) => boolean>>;
};

export type Counterexample<State> = {
  readonly broken: string;
  /** From a start to the state that breaks it: what was done, and what came of it. */
  readonly path: readonly { readonly action: string; readonly state: State }[];
};

export type Exploration<State> = {
  readonly name: string;
  readonly states: number;
  readonly transitions: number;
  /** Steps of the longest shortest path. */
  readonly depth: number;
  readonly complete: boolean;
  readonly counterexample: Counterexample<State> | null;
  /** Names of `reached` that were not. */
  readonly unreached: readonly string[];
};

type Seen<State> = {
  readonly state: State;
  readonly action: string;
  readonly from: Seen<State> | null;
  readonly depth: number;
};

export const STATES_MAX = 500_000;

export function explore<State extends Json>(model: Model<State>, states_max: number = STATES_MAX): Exploration<State> {
  const known = new Set<string>();
  const queue: Seen<State>[] = [];
  const unreached = new Set(Object.keys(model.reached));
  let complete = true;
  let transitions = 0;
  const visit = (state: State, action: string, from: Seen<State> | null): void => {
    const key = canonicalJson(state);
    if (known.has(key)) return;
    if (known.size >= states_max) return void (complete = false);
    known.add(key);
    queue.push({ state, action, from, depth: from === null ? 0 : from.depth + 1 });
  };
  const report = (last: Seen<State> | undefined, broken: Counterexample<State> | null): Exploration<State> => ({
    name: model.name,
    states: known.size,
    transitions,
    depth: last?.depth ?? 0,
    complete: complete && broken === null,
    counterexample: broken,
    unreached: [...unreached],
  });
  for (const state of model.start) visit(state, "start", null);
  let last: Seen<State> | undefined;
  for (let at = 0; at < queue.length; at += 1) {
    const seen = queue[at] as Seen<State>;
    last = seen;
    for (const [name, holds] of Object.entries(model.always))
      if (!holds(seen.state)) return report(seen, { broken: name, path: pathTo(seen) });
    for (const name of unreached) if (model.reached[name]?.(seen.state) === true) unreached.delete(name);
    for (const { action, next } of model.steps(seen.state)) {
      transitions += 1;
      for (const [name, holds] of Object.entries(model.everyStep ?? {}))
        if (!holds(seen.state, action, next))
          return report(seen, { broken: name, path: [...pathTo(seen), { action, state: next }] });
      visit(next, action, seen);
    }
  }
  return report(last, null);
}

function pathTo<State>(end: Seen<State>): Counterexample<State>["path"] {
  const path: { action: string; state: State }[] = [];
  for (let at: Seen<State> | null = end; at !== null; at = at.from)
    path.unshift({ action: at.action, state: at.state });
  return path;
}

/** One line for a person: what was looked at, or the shortest way to what is broken. */
export function explorationText(of: Exploration<Json>): string {
  const { name, states, transitions, depth, complete, counterexample, unreached } = of;
  const size = `${name}: ${states} states, ${transitions} transitions, depth ${depth}${complete ? "" : ", not complete"}`;
  if (counterexample === null) return unreached.length === 0 ? size : `${size}, never reached: ${unreached.join(", ")}`;
  const way = counterexample.path.map(({ action, state }) => `  ${action}: ${canonicalJson(state)}`);
  return [`${size}, broken: ${counterexample.broken}`, ...way].join("\n");
}
