/**
 * Walks every state that transition code can reach, breadth first, and checks what must hold in each (L-49.2).
 *
 * How to think: a model wraps the very code that runs, not a copy of it: `steps` calls it and lists what may happen next.
 * Breadth first, the first state that breaks an invariant is reached by a shortest path, and that path is the answer.
 *
 * Invariants (explore.test.ts)
 * - States are told apart by their canonical JSON alone; each is looked at once.
 * - `complete` is true only if nothing was left out for a bound.
 * - What is certain is judged over the whole graph: a state from which no path leads there is a counterexample.
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
  /** By name: from every state some path leads to such a state, however bad it has become. Needs `complete`. */
  readonly certain?: Readonly<Record<string, (state: State) => boolean>>;
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
  /** Names of what was checked: `always`, `everyStep`, `certain`. */
  readonly properties: readonly string[];
  /** Names of `reached` that were not. */
  readonly unreached: readonly string[];
};

type Seen<State> = {
  readonly state: State;
  readonly action: string;
  readonly from: Seen<State> | null;
  readonly depth: number;
  /** Places of those from which one step leads here. */
  readonly before: number[];
};

export const STATES_MAX = 500_000;

export function explore<State extends Json>(model: Model<State>, states_max: number = STATES_MAX): Exploration<State> {
  const known = new Map<string, Seen<State>>();
  const queue: Seen<State>[] = [];
  const unreached = new Set(Object.keys(model.reached));
  let complete = true;
  let transitions = 0;
  const visit = (state: State, action: string, from: Seen<State> | null, place: number): void => {
    const key = canonicalJson(state);
    const there = known.get(key);
    if (there !== undefined) return void there.before.push(place);
    if (known.size >= states_max) return void (complete = false);
    const seen: Seen<State> = { state, action, from, depth: from === null ? 0 : from.depth + 1, before: [place] };
    known.set(key, seen);
    queue.push(seen);
  };
  const report = (last: Seen<State> | undefined, broken: Counterexample<State> | null): Exploration<State> => ({
    name: model.name,
    states: known.size,
    transitions,
    depth: last?.depth ?? 0,
    complete: complete && broken === null,
    counterexample: broken,
    properties: [model.always, model.everyStep, model.certain].flatMap((some) => Object.keys(some ?? {})),
    unreached: [...unreached],
  });
  for (const state of model.start) visit(state, "start", null, NOWHERE);
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
      visit(next, action, seen, at);
    }
  }
  for (const [name, isThere] of Object.entries(complete ? (model.certain ?? {}) : {})) {
    const lost = lostFrom(queue, isThere);
    if (lost !== undefined) return report(lost, { broken: name, path: pathTo(lost) });
  }
  return report(last, null);
}

const NOWHERE = -1;

/** The first state from which no path leads to where it should. */
function lostFrom<State>(all: readonly Seen<State>[], isThere: (state: State) => boolean): Seen<State> | undefined {
  const leads = all.map(({ state }) => isThere(state));
  const open = leads.flatMap((does, at) => (does ? [at] : []));
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const before of all[at]?.before ?? [])
      if (before !== NOWHERE && leads[before] === false) {
        leads[before] = true;
        open.push(before);
      }
  return all[leads.indexOf(false)];
}

function pathTo<State>(end: Seen<State>): Counterexample<State>["path"] {
  const path: { action: string; state: State }[] = [];
  for (let at: Seen<State> | null = end; at !== null; at = at.from)
    path.unshift({ action: at.action, state: at.state });
  return path;
}

/** For a person: what was looked at and what holds in all of it, or the shortest way to what is broken. */
export function explorationText(of: Exploration<Json>): string {
  const { name, states, transitions, depth, complete, counterexample, properties, unreached } = of;
  const size = `${name}: ${states} states, ${transitions} transitions, depth ${depth}${complete ? "" : ", not complete"}`;
  const checked = properties.map((one) => `\n  holds: ${one}`).join("");
  if (counterexample === null)
    return `${size}${unreached.length === 0 ? "" : `, never reached: ${unreached.join(", ")}`}${checked}`;
  const way = counterexample.path.map(({ action, state }) => `  ${action}: ${canonicalJson(state)}`);
  return [`${size}, broken: ${counterexample.broken}`, ...way].join("\n");
}
