/** A hosted fixture strategy for tests: opened like a lane opens it, its simulated exchange at hand. */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createSimulatedVenue, type MarketFeed, type SimulatedVenue } from "@rumi/venues";
import { venueOptionsOf } from "../src/instance/gate-context.ts";
import { InstanceHost } from "../src/instance/host.ts";
import type { HostOptions } from "../src/instance/host-options.ts";
import { readJournal } from "../src/journal/reader.ts";
import type { InstanceSpec, JournalEntry } from "../src/protocol.ts";
import type { Strategy } from "../src/strategy/strategy.ts";
import { openWasmStrategy } from "../src/strategy/wasm.ts";
import { market, WASM } from "./support.ts";

export type Hosted = { readonly host: InstanceHost; readonly venue: SimulatedVenue };

export async function hosted(
  spec: InstanceSpec,
  change: {
    readonly feed?: MarketFeed;
    readonly monotonic?: () => number;
    readonly strategy?: Strategy;
    readonly account?: NonNullable<HostOptions["account"]>;
    readonly progress?: HostOptions["progress"];
    readonly onResult?: HostOptions["onResult"];
    readonly services?: NonNullable<HostOptions["services"]>;
  } = {},
): Promise<Hosted> {
  const venue = createSimulatedVenue(venueOptionsOf(spec.instruments, spec.venue));
  if (!venue.ok) throw new Error(JSON.stringify(venue.error));
  const opened = await InstanceHost.open({
    spec,
    feed: change.feed ?? market(20_000),
    strategy: change.strategy ?? crossing(),
    venue: venue.value,
    wallNow: () => Date.now() * 1_000,
    monotonic: change.monotonic ?? (() => performance.now()),
    mayEmit: () => true,
    onDurable: () => undefined,
    onSegment: () => undefined,
    ...(change.account === undefined ? {} : { account: change.account }),
    ...(change.progress === undefined ? {} : { progress: change.progress }),
    ...(change.services === undefined ? {} : { services: change.services }),
    ...(change.onResult === undefined ? {} : { onResult: change.onResult }),
  });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return { host: opened.value, venue: venue.value };
}

export function crossing(): Strategy {
  const opened = openWasmStrategy({ bytes: WASM, memory_bytes: 2_097_152, fuel_per_event: 100_000 });
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
}

export function journalOf(spec: InstanceSpec): readonly JournalEntry[] {
  const read = readJournal({ directory: join(spec.run_dir, "journal"), runId: spec.run_id, durableSeq: 0 });
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value.entries;
}

/** As after kill -9 with no checkpoint left: everything has to be replayed. */
export function loseCheckpoints(spec: InstanceSpec): void {
  for (const name of readdirSync(join(spec.run_dir, "checkpoints"))) rmSync(join(spec.run_dir, "checkpoints", name));
}
