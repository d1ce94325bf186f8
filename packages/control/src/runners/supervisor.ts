/**
 * Keeps one runner process alive beside the program; knows nothing of how a process is made.
 *
 * Invariants (supervisor.test.ts)
 * - A runner that survived an earlier program is waited for before a new one is started.
 * - Exit is proven by the process itself before its leases are given away (M-7.1.3). One that stands still is ended for
 *   that, once its own fence holds it: it renewed nothing until every lease of its had run out.
 * - Starts back off, so that a runner that dies at once cannot spin the machine.
 */
import { millis, type Clock, type Millis } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import type { RunnerHub } from "./hub.ts";

/** One process that the composition root can start; `runner_id` is what it will say in its hello. */
export interface RunnerProcess {
  readonly runner_id: string;
  start(): Promise<void>;
  readonly pid: number | undefined;
  /** Resolves when the process has ended, however it did. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

export type SupervisorDeps = {
  readonly hub: RunnerHub;
  readonly clock: Clock;
  readonly logger: Pick<Logger, "warning" | "error" | "info">;
  /** A new process each time; called for the first start and after each exit. */
  readonly spawn: () => RunnerProcess;
  /** Runners of an earlier program that may still live: how long to wait for one of them to dial. */
  readonly survivors: { readonly expected: boolean; readonly wait: Millis };
  /** Ends a process that is not our child; absent where every runner is one. */
  readonly endProcess?: (pid: number) => void;
  readonly backoff?: { readonly first_ms: number; readonly last_ms: number };
};

export interface RunnerSupervisor {
  run(signal: AbortSignal): Promise<void>;
  /** Asks every runner to stop in order, then kills what is left after `grace`. */
  shutdown(grace: Millis): Promise<void>;
  current(): RunnerProcess | undefined;
}

const LOOK_EVERY_MS = 1_000;

export function createRunnerSupervisor(deps: SupervisorDeps): RunnerSupervisor {
  const { hub, clock, logger } = deps;
  const { first_ms, last_ms } = deps.backoff ?? { first_ms: 200, last_ms: 10_000 };
  let current: RunnerProcess | undefined;
  const stopping = new AbortController();

  const waitForSurvivor = async (signal: AbortSignal): Promise<void> => {
    if (!deps.survivors.expected) return;
    const until = clock.monotonic() + deps.survivors.wait;
    while (!signal.aborted && clock.monotonic() < until && hub.ready().length === 0)
      await clock.sleep(millis(50), signal);
  };
  const survivorServes = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && !stopping.signal.aborted && hub.ready().length > 0)
      await clock.sleep(millis(200), signal);
  };

  /** One that came back late (it had stood still) and found its work given away: one runner of this machine is enough. */
  const dismissSpares = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted && !stopping.signal.aborted) {
      await clock.sleep(millis(LOOK_EVERY_MS), AbortSignal.any([signal, stopping.signal]));
      const ready = hub.ready();
      if (ready.length < 2 || stopping.signal.aborted) continue;
      const kept = current?.runner_id ?? ready.find((one) => !hub.hostsNothing(one)) ?? ready[0];
      for (const runner_id of ready) {
        if (runner_id === kept || !hub.hostsNothing(runner_id)) continue;
        logger.info("a runner that hosts nothing is sent away", { runner_id });
        void hub.ask(runner_id, { type: "shutdown", grace_ms: millis(LOOK_EVERY_MS) });
      }
    }
  };

  /** Told twice in a row: what a program that itself stood still has not read yet is read by then. */
  const endTheStill = async (signal: AbortSignal): Promise<void> => {
    let before: readonly string[] = [];
    while (!signal.aborted && !stopping.signal.aborted) {
      await clock.sleep(millis(LOOK_EVERY_MS), AbortSignal.any([signal, stopping.signal]));
      const now = hub.standingStill();
      for (const runner_id of now.filter((one) => before.includes(one))) {
        const pid = hub.processes().get(runner_id);
        logger.error("a runner stood still until its leases had run out; its process is ended", { runner_id, pid });
        if (runner_id === current?.runner_id) current.kill("SIGKILL");
        else if (pid !== undefined) deps.endProcess?.(pid);
      }
      before = now;
    }
  };

  /** Whether it came about in time; leaves no timer behind that would keep the program alive. */
  const within = async (what: Promise<unknown>, limit: Millis): Promise<boolean> => {
    const settled = new AbortController();
    const inTime = await Promise.race([what.then(() => true), clock.sleep(limit, settled.signal).then(() => false)]);
    settled.abort();
    return inTime;
  };

  return {
    current: () => current,
    run: async (signal) => {
      await waitForSurvivor(signal);
      void dismissSpares(signal);
      void endTheStill(signal);
      for (let failures = 0; !signal.aborted && !stopping.signal.aborted;) {
        await survivorServes(signal);
        if (signal.aborted || stopping.signal.aborted) return;
        const process = deps.spawn();
        const started = clock.monotonic();
        try {
          await process.start();
        } catch (error) {
          logger.error("the runner could not be started", { error });
          failures += 1;
          await clock.sleep(millis(Math.min(last_ms, first_ms * 2 ** failures)), signal);
          continue;
        }
        current = process;
        const end = await Promise.race([process.exited, aborted(signal)]);
        if (end === "aborted") return;
        current = undefined;
        // Told to end it is what was asked for.
        logger[stopping.signal.aborted ? "info" : "warning"]("the runner ended", {
          runner_id: process.runner_id,
          pid: process.pid,
          code: end.code,
          signal: end.signal,
        });
        await hub.runnerGone(process.runner_id);
        failures = clock.monotonic() - started > last_ms ? 0 : failures + 1;
        if (failures > 1) await clock.sleep(millis(Math.min(last_ms, first_ms * 2 ** failures)), signal);
      }
    },
    shutdown: async (grace) => {
      stopping.abort();
      const asked = Promise.all(
        hub.ready().map((runner_id) => hub.ask(runner_id, { type: "shutdown", grace_ms: grace })),
      );
      await within(asked, grace);
      const others = (): readonly (readonly [string, number])[] =>
        [...hub.processes()].filter(([runner_id]) => runner_id !== current?.runner_id);
      const until = clock.monotonic() + grace;
      while (others().length > 0 && clock.monotonic() < until) await clock.sleep(millis(25));
      // An adopted runner is no child of ours: only its own word tells which process it is.
      for (const [runner_id, pid] of others()) {
        logger.warning("a runner did not stop when it was asked; its process is ended", { runner_id, pid });
        deps.endProcess?.(pid);
      }
      const left = current;
      if (left === undefined) return;
      left.kill("SIGTERM");
      if (!(await within(left.exited, grace))) left.kill("SIGKILL");
      await left.exited;
    },
  };
}

function aborted(signal: AbortSignal): Promise<"aborted"> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve("aborted");
    signal.addEventListener("abort", () => resolve("aborted"), { once: true });
  });
}
