/**
 * Runs reconcilers: at once, after each nudge, and every second; in each lane one after another, one round at a time.
 *
 * A nudge after a while of quiet is followed at once. Where nudges do not end (each commit is one, but for those that only
 * run a flow), a lane rests after each round in proportion to what the round took, so that looking never takes more of the
 * thread than the commands that are looked after; the rest is short enough for a stop (tick.test.ts).
 *
 * A reconciler that throws is logged and tried again in the next round; the others go on. Lanes do not wait for each other:
 * what awaits long work of its own (a bulk's commands) has one to itself, so that no stop stands behind it (tick.test.ts).
 */
import { millis, type Clock } from "@rumi/kernel";
import { causeChain, type Logger } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";

const EVERY_MS = 1_000;
/** Nudges that come closer together than this share one round. */
const SETTLE_MS = 5;
/** From the end of a round to the next one that a nudge asks for: so many times what the round took, and never more than the most. */
const REST_ROUNDS = 4;
export const REST_MOST_MS = 100;
/** Made once: without a reason of its own each abort would make an error with its stack. */
const NUDGED = "nudged";

export interface Ticker {
  readonly nudge: () => void;
  /** One round of every lane now, for the start. */
  readonly round: () => Promise<void>;
  readonly close: () => Promise<void>;
}

type World = { readonly clock: Clock; readonly logger: Logger };

export function startTicker(lanes: readonly (readonly Reconciler[])[], world: World): Ticker {
  const all = lanes.map((reconcilers) => startLane(reconcilers, world));
  return {
    nudge: () => {
      for (const lane of all) lane.nudge();
    },
    round: async () => {
      await Promise.all(all.map((lane) => lane.round()));
    },
    close: async () => {
      await Promise.all(all.map((lane) => lane.close()));
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function startLane(reconcilers: readonly Reconciler[], { clock, logger }: World): Ticker {
  const stopped = new AbortController();
  let wake = new AbortController();
  /** Before this moment no nudge is followed. */
  let rested_ms = 0;
  const round = async (): Promise<void> => {
    const began = clock.monotonic();
    for (const reconciler of reconcilers) {
      await turn(); // none of them awaits anything but the store, which answers at once: together they would hold the thread
      try {
        await reconciler.run();
      } catch (error) {
        logger.error("a reconciler failed; it runs again", { reconciler: reconciler.name, causes: causeChain(error) });
      }
    }
    const ended = clock.monotonic();
    rested_ms = ended + Math.min(REST_MOST_MS, (ended - began) * REST_ROUNDS);
  };
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await round();
      await clock.sleep(millis(EVERY_MS), AbortSignal.any([wake.signal, stopped.signal]));
      if (wake.signal.aborted)
        await clock.sleep(millis(Math.max(SETTLE_MS, Math.ceil(rested_ms - clock.monotonic()))), stopped.signal);
      wake = new AbortController();
    }
  };
  let running: Promise<void> | undefined;
  return {
    nudge: () => wake.abort(NUDGED),
    round: async () => {
      await round();
      running ??= loop();
    },
    close: async () => {
      stopped.abort();
      await running;
    },
  };
}
