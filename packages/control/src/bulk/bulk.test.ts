/** Every state of a bulk of five, with outcomes late, doubled and of strangers, aborts and retries; of three, with pauses too. */
import { explorationText, explore, type Model } from "@rumi/kernel";
import { expect, it } from "vitest";
import { beginBulk, due, follow, inFlight, isOver, type Bulk, type BulkFact } from "./model.ts";

const TARGETS = ["a", "b", "c", "d", "e"];
/** A bot that was made after the list was frozen. */
const STRANGER = "z";
const TRIES = 2;
type State = {
  readonly bulk: Bulk;
  /** How often each was really begun, in this try. */
  readonly acted: Readonly<Record<string, number>>;
  readonly tries: number;
  readonly aborted_at: number | null;
};

type Extent = {
  readonly targets: readonly string[];
  readonly starts: readonly Bulk[];
  /** What a person may say at any moment. */
  readonly words: readonly ("abort" | "pause" | "resume")[];
  readonly reached: Model<State>["reached"];
};

const model = (decide: typeof follow, wave: typeof due, { targets, starts, words, reached }: Extent): Model<State> => ({
  name: "bulk",
  start: starts.map((bulk) => ({ bulk, acted: {}, tries: 1, aborted_at: null })),
  steps: ({ bulk, acted, tries, aborted_at }) => {
    const begun = (of: Readonly<Record<string, number>>): number =>
      Object.values(of).reduce((sum, one) => sum + one, 0);
    const after = (fact: BulkFact, more: Partial<State> = {}): State => {
      const next = decide(bulk, fact);
      const state = { bulk: next, acted, tries, aborted_at, ...more };
      return { ...state, aborted_at: next.aborted ? (aborted_at ?? begun(state.acted)) : null };
    };
    const steps = words.map((kind): { readonly action: string; readonly next: State } => ({
      action: kind,
      next: after({ kind }),
    }));
    for (const target of wave(bulk))
      steps.push({
        action: `begin ${target}`,
        next: after({ kind: "begun", target }, { acted: { ...acted, [target]: (acted[target] ?? 0) + 1 } }),
      });
    for (const target of [...targets, STRANGER])
      for (const kind of ["done", "failed"] as const)
        steps.push({ action: `${target} ${kind}`, next: after({ kind, target }) });
    if (isOver(bulk) && tries < TRIES)
      steps.push({ action: "retry", next: after({ kind: "retry_failed" }, { acted: {}, tries: tries + 1 }) });
    return steps;
  },
  always: {
    "nobody outside the list": ({ bulk, acted }) =>
      [...Object.keys(bulk.targets), ...Object.keys(acted)].every((target) => targets.includes(target)),
    "nobody twice in one try": ({ acted }) => Object.values(acted).every((times) => times === 1),
    "never more than the wave": ({ bulk }) => inFlight(bulk).length <= bulk.wave && bulk.begun_in_wave <= bulk.wave,
    "nothing begins after an abort": ({ acted, aborted_at }) =>
      aborted_at === null || Object.values(acted).length <= aborted_at,
    "the limit of errors holds": ({ bulk }) => bulk.errors < bulk.max_errors || bulk.aborted,
  },
  everyStep: {
    "nothing begins in a pause": ({ bulk: before }, _, { bulk: after }) =>
      !before.paused || inFlight(after).every((target) => before.targets[target] === "begun"),
    "a pause ends nothing": ({ bulk: before }, action, { bulk: after }) =>
      action !== "pause" || JSON.stringify({ ...after, paused: before.paused }) === JSON.stringify(before),
    "what is done stays done": ({ bulk: before }, _, { bulk: after }) =>
      Object.entries(before.targets).every(([target, state]) => state !== "done" || after.targets[target] === "done"),
  },
  certain: { "it comes to an end": ({ bulk }) => isOver(bulk) },
  reached,
});

const WHOLE: Extent = {
  targets: TARGETS,
  starts: [1, 2, 5].map((max_errors) => beginBulk(TARGETS, max_errors)),
  words: ["abort"],
  reached: {
    "all done": ({ bulk }) => Object.values(bulk.targets).every((state) => state === "done"),
    "a wave of four": ({ bulk }) => bulk.wave === 4,
    "aborted with some under way": ({ bulk }) => bulk.aborted && inFlight(bulk).length > 0,
    "the failed ones alone, again": ({ bulk, tries }) => tries === 2 && Object.values(bulk.targets).includes("begun"),
  },
};
const THREE = TARGETS.slice(0, 3);
/** Pauses at every moment; and what only tightens, with one wave for all. */
const PAUSED: Extent = {
  targets: THREE,
  starts: [...[1, 3].map((max_errors) => beginBulk(THREE, max_errors)), beginBulk(THREE, 3, 3)],
  words: ["abort", "pause", "resume"],
  reached: {
    "all done": ({ bulk }) => Object.values(bulk.targets).every((state) => state === "done"),
    "a wave for all at once": ({ bulk }) => inFlight(bulk).length === THREE.length,
    "paused with some under way": ({ bulk }) => bulk.paused && inFlight(bulk).length > 0,
    "resumed and going on": ({ bulk, tries }) => !bulk.paused && tries === 2 && inFlight(bulk).length > 0,
  },
};

it.each(Object.entries({ "five of them": WHOLE, "three, with pauses": PAUSED }))(
  "[L-N11] [L-44] [L-49.2] a frozen list, waves, a limit of errors, abort, pause and retry hold in every reachable state: %s",
  (_, extent) => {
    const found = explore(model(follow, due, extent));
    process.stdout.write(`${explorationText(found)}\n`);
    expect(explorationText(found)).not.toContain("broken");
    expect(found).toMatchObject({ complete: true, unreached: [] });
  },
);

const BROKEN: Readonly<Record<string, readonly [typeof follow, typeof due, Extent?]>> = {
  "begins after an abort": [follow, (bulk) => due({ ...bulk, aborted: false })],
  "forgets the limit of errors": [
    (bulk, fact) => ({ ...follow({ ...bulk, max_errors: 99 }, fact), max_errors: bulk.max_errors }),
    due,
  ],
  "takes strangers in": [
    (bulk, fact) =>
      follow(
        "target" in fact
          ? { ...bulk, targets: { ...bulk.targets, [fact.target]: bulk.targets[fact.target] ?? "begun" } }
          : bulk,
        fact,
      ),
    due,
  ],
  "begins in a pause": [follow, (bulk) => due({ ...bulk, paused: false }), PAUSED],
  "begins all at once": [follow, (bulk) => due({ ...bulk, wave: 99 })],
};
it.each(Object.entries(BROKEN))("[L-49.2] a planted fault is found: %s", (_, [decide, wave, extent = WHOLE]) => {
  expect(explore(model(decide, wave, extent)).counterexample).not.toBeNull();
});
