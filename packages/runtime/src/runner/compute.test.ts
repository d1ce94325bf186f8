import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { RunnerRoom } from "../../test/runner-room.ts";
import { journalOf } from "../../test/hosted.ts";
import { RUN_ID, thinker } from "../../test/support.ts";
import type { ComputeSide } from "../compute/policy.ts";
import { sideSpec } from "../compute/side.ts";
import { COMPUTE_NICE, niceOf } from "../lane/priority.ts";
import type { InstanceSpec, JournalEntry } from "../protocol.ts";

/** A Compute thread ends as by a defect of its own when the file is there. */
const fatal = (folder: string): string => join(folder, "fatal");
const dies = (folder: string): string => `
import * as filesOfTheTest from "node:fs";
import { workerData as givenToTheTest } from "node:worker_threads";
if (givenToTheTest.lane === "compute") setInterval(() => {
  if (!filesOfTheTest.existsSync(${JSON.stringify(fatal(folder))})) return;
  filesOfTheTest.rmSync(${JSON.stringify(fatal(folder))});
  throw new Error("the test ends this thread");
}, 20);`;
const room = new RunnerRoom({ rows: 20_000, hook: dies });

const side = (change: Partial<ComputeSide> = {}): ComputeSide => ({
  descriptor: thinker("compute"),
  config: { hint_every: 50 },
  staleness_us: 86_400_000_000,
  when_behind: "noop",
  ...change,
});
async function running(compute: ComputeSide, factor: number) {
  const { control, child } = await room.pair();
  const lead = thinker("ll");
  const of: InstanceSpec = { ...room.spec(factor), strategy_id: lead.strategy_id, descriptor: lead, compute };
  const started = await control.ask({ type: "start", spec: of });
  if (!started.ok) throw new Error(JSON.stringify(started.failure));
  const ended = () =>
    control.until(() => control.statuses.find((one) => one.run_id === RUN_ID && one.phase === "feed_ended"), 120_000);
  return { control, child, of, ended, entries: () => control.entries.get(RUN_ID) ?? [] };
}
const signals = (entries: readonly JournalEntry[]) =>
  entries.flatMap((entry) =>
    entry.kind === "input" && entry.input["input"] === "signal" ? [{ ...entry, input: entry.input }] : [],
  );
const pressures = (entries: readonly JournalEntry[]): readonly unknown[] =>
  entries.flatMap((entry) =>
    entry.kind === "input" && entry.input["source"] === "compute" ? [entry.input["reason_code"]] : [],
  );

describe("Compute lane of a runner", () => {
  it(
    "[M-3.1.2] [M-13.2] results reach the lead as signals with the time of their data; only the lead's own intents become orders",
    { timeout: 180_000 },
    async () => {
      // Slow enough that a side at nice 19 gets its turn on a machine with other things to do.
      const { child, of, entries, control } = await running(side(), 200);
      // [M-0.4] Measured: some thread of the runner stands at nice 19, its first does not.
      const tasks = `/proc/${child.pid}/task`;
      const ordered = () => entries().filter((entry) => entry.kind === "intent");
      await control.until(() => signals(entries()).length > 3 && ordered().length > 3, 120_000);
      const nices = readdirSync(tasks).map((task) => niceOf(`${tasks}/${task}/stat`));
      expect(nices).toContain(COMPUTE_NICE);
      expect(niceOf(`${tasks}/${child.pid}/stat`)).toBeLessThan(COMPUTE_NICE);
      for (const { input, event_time_us } of signals(entries())) {
        expect(input["signal"]).toMatchObject({ source: "compute", tag: "trend" });
        expect(Number(input["as_of_us"])).toBeLessThanOrEqual(event_time_us);
      }
      const own = sideSpec(of, side());
      expect(own.mode).toBe("shadow");
      const beside = journalOf(own);
      expect(beside.some((entry) => entry.kind === "order" || entry.kind === "fill")).toBe(false);
      // The lead turned signals into intents, through its gate.
      expect(ordered().length).toBeGreaterThan(3);
    },
  );

  it(
    "[M-0.4] [M-1.1.3] [M-3.2.1] [M-3.2.3] a side that is stuck in its work never holds the lead up: it ends its feed in time and keeps still, as its bot chose",
    { timeout: 180_000 },
    async () => {
      const stuck = side({ config: { hint_every: 1, spin: 20_000_000 }, staleness_us: 60_000_000 });
      const { of, ended, entries, control } = await running(stuck, 4_000);
      await ended();
      await control.until(() => entries().some((entry) => entry.kind === "feed_ended"));
      expect(pressures(entries())[0]).toBe("M.COMPUTE.NOOP");
      const ended_at = entries().find((entry) => entry.kind === "feed_ended")?.cursor ?? 0;
      const beside = journalOf(sideSpec(of, stuck));
      expect(
        beside.some((entry) => entry.kind === "feed_ended"),
        "the side is not done when the lead is",
      ).toBe(false);
      expect(beside.at(-1)?.cursor ?? 0).toBeLessThan(ended_at);
    },
  );

  it(
    "[M-3.2.1] [M-13.2] a Compute thread that dies is replaced: the lead's record says M.COMPUTE.LOST, and results come again",
    { timeout: 120_000 },
    async () => {
      const { entries, control } = await running(side(), 200);
      await control.until(() => signals(entries()).length > 3, 120_000);
      const lost = () => signals(entries()).findIndex(({ input }) => JSON.stringify(input).includes("M.COMPUTE.LOST"));
      writeFileSync(fatal(room.path), "");
      await control.until(() => lost() >= 0, 120_000);
      expect(existsSync(fatal(room.path))).toBe(false);
      await control.until(() => signals(entries()).length > lost() + 4, 90_000);
      expect(signals(entries()).at(-1)?.input["signal"]).toMatchObject({ source: "compute", tag: "trend" });
    },
  );
});
