/**
 * What trips a breaker in the world: a venue that does not answer, refuses or says 429, a strategy that does not return.
 *
 * The venue is a simulator in its own process, hurt through its admin door; the instance is live, with its own gateway.
 */
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { hosted, journalOf, loseCheckpoints } from "../../test/hosted.ts";
import {
  cleanUp,
  connected,
  drive,
  entries,
  liveSpec,
  openLiveHost,
  quiet,
  sentIds,
  startVenue,
  until,
} from "../../test/live-kit.ts";
import { market, spec } from "../../test/support.ts";
import type { InstanceHost } from "../instance/host.ts";
import type { InstanceSpec } from "../protocol.ts";
import type { BreakerMode, BreakerTrigger } from "./config.ts";

afterEach(cleanUp);

const HOUR_US = 3_600_000_000;
const COUNT = 3;
const rule = (trigger: BreakerTrigger, mode: BreakerMode): Pick<InstanceSpec, "breaker"> => ({
  breaker: { rules: { [trigger]: { count: COUNT, within_us: HOUR_US, mode } }, back: { kind: "manual" } },
});
const openings = (of: InstanceSpec) =>
  entries(of).flatMap((entry) =>
    entry.kind === "breaker" ? [`${entry.breaker.state} ${entry.breaker.reason_code}`] : [],
  );
async function reset(host: InstanceHost): Promise<void> {
  const answer = host.input({ input: "breaker", action: "reset", actor: "ann", reason: "it is well again" });
  await host.turn();
  expect(await answer).toMatchObject({ ok: true });
}

const FAULTS: readonly (readonly [BreakerTrigger, string, Readonly<Record<string, unknown>>, string])[] = [
  ["timeouts", "connections dropped without an answer", { kind: "drop_after_accept" }, "outcome_unknown"],
  ["timeouts", "answers later than patience", { kind: "slow_answers", delay_ms: 6_000 }, "outcome_unknown"],
  ["rejections", "a storm of rejections", { kind: "reject_storm" }, "order_rejected"],
  ["rate_limited", "429", { kind: "rate_limit", retry_after_s: 0 }, "rate_limited"],
];

describe("triggers at a live venue", () => {
  it.each(FAULTS)(
    "[M-9.1.1] %s: %s trip the breaker at their count and not before, orders stop, a person lets them go again, and a replay trips at the same row",
    { timeout: 120_000 },
    async (trigger, _words, fault, condition) => {
      const { path, venue } = await startVenue();
      const of = liveSpec(path, venue, rule(trigger, "no_trade"));
      // An answer after more than this is none; a venue that is well again answers in time on a starved machine too.
      const { host } = await openLiveHost(of, () => true, { answer_ms: 2_000 });
      await connected(host);
      // Before its first row an instance stands at time zero, and what is counted there is counted by itself.
      await drive(host, venue, 20);
      await venue.arm({ ...fault, count: -1 });
      await until(
        host,
        async () => {
          if (host.status().breaker?.state === "closed") await drive(host, venue, 20);
          // The market has an end, and a quick machine would reach it while answers are waited for.
          await new Promise((resolve) => setTimeout(resolve, 20));
          return host.status().breaker?.state === "open";
        },
        60_000,
      );
      await venue.clear();
      await quiet(host, venue);
      await host.checkpoint("everything is on the disk");
      const reason = `M.BREAKER.${trigger.toUpperCase()}`;
      expect(host.status()).toMatchObject({
        health_state: "degraded",
        reason_code: reason,
        breaker: { state: "open", trigger, mode: "no_trade", reason_code: reason, trips: 1 },
      });
      const until_open = entries(of).slice(
        0,
        entries(of).findIndex(({ kind }) => kind === "breaker"),
      );
      const seen = until_open.filter((entry) => entry.kind === "input" && entry.input["condition"] === condition);
      expect(seen.length, "at its count, not before").toBe(COUNT);
      const before = sentIds(of).length;
      // What one stretch of the market does not make the strategy wish, the next one may.
      let refused = 0;
      for (let stretch = 0; stretch < 20 && refused === 0; stretch += 1) {
        await drive(host, venue, 1_200, 100);
        await quiet(host, venue);
        await host.checkpoint("everything is on the disk");
        refused = entries(of).filter(
          (entry) => entry.kind === "intent" && entry.reason_code === "M.DEGRADE.NO_TRADE",
        ).length;
      }
      expect(sentIds(of).length, "nothing leaves").toBe(before);
      expect(refused, "though the strategy wished").toBeGreaterThan(0);
      await reset(host);
      await drive(host, venue, 1_200, 100);
      await quiet(host, venue);
      expect(sentIds(of).length, "orders leave again").toBeGreaterThan(before);
      expect(openings(of)).toEqual([`open ${reason}`, "closed M.BREAKER.BACK_OPERATOR"]);
      await host.suspend();
      const journal = entries(of);
      loseCheckpoints(of);
      const again = await openLiveHost({ ...of, start: "resume", epoch: 2 });
      expect(entries(of).slice(0, journal.length)).toEqual(journal);
      expect(again.host.status().breaker).toMatchObject({ state: "closed", trips: 1 });
      await again.host.stop("done");
    },
  );

  it(
    "[M-9.1.1] timeouts: a strategy that does not return in time trips it as well, before it is halted",
    { timeout: 180_000 },
    async () => {
      const folder = temporaryFolder();
      try {
        const feed = market(4_000);
        // The fixture loops for ever at this price.
        for (const row of [1_000, 1_010]) feed.price[row] = 666_667;
        const of = spec(join(folder.path, "run"), {
          breaker: {
            rules: { timeouts: { count: 2, within_us: HOUR_US, mode: "cancel_all" } },
            back: { kind: "manual" },
          },
        });
        const { host, venue } = await hosted(of, { feed });
        while (host.phase === "running") await host.turn();
        expect(host.status().breaker).toMatchObject({
          state: "open",
          trigger: "timeouts",
          mode: "cancel_all",
          trips: 1,
        });
        expect(venue.openOrders()).toEqual([]);
        const opened = journalOf(of).filter((entry) => entry.kind === "breaker");
        expect(opened.map(({ cursor }) => cursor)).toEqual([1_010]);
      } finally {
        folder.remove();
      }
    },
  );
});
