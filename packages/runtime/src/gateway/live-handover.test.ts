/** An update in place against a real venue simulator: one run hands over, another goes on, and the venue sees one trader. */
import type { Uuid } from "@rumi/kernel";
import { afterEach, describe, expect, it } from "vitest";
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
import { FIXTURE_DIR } from "../../test/support.ts";
import type { VenueRig } from "../../test/venue-rig.ts";
import type { InstanceHost } from "../instance/host.ts";
import type { InstanceSpec } from "../protocol.ts";
import { replayRun } from "../replay/replay-run.ts";

afterEach(cleanUp);

const run = (of: InstanceSpec, nth: number): InstanceSpec => ({
  ...of,
  epoch: nth,
  generation: nth,
  run_id: `0197a000-0000-7000-8000-00000000000${nth}` as Uuid,
  run_dir: `${of.run_dir.replace(/-\d$/, "")}-${nth}`,
  from: { run_id: of.run_id, run_dir: of.run_dir },
});
/** As far as a resting order of ours stands at the venue. */
async function restingOrder(host: InstanceHost, venue: VenueRig): Promise<void> {
  for (let tries = 0; tries < 60 && host.status().orders_open === 0; tries += 1) await drive(host, venue, 20);
  await quiet(host, venue);
  expect(host.status().orders_open, "an order rests").toBeGreaterThan(0);
}
const open = async (venue: VenueRig): Promise<readonly string[]> =>
  (await venue.orders()).filter(({ state }) => state === "open").map((one) => one.client_order_id);

/** Nothing is on its way, and both sides hold the same. */
const level = (host: InstanceHost, venue: VenueRig): Promise<void> =>
  until(host, async () => {
    const [account] = (await venue.state()).accounts;
    const { counters, positions } = host.status();
    return counters["gateway_queued"] === 0 && account?.positions[0]?.quantity === positions[0]?.quantity;
  });

describe("a live run that is taken over by another version", () => {
  it(
    "[M-1.1.1] [M-8.2.2] goes on at the same row with the same orders and position; nothing is sent twice, and each run comes out again by itself",
    { timeout: 120_000 },
    async () => {
      const { path, venue } = await startVenue();
      const first = liveSpec(path, venue);
      const one = await openLiveHost(first);
      await connected(one.host);
      await drive(one.host, venue, 600);
      await restingOrder(one.host, venue);
      const before = one.host.status();
      const resting = await open(venue);
      expect(resting).toHaveLength(before.orders_open);
      const handed = await one.host.handover();
      expect(handed).toMatchObject({ ok: true, value: { phase: "stopped", reason_code: "M.RUN.HANDED_OVER" } });
      expect(await open(venue), "its orders stay").toEqual(resting);
      // The market does not wait.
      await venue.advance(40);

      const second = run(first, 2);
      const two = await openLiveHost(second);
      expect(two.host.status()).toMatchObject({
        cursor: handed.ok ? handed.value.cursor : -1,
        orders_open: before.orders_open,
      });
      expect(two.host.status().positions[0]?.quantity).toBe(before.positions[0]?.quantity);
      await connected(two.host);
      await drive(two.host, venue, 1_200);
      await level(two.host, venue);

      // And a third time, killed in the middle of its life.
      await two.host.handover();
      const third = run(second, 3);
      const three = await openLiveHost(third);
      await connected(three.host);
      await drive(three.host, venue, 200);
      await three.host.suspend();
      const again = await openLiveHost({ ...third, start: "resume", epoch: 4 });
      await connected(again.host);
      await drive(again.host, venue, 400);
      await level(again.host, venue);
      await again.host.stop("done");
      expect(await open(venue)).toEqual([]);

      const runs = [first, second, third];
      const sent = runs.flatMap(sentIds);
      expect(new Set(sent).size, "one id, one intent").toBe(sent.length);
      expect(runs.every((of) => sentIds(of).length > 0)).toBe(true);
      const [account] = (await venue.state()).accounts;
      const there = account?.orders.map((order) => order.client_order_id) ?? [];
      expect(new Set(there).size).toBe(there.length);
      expect(there.every((id) => sent.includes(id))).toBe(true);
      // Every fill is in the journal of one run, once.
      const fills = runs.flatMap((of) =>
        entries(of).flatMap((entry) => (entry.kind === "fill" ? [String(entry.fill["fill_id"])] : [])),
      );
      expect([...fills].sort()).toEqual([...(account?.fills ?? [])].map((fill) => fill.fill_id).sort());
      for (const [index, of] of runs.entries()) {
        const ended = entries(runs[index - 1] ?? of).at(-1)?.cursor;
        if (index > 0) expect(entries(of)[0], "where the one before ended").toMatchObject({ cursor: ended });
        const replayed = await replayRun({ run_dir: of.run_dir, pack_dir: FIXTURE_DIR });
        expect(replayed.ok && replayed.value, JSON.stringify(replayed)).toMatchObject({
          outcome: "identical",
          divergence: null,
        });
      }
    },
  );

  it(
    "[M-1.1.1] [M-7.1.2] one without its lease does not hand over, and a run with rows of its own is not begun over another's",
    { timeout: 180_000 },
    async () => {
      const { path, venue } = await startVenue();
      const first = liveSpec(path, venue);
      let leased = true;
      const one = await openLiveHost(first, () => leased);
      await connected(one.host);
      await drive(one.host, venue, 200);
      leased = false;
      expect(await one.host.handover()).toMatchObject({ ok: false, error: { code: "RUMI-STR-071" } });
      await one.host.suspend();
      await expect(openLiveHost(first)).rejects.toThrow("RUMI-STR-022");
    },
  );
});
