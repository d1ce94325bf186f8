/** What the store and its writer's thread say to each other; structured clones, nothing shared. */
import type { Failure } from "@rumi/kernel";
import type { Outcome } from "../group-queue.ts";
import type { PreparedBatch } from "../batch.ts";
import type { WriterOptions } from "./writer.ts";

export type WriterStart = WriterOptions;
export type ToWriter = { readonly kind: "group"; readonly batches: readonly PreparedBatch[] } | { readonly kind: "close" };
export type FromWriter =
  | { readonly kind: "ready" }
  | { readonly kind: "refused"; readonly failure: Failure }
  | { readonly kind: "outcomes"; readonly outcomes: readonly Outcome[] }
  | { readonly kind: "closed" };
