import { expect, it } from "vitest";
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
const failure = JSON.stringify({ error_code: "RUMI-STR-020", reason_code: "M.X.Y", error: "", suggestion: "" });

it("[L-44] running is done when every instance of this start runs; a shadow and a former shard do not count", () => {
  const running = (...all: SeenInstance[]) => progressOf(seen("RUNNING_PAPER", ...all), "IDLE", "RUNNING_PAPER").kind;
  expect(running()).toBe("on_its_way");
  for (const phase of ["none", "starting", "paused"] as const)
    expect(running(instance(), instance({ phase })), phase).toBe("on_its_way");
  expect(running(instance(), instance({ phase: "feed_ended" }))).toBe("done");
  expect(running(instance(), instance({ phase: "failed" }))).toBe("failed");
  expect(running(instance(), instance({ instance_id: "main~shadow", phase: "starting" }))).toBe("done");
  expect(running(instance(), instance({ phase: "failed", desired: "stopped", desired_since: 6 }))).toBe("done");
});

it("[L-44] paused is done when all stand, a stop when it is proven, a quarantine when nothing is held", () => {
  const to = (wish: string, bot: Seen) => progressOf(bot, "RUNNING_PAPER", wish).kind;
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
  expect(progressOf(seen("ERROR", failed), "IDLE", "RUNNING_PAPER")).toEqual({ kind: "failed", why });
  expect(progressOf(seen("ERROR", failed), "ERROR", "RUNNING_PAPER")).toEqual({ kind: "unmoved", why });
  expect(progressOf(seen("IDLE"), "IDLE", "RUNNING_PAPER")).toMatchObject({
    kind: "unmoved",
    why: { reason_code: "G.BULK.MOVED_ON" },
  });
  expect(progressOf(undefined, "IDLE", "RUNNING_PAPER")).toMatchObject({ why: { reason_code: "G.STATE_GONE" } });
  expect(progressOf(seen("QUARANTINED"), "IDLE", "RUNNING_PAPER")).toMatchObject({ kind: "failed" });
});
