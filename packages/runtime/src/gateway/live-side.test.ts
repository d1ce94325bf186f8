/** The live side and its tape, without a network: a disk that fails, a lease that is over, a checkpoint to fall back to. */
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ExecutionVenue, FeedSink, MarketFeedSource } from "@rumi/venues";
import { afterEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { ScriptedStrategy } from "../../test/scripted.ts";
import { spec } from "../../test/support.ts";
import { InstanceHost } from "../instance/host.ts";
import type { InstanceSpec } from "../protocol.ts";
import { SYSTEM } from "../surroundings.ts";
import { readLife } from "../tape/earlier.ts";
import { listSegments, segmentName, tapeFolder } from "../tape/segments.ts";
import { rowAt, standAt } from "../../test/tape-kit.ts";
import { type LiveOptions, LiveSide } from "./live-side.ts";

const made: { remove: () => void }[] = [];
afterEach(() => made.splice(0).forEach((one) => one.remove()));
const fresh = (): InstanceSpec => {
  const folder = temporaryFolder();
  made.push(folder);
  return spec(join(folder.path, "run"), { mode: "live" });
};

/** Rows come when a test brings them, as from a socket's listener. */
class HandFeed implements MarketFeedSource {
  #sink: FeedSink | undefined;
  start(_after: number | null, sink: FeedSink): void {
    this.#sink = sink;
  }
  bring(n: number): void {
    this.#sink?.row(rowAt(n), n);
  }
  close(): void {
    this.#sink = undefined;
  }
}
/** Nothing is open there, and nothing is sent. */
const nobody: ExecutionVenue = {
  recv_window_ms: 1_000,
  place: async () => ({ kind: "unknown", problem: "nobody places" }),
  cancel: async () => ({ kind: "unknown", problem: "nobody cancels" }),
  amend: async () => ({ kind: "unknown", problem: "nobody amends" }),
  query: async () => ({ kind: "answer", value: null, time_us: 1 }),
  openOrders: async () => ({ kind: "answer", value: [], time_us: 1 }),
  fillsAfter: async () => ({ kind: "answer", value: [], time_us: 1 }),
  syncClock: async () => ({ kind: "answer", value: 0, time_us: 1 }),
  listen: () => undefined,
  close: () => undefined,
};

function side(of: InstanceSpec, change: Pick<LiveOptions, "tape"> & Partial<LiveOptions> = {}) {
  const market = new HandFeed();
  const { wallNow, monotonic } = SYSTEM;
  const opened = LiveSide.open({
    spec: of,
    execution: nobody,
    market,
    mayEmit: () => true,
    wallNow,
    monotonic,
    ...change,
  });
  if (!opened.ok) throw new Error(`${opened.error.code} ${String(opened.error.params["problem"])}`);
  return { live: opened.value, market };
}
const rowsOf = (run_dir: string): number => {
  const read = readLife(run_dir);
  if (!read.ok) throw new Error(read.error.code);
  return read.value.feed.length;
};

it("[M-0.6] a disk that is full when a burst fills a group ends this instance with a reason; nothing is thrown at whoever brought the row", async () => {
  const of = fresh();
  const { live, market } = side(of, { tape: { group_bytes: 1, segment_bytes: 1 } });
  const said: string[] = [];
  const opened = await InstanceHost.open({
    spec: of,
    feed: live.feed,
    strategy: new ScriptedStrategy(() => []),
    venue: live.venue,
    live,
    wallNow: SYSTEM.wallNow,
    monotonic: SYSTEM.monotonic,
    log: (line) => said.push(line),
    mayEmit: () => true,
    onDurable: () => undefined,
    onSegment: () => undefined,
  });
  if (!opened.ok) throw new Error(opened.error.code);
  const host = opened.value;
  let woken = 0;
  live.onActivity = () => (woken += 1);
  // The next segment cannot be made, as where there is no room for one.
  writeFileSync(join(tapeFolder(of.run_dir), segmentName(2, of.epoch)), "");
  expect(() => [0, 1, 2].forEach((n) => market.bring(n))).not.toThrow();
  expect(woken, "the host is to look").toBeGreaterThan(0);
  expect(await host.turn()).toBe("idle");
  expect(host.status()).toMatchObject({ phase: "failed", cursor: 0, failure: { error_code: "RUMI-SYS-001" } });
  expect(said, "the log has the cause, once").toEqual([expect.stringContaining("EEXIST")]);
  expect(live.feed.length, "the machine saw no row that is not in the file").toBe(0);
  await expect(live.sync()).rejects.toThrow("EEXIST");
});

it("[M-7.1.2] a row that waits when the lease ends is written by nobody, also when the rest is made durable", async () => {
  const of = fresh();
  let leased = true;
  const { live, market } = side(of, { mayEmit: () => leased });
  live.begin();
  market.bring(0);
  live.take(0);
  market.bring(1);
  leased = false;
  await live.sync();
  live.close();
  expect(rowsOf(of.run_dir)).toBe(1);
});

it("[M-6.2.2] what may be dropped leaves the older checkpoint whole: a life that falls back to it finds every row it needs", () => {
  const of = fresh();
  const tape = { group_bytes: 1, segment_bytes: 1, keep_bytes: 0 };
  const { live, market } = side(of, { tape });
  live.begin();
  for (let n = 0; n < 6; n += 1) market.bring(n);
  standAt(of.run_dir, 4, 5);
  for (let n = 6; n < 9; n += 1) market.bring(n);
  live.close();
  expect(listSegments(of.run_dir).segments[0]?.first_row, "and no more than that").toBe(3);
  truncateSync(join(of.run_dir, "checkpoints", "b.checkpoint"), 10);
  expect(rowsOf(of.run_dir)).toBe(9);
  side({ ...of, epoch: 2, start: "resume" }).live.close();
});
