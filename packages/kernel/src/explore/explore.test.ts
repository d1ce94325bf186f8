/** The explorer on machines small enough to count by hand. */
import { expect, it } from "vitest";
import { explorationText, explore, type Model } from "./explore.ts";

/** A counter that goes up by one or doubles, up to a bound. */
const counter = (bound: number, always: Model<number>["always"] = {}): Model<number> => ({
  name: "counter",
  start: [1],
  steps: (n) =>
    [
      { action: "add", next: n + 1 },
      { action: "double", next: n * 2 },
    ].filter(({ next }) => next <= bound),
  always,
  reached: { top: (n) => n === bound },
});

it("[L-49.2] every state is looked at once, every transition counted, and the depth is that of shortest paths", () => {
  const found = explore(counter(8));
  expect(found).toEqual({
    name: "counter",
    states: 8,
    transitions: 7 + 4,
    depth: 4, // 1 → 2 → 3 → 6 → 7
    complete: true,
    counterexample: null,
    properties: [],
    unreached: [],
  });
  expect(explorationText(found)).toBe("counter: 8 states, 11 transitions, depth 4");
});

it("[L-49.2] what is broken is told with a shortest path, a broken step with the step, and a bound is never silent", () => {
  const found = explore(counter(100, { "below 24": (n) => n < 24 }));
  expect(found.counterexample?.path.map(({ state }) => state)).toEqual([1, 2, 3, 6, 12, 24]);
  expect(explorationText(found)).toContain("broken: below 24\n  start: 1\n  add: 2");
  const steps = explore({
    ...counter(8),
    everyStep: { "never 3 to 6": (before, _, after) => before !== 3 || after !== 6 },
  });
  expect(steps.counterexample).toMatchObject({ broken: "never 3 to 6" });
  expect(explore(counter(8), 5)).toMatchObject({ states: 5, complete: false, unreached: ["top"] });
});

it("[L-49.2] what must be certain is: a state that nothing leads out of is told with the way into it", () => {
  const found = explore({ ...counter(8, { positive: (n) => n > 0 }), certain: { "the top": (n) => n === 8 } });
  expect(found).toMatchObject({ complete: true, counterexample: null, properties: ["positive", "the top"] });
  expect(explorationText(found)).toBe(
    "counter: 8 states, 11 transitions, depth 4\n  holds: positive\n  holds: the top",
  );
  const trap = explore({
    ...counter(8),
    steps: (n) => (n === 5 ? [] : counter(8).steps(n)),
    certain: { "the top": (n) => n === 8 },
  });
  expect(trap.counterexample).toMatchObject({ broken: "the top" });
  expect(trap.counterexample?.path.at(-1)?.state).toBe(5);
});
