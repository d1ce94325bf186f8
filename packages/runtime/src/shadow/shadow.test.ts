import { join } from "node:path";
import type { Uuid } from "@rumi/kernel";
import { createSimulatedVenue } from "@rumi/venues";
import { afterAll, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { entriesOf, openedHost } from "../../test/host-kit.ts";
import { FIXTURE_DIR, market, recording, spec, WASM } from "../../test/support.ts";
import { venueOptionsOf } from "../instance/gate-context.ts";
import { InstanceHost } from "../instance/host.ts";
import type { InstanceSpec } from "../protocol.ts";
import { replayRun } from "../replay/replay-run.ts";
import { openWasmStrategy } from "../strategy/wasm.ts";
import { Comparison, intentWords } from "./comparison.ts";
import { worldOf } from "./open-shadow.ts";

const TRADES = 12_000;
const room = temporaryFolder();
afterAll(() => room.remove());
const feed = market(TRADES);
const file = recording(room.path, TRADES);
const SHADOW_RUN = "0197a000-0000-7000-8000-0000000000bb" as Uuid;

const primarySpec = (name: string): InstanceSpec => {
  const base = spec(join(room.path, name));
  return { ...base, venue: { ...base.venue, files: [file] } };
};
const shadowSpec = (of: InstanceSpec, change: Partial<InstanceSpec> = {}): InstanceSpec => {
  const earlier = { run_id: of.run_id, run_dir: of.run_dir };
  return {
    ...of,
    instance_id: "main~shadow",
    mode: "shadow",
    run_id: SHADOW_RUN,
    run_dir: `${of.run_dir}-shadow`,
    from: earlier,
    follows: earlier,
    ...change,
  };
};
/** Another version of the fixture: it trades the other way round from the first crossing on, if `flip`. */
async function openShadow(of: InstanceSpec, bytes: Uint8Array = WASM): Promise<InstanceHost> {
  const strategy = openWasmStrategy({ bytes, memory_bytes: 2_097_152, fuel_per_event: 100_000 });
  const exchange = createSimulatedVenue(venueOptionsOf(of.instruments, of.venue));
  if (!strategy.ok || !exchange.ok) throw new Error("the fixture opens");
  const opened = await InstanceHost.open({
    ...worldOf(of, feed, exchange.value),
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
/** Runs to the end of the recording; gives up where it stands still, because nothing else could stop this loop. */
async function finish(host: InstanceHost): Promise<void> {
  for (let still = 0, last = -1; host.phase === "running"; still += 1) {
    await host.turn();
    const { cursor } = host.status();
    if (cursor !== last) still = 0;
    if (still > 10_000) throw new Error(`it stands still at row ${cursor}`);
    last = cursor;
  }
}
const wishes = (of: InstanceSpec, from = 0): readonly string[] =>
  entriesOf(of).flatMap((entry) =>
    entry.kind === "intent" && entry.cursor >= from
      ? [`${entry.cursor} ${intentWords(entry)} ${entry.idempotency_key}`]
      : [],
  );

describe("a shadow beside a primary", () => {
  it(
    "[M-1.1.1] the same version wishes the same at the same rows, fills, safety modes and a kill included, and sends nothing",
    { timeout: 180_000 },
    async () => {
      const of = primarySpec("same");
      const primary = await openedHost(of, feed);
      while (primary.status().cursor < 2_000) await primary.turn();
      await primary.checkpoint("test");
      const began = primary.status().cursor;
      const shadowOf = shadowSpec(of);
      let shadow = await openShadow(shadowOf);
      expect(shadow.status()).toMatchObject({ cursor: began, phase: "running" });
      while (primary.status().cursor < 5_000) {
        await primary.turn();
        await shadow.turn();
        expect(shadow.status().cursor).toBeLessThanOrEqual(primary.status().cursor);
      }
      const safe = primary.input({ input: "safety", mode: "SAFE", generation: 2 });
      await primary.turn();
      const normal = primary.input({ input: "safety", mode: "NORMAL", generation: 3 });
      await primary.turn();
      await Promise.all([safe, normal]);
      for (let n = 0; n < 20; n += 1) await shadow.turn();
      // The shadow's process dies here; the primary does not notice.
      await finish(primary);
      shadow = await openShadow({ ...shadowOf, start: "resume", epoch: 2 });
      await finish(shadow);
      expect(shadow.status()).toMatchObject({
        phase: "feed_ended",
        cursor: TRADES,
        orders_open: primary.status().orders_open,
      });
      expect(wishes(shadowOf)).toEqual(wishes(of, began));
      expect(wishes(shadowOf).length).toBeGreaterThan(100);
      const { shadow: told } = shadow.status();
      expect(told).toMatchObject({
        primary_run_id: of.run_id,
        compared_until: TRADES,
        matched: wishes(shadowOf).length,
        only_primary: 0,
        only_shadow: 0,
        first_difference: null,
      });
      expect(shadow.status().positions).toEqual(primary.status().positions);
      // Recorded, never executed: no verdict but these, and no order id of its own.
      const intents = entriesOf(shadowOf).flatMap((entry) => (entry.kind === "intent" ? [entry] : []));
      expect(new Set(intents.map(({ verdict }) => verdict))).toEqual(new Set(["recorded", "discarded"]));
      expect(intents.every(({ client_order_id }) => client_order_id === null)).toBe(true);
      expect(shadow.status().counters["orders_sent_total"] ?? 0).toBe(0);
      await shadow.stop("done");
      const replayed = await replayRun({ run_dir: shadowOf.run_dir, pack_dir: FIXTURE_DIR });
      expect(replayed.ok && replayed.value).toMatchObject({ outcome: "identical", divergence: null });
    },
  );

  it("[M-1.1.1] a version that wishes something else is told with the first row where they parted", async () => {
    const of = primarySpec("other");
    const primary = await openedHost(of, feed);
    while (primary.status().cursor < 1_000) await primary.turn();
    await primary.checkpoint("test");
    // The fixture's slow average forgets twice as fast: `>> 6` becomes `>> 5` in its bytes.
    const shadow = await openShadow(shadowSpec(of), slower(WASM));
    await finish(primary);
    await finish(shadow);
    const told = shadow.status().shadow;
    expect((told?.only_primary ?? 0) + (told?.only_shadow ?? 0)).toBeGreaterThan(0);
    expect(told?.first_difference?.cursor).toBeGreaterThanOrEqual(1_000);
    expect(told?.first_difference?.primary).not.toEqual(told?.first_difference?.shadow);
  });

  it("[M-1.1.1] the comparison counts each wish once, whatever its order in the row, and only rows both have taken", () => {
    const intent = (cursor: number, quantity: string) =>
      ({ kind: "intent", cursor, intent: { kind: "order", quantity, trace_id: String(Math.random()) } }) as never;
    const comparison = new Comparison(SHADOW_RUN);
    for (const [side, cursor, quantity] of [
      ["primary", 1, "1"],
      ["primary", 1, "2"],
      ["shadow", 1, "2"],
      ["shadow", 1, "1"],
      ["primary", 2, "1"],
      ["shadow", 3, "1"],
      ["shadow", 9, "1"],
    ] as const)
      comparison.add(side, intent(cursor, quantity));
    comparison.settle(4);
    expect(comparison.status()).toMatchObject({
      compared_until: 4,
      matched: 2,
      only_primary: 1,
      only_shadow: 1,
      first_difference: { cursor: 2, primary: [`{"kind":"order","quantity":"1"}`], shadow: [] },
    });
  });
});

/** `i64.const 6; i64.shr_s` occurs once in the fixture: the slow average. */
function slower(bytes: Uint8Array): Uint8Array {
  const found = Buffer.from(bytes);
  const at = found.indexOf(Buffer.from([0x42, 6, 0x87]));
  if (at === -1) throw new Error("the fixture has another slow average");
  found[at + 1] = 5;
  return new Uint8Array(found);
}
