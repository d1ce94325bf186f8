/** Limits of one batch, the same in both stores. */
import { failure, type Failure } from "@rumi/kernel";
import type { StoreLimits } from "./limits.ts";
import type { Batch } from "./port.ts";

export function batchTooLarge(batch: Batch, limits: StoreLimits): Failure | undefined {
  if (batch.writes.length > limits.batch_writes) {
    return failure("RUMI-STO-013", { what: "writes", limit: limits.batch_writes, found: batch.writes.length });
  }
  if (batch.events.length > limits.batch_events) {
    return failure("RUMI-STO-013", { what: "events", limit: limits.batch_events, found: batch.events.length });
  }
  return undefined;
}
