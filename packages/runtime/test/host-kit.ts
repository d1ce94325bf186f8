/** A host of the fixture strategy in this very process: opened, run, read back. */
import { join } from "node:path";
import type { Result, Failure } from "@rumi/kernel";
import { createSimulatedVenue, type TradeColumns } from "@rumi/venues";
import { venueOptionsOf } from "../src/instance/gate-context.ts";
import { InstanceHost } from "../src/instance/host.ts";
import type { KillWord } from "../src/kill-switch/kill-word.ts";
import { readJournal } from "../src/journal/reader.ts";
import type { InstanceSpec, JournalEntry } from "../src/protocol.ts";
import { openWasmStrategy } from "../src/strategy/wasm.ts";
import { WASM } from "./support.ts";

export async function openHost(
  of: InstanceSpec,
  feed: TradeColumns,
  mayEmit = (): boolean => true,
  bytes: Uint8Array = WASM,
  killWord?: () => KillWord,
): Promise<Result<InstanceHost, Failure>> {
  const strategy = openWasmStrategy({ bytes, memory_bytes: 2_097_152, fuel_per_event: 100_000 });
  const venue = createSimulatedVenue(venueOptionsOf(of.instruments, of.venue));
  if (!strategy.ok || !venue.ok) throw new Error("the fixture opens");
  return InstanceHost.open({
    spec: of,
    feed,
    strategy: strategy.value,
    venue: venue.value,
    wallNow: () => Date.now() * 1_000,
    monotonic: () => performance.now(),
    mayEmit,
    ...(killWord === undefined ? {} : { killWord }),
    onDurable: () => undefined,
    onSegment: () => undefined,
  });
}

export async function openedHost(of: InstanceSpec, feed: TradeColumns): Promise<InstanceHost> {
  const opened = await openHost(of, feed);
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
}

export async function finish(host: InstanceHost): Promise<InstanceHost> {
  while (host.phase === "running") await host.turn();
  return host;
}

export function entriesOf(of: InstanceSpec): readonly JournalEntry[] {
  const read = readJournal({ directory: join(of.run_dir, "journal"), runId: of.run_id, durableSeq: 0 });
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value.entries;
}
