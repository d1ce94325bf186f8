/** What tests of a live instance share: a specification, a host in this process, and the books of both sides. */
import { join } from "node:path";
import { expect } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import type { GatewayLimits } from "../src/gateway/limits.ts";
import type { LiveSide } from "../src/gateway/live-side.ts";
import { openLive } from "../src/gateway/open-live.ts";
import { InstanceHost } from "../src/instance/host.ts";
import { readJournal } from "../src/journal/reader.ts";
import type { InstanceSpec, JournalEntry } from "../src/protocol.ts";
import { openWasmStrategy } from "../src/strategy/wasm.ts";
import { spec, WASM } from "./support.ts";
import { bundleVenueSim, type SimOptions, type VenueRig } from "./venue-rig.ts";

const made: { remove: () => void }[] = [];
const running: { end: () => Promise<unknown> }[] = [];
/** Ends what a test began, the youngest first. */
export async function cleanUp(): Promise<void> {
  for (const one of running.splice(0).reverse()) await one.end();
  for (const folder of made.splice(0)) folder.remove();
}

export type Life = { readonly host: InstanceHost; readonly live: LiveSide };

export function liveSpec(path: string, venue: VenueRig, change: Partial<InstanceSpec> = {}): InstanceSpec {
  const base = spec(join(path, "run"), { mode: "live", ...change });
  return {
    ...base,
    limits: { ...base.limits, max_open_orders: 100 },
    venue: {
      ...base.venue,
      live: {
        kind: "venue_sim",
        url: venue.url,
        key: { file: venue.key_file },
        stale_after_ms: 1_000,
        requests_per_second: 500,
      },
    },
  };
}

export async function openLiveHost(
  of: InstanceSpec,
  mayEmit = (): boolean => true,
  lower: Partial<GatewayLimits> = {},
): Promise<Life> {
  const strategy = openWasmStrategy({ bytes: WASM, memory_bytes: 2_097_152, fuel_per_event: 100_000 });
  const clocks = {
    wallNow: () => Math.round((performance.timeOrigin + performance.now()) * 1_000),
    monotonic: () => performance.now(),
  };
  if (of.venue.live === undefined) throw new Error("a live specification");
  const live = openLive({ spec: of, live: of.venue.live, environment: {}, mayEmit, lower, ...clocks });
  if (!strategy.ok || !live.ok) throw new Error(JSON.stringify(live));
  const opened = await InstanceHost.open({
    spec: of,
    feed: live.value.feed,
    strategy: strategy.value,
    venue: live.value.venue,
    live: live.value,
    mayEmit,
    onDurable: () => undefined,
    onSegment: () => undefined,
    ...clocks,
  });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  running.push({ end: async () => opened.value.suspend() });
  return { host: opened.value, live: live.value };
}

export async function startVenue(options: SimOptions = {}): Promise<{
  readonly path: string;
  readonly venue: VenueRig;
  readonly again: (options?: SimOptions) => Promise<VenueRig>;
}> {
  const folder = temporaryFolder();
  made.push(folder);
  const begin = await bundleVenueSim(folder.path);
  const again = async (more: SimOptions = {}): Promise<VenueRig> => {
    const venue = await begin({ ...options, ...more });
    running.push({ end: () => venue.stop("SIGKILL") });
    return venue;
  };
  return { path: folder.path, venue: await again(), again };
}

/** Turns the host until `done`, or says what it waited for. */
export async function until(host: InstanceHost, done: () => boolean | Promise<boolean>, ms = 60_000): Promise<void> {
  const end = performance.now() + ms;
  while (!(await done())) {
    if (performance.now() > end)
      throw new Error(`waited ${ms} ms for ${done.toString()}: ${JSON.stringify(host.status())}`);
    if ((await host.turn()) === "idle") await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Both streams stand, and everything was compared once. */
export const connected = (host: InstanceHost): Promise<void> =>
  until(host, () => {
    const { counters } = host.status();
    return ["reconciled", "connected", "feed_connected"].every((one) => (counters[`gateway_${one}_total`] ?? 0) > 0);
  });

export function entries(of: InstanceSpec): readonly JournalEntry[] {
  const read = readJournal({ directory: join(of.run_dir, "journal"), runId: of.run_id, durableSeq: 0 });
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value.entries;
}
export const sentIds = (of: InstanceSpec): readonly string[] =>
  entries(of).flatMap((entry) =>
    entry.kind === "intent" && entry.intent["kind"] === "order" && entry.verdict === "forwarded"
      ? [entry.client_order_id ?? ""]
      : [],
  );

/** Moves the market in small steps, so that orders have time to get there, and lets the instance follow. */
export async function drive(host: InstanceHost, venue: VenueRig, rows: number, step = 20): Promise<void> {
  for (let moved = 0; moved < rows; moved += step) {
    const { row } = await venue.advance(Math.min(step, rows - moved));
    const from = host.status().cursor;
    await until(host, () => host.status().cursor > from || row === 0);
  }
}

/** Nothing is on its way, nothing is in doubt, and every fill of the venue is on the record. */
export async function quiet(host: InstanceHost, venue: VenueRig): Promise<void> {
  await until(host, async () => {
    if (host.status().counters["gateway_queued"] !== 0) return false;
    const [account] = (await venue.state()).accounts;
    return host.status().counters["fills_total"] === account?.fills.length;
  });
}

/** The books of both sides: each order once, each fill once, and whatever did not get there said so. */
export async function balance(
  of: InstanceSpec,
  venue: VenueRig,
): Promise<{ readonly sent: number; readonly there: number }> {
  const sent = sentIds(of);
  expect(new Set(sent).size, "one id, one intent").toBe(sent.length);
  const state = await venue.state();
  const [account] = state.accounts;
  const there = account?.orders.map((one) => one.client_order_id) ?? [];
  expect(new Set(there).size, "one id, one order").toBe(there.length);
  const never = entries(of).flatMap((entry) =>
    entry.kind === "order" &&
    (entry.report["report"] === "rejected" || String(entry.report["reason_code"]).startsWith("M.GATEWAY."))
      ? [String(entry.report["client_order_id"])]
      : [],
  );
  expect([...new Set([...there, ...never])].sort(), "sent = there + refused").toEqual([...sent].sort());
  const told = entries(of).flatMap((entry) => (entry.kind === "fill" ? [String(entry.fill["fill_id"])] : []));
  expect(told.sort(), "every fill once").toEqual((account?.fills.map((one) => one.fill_id) ?? []).sort());
  return { sent: sent.length, there: there.length };
}

export const reports = (of: InstanceSpec, reason: string): number =>
  entries(of).filter((entry) => entry.kind === "order" && entry.report["reason_code"] === reason).length;
export const conditions = (of: InstanceSpec): readonly string[] =>
  entries(of).flatMap((entry) =>
    entry.kind === "input" && entry.input["input"] === "gateway" ? [String(entry.input["condition"])] : [],
  );
