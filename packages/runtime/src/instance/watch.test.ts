import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { crossing, hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import { descriptor, market, spec } from "../../test/support.ts";
import type { InstanceSpec, JournalEntry } from "../protocol.ts";
import type { CallbackNumber, Strategy } from "../strategy/strategy.ts";
import { comparable, isReproduced } from "./recorder.ts";

const folders: { remove: () => void }[] = [];
afterEach(() => folders.splice(0).forEach((folder) => folder.remove()));
const run = (change: Partial<InstanceSpec>): InstanceSpec => {
  const folder = temporaryFolder();
  folders.push(folder);
  return spec(join(folder.path, "run"), change);
};

const FEED = market(20_000);
const SPAN_US = (FEED.received_time_us[19_999] ?? 0) - (FEED.received_time_us[0] ?? 0);
/** At this pace so many rows become due in a millisecond. */
const paceOf = (rows_per_ms: number) => ({
  kind: "multiple" as const,
  factor: ((SPAN_US / 20_000) * rows_per_ms) / 1_000,
});

/** A strategy whose every event takes so long on a clock of its own; keeps how old each row was when it was told. */
function slow(ms_per_event: () => number) {
  const inner = crossing();
  const clock = { ms: 0 };
  const told: number[] = [];
  let at = 0;
  const strategy: Strategy = {
    get isolation() {
      return inner.isolation;
    },
    get views() {
      return inner.views;
    },
    room: (bytes) => (at = inner.room(bytes)),
    invoke: (callback: CallbackNumber, length: number) => {
      if (callback === 2 && inner.views.u16[at >> 1] === 1) {
        const word = (at + 24) >> 2;
        told.push((inner.views.i32[word + 1] ?? 0) * 2 ** 32 + (inner.views.u32[word] ?? 0));
        clock.ms += ms_per_event();
      }
      return inner.invoke(callback, length);
    },
    outputAt: (length) => inner.outputAt(length),
    fault: () => inner.fault(),
    reset: () => inner.reset(),
    close: () => inner.close(),
  };
  return { strategy, clock, told };
}
/** Of all time that passes, this share is spent on a processor: by the lane's thread, or by a process of the strategy's own. */
type Spent = { readonly thread?: number; readonly process?: number };
async function toEnd(of: InstanceSpec, ms_per_event: () => number, spent: Spent = {}) {
  const { strategy, clock, told } = slow(ms_per_event);
  const { thread, process: own } = spent;
  if (own !== undefined) strategy.cpu = () => ({ pid: 1, ms: clock.ms * own });
  const account = (share: number) => () => ({ ran_ms: clock.ms * share, waited_ms: clock.ms * (1 - share) });
  const { host } = await hosted(of, {
    strategy,
    feed: FEED,
    monotonic: () => clock.ms,
    ...(thread === undefined ? {} : { account: account(thread) }),
  });
  while (host.phase === "running") {
    await host.turn();
    clock.ms += 0.2;
  }
  return { host, told };
}
const inputs = (of: InstanceSpec, word: string): readonly Extract<JournalEntry, { kind: "input" }>[] =>
  journalOf(of).filter(
    (entry): entry is Extract<JournalEntry, { kind: "input" }> =>
      entry.kind === "input" && entry.input["input"] === word,
  );
const base = spec("").venue;

describe("newest first under overload", () => {
  it("[M-3.1.1] [M-4.2.1] at five times what it can take the LL strategy hears the newest, conflation is counted, and a replay needs no clock", async () => {
    const one = run({ venue: { ...base, pace: paceOf(5) } });
    const { host, told } = await toEnd(one, () => 1);
    const status = host.status();
    expect(status.events_total, "the venue saw every row").toBe(20_000);
    const conflated = status.counters["events_conflated_total"] ?? 0;
    expect(conflated + told.length).toBe(20_000);
    expect(conflated).toBeGreaterThan(10_000);
    expect(told, "never backwards").toEqual(told.toSorted((a, b) => a - b));
    // [M-0.7] Another life on a clock that stands still makes the same of it.
    const before = journalOf(one);
    loseCheckpoints(one);
    const again = await hosted({ ...one, start: "resume", epoch: 2 }, { feed: FEED, monotonic: () => 0 });
    expect(journalOf(one).slice(0, before.length)).toEqual(before);
    expect(again.host.status().counters["events_conflated_total"]).toBe(conflated);
  });
  it("[M-3.1.1] at pace max nothing is ever conflated, however slow the strategy", async () => {
    const one = run({});
    const { host } = await toEnd(one, () => 1);
    expect(host.status().counters["events_conflated_total"]).toBe(0);
    expect(inputs(one, "conflate")).toEqual([]);
  });
  it("[M-4.2.4] a queue over its cap degrades with its reason, the breaker sees it, and it recovers", async () => {
    const small = descriptor();
    const one = run({
      venue: { ...base, pace: paceOf(5) },
      descriptor: { ...small, resources: { ...small.resources, queue_events: 200 } },
      breaker: {
        rules: { queue: { count: 1, within_us: 1_000_000, mode: "reduce_only" } },
        back: { kind: "cooldown", after_us: 1_000_000 },
      },
    });
    let events = 0;
    // One event that takes very long, in the middle of quick ones.
    const { host } = await toEnd(one, () => ((events += 1) === 3_000 ? 100 : 0.01));
    expect(host.status().events_total).toBe(20_000);
    expect(inputs(one, "pressure").map(({ input }) => [input["source"], input["level"], input["reason_code"]])).toEqual(
      [
        ["queue", "degrade", "M.QUEUE.OVERFLOW"],
        ["queue", "none", "M.QUEUE.RECOVERED"],
      ],
    );
    const breaker = journalOf(one).flatMap((entry) => (entry.kind === "breaker" ? [entry.breaker.reason_code] : []));
    expect(breaker).toEqual(["M.BREAKER.QUEUE", "M.BREAKER.BACK_COOLDOWN"]);
    const health = journalOf(one).flatMap((entry) =>
      entry.kind === "health" ? [`${entry.health_state} ${entry.reason_code}`] : [],
    );
    expect(health.some((text) => text.startsWith("degraded M."))).toBe(true);
    expect(host.status().health_state).toBe("healthy");
  });
});

describe("service level of an instance", () => {
  it("[M-3.3.1] [M-3.3.2] made slow it walks adjust → degrade → halt, each with its reason, its measured values beside the promise; a replay walks the same", async () => {
    const one = run({ slo: { p95_latency_us: 500, drop_rate_ppm: 1_000 } });
    const { host } = await toEnd(one, () => 1).catch((error: unknown) => {
      throw error;
    });
    const steps = inputs(one, "pressure");
    expect(steps.map(({ input }) => input["reason_code"])).toEqual([
      "M.SLO.LATENCY_ADJUST",
      "M.SLO.LATENCY_DEGRADE",
      "M.SLO.LATENCY_HALT",
    ]);
    const status = host.status();
    expect(status).toMatchObject({ health_state: "halted", reason_code: "M.SLO.LATENCY_HALT" });
    expect(status.slo).toMatchObject({
      level: "halt",
      promised: { p95_latency_us: 500, drop_rate_ppm: 1_000 },
      measured: { drop_rate_ppm: 0 },
    });
    expect(status.slo?.measured.p95_latency_us).toBeGreaterThanOrEqual(1_000);
    expect(status.slo?.measured.cpu_seconds_per_minute).toBeGreaterThan(30);
    expect(status.cursor).toBeLessThan(20_000);
    expect(status.orders_open).toBe(0);
    const before = journalOf(one).filter(isReproduced).map(comparable);
    loseCheckpoints(one);
    const again = await hosted({ ...one, start: "resume", epoch: 2 }, { feed: FEED });
    expect(journalOf(one).filter(isReproduced).map(comparable)).toEqual(before);
    expect(again.host.status()).toMatchObject({ health_state: "halted", reason_code: "M.SLO.LATENCY_HALT" });
  });
  it.each([
    ["a lane that a busy machine starves", { thread: 0.05 }, 3],
    ["a process that is starved", { thread: 1, process: 0.05 }, 3],
  ] as const)("[M-3.3.1] [M-3.3.2] %s is not blamed for what it waited for a processor", async (_, spent, seconds) => {
    const one = run({ slo: { cpu_seconds_per_minute: 6 } });
    const { host } = await toEnd(one, () => 1, spent);
    expect(inputs(one, "pressure")).toEqual([]);
    const { slo, health_state } = host.status();
    expect(health_state).toBe("healthy");
    expect(slo?.measured.cpu_seconds_per_minute).toBeLessThanOrEqual(seconds + 0.1);
    expect(slo?.measured.cpu_seconds_per_minute).toBeGreaterThan(seconds / 2);
  });
  it.each<readonly [string, Spent]>([
    ["in the lane's thread", { thread: 1 }],
    ["in a process, where the lane only waits", { thread: 0, process: 1 }],
    ["in a process of three threads", { thread: 0, process: 3 }],
  ])("[M-3.3.1] [M-3.3.2] one that burns %s walks adjust → degrade → halt for it", async (_, spent) => {
    const one = run({ slo: { cpu_seconds_per_minute: 6 } });
    const { host } = await toEnd(one, () => 1, spent);
    const words = ["ADJUST", "DEGRADE", "HALT"].map((word) => `M.SLO.CPU_${word}`);
    expect(inputs(one, "pressure").map(({ input }) => input["reason_code"])).toEqual(words);
    expect(host.status()).toMatchObject({ health_state: "halted", reason_code: "M.SLO.CPU_HALT" });
    expect(host.status().slo?.measured.cpu_seconds_per_minute).toBeGreaterThan(30 * (spent.process ?? 1));
  });
  it("[M-9.1.1] a broken latency is an occurrence for the breaker, where it has a rule for it", async () => {
    const one = run({
      slo: { p95_latency_us: 500 },
      breaker: {
        rules: { latency: { count: 2, within_us: 86_400_000_000, mode: "cancel_all" } },
        back: { kind: "manual" },
      },
    });
    await toEnd(one, () => 1);
    const [open] = journalOf(one).filter((entry) => entry.kind === "breaker");
    expect(open).toMatchObject({ breaker: { trigger: "latency", mode: "cancel_all" } });
    expect(inputs(one, "observed").length).toBeGreaterThanOrEqual(2);
  });
  it("[M-3.3.1] within its promise nothing is recorded", async () => {
    const one = run({ slo: { p95_latency_us: 5_000, cpu_seconds_per_minute: 60 } });
    await toEnd(one, () => 0.5);
    expect(inputs(one, "pressure")).toEqual([]);
  });
});
