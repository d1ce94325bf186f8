/** Whether the program is fit: the store answers, the disk has room, a runner is there, the temporary folder can be written. */
import { accessSync, constants, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import type { HostFacts, RunnerHub } from "@rumi/control";
import type { Clock } from "@rumi/kernel";
import type { HealthSource } from "@rumi/server";
import type { Store } from "@rumi/store";

export type HealthStatus = "UP" | "DEGRADED" | "DOWN";
export type Probe = { readonly name: string; readonly check: () => Promise<HealthStatus> | HealthStatus };

/** Shares of the disk that are free below which the program is degraded, and below which it is down. */
const DISK_DEGRADED = 0.1;
const DISK_DOWN = 0.01;

export function probes(of: {
  readonly store: Pick<Store, "rows">;
  readonly hub: Pick<RunnerHub, "ready">;
  readonly home: string;
}): readonly Probe[] {
  return [
    {
      name: "store",
      check: async (): Promise<HealthStatus> => {
        await of.store.rows({ sql: "SELECT 1 AS one", parameters: [] });
        return "UP";
      },
    },
    { name: "disk", check: () => diskStatus(of.home) },
    {
      name: "writable_tmp",
      check: () => {
        accessSync(tmpdir(), constants.W_OK);
        return "UP";
      },
    },
    // Without a runner nothing trades, but the control plane works: stopping and reading need none.
    { name: "runner", check: () => (of.hub.ready().length > 0 ? "UP" : "DEGRADED") },
  ];
}

/** Share of the disk that is free to this user. */
export function diskFree(path: string): number {
  const { bavail, blocks } = statfsSync(path);
  return blocks === 0 ? 1 : bavail / blocks;
}

/** For the interlocks. */
export function hostFacts(home: string, clock: Pick<Clock, "now">): HostFacts {
  // The program's clock goes on from where the machine's was at its start. A look that is interrupted is no error.
  const looks = (): number[] => [1, 2, 3].map(() => Math.abs(Date.now() - clock.now() / 1_000));
  return { diskFreePercent: () => 100 * diskFree(home), clockErrorMs: () => Math.min(...looks()) };
}

export function diskStatus(path: string): HealthStatus {
  const free = diskFree(path);
  if (free < DISK_DOWN) return "DOWN";
  return free < DISK_DEGRADED ? "DEGRADED" : "UP";
}

export type HealthReport = { readonly status: HealthStatus; readonly probes: Readonly<Record<string, HealthStatus>> };

/** The worst probe decides; one that throws is DOWN. */
export async function healthReport(all: readonly Probe[]): Promise<HealthReport> {
  const results = await Promise.all(
    all.map(async ({ name, check }): Promise<readonly [string, HealthStatus]> => {
      try {
        return [name, await check()];
      } catch {
        return [name, "DOWN"];
      }
    }),
  );
  const states = results.map(([, state]) => state);
  const status = states.includes("DOWN") ? "DOWN" : states.includes("DEGRADED") ? "DEGRADED" : "UP";
  return { status, probes: Object.fromEntries(results) };
}

export function healthSource(all: readonly Probe[]): HealthSource {
  return { status: async () => (await healthReport(all)).status };
}
