/**
 * Makes a batch ready on its caller's thread: what is wrong with it is answered to that caller alone, and
 * the writer gets only plain values it can store. The same in both stores.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { PreparedLeaf } from "@rumi/ledger";
import type { StoreLimits } from "./limits.ts";
import { entryColumns, leafOf } from "./log/leaves.ts";
import type { Batch, Write } from "./port.ts";
import { parametersFailure, type SqlValue } from "./values.ts";

/** `columns` are log_entry's between idx and leaf. */
export type PreparedEntry = Pick<PreparedLeaf, "leaf" | "salt" | "payload"> & {
  readonly event_id: string;
  readonly columns: readonly SqlValue[];
};
export type PreparedBatch = {
  readonly writes: readonly (Write & { readonly parameters: readonly SqlValue[] })[];
  readonly entries: readonly PreparedEntry[];
};

/** Throws for an event that the catalogue does not know: a defect of the caller, not an answer. */
export function prepareBatch(
  batch: Batch,
  limits: StoreLimits,
  randomBytes: (count: number) => Uint8Array,
): Result<PreparedBatch, Failure> {
  const { writes, events } = batch;
  if (writes.length > limits.batch_writes)
    return err(failure("RUMI-STO-013", { what: "writes", limit: limits.batch_writes, found: writes.length }));
  if (events.length > limits.batch_events)
    return err(failure("RUMI-STO-013", { what: "events", limit: limits.batch_events, found: events.length }));
  const plain: (Write & { readonly parameters: readonly SqlValue[] })[] = [];
  for (const { sql, parameters, expect } of writes) {
    const unfit = parametersFailure(parameters);
    if (unfit !== undefined) return err(unfit);
    plain.push({ sql, parameters: parameters as readonly SqlValue[], expect });
  }
  const entries: PreparedEntry[] = [];
  for (const event of events) {
    const prepared = leafOf(event, randomBytes);
    if (!prepared.ok) return prepared;
    const { leaf, salt, payload } = prepared.value;
    const columns = entryColumns(event);
    const unfit = parametersFailure(columns) ?? parametersFailure([payload]);
    if (unfit !== undefined) return err(unfit);
    entries.push({ event_id: event.event_id, columns, leaf, salt, payload });
  }
  return ok({ writes: plain, entries });
}
