/** Limits of stores and of what packs keep in them; each is reached by a test (access.test.ts, packages/rumi/test/stores.test.ts). */
import { VALUE_BYTES_MAX } from "../grants/permissions.ts";

export const STORE_LIMITS = {
  /** Of one home. */
  stores: 1_000,
  /** Packs that one store is shared with. */
  shares: 100,
  keys: 100_000,
  /** Of all values of one store together, as canonical JSON. */
  bytes: 268_435_456,
  value_bytes: VALUE_BYTES_MAX,
  /** Keys that one `store.batch_get` may ask for. */
  batch_keys: 100,
  /** Of all values that one call gives back. */
  answer_bytes: 4_194_304,
  /** Keys that one `store.list` gives back. */
  listed_keys: 1_000,
  /** How often a write is decided anew when another one came between. */
  attempts: 32,
} as const;
export type StoreLimits = { readonly [Name in keyof typeof STORE_LIMITS]: number };
