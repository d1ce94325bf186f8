import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { requires } from "../../../tools/test-support.ts";
import { treeCpuMs } from "./jail/cpu-time.ts";
import { OwnTime, type ThreadTimes, treeTimes } from "./own-time.ts";

/** What a stopwatch shows after each look, 10 ms apart by the clock; the first row is the start. */
function shown(looks: readonly ThreadTimes[]): readonly number[] {
  let [at, now] = [-1, -10];
  const time = new OwnTime(
    () => (now += 10),
    () => looks[(at += 1)] ?? null,
  );
  time.restart(1);
  return looks.slice(1).map(() => time.passedMs());
}

describe("own time of a tree whose threads end", () => {
  it("[M-5.2.1] one that had waited long takes its wait with it, and nobody is older for it", () => {
    const before = { ran_ms: 300, waited_ms: 5_000, canRun: false };
    const without = { ran_ms: 200, waited_ms: 10, canRun: false };
    expect(shown([before, without, { ...without, waited_ms: 14 }])).toEqual([10, 16]);
  });

  it("[M-5.2.1] those that burned and ended between two looks count, as far as it is certain", () => {
    const look = (spent_ms: number): ThreadTimes => ({ ran_ms: 5, waited_ms: 0, canRun: true, spent_ms });
    // User and system time may each have been about to turn.
    expect(shown([look(700), look(710), look(720), look(730), look(800)])).toEqual([0, 0, 10, 80]);
  });

  it("[M-5.2.1] nothing counts twice: what the threads that live have told is in the processes' account too", () => {
    const look = (ran_ms: number): ThreadTimes => ({ ran_ms, waited_ms: 0, canRun: true, spent_ms: ran_ms });
    expect(shown([look(0), look(40), look(80)])).toEqual([40, 80]);
  });

  it.runIf(requires("python3"))(
    "[M-5.2.1] a chain of threads that each burn a little and start the next one hides nothing",
    async () => {
      const chain = `
import threading, time
def burn():
    until = time.thread_time() + 0.003
    while time.thread_time() < until: pass
    threading.Thread(target=burn).start()
burn()
print("burning", flush=True)
threading.Event().wait()
`;
      const burner = spawn("python3", ["-c", chain], { stdio: ["ignore", "pipe", "inherit"] });
      try {
        await once(burner.stdout, "data");
        const pid = burner.pid ?? 0;
        const time = new OwnTime(() => performance.now(), treeTimes);
        const from = treeCpuMs(pid) ?? 0;
        time.restart(pid);
        while ((treeCpuMs(pid) ?? 0) - from < 600) await new Promise((resolve) => setTimeout(resolve, 50));
        expect(time.passedMs()).toBeGreaterThanOrEqual(560);
      } finally {
        burner.kill("SIGKILL");
      }
    },
  );
});
