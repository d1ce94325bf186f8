/**
 * What a live instance's host does between two rows: takes what came from outside, and waits for it at a stop.
 *
 * Invariant: an input is recorded and applied, and what it brought about is sent, before the next one is looked at; a
 * replay does the same (live.test.ts).
 */
import { pause, SYSTEM_TIMERS, type Timers } from "@rumi/kernel";
import type { Outside } from "./host-options.ts";
import type { MachineInput } from "./input.ts";

/** Inputs from outside between two slices of rows. */
const INPUTS_AT_ONCE = 256;
const SETTLE_STEP_MS = 5;
const ASK_AGAIN_MS = 100;

export type LiveHands = {
  readonly cursor: () => number;
  readonly mayEmit: () => boolean;
  readonly take: (input: MachineInput) => void;
  /** Sends what is pending once it is durable; false when the fence holds it back. */
  readonly flush: () => Promise<boolean>;
};

export async function takeFromOutside(live: Outside, { cursor, mayEmit, take, flush }: LiveHands): Promise<void> {
  for (let count = 0; count < INPUTS_AT_ONCE && mayEmit(); count += 1) {
    const input = live.take(cursor());
    if (input === undefined) return;
    take(input);
    if (!(await flush())) return;
  }
}

/**
 * Waits, for a while, until the venue said how every order of ours ended, and then asks it once more what it holds: what a
 * cancel was answered proves nothing (L-N8).
 */
export async function settleOutside(
  live: Outside,
  hands: LiveHands,
  { monotonic, timers = SYSTEM_TIMERS }: { readonly monotonic: () => number; readonly timers?: Timers },
): Promise<void> {
  const until = monotonic() + live.settle_ms;
  do {
    while (!live.isSettled && hands.mayEmit() && monotonic() < until) {
      await takeFromOutside(live, hands);
      if (!live.isSettled) await pause(timers, SETTLE_STEP_MS);
    }
    if (!hands.mayEmit()) return;
    const open = await live.askOpen?.();
    await takeFromOutside(live, hands);
    if (open === undefined || open === 0) return;
    await pause(timers, ASK_AGAIN_MS);
  } while (monotonic() < until);
}
