/** What the store and its writer's thread say to each other; clones, nothing shared. */
import { ok, type Failure } from "@rumi/kernel";
import type { Outcome } from "../group-queue.ts";
import type { CommitError } from "../port.ts";
import type { PackedGroup } from "./group-pack.ts";
import type { WriterOptions } from "./writer.ts";

export type WriterStart = WriterOptions;
export type ToWriter = { readonly kind: "group"; readonly group: PackedGroup } | { readonly kind: "close" };
export type FromWriter =
  | { readonly kind: "ready" }
  | { readonly kind: "refused"; readonly failure: Failure }
  | { readonly kind: "outcomes"; readonly outcomes: PackedOutcomes }
  | { readonly kind: "closed" };

/** Of each batch either the first of its consecutive indices and their number, or its error. */
export type PackedOutcomes = {
  readonly log_size: number;
  readonly firsts: readonly number[];
  readonly counts: readonly number[];
  readonly errors: readonly (CommitError | null)[] | null;
};

export function packOutcomes(outcomes: readonly Outcome[]): PackedOutcomes {
  let log_size = 0;
  const firsts: number[] = [];
  const counts: number[] = [];
  for (const outcome of outcomes) {
    if (outcome.ok) log_size = outcome.value.log_size; // one transaction, one size
    firsts.push(outcome.ok ? (outcome.value.indices[0] ?? 0) : 0);
    counts.push(outcome.ok ? outcome.value.indices.length : 0);
  }
  const failed = outcomes.some((outcome) => !outcome.ok);
  return {
    log_size,
    firsts,
    counts,
    errors: failed ? outcomes.map((outcome) => (outcome.ok ? null : outcome.error)) : null,
  };
}

export function unpackOutcomes({ log_size, firsts, counts, errors }: PackedOutcomes): readonly Outcome[] {
  return firsts.map((first, batch) => {
    const error = errors?.[batch] ?? null;
    if (error !== null) return { ok: false, error };
    return ok({ indices: Array.from({ length: counts[batch] ?? 0 }, (_, offset) => first + offset), log_size });
  });
}
