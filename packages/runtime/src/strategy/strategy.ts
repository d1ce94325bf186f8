/**
 * One strategy behind one interface, whatever it is written in: frames in, records out, faults as values.
 *
 * The caller asks for `room`, writes a frame into `views` there, invokes a callback and reads `length` bytes at
 * `outputAt`. `views` may be replaced by any call, so it is read anew after each. Nothing here throws for what a
 * strategy did; after a fault everything answers FAULTED until `reset`.
 */
import type { FrameViews } from "@rumi/abi";
import type { IsolationLevel } from "../isolation/choice.ts";

/** Answer of `room`, `invoke` and `outputAt` after a fault. Statuses of the ABI are small and negative. */
export const FAULTED = -2_147_483_648;

export type StrategyFault = {
  readonly kind: "fuel" | "trap" | "stack" | "pointer" | "deadline" | "exit" | "frame" | "memory" | "status" | "output";
  /** `M.SANDBOX.*`, `M.ABI.*` or `M.STRATEGY.*`; every one has a page in the runbook. */
  readonly reason_code: string;
  readonly detail: string;
  /** What the strategy said when it broke, bounded (evidence.ts). */
  readonly evidence?: string;
};

export type IsolationInForce = { readonly level: IsolationLevel; readonly mechanism: string };

/** In force, with the level that was asked for where this is another one. */
export function inForce(level: IsolationLevel, mechanism: string, instead_of: IsolationLevel | null): IsolationInForce {
  return { level, mechanism: instead_of === null ? mechanism : `${mechanism} (instead of ${instead_of})` };
}

/** Callbacks by the ABI's numbers (`CALLBACK` of @rumi/abi). */
export type CallbackNumber = 1 | 2 | 3 | 4 | 5 | 6 | 7;

export interface Strategy {
  readonly isolation: IsolationInForce;
  readonly views: FrameViews;
  /** Where a frame of `bytes` may be written, or FAULTED. */
  room(bytes: number): number;
  /** Output length, a negative status of the ABI, or FAULTED. */
  invoke(callback: CallbackNumber, length: number): number;
  outputAt(length: number): number;
  /** Event frames that one `invokeMany` may carry; absent where a call costs too little for that to help. */
  readonly framesAtOnce?: number;
  /**
   * As `invoke` with `on_event` for `frames` frames end to end: they are taken in order until one puts something out or
   * fails, and the answer is that frame's. `framesTaken` says how many were taken; FAULTED says nothing of that.
   */
  invokeMany?(frames: number, length: number): number;
  readonly framesTaken?: number;
  /** Processor time of the process that it runs in, and which one; absent for what runs in the caller's thread. */
  cpu?(): { readonly pid: number; readonly ms: number } | null;
  fault(): StrategyFault | null;
  /** As new: no memory of what was. `undefined`, or why it cannot be. */
  reset(): StrategyFault | null;
  /** Leaves nothing behind. */
  close(): void;
}
