/**
 * The three ways in which a jail is ended, by what binds it together.
 *
 * - `tree`: nothing binds it yet, or it outlives its outermost process (runc): it is taken apart (`end-tree.ts`).
 * - `signal`: it dies with its outermost process, so one signal is enough.
 * - `ask`: it is no descendant of ours; its bridge ends it first, and is gone soon after either way (`docker/bridge.ts`).
 */
import { endTree } from "./end-tree.ts";
import type { JailMechanism } from "./spec.ts";

/** Numbers, because a watchdog reads them from shared memory. */
export const ENDING = { tree: 0, signal: 1, ask: 2 } as const;
export type Ending = (typeof ENDING)[keyof typeof ENDING];

/** Before it is ready, and for good where nothing binds it. */
export const endingBefore = (mechanism: JailMechanism): Ending => (mechanism === "docker" ? ENDING.ask : ENDING.tree);
/** Once it stands. A container dies later than runc. */
export const endingOnceReady = (mechanism: JailMechanism): Ending =>
  mechanism === "runc" || mechanism === "docker" ? endingBefore(mechanism) : ENDING.signal;

export function endJail(pid: number, ending: number): void {
  if (ending === ENDING.tree) return endTree(pid);
  try {
    process.kill(pid, ending === ENDING.ask ? "SIGTERM" : "SIGKILL");
  } catch {
    // it ended by itself
  }
}
