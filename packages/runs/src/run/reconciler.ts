/** Looks again and again for runs that nobody carries. */
import type { Reconciler } from "@rumi/platform";
import type { RunEngine } from "./engine.ts";

export function runReconciler(engine: Pick<RunEngine, "resume">): Reconciler {
  return { name: "runs", run: () => engine.resume() };
}
