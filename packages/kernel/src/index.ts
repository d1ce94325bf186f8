/**
 * Words everyone uses: results, ids, time, randomness, canonical JSON, hashing, errors, limits.
 *
 * Invariant: imports nothing of ours (the boundary check's table and its canary).
 */
export * from "./canonical-json.ts";
export * from "./decimal.ts";
export * from "./errors/catalogue.ts";
export * from "./explore/explore.ts";
export type { ErrorEntry } from "./errors/entry.ts";
export * from "./hash.ts";
export * from "./ids.ts";
export * from "./limits.ts";
export * from "./random.ts";
export * from "./result.ts";
export * from "./scrubber.ts";
export * from "./time.ts";
export * from "./timers.ts";
export * from "./zip.ts";
