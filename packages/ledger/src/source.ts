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
