import { expect, it } from "vitest";
import { CONTROL_LIMITS } from "../limits.ts";
import { progressOf, type Seen, type SeenInstance } from "./progress.ts";

const instance = (over: Partial<SeenInstance> = {}): SeenInstance => ({
  bot_id: "a",
  instance_id: "main",
  phase: "running",
  desired: "running",
  desired_since: 7,
  holder: "r",
  failure: null,
  ...over,
});
const seen = (state: Seen["bot"]["state"], ...instances: SeenInstance[]): Seen => ({
  bot: { bot_id: "a", state, state_since: 7 },
  instances,
});
/** Microseconds; what was commanded at 7 has its whole time left. */
const SOON = 8;
const failure = JSON.stringify({ error_code: "RUMI-STR-020", reason_code: "M.X.Y", error: "", suggestion: "" });

it("[L-44] running is done when every instance of this start runs; a shadow and a former shard do not count", () => {
  const running = (...all: SeenInstance[]) =>
    progressOf(seen("RUNNING_PAPER", ...all), "IDLE", "RUNNING_PAPER", SOON).kind;
  expect(running()).toBe("on_its_way");
  for (const phase of ["none", "starting", "paused"] as const)
    expect(running(instance(), instance({ phase })), phase).toBe("on_its_way");
  expect(running(instance(), instance({ phase: "feed_ended" }))).toBe("done");
  expect(running(instance(), instance({ phase: "failed" }))).toBe("failed");
  expect(running(instance(), instance({ instance_id: "main~shadow", phase: "starting" }))).toBe("done");
  expect(running(instance(), instance({ phase: "failed", desired: "stopped", desired_since: 6 }))).toBe("done");
});

it("[L-44] paused is done when all stand, a stop when it is proven, a quarantine when nothing is held", () => {
  const to = (wish: string, bot: Seen) => progressOf(bot, "RUNNING_PAPER", wish, SOON).kind;
  const stands = instance({ desired: "paused", phase: "paused" });
  expect(to("PAUSED", seen("PAUSED", stands, instance({ desired: "paused" })))).toBe("on_its_way");
  expect(to("PAUSED", seen("PAUSED", stands))).toBe("done");
  expect(to("PAUSED", seen("STOPPING", stands))).toBe("failed");
  expect(to("STOPPING", seen("STOPPING"))).toBe("on_its_way");
  expect(to("STOPPING", seen("IDLE"))).toBe("done");
  expect(to("QUARANTINED", seen("QUARANTINED", instance()))).toBe("on_its_way");
  expect(to("QUARANTINED", seen("QUARANTINED", instance({ holder: null })))).toBe("done");
});

it("[L-44] ERROR is failed with the instance's own cause; a bot that is gone, elsewhere or where it was is told as such", () => {
  const failed = instance({ phase: "failed", failure });
  const why = { error_code: "RUMI-STR-020", reason_code: "M.X.Y" };
  expect(progressOf(seen("ERROR", failed), "IDLE", "RUNNING_PAPER", SOON)).toEqual({ kind: "failed", why });
  expect(progressOf(seen("ERROR", failed), "ERROR", "RUNNING_PAPER", SOON)).toEqual({ kind: "unmoved", why });
  expect(progressOf(seen("IDLE"), "IDLE", "RUNNING_PAPER", SOON)).toMatchObject({
    kind: "unmoved",
    why: { reason_code: "G.BULK.MOVED_ON" },
  });
  expect(progressOf(undefined, "IDLE", "RUNNING_PAPER", SOON)).toMatchObject({ why: { reason_code: "G.STATE_GONE" } });
  expect(progressOf(seen("QUARANTINED"), "IDLE", "RUNNING_PAPER", SOON)).toMatchObject({ kind: "failed" });
});

it("[L-44] [L-N11] who does not arrive in time is failed by name, a start by a runner that never reports as much as a stop never proven", () => {
  const last = 7 + CONTROL_LIMITS.bulk_arrival_ms * 1_000;
  const starting = seen("RUNNING_PAPER", instance({ phase: "none" }));
  const judged = (bot: Seen, to: string, now: number) => progressOf(bot, "IDLE", to, now);
  expect(judged(starting, "RUNNING_PAPER", last)).toEqual({ kind: "on_its_way" });
  expect(judged(starting, "RUNNING_PAPER", last + 1)).toEqual({
    kind: "failed",
    why: { error_code: "RUMI-BOT-032", reason_code: "G.BULK.NOT_REPORTED" },
  });
  for (const to of ["STOPPING", "QUARANTINED"] as const)
    expect(judged(seen(to, instance()), to, last + 1)).toEqual({
      kind: "failed",
      why: { error_code: "RUMI-BOT-032", reason_code: "G.BULK.STOP_NOT_PROVEN" },
    });
  // Who is there stays there, however late one looks.
  expect(judged(seen("RUNNING_PAPER", instance()), "RUNNING_PAPER", last * 2)).toEqual({ kind: "done" });
});
