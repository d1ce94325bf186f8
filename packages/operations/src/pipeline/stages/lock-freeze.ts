/** Locks and freezes: any match refuses, whoever asks; tightening passes. */
import { firstRefusal } from "../guard-context.ts";
import type { Stage } from "../run.ts";

export const lockFreeze: Stage = {
  name: "lock_freeze",
  run: (run, context) => (run.risk === "tighten" ? undefined : firstRefusal(context.guards.locks, run, context)),
};
