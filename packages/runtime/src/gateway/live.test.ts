/**
 * A live instance against a real venue simulator in its own process: real HTTP, real WebSocket, real files.
 *
 * The market moves only when a test says so; the world outside is hurt through the simulator's admin door.
 */
import { appendFileSync, chmodSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  balance,
  cleanUp,
  conditions,
  connected,
  drive,
  entries,
  liveSpec,
  openLiveHost,
  quiet,
  reports,
  startVenue,
  until,
} from "../../test/live-kit.ts";
import type { SimOptions, VenueRig } from "../../test/venue-rig.ts";
import type { InstanceHost } from "../instance/host.ts";
import type { InstanceSpec, KeyReference } from "../protocol.ts";
import type { LiveSide } from "./live-side.ts";
import { replayRun } from "../replay/replay-run.ts";
import { tapeFolder } from "../tape/segments.ts";
import { readVenueKey } from "./open-live.ts";

afterEach(cleanUp);

async function scene(options: SimOptions = {}): Promise<{
  readonly of: InstanceSpec;
  readonly venue: VenueRig;
  readonly host: InstanceHost;
  readonly live: LiveSide;
  readonly path: string;
}> {
  const { path, venue } = await startVenue(options);
  const of = liveSpec(path, venue);
  const { host, live } = await openLiveHost(of);
  await connected(host);
  return { of, venue, host, live, path };
}

describe("a live instance", () => {
  it(
    "[M-1.2.1] [M-8.2.1] takes rows from outside, sends orders under its own ids, and its fills are the venue's",
    { timeout: 180_000 },
    async () => {
      const { of, venue, host } = await scene();
      await drive(host, venue, 2_000);
      await quiet(host, venue);
      const [account] = (await venue.state()).accounts;
      const [position] = host.status().positions;
      expect(position?.quantity).toBe(account?.positions[0]?.quantity);
      await host.stop("done");
      const { there } = await balance(of, venue);
      expect(there).toBeGreaterThan(5);
      expect(
        (await venue.orders()).filter((one) => one.state === "open"),
        "a stop cancels at the venue",
      ).toEqual([]);
      expect((await venue.state()).duplicates_refused).toBe(0);
    },
  );

  it(
    "[M-8.2.2] accepted, and the connection dropped: never a rejection, found by its id, never sent again",
    { timeout: 180_000 },
    async () => {
      const { of, venue, host } = await scene();
      await venue.arm({ kind: "drop_after_accept", count: 3 });
      await drive(host, venue, 2_000);
      await quiet(host, venue);
      await host.stop("done");
      expect((await venue.state()).faults_taken["drop_after_accept"]).toBe(3);
      expect((await venue.state()).duplicates_refused, "asked about, not sent again").toBe(0);
      await balance(of, venue);
      expect(reports(of, "M.GATEWAY.NEVER_ARRIVED")).toBe(0);
      expect(conditions(of).filter((one) => one === "outcome_unknown")).toHaveLength(3);
      expect(conditions(of).filter((one) => one === "outcome_resolved")).toHaveLength(3);
    },
  );

  it(
    "[M-8.2.2] dropped before it was looked at: the venue says that it does not know the id, and the same order goes again",
    { timeout: 180_000 },
    async () => {
      const { of, venue, host } = await scene();
      await venue.arm({ kind: "drop_before_accept", count: 2 });
      const doubted = (): readonly string[] =>
        entries(of).flatMap((entry) =>
          entry.kind === "input" && entry.input["condition"] === "outcome_unknown"
            ? [String(entry.input["client_order_id"])]
            : [],
        );
      const count = (name: string): number => host.status().counters[name] ?? 0;
      while (count("gateway_outcome_unknown_total") === 0) {
        await drive(host, venue, 5, 5);
        await until(host, () => count("gateway_queued") === 0 || count("gateway_outcome_unknown_total") > 0);
      }
      // The market stands still, so that nothing cancels the order meanwhile.
      await until(host, () => doubted().length > 0);
      const [id] = doubted();
      await until(host, async () => (await venue.orders()).some((one) => one.client_order_id === id));
      await drive(host, venue, 1_000);
      await quiet(host, venue);
      await host.stop("done");
      expect((await venue.state()).faults_taken["drop_before_accept"]).toBe(2);
      expect((await venue.state()).duplicates_refused).toBe(0);
      await balance(of, venue);
      expect(conditions(of)).toContain("outcome_unknown");
    },
  );

  it(
    "[L-N8] [L-33] a cancel that is answered as done proves nothing: the venue is asked again, what it still holds is cancelled again, and a stop says what is left",
    { timeout: 180_000 },
    async () => {
      const { of, venue, host } = await scene();
      const open = async (): Promise<number> => (await venue.orders()).filter((one) => one.state === "open").length;
      while ((await open()) === 0) await drive(host, venue, 5, 5);
      const held = await open();
      await venue.arm({ kind: "cancel_ignored", count: held });
      const stopped = await host.stop("done");
      expect(stopped.ok && stopped.value).toMatchObject({ phase: "stopped", orders_open: 0, venue_open: 0 });
      expect((await venue.state()).faults_taken["cancel_ignored"], "each was answered as done").toBe(held);
      expect(await open()).toBe(0);
      expect(reports(of, "M.GATEWAY.STILL_OPEN") + conditions(of).filter((one) => one === "still_open").length).toBe(
        held,
      );
    },
  );

  it(
    "[L-N8] [L-33] an order that the venue keeps whatever it answers is told as open, and silence as silence",
    { timeout: 180_000 },
    async () => {
      const { venue, host } = await scene();
      const open = async (): Promise<number> => (await venue.orders()).filter((one) => one.state === "open").length;
      while ((await open()) === 0) await drive(host, venue, 5, 5);
      const held = await open();
      await venue.arm({ kind: "cancel_ignored", count: -1 });
      const stopped = await host.stop("done");
      expect(stopped.ok && stopped.value).toMatchObject({ phase: "stopped", orders_open: 0, venue_open: held });
      expect(await open()).toBe(held);
      // Another, whose venue is gone when it stops.
      const second = await scene();
      await second.venue.stop("SIGKILL");
      const silent = await second.host.stop("done");
      expect(silent.ok && silent.value).toMatchObject({ phase: "stopped", venue_open: null });
    },
  );

  it("[M-8.2.2] answers slower than patience are no rejections", { timeout: 180_000 }, async () => {
    const { of, venue, host } = await scene();
    await drive(host, venue, 300);
    await venue.arm({ kind: "slow_answers", count: 2, delay_ms: 2_500 });
    await drive(host, venue, 700);
    await quiet(host, venue);
    await host.stop("done");
    expect((await venue.state()).faults_taken["slow_answers"]).toBe(2);
    await balance(of, venue);
    expect(conditions(of)).toContain("outcome_unknown");
    expect((await venue.state()).duplicates_refused).toBe(0);
  });

  it(
    "duplicate, late and left-out updates: each fill counts once, and what was left out is asked for",
    { timeout: 180_000 },
    async () => {
      const { of, venue, host } = await scene();
      await venue.arm({ kind: "duplicate_update", rate: 0.5 });
      await venue.arm({ kind: "late_fill", rate: 0.5, delay_ms: 300 });
      await drive(host, venue, 1_000);
      await venue.clear();
      await venue.arm({ kind: "update_gap", count: 4 });
      await drive(host, venue, 1_000);
      await quiet(host, venue);
      const taken = (await venue.state()).faults_taken;
      for (const kind of ["duplicate_update", "late_fill", "update_gap"])
        expect(taken[kind] ?? 0, kind).toBeGreaterThan(0);
      const [account] = (await venue.state()).accounts;
      expect(host.status().positions[0]?.quantity).toBe(account?.positions[0]?.quantity);
      await host.stop("done");
      await balance(of, venue);
      expect(conditions(of)).toContain("update_gap");
    },
  );

  it(
    "a storm of rejections is told as rejections, each of them an input of the breaker",
    { timeout: 180_000 },
    async () => {
      const { of, venue, host } = await scene();
      await drive(host, venue, 200);
      await venue.arm({ kind: "reject_storm", count: 3 });
      await drive(host, venue, 1_500);
      await quiet(host, venue);
      await host.stop("done");
      await balance(of, venue);
      expect(reports(of, "M.VENUE.BUSY")).toBe(3);
      expect(conditions(of).filter((one) => one === "order_rejected")).toHaveLength(3);
    },
  );

  it("429: nothing leaves before Retry-After is over, and nothing is lost", { timeout: 180_000 }, async () => {
    const { of, venue, host } = await scene();
    await venue.arm({ kind: "rate_limit", count: 2, retry_after_s: 1 });
    const from = performance.now();
    await until(host, async () => {
      await drive(host, venue, 40);
      return ((await venue.state()).faults_taken["rate_limit"] ?? 0) === 2;
    });
    await quiet(host, venue);
    expect(performance.now() - from, "two waits of a second").toBeGreaterThan(1_000);
    await drive(host, venue, 600);
    await quiet(host, venue);
    await host.stop("done");
    await balance(of, venue);
    expect(conditions(of).filter((one) => one === "rate_limited")).toHaveLength(2);
  });

  it(
    "[M-11.1] rows left out of the stream are asked for; rows told late are flagged stale",
    { timeout: 180_000 },
    async () => {
      const { of, venue, host, live } = await scene();
      await venue.arm({ kind: "market_gap", count: 7 });
      await venue.advance(100);
      await venue.advance(100);
      await until(host, () => host.status().cursor === 200);
      expect(Array.from(live.feed.trade_id.subarray(0, 200))).toEqual(Array.from({ length: 200 }, (_, row) => row + 1));
      await venue.arm({ kind: "stale_data", count: 1, delay_ms: 1_500 });
      await venue.advance(10);
      await until(host, () => host.status().cursor === 210);
      expect(Array.from(live.feed.flags.subarray(198, 210))).toEqual([0, 0, ...Array.from({ length: 10 }, () => 1)]);
      await until(host, () => conditions(of).includes("feed_stale"));
      expect(conditions(of)).toContain("feed_gap_filled");
      await venue.arm({ kind: "market_disconnect", count: 1 });
      await venue.advance(10);
      await venue.advance(10);
      await until(host, () => host.status().cursor === 230);
      await host.stop("done");
    },
  );

  it(
    "a clock that is wrong is corrected; a key that is refused stops orders and says so, and cancels wait for it",
    { timeout: 180_000 },
    async () => {
      const { of, venue, host } = await scene();
      await drive(host, venue, 200);
      await venue.arm({ kind: "clock_skew", count: -1, skew_ms: 90_000 });
      await drive(host, venue, 600);
      await quiet(host, venue);
      expect(reports(of, "M.VENUE.CLOCK")).toBe(0);
      expect(conditions(of)).toContain("clock_corrected");
      await venue.arm({ kind: "key_disabled", count: -1 });
      await until(host, async () => {
        await drive(host, venue, 40);
        return reports(of, "M.VENUE.KEY_DISABLED") > 0;
      });
      expect(conditions(of)).toContain("key_refused");
      await venue.clear();
      await drive(host, venue, 100);
      await quiet(host, venue);
      await host.stop("done");
      await balance(of, venue);
      expect((await venue.orders()).filter((one) => one.state === "open")).toEqual([]);
    },
  );

  it("the stream of updates is lost: fills missed meanwhile are found by asking", { timeout: 180_000 }, async () => {
    const { of, venue, host } = await scene();
    await drive(host, venue, 500);
    await venue.arm({ kind: "update_disconnect", count: 3 });
    await drive(host, venue, 1_200);
    await quiet(host, venue);
    await host.stop("done");
    await balance(of, venue);
    expect(conditions(of)).toContain("disconnected");
  });

  it(
    "a run receives so many rows and no more: its feed ends in order, its reason on the record",
    { timeout: 180_000 },
    async () => {
      const { path, venue } = await startVenue();
      const of = liveSpec(path, venue);
      const { host } = await openLiveHost(of, () => true, { feed_rows: 50 });
      await connected(host);
      await venue.advance(80);
      await until(host, () => host.phase === "feed_ended");
      expect(host.status().cursor).toBe(50);
      await host.stop("done");
      expect(JSON.stringify(entries(of))).toContain("M.FEED.FULL");
    },
  );

  it(
    "[M-6.1.1] its tape ends in the middle of a write: the next life says so, asks for the rest and goes on; the run replays",
    { timeout: 180_000 },
    async () => {
      const { of, venue, host } = await scene();
      await drive(host, venue, 300);
      await quiet(host, venue);
      await host.suspend();
      const [name] = readdirSync(tapeFolder(of.run_dir));
      appendFileSync(join(tapeFolder(of.run_dir), name ?? ""), "TGRP and no more");
      await venue.advance(50);
      const next = { ...of, epoch: of.epoch + 1, start: "resume" as const };
      const { host: again, live } = await openLiveHost(next);
      await connected(again);
      await until(again, () => again.status().cursor === 350);
      await until(again, () => conditions(of).includes("tape_mended"));
      expect(Array.from(live.feed.trade_id.subarray(345, 350))).toEqual([346, 347, 348, 349, 350]);
      expect(live.feed.kept_from ?? 0, "it read no more than it needs").toBeLessThanOrEqual(300);
      await again.stop("done");
      expect(readdirSync(tapeFolder(of.run_dir))).toHaveLength(2);
      const replayed = await replayRun({ run_dir: of.run_dir, pack_dir: of.pack_dir });
      expect(replayed.ok && [replayed.value.outcome, replayed.value.compared > 0]).toEqual(["identical", true]);
    },
  );

  it("a key that others may read, that is not there or not a key, refuses the start and is told without its contents", async () => {
    const { path, venue } = await startVenue();
    const of = liveSpec(path, venue);
    const refusal = (key: KeyReference, environment: NodeJS.ProcessEnv = {}): unknown => {
      const read = readVenueKey(key, environment);
      return read.ok ? "read" : [read.error.code, read.error.params["problem"]];
    };
    expect(refusal({ file: venue.key_file })).toBe("read");
    chmodSync(venue.key_file, 0o644);
    expect(refusal({ file: venue.key_file })).toEqual(["RUMI-MKT-022", "others may read it"]);
    expect(refusal({ file: "venue-key.json" })).toEqual(["RUMI-MKT-022", "its path is not absolute"]);
    expect(refusal({ file: join(path, "none") })).toEqual(["RUMI-MKT-022", "ENOENT"]);
    expect(refusal({ env: "RUMI_TEST_KEY" })).toEqual(["RUMI-MKT-022", "it is not set"]);
    expect(refusal({ env: "RUMI_TEST_KEY" }, { RUMI_TEST_KEY: '{"key_id":"k","secret":""}' })).toEqual([
      "RUMI-MKT-022",
      "it is not {key_id, secret}",
    ]);
    expect(refusal({ env: "RUMI_TEST_KEY" }, { RUMI_TEST_KEY: '{"key_id":"k","secret":"s"}' })).toBe("read");
    await expect(openLiveHost(of)).rejects.toThrow("RUMI-MKT-022");
  });
});
