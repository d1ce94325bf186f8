import { expect, it } from "vitest";
import { SECRET_LIMITS } from "./limits.ts";
import { admitRead, type ReadWindow } from "./rate.ts";

it("[R-10.4] the 61st read within a minute is refused, and each is let in as the oldest leaves the window", () => {
  let window: ReadWindow = [];
  for (let at = 0; at < 60; at += 1) {
    const admission = admitRead(window, at * 500, 60);
    expect(admission.kind).toBe("admitted");
    window = admission.next;
  }
  expect(admitRead(window, 30_000, 60)).toMatchObject({ kind: "refused", wait_seconds: 30 });
  expect(admitRead(window, SECRET_LIMITS.read_window_ms - 1, 60)).toMatchObject({ kind: "refused", wait_seconds: 1 });
  const freed = admitRead(window, SECRET_LIMITS.read_window_ms, 60);
  expect(freed.kind).toBe("admitted");
  // One left the window and one came in: the next waits for the second.
  expect(admitRead(freed.next, SECRET_LIMITS.read_window_ms + 499, 60).kind).toBe("refused");
  expect(admitRead(freed.next, SECRET_LIMITS.read_window_ms + 500, 60).kind).toBe("admitted");
});

it("[R-10.4] what was refused does not count, or whoever keeps asking would never be let in", () => {
  let window = admitRead([], 0, 1).next;
  for (let at = 1_000; at < SECRET_LIMITS.read_window_ms; at += 1_000) window = admitRead(window, at, 1).next;
  expect(admitRead(window, SECRET_LIMITS.read_window_ms, 1).kind).toBe("admitted");
});
