/** The worst probe decides, and nobody who looks waits for one that does not answer. */
import { expect, it } from "vitest";
import { healthReport, worstOf, type HealthStatus } from "./health.ts";

const probe = (name: string, check: () => Promise<HealthStatus> | HealthStatus) => ({ name, check });

it("[R-22.1] DOWN before DEGRADED before UNKNOWN before UP; of nothing nothing is known", () => {
  expect(worstOf(["UP", "UNKNOWN", "DEGRADED", "DOWN"])).toBe("DOWN");
  expect(worstOf(["UP", "UNKNOWN", "DEGRADED"])).toBe("DEGRADED");
  expect(worstOf(["UP", "UNKNOWN"])).toBe("UNKNOWN");
  expect(worstOf(["UP", "UP"])).toBe("UP");
  expect(worstOf([])).toBe("UNKNOWN");
});

it("[R-2.2] a probe that throws, at once or later, is DOWN; one that does not answer in time is UNKNOWN, and is not waited for", async () => {
  const never = new Promise<HealthStatus>(() => undefined);
  const report = await healthReport(
    [
      probe("good", () => "UP"),
      probe("throws", () => {
        throw new Error("broken");
      }),
      probe("rejects", () => Promise.reject(new Error("broken later"))),
      probe("silent", () => never),
    ],
    20,
  );
  expect(report).toEqual({
    status: "DOWN",
    probes: { good: "UP", throws: "DOWN", rejects: "DOWN", silent: "UNKNOWN" },
  });
});

it("[R-2.2] what a probe says after its time changes nothing, also where it fails", async () => {
  let fail: (cause: Error) => void = () => undefined;
  const late = new Promise<HealthStatus>((_, reject) => (fail = reject));
  const report = await healthReport([probe("late", () => late)], 5);
  fail(new Error("too late"));
  await new Promise((resolve) => setImmediate(resolve)); // an unheard rejection would end the process here
  expect(report.status).toBe("UNKNOWN");
});
