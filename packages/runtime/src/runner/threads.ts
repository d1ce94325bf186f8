/**
 * How a lane's inside is made: a thread of its own with watchdogs over its calls, or, for the simulator, right here.
 *
 * A lane in this thread beats on the given timers, has no watchdog (nothing is there that could watch), and hears and
 * tells copies, as a thread would.
 */
import { Worker } from "node:worker_threads";
import { type LateCall, startCallWatchdog, startJailWatchdog } from "@rumi/sandbox";
import { Lane, sharedNowMs } from "../lane/lane.ts";
import type { FromLane, LaneData, ToLane } from "../lane/messages.ts";
import type { Surroundings } from "../surroundings.ts";

export interface LaneThread {
  postMessage(message: ToLane): void;
  terminate(): Promise<unknown>;
  /** Ends the watch over its calls. */
  stopWatchdog(): void;
}

export type ThreadEvents = {
  readonly onMessage: (message: FromLane) => void;
  readonly onEnd: (problem: string) => void;
  readonly onLate: (late: LateCall) => void;
};

/** Makes the inside of the lane called `name`; `isShared`: many instances live in it. */
export type MakeThread = (name: string, data: LaneData, isShared: boolean, events: ThreadEvents) => LaneThread;

/** Of a lane's heap, its young part: small, or each thread would keep tens of megabytes for what it threw away. */
export const LANE_YOUNG_MIB = 12;
export const LOOKS = { jail_look_ms: 5, call_look_ms: 5 } as const;

export function workerThreads(lane_url: URL): MakeThread {
  return (name, data, isShared, { onMessage, onEnd, onLate }) => {
    const worker = new Worker(lane_url, {
      workerData: data,
      name,
      resourceLimits: { maxYoungGenerationSizeMb: LANE_YOUNG_MIB },
    });
    worker.on("message", onMessage);
    worker.on("error", (error) => onEnd(`the thread ended: ${error.message}`));
    worker.on("exit", () => onEnd("the thread ended"));
    const stopWatchdog = isShared
      ? startCallWatchdog(data.calls, { every_ms: LOOKS.call_look_ms, now_ms: () => performance.now(), onLate })
      : startJailWatchdog(data.watch, { now_ms: sharedNowMs, every_ms: LOOKS.jail_look_ms });
    return { postMessage: (message) => worker.postMessage(message), terminate: () => worker.terminate(), stopWatchdog };
  };
}

/** Lanes in this very thread, for the simulator. */
export function lanesHere(around: Surroundings): MakeThread {
  return (_name, data, _isShared, { onMessage }) => {
    let ended = false;
    const { timers } = around;
    const lane = new Lane(
      data,
      (message) => {
        const copy = structuredClone(message);
        timers.soon(() => ended || onMessage(copy));
      },
      around,
    );
    return {
      postMessage: (message) => {
        const copy = structuredClone(message);
        timers.soon(() => ended || lane.take(copy));
      },
      terminate: () => Promise.resolve((ended = true)),
      stopWatchdog: () => undefined,
    };
  };
}
