/** What the platform asks of the rest of the program: this machine's network, live bots, and how the program itself is. */
import { countLiveBots } from "@rumi/control";
import type { Clock } from "@rumi/kernel";
import {
  candidateCounts,
  NETWORK_LIMITS,
  systemResolver,
  type CandidateCounts,
  type NetworkPorts,
  type PackProbes,
  type PrivilegePorts,
  type SlidingWindow,
} from "@rumi/platform";
import type { Reader, Store } from "@rumi/store";
import { healthReport, type Probe } from "./health.ts";

export function networkPorts(clock: Clock, requests: SlidingWindow): NetworkPorts {
  return {
    resolve: systemResolver(clock, NETWORK_LIMITS.lookup_ms),
    recent: (pack_id) => requests.recent(pack_id),
  };
}

export function privilegePorts(
  store: Store,
  of: {
    readonly version: string;
    readonly environment: string;
    readonly probes: readonly Probe[];
    readonly packProbes: PackProbes;
  },
): PrivilegePorts {
  return {
    liveBots: (reader) => countLiveBots(reader, store),
    diagnostics: async () => ({
      version: of.version,
      environment: of.environment,
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
      pid: process.pid,
      uptime_seconds: Math.round(process.uptime()),
      memory_bytes: process.memoryUsage.rss(),
      // What packs say of themselves is beside the program's own health, and decides nothing.
      health: { ...(await healthReport(of.probes)), packs: of.packProbes.current() },
    }),
  };
}

/** What waits beside packs, for the pending export. */
export function waitingCandidates(
  store: Store,
  clock: Clock,
): Readonly<Record<"capability" | "pip", (reader: Reader) => Promise<CandidateCounts>>> {
  return {
    capability: (reader) => candidateCounts(reader, store, "capability", clock.now()),
    pip: (reader) => candidateCounts(reader, store, "pip", clock.now()),
  };
}
