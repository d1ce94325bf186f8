/**
 * Where a log is read from: the store's rows, or a directory of tiles. The views, proofs and the verifier
 * see only these ports.
 */
import type { Failure, Result } from "@rumi/kernel";

export interface LogSource {
  /** The current signed checkpoint; undefined for a log that was never signed. */
  checkpoint(): Promise<string | undefined>;
  /** Bytes of the leaves `from` (inclusive) to `to` (exclusive); fewer where the source lacks some. */
  leaves(from: number, to: number): Promise<Result<readonly Uint8Array[], Failure>>;
  /** Stored hashes of a tile, 1–256 of 32 bytes; undefined when there is none. */
  tile(level: number, index: number): Promise<Uint8Array | undefined>;
}

export type OpenedPayload = { readonly salt: Uint8Array; readonly payload: string };

export interface PayloadSource {
  /** Salt and payload of each log index from `from` to `to`, in order; undefined where they were deleted. */
  payloads(from: number, to: number): Promise<readonly (OpenedPayload | undefined)[]>;
}

/** What a store keeps beside a leaf to search by; nobody signed it, so the verifier holds it against what was signed. */
export type IndexedEvent = Readonly<
  Record<"event_id" | "action" | "actor" | "resource_type" | "resource_id" | "outcome" | "trace_id", string>
> & {
  readonly occurred_at: number;
  readonly run_id: string | null;
  readonly request_id: string | null;
};

export interface IndexSource {
  /** Search columns of each log index from `from` to `to`, in order; undefined where there is no row. */
  indexed(from: number, to: number): Promise<readonly (IndexedEvent | undefined)[]>;
}

/** The 256 entries of one whole tile, each column laid end to end: read in one go, and nothing is made per entry. */
export type PackedEntries = {
  readonly leaves: Uint8Array;
  readonly leaf_lengths: readonly number[];
  readonly salts: Uint8Array;
  readonly payloads: Uint8Array;
  readonly payload_lengths: readonly number[];
  /** What the store searches by, as {@link indexLine} writes it. */
  readonly index_lines: readonly string[];
};

export interface PackedSource extends Pick<LogSource, "tile"> {
  /** The entries of the bottom tile `index`; undefined where one of them, or its payload, is not there. */
  packed(index: number): Promise<PackedEntries | undefined>;
}

/** Others who look at parts of the same log meanwhile: threads with connections of their own. */
export interface RangeVouchers {
  /** Number of ranges to ask for at once. */
  readonly at_once: number;
  /** A log of fewer entries is not worth asking. */
  readonly least_size: number;
  /**
   * The roots of a range's tiles, one after the other (verify/vouch.ts), where all of it is as it must be; undefined
   * where somebody has to look closer. Rejects when nobody is left to ask.
   */
  vouch(first_index: number): Promise<Uint8Array | undefined>;
}
