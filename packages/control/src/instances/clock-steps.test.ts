import { micros, millis, type Clock } from "@rumi/kernel";
import { expect, it } from "vitest";
import { CLOCK_STEP_MS, ClockSteps } from "./clock-steps.ts";

const TTL = millis(20_000);

/** Both clocks go on by `pass`; only the wall clock by `step`. */
function scene() {
  let [wall_ms, monotonic_ms] = [1_000_000, 500];
  const clock: Clock = {
    now: () => micros(wall_ms * 1_000),
    monotonic: () => millis(monotonic_ms),
    sleep: () => Promise.resolve(),
  };
  const pass = (ms: number): void => {
    wall_ms += ms;
    monotonic_ms += ms;
  };
  return { steps: new ClockSteps(clock, TTL), pass, step: (ms: number) => void (wall_ms += ms) };
}

it("[M-7.1.1] [L-N7] a program that just began ends no lease by the wall clock: what that did before, nobody saw", () => {
  const { steps, pass } = scene();
  expect(steps.mayEndLeases()).toBe(false);
  pass(TTL - 1);
  expect(steps.mayEndLeases()).toBe(false);
  pass(1);
  expect(steps.mayEndLeases()).toBe(true);
});

it("[M-7.1.1] [L-N7] nor for a lease time after a step forward; a small one and one back change nothing", () => {
  const { steps, pass, step } = scene();
  pass(TTL);
  step(-60_000);
  expect(steps.mayEndLeases()).toBe(true);
  step(CLOCK_STEP_MS);
  expect(steps.mayEndLeases()).toBe(true);
  step(CLOCK_STEP_MS + 1);
  expect(steps.mayEndLeases()).toBe(false);
  pass(TTL - 1);
  expect(steps.mayEndLeases()).toBe(false);
  pass(1);
  expect(steps.mayEndLeases()).toBe(true);
});
