import { expect, it } from "vitest";
import { BACKLOG_BOUNDS, judgeBacklog } from "./backlog.ts";

const rules = { lane: "ll", queue_events: 1_000, sharper: 1 } as const;

it.each([
  ["nothing due", 0, 0, false, { conflate: false, overflow: null }],
  [
    "many due, all fresh: a large slice is no backlog",
    500,
    BACKLOG_BOUNDS.ll.waited_us,
    false,
    { conflate: false, overflow: null },
  ],
  ["few due, long waited", BACKLOG_BOUNDS.ll.rows, 1e6, false, { conflate: false, overflow: null }],
  ["behind", BACKLOG_BOUNDS.ll.rows + 1, BACKLOG_BOUNDS.ll.waited_us + 1, false, { conflate: true, overflow: null }],
  ["over the queue's cap", 1_001, 1e6, false, { conflate: true, overflow: true }],
  ["over it still", 1_001, 1e6, true, { conflate: true, overflow: null }],
  ["better, not good", 501, 1e6, true, { conflate: true, overflow: null }],
  ["recovered below half of the cap", 500, 1e6, true, { conflate: true, overflow: false }],
] as const)("[M-3.1.1] [M-4.2.4] %s", (_, due_rows, waited_us, overflown, expected) => {
  expect(judgeBacklog({ due_rows, waited_us }, rules, overflown)).toEqual(expected);
});
it("[M-3.1.2] Compute waits longer before it misses rows, an adjusted instance shorter", () => {
  const backlog = { due_rows: 500, waited_us: 900_000 };
  expect(judgeBacklog(backlog, { ...rules, lane: "compute" }, false).conflate).toBe(false);
  expect(judgeBacklog({ due_rows: 20, waited_us: 2_000 }, rules, false).conflate).toBe(false);
  expect(judgeBacklog({ due_rows: 20, waited_us: 2_000 }, { ...rules, sharper: 4 }, false).conflate).toBe(true);
});
