/**
 * The pure heart of the log: which rows change when leaves are appended. Performs nothing.
 *
 * The store's single writer calls {@link planAppend} inside its own transaction, writes what the plan
 * says, and signs the new head; so leaves commit with the state they explain.
 */
import type { Uuid } from "@rumi/kernel";

/** What the writer must remember between appends; reloaded from the stored partial tiles at start. */
export type LogHead = {
  /** Number of leaves. */
  readonly size: number;
  /** For each level, the hashes (32 bytes each) of its rightmost, incomplete tile; level 0 first. */
  readonly partial: readonly Uint8Array[];
};

export type TileWrite = { readonly level: number; readonly index: number; readonly data: Uint8Array };

/** One leaf ready to be stored: bytes as hashed, and beside it the payload that its commitment opens. */
export type PreparedLeaf = {
  readonly event_id: Uuid;
  readonly leaf: Uint8Array;
  readonly salt: Uint8Array;
  readonly payload: string;
};

export type AppendPlan = {
  readonly head: LogHead;
  readonly first_index: number;
  /** Whole contents of every tile this append touched (1–256 hashes each), to be upserted. */
  readonly tiles: readonly TileWrite[];
  readonly root: Uint8Array;
};
