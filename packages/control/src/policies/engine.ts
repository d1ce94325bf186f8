/**
 * Instances of the Cedar engine, and what becomes of one that failed.
 *
 * How to think: the engine is Wasm with a small stack of its own. A text that is nested too deeply makes it stop in the
 * middle, and from then on nothing that it answers is worth anything. So whatever throws inside spoils that instance for
 * good, the next question gets a new one, and the policies in force never share theirs with a text that somebody tries.
 *
 * Invariant (policies.test.ts): no text that is tried changes what the policies in force answer.
 */
import { createRequire } from "node:module";

export type PolicyEngine = typeof import("@cedar-policy/cedar-wasm/nodejs");

const require = createRequire(import.meta.url);
const spoilt = new WeakSet<PolicyEngine>();
let shared: PolicyEngine | undefined;

/** An instance that nobody else has; about four megabytes and a tenth of a second. */
export function newPolicyEngine(): PolicyEngine {
  const path = require.resolve("@cedar-policy/cedar-wasm/nodejs");
  // The module makes its one instance while it is loaded; forgotten, it is loaded again.
  Reflect.deleteProperty(require.cache, path);
  return require(path) as PolicyEngine;
}

/** The instance for texts that are only tried. */
export function triedPolicyEngine(): PolicyEngine {
  if (shared === undefined || spoilt.has(shared)) shared = newPolicyEngine();
  return shared;
}

export function isSpoilt(engine: PolicyEngine): boolean {
  return spoilt.has(engine);
}

/** What `act` answers, or `failed()` where the engine stops inside of it or has done so before. */
export function asking<T>(engine: PolicyEngine, act: () => T, failed: () => T): T {
  if (spoilt.has(engine)) return failed();
  try {
    return act();
  } catch {
    // A trap or an exhausted stack says nothing about the policies that a reader could use.
    spoilt.add(engine);
    return failed();
  }
}
