import { expect, it } from "vitest";
import { CHECKPOINT_TURNS, CheckpointTurns } from "./turns.ts";

const me = {};

it("[M-6.1.2] one checkpoint at a time, and after a slow one the lane has four times as long for its events", () => {
  let now = 0;
  const turns = new CheckpointTurns(() => now);
  expect(turns.take(me)).toBe(true);
  expect(turns.take({})).toBe(false);
  turns.done({});
  expect(turns.take({})).toBe(false);
  now = 10;
  turns.done(me);
  expect(turns.take(me)).toBe(false);
  now = 10 + 10 * CHECKPOINT_TURNS.rest_factor - 1;
  expect(turns.take(me)).toBe(false);
  now += 1;
  expect(turns.take(me)).toBe(true);
});

it("[M-6.1.2] a hundred instances that are always due take a fifth of the time, and all have their turn", () => {
  let now = 0;
  let writing = 0;
  const turns = new CheckpointTurns(() => now);
  const had = new Set<number>();
  const due = new Map(Array.from({ length: 100 }, (_, who) => [who, 0]));
  for (; had.size < 100; now += 1)
    for (const [who, at] of due) {
      if (at > now || !turns.take(me)) continue;
      now += 5;
      writing += 5;
      turns.done(me);
      had.add(who);
      due.set(who, now + 10_000);
    }
  expect(writing / now).toBeLessThan(1 / (CHECKPOINT_TURNS.rest_factor + 1) + 0.01);
  expect(writing / now).toBeGreaterThan(0.15);
});

it("a turn that nobody ended does not stay taken", () => {
  let now = 0;
  const turns = new CheckpointTurns(() => now);
  turns.take(me);
  now = CHECKPOINT_TURNS.longest_ms;
  expect(turns.take(me)).toBe(true);
});
