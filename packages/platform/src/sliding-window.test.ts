import { millis } from "@rumi/kernel";
import { expect, it } from "vitest";
import { createSlidingWindow } from "./sliding-window.ts";

it("[R-6.1] what is older than the window no longer counts, one use after the other, and keys do not mix", () => {
  let now = 0;
  const window = createSlidingWindow({ monotonic: () => millis(now) }, 1_000);
  for (now = 0; now < 900; now += 300) window.count("a");
  window.count("b");
  const seen = [999, 1_000, 1_299, 1_300, 1_599, 1_600].map((at) => {
    now = at;
    return window.recent("a");
  });
  expect(seen).toEqual([3, 2, 2, 1, 1, 0]);
  expect(window.recent("b")).toBe(1);
  now = 1_900;
  expect(window.recent("b")).toBe(0);
});
