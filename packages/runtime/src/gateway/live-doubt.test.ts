/**
 * What a live instance makes of silence: an order whose fate nobody told when its holder died, and a market that says nothing.
 *
 * A real venue simulator in its own process; the limits are lowered so that a minute passes in a moment.
 */
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
  sentIds,
  startVenue,
  until,
} from "../../test/live-kit.ts";
import { replayRun } from "../replay/replay-run.ts";
import { FIXTURE_DIR } from "../../test/support.ts";

afterEach(cleanUp);

describe("an order in doubt at a failover", () => {
  it(
    "[M-8.2.2] [M-7.1.3] that waited longer than its market lasts is asked about and given up by name, never sent; the run replays",
    { timeout: 180_000 },
    async () => {
      const { path, venue } = await startVenue();
      const of = liveSpec(path, venue);
      const first = await openLiveHost(of);
      await connected(first.host);
      await drive(first.host, venue, 200);
      await quiet(first.host, venue);
      // Orders are decided and durable, and the venue hears nothing of them: it answers 429 until their holder is gone.
      await venue.arm({ kind: "rate_limit", count: -1, retry_after_s: 1 });
      const there = async (): Promise<readonly string[]> => (await venue.orders()).map((one) => one.client_order_id);
      const unheard = async (): Promise<readonly string[]> => {
        const known = new Set(await there());
        return sentIds(of).filter((id) => !known.has(id));
      };
      while ((await unheard()).length === 0) await drive(first.host, venue, 20);
      first.live.close();
      const doubtful = await unheard();
      await venue.clear();
      const lower = { order_wait_ms: 1, recv_window_ms: 200 };
      const { host } = await openLiveHost({ ...of, epoch: 2, start: "resume" }, () => true, lower);
      await connected(host);
      await until(host, () => reports(of, "M.GATEWAY.NEVER_ARRIVED") >= doubtful.length);
      for (const id of doubtful) expect(await there(), "it is not sent late").not.toContain(id);
      const given = entries(of).filter(
        (entry) => entry.kind === "order" && entry.report["reason_code"] === "M.GATEWAY.NEVER_ARRIVED",
      );
      const ids = given.flatMap((entry) => (entry.kind === "order" ? [String(entry.report["client_order_id"])] : []));
      expect(new Set(ids)).toEqual(new Set(doubtful));
      expect(ids).toHaveLength(doubtful.length);
      await quiet(host, venue);
      await host.stop("done");
      await balance(of, venue);
      expect((await venue.state()).duplicates_refused).toBe(0);
      const replayed = await replayRun({ run_dir: of.run_dir, pack_dir: FIXTURE_DIR });
      expect(replayed.ok ? [replayed.value.outcome, replayed.value.divergence] : replayed.error).toEqual([
        "identical",
        null,
      ]);
    },
  );
});

describe("a market that says nothing", () => {
  it(
    "[M-11.1] [M-1.2.1] is a condition on the record once it lasts, and ends with the next row; the run replays",
    { timeout: 180_000 },
    async () => {
      const { path, venue } = await startVenue();
      const of = liveSpec(path, venue);
      const { host } = await openLiveHost(of, () => true, { quiet_market_ms: 400 });
      await connected(host);
      await drive(host, venue, 40);
      const told = (): readonly string[] => conditions(of).filter((one) => /^feed_(quiet|resumed)$/.test(one));
      await until(host, () => host.status().counters["gateway_feed_quiet_total"] === 1);
      const silent = performance.now() + 900;
      await until(host, () => performance.now() > silent);
      await drive(host, venue, 20);
      await until(host, () => host.status().counters["gateway_feed_resumed_total"] === 1);
      await until(host, () => host.status().counters["gateway_feed_quiet_total"] === 2);
      await quiet(host, venue);
      await host.stop("done");
      expect(told()).toEqual(["feed_quiet", "feed_resumed", "feed_quiet"]);
      const noted = entries(of).find((entry) => entry.kind === "input" && entry.input["condition"] === "feed_quiet");
      expect(noted).toMatchObject({ input: { reason_code: "M.FEED.QUIET" } });
      const replayed = await replayRun({ run_dir: of.run_dir, pack_dir: FIXTURE_DIR });
      expect(replayed.ok ? replayed.value.outcome : replayed.error).toBe("identical");
    },
  );
});
