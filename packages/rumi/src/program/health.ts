/**
 * Whether the program is fit: the store answers, the disk has room, a runner is there, the temporary folder can be written.
 *
 * Invariant: the worst probe decides; one that throws is DOWN, one that does not answer in time is UNKNOWN, and nobody who
 * looks waits longer (health.test.ts).
 */
import { existsSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { HostFacts, RunnerHub } from "@rumi/control";
import type { Clock } from "@rumi/kernel";
import type { HealthSource } from "@rumi/server";
import type { Store } from "@rumi/store";

/** From worst to best, as they decide. */
export const HEALTH_STATES = ["DOWN", "DEGRADED", "UNKNOWN", "UP"] as const;
export type HealthStatus = (typeof HEALTH_STATES)[number];
export type Probe = { readonly name: string; readonly check: () => Promise<HealthStatus> | HealthStatus };

/** What does not answer by then is not known. */
export const PROBE_MS = 3_000;

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
    ...hostProbes(of.home),
    // Without a runner nothing trades, but the control plane works: stopping and reading need none.
    { name: "runner", check: () => (of.hub.ready().length > 0 ? "UP" : "DEGRADED") },
  ];
}

/** The built-in ones, of this machine: they need no program. */
export function hostProbes(home: string): readonly Probe[] {
  return [
    { name: "disk", check: () => diskStatus(home) },
    {
      name: "writable_tmp",
      check: () => {
        const folder = mkdtempSync(join(tmpdir(), "rumi-health-"));
        try {
          writeFileSync(join(folder, "probe"), "written");
          return "UP";
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      },
    },
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

/** Of the disk that `path` is on, or would be on once it is made. */
export function diskStatus(path: string): HealthStatus {
  let there = resolve(path);
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there);
  const free = diskFree(there);
  if (free < DISK_DOWN) return "DOWN";
  return free < DISK_DEGRADED ? "DEGRADED" : "UP";
}

export type HealthReport = { readonly status: HealthStatus; readonly probes: Readonly<Record<string, HealthStatus>> };

/** None is nothing known. */
export function worstOf(states: readonly HealthStatus[]): HealthStatus {
  return HEALTH_STATES.find((state) => states.includes(state)) ?? "UNKNOWN";
}

export async function healthReport(all: readonly Probe[], within_ms: number = PROBE_MS): Promise<HealthReport> {
  const results = await Promise.all(
    all.map(async ({ name, check }): Promise<readonly [string, HealthStatus]> => {
      const late = new AbortController();
      try {
        const answer = Promise.resolve(check());
        answer.catch(() => undefined); // what it says after its time is nobody's
        return [name, await Promise.race([answer, unknownAfter(within_ms, late.signal)])];
      } catch {
        return [name, "DOWN"];
      } finally {
        late.abort();
      }
    }),
  );
  return { status: worstOf(results.map(([, state]) => state)), probes: Object.fromEntries(results) };
}

function unknownAfter(ms: number, ended: AbortSignal): Promise<HealthStatus> {
  return new Promise((tell) => {
    const timer = setTimeout(() => tell("UNKNOWN"), ms);
    ended.addEventListener("abort", () => clearTimeout(timer));
  });
}

export function healthSource(all: readonly Probe[]): HealthSource {
  return { status: async () => (await healthReport(all)).status };
}
