import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { paced } from "./paced.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

it("does the first at once, what follows at its pace, and nothing that was not asked for", () => {
  let runs = 0;
  const { ask } = paced(() => (runs += 1), 1_000);
  ask();
  ask();
  vi.advanceTimersByTime(20);
  expect(runs).toBe(1);
  for (let i = 0; i < 50; i += 1) {
    ask();
    vi.advanceTimersByTime(10);
  }
  expect(runs).toBe(1);
  vi.advanceTimersByTime(1_000);
  expect(runs).toBe(2);
  vi.advanceTimersByTime(10_000);
  expect(runs).toBe(2);
});

it("does nothing any more once it was stopped", () => {
  let runs = 0;
  const { ask, stop } = paced(() => (runs += 1), 100);
  ask();
  stop();
  vi.advanceTimersByTime(1_000);
  expect(runs).toBe(0);
});
