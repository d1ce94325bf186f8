/** A shadow beside a live primary: a real venue simulator, one account, and a shadow that could not reach it if it tried. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Uuid } from "@rumi/kernel";
import { afterEach, describe, expect, it } from "vitest";
import {
  balance,
  cleanUp,
  connected,
  drive,
  entries,
  liveSpec,
  openLiveHost,
  quiet,
  startVenue,
  until,
} from "../../test/live-kit.ts";
import { FIXTURE_DIR, WASM } from "../../test/support.ts";
import type { VenueRig } from "../../test/venue-rig.ts";
import { InstanceHost } from "../instance/host.ts";
import type { InstanceSpec } from "../protocol.ts";
import { replayRun } from "../replay/replay-run.ts";
import { openWasmStrategy } from "../strategy/wasm.ts";
import { segmentName, tapeFolder } from "../tape/segments.ts";
import { intentWords } from "./comparison.ts";
import { shadowWorldOf } from "./open-shadow.ts";

afterEach(cleanUp);

/** Its venue is where nobody listens, its key where no file is: whatever it sent, or asked, would break it. */
function shadowSpec(of: InstanceSpec): InstanceSpec {
  const earlier = { run_id: of.run_id, run_dir: of.run_dir };
  const { live } = of.venue;
  if (live === undefined) throw new Error("a live primary");
  return {
    ...of,
    instance_id: "main~shadow",
    mode: "shadow",
    run_id: "0197a000-0000-7000-8000-0000000000bb" as Uuid,
    run_dir: `${of.run_dir}-shadow`,
    venue: { ...of.venue, live: { ...live, url: "http://127.0.0.1:9", key: { file: join(of.run_dir, "no-key") } } },
    from: earlier,
    follows: earlier,
  };
}
async function openShadow(of: InstanceSpec, bytes: Uint8Array = WASM): Promise<InstanceHost> {
  const strategy = openWasmStrategy({ bytes, memory_bytes: 2_097_152, fuel_per_event: 100_000 });
  if (!strategy.ok || of.follows === undefined) throw new Error("the fixture opens");
  const world = shadowWorldOf(of, of.follows, undefined);
  if (!world.ok) throw new Error(JSON.stringify(world.error));
  const opened = await InstanceHost.open({
    ...world.value,
    spec: of,
    strategy: strategy.value,
    wallNow: () => Date.now() * 1_000,
    monotonic: () => performance.now(),
    mayEmit: () => true,
    onDurable: () => undefined,
    onSegment: () => undefined,
  });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
}
const wishes = (of: InstanceSpec, from = 0): readonly string[] =>
  entries(of).flatMap((entry) =>
    entry.kind === "intent" && entry.cursor >= from
      ? [`${entry.cursor} ${intentWords(entry)} ${entry.idempotency_key}`]
      : [],
  );
/** Both hosts live in this thread. */
async function driveBoth(primary: InstanceHost, shadow: InstanceHost, venue: VenueRig, rows: number): Promise<void> {
  for (let moved = 0; moved < rows; moved += 20) {
    await drive(primary, venue, 20);
    for (let n = 0; n < 5; n += 1) await shadow.turn();
    expect(shadow.status().cursor).toBeLessThanOrEqual(primary.status().cursor);
  }
}

describe("a shadow beside a live primary", () => {
  it(
    "[M-1.1.1] takes the same rows, reports and modes, killed and resumed too, wishes the same, and nothing of it reaches the venue",
    { timeout: 120_000 },
    async () => {
      const { path, venue } = await startVenue();
      const of = liveSpec(path, venue);
      const { host: primary } = await openLiveHost(of);
      await connected(primary);
      await drive(primary, venue, 600);
      await quiet(primary, venue);
      await primary.checkpoint("test");
      const began = primary.status().cursor;
      const shadowOf = shadowSpec(of);
      let shadow = await openShadow(shadowOf);
      expect(shadow.status()).toMatchObject({ cursor: began, phase: "running" });
      expect(shadow.status().positions[0]?.quantity).toBe(primary.status().positions[0]?.quantity);
      await driveBoth(primary, shadow, venue, 600);
      const safe = primary.input({ input: "safety", mode: "SAFE", generation: 2 });
      await primary.turn();
      await driveBoth(primary, shadow, venue, 100);
      const normal = primary.input({ input: "safety", mode: "NORMAL", generation: 3 });
      await primary.turn();
      await Promise.all([safe, normal]);
      await driveBoth(primary, shadow, venue, 400);
      // The shadow's process dies here; the primary does not notice, and the market goes on.
      await drive(primary, venue, 200);
      shadow = await openShadow({ ...shadowOf, start: "resume", epoch: 2 });
      await driveBoth(primary, shadow, venue, 400);
      await quiet(primary, venue);
      await primary.stop("done");
      await until(shadow, () => shadow.status().phase === "feed_ended");

      expect(shadow.status().cursor).toBe(primary.status().cursor);
      expect(wishes(shadowOf)).toEqual(wishes(of, began));
      expect(wishes(shadowOf).length).toBeGreaterThan(20);
      expect(shadow.status().shadow).toMatchObject({
        primary_run_id: of.run_id,
        matched: wishes(shadowOf).length,
        only_primary: 0,
        only_shadow: 0,
        first_difference: null,
      });
      const heard = (run: InstanceSpec, from: number): readonly string[] =>
        entries(run).flatMap((entry) =>
          entry.kind === "fill" && entry.cursor >= from ? [String(entry.fill["fill_id"])] : [],
        );
      expect(heard(shadowOf, 0)).toEqual(heard(of, began));
      expect(heard(shadowOf, 0).length).toBeGreaterThan(3);
      expect(shadow.status().positions[0]?.quantity).toBe(primary.status().positions[0]?.quantity);

      // Recorded, never executed; and what the venue has is the primary's, to the last order.
      const intents = entries(shadowOf).flatMap((entry) => (entry.kind === "intent" ? [entry] : []));
      expect(intents.every(({ verdict }) => verdict === "recorded" || verdict === "discarded")).toBe(true);
      expect(intents.every(({ client_order_id }) => client_order_id === null)).toBe(true);
      expect(shadow.status().counters["orders_sent_total"] ?? 0).toBe(0);
      const { there } = await balance(of, venue);
      expect(there).toBeGreaterThan(5);
      expect((await venue.state()).accounts).toHaveLength(1);

      await shadow.stop("done");
      const replayed = await replayRun({ run_dir: shadowOf.run_dir, pack_dir: FIXTURE_DIR });
      expect(replayed.ok && replayed.value, JSON.stringify(replayed)).toMatchObject({
        outcome: "identical",
        divergence: null,
      });
    },
  );

  it(
    "[M-1.1.1] a version that wishes something else is told with the first row where they parted, and sends nothing either",
    { timeout: 180_000 },
    async () => {
      const { path, venue } = await startVenue();
      const of = liveSpec(path, venue);
      const { host: primary } = await openLiveHost(of);
      await connected(primary);
      await drive(primary, venue, 300);
      await primary.checkpoint("test");
      // The fixture's slow average forgets twice as fast: `>> 6` becomes `>> 5` in its bytes.
      const bytes = Buffer.from(WASM);
      const at = bytes.indexOf(Buffer.from([0x42, 6, 0x87]));
      bytes[at + 1] = 5;
      const shadowOf = shadowSpec(of);
      const shadow = await openShadow(shadowOf, new Uint8Array(bytes));
      await driveBoth(primary, shadow, venue, 800);
      await quiet(primary, venue);
      await primary.stop("done");
      await until(shadow, () => shadow.status().phase === "feed_ended");
      const told = shadow.status().shadow;
      expect((told?.only_primary ?? 0) + (told?.only_shadow ?? 0)).toBeGreaterThan(0);
      expect(told?.first_difference?.cursor).toBeGreaterThanOrEqual(300);
      const wished = entries(shadowOf).filter((entry) => entry.kind === "intent");
      expect(wished.length).toBeGreaterThan(5);
      const { there, sent } = await balance(of, venue);
      expect(there).toBeLessThanOrEqual(sent);
      await shadow.stop("done");
    },
  );

  it(
    "[M-1.1.1] a shadow that lags behind what its primary keeps ends with that reason, and does not wait for ever",
    { timeout: 180_000 },
    async () => {
      const { path, venue } = await startVenue();
      const of = liveSpec(path, venue);
      const { host: primary } = await openLiveHost(of);
      await connected(primary);
      await drive(primary, venue, 300);
      await primary.checkpoint("test");
      const shadow = await openShadow(shadowSpec(of));
      await drive(primary, venue, 100);
      await quiet(primary, venue);
      await primary.suspend();
      const { host: again } = await openLiveHost({ ...of, epoch: 2, start: "resume" });
      await connected(again);
      await drive(again, venue, 100);
      // What the primary's own checkpoints need no longer goes, whoever else reads it.
      rmSync(join(tapeFolder(of.run_dir), segmentName(1, 1)));
      await until(shadow, () => shadow.phase === "failed");
      const { cursor, failure } = shadow.status();
      expect(cursor).toBe(300);
      expect(failure).toMatchObject({ error_code: "RUMI-STR-045", reason_code: "M.TAPE.CORRUPT" });
      expect(failure?.error).toContain("it begins at row 400, and row 300 is needed");
    },
  );
});
