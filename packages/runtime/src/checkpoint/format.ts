/**
 * State checkpoint, format 1: one file that restores an instance exactly, or is refused.
 *
 * magic(8) · header length(u32 LE) · header (JCS JSON) · strategy state · venue state · SHA-256 of all before.
 * Page and vector: docs/formats/state-checkpoint.md (guarded by checkpoint.test.ts).
 */
import { canonicalJson, type Digest, type JsonObject, sha256 } from "@rumi/kernel";

export const CHECKPOINT_MAGIC = "RUMICKP1";
export const CHECKPOINT_BYTES_MAX = 268_435_456;

export type CheckpointHeader = {
  readonly schema_version: 1;
  /** Counts up with every checkpoint of a run; the higher of two valid slots is the newest. */
  readonly generation: number;
  readonly run_id: string;
  readonly epoch: number;
  readonly pack_digest: Digest;
  readonly config_digest: Digest;
  readonly state_schema_version: number;
  /** Rows of the feed that were wholly processed. */
  readonly last_event_cursor: number;
  readonly event_time_us: number;
  readonly journal_seq: number;
  readonly journal_chain: string;
  readonly next_intent_key: number;
  /** Everything of the deterministic machine that is neither strategy nor venue: gate, timers, health, counters. */
  readonly machine: JsonObject;
};

export type Checkpoint = {
  readonly header: CheckpointHeader;
  readonly strategy: Uint8Array;
  readonly venue: Uint8Array;
};

export function encodeCheckpoint(of: Checkpoint): Buffer {
  const header = Buffer.from(
    canonicalJson({
      ...of.header,
      strategy_bytes: of.strategy.length,
      venue_bytes: of.venue.length,
    }),
    "utf8",
  );
  const front = Buffer.alloc(12);
  front.write(CHECKPOINT_MAGIC, 0, "latin1");
  front.writeUInt32LE(header.length, 8);
  const body = Buffer.concat([front, header, of.strategy, of.venue]);
  return Buffer.concat([body, sha256(body)]);
}

/** The checkpoint, or in one sentence why these bytes are none. */
export function decodeCheckpoint(bytes: Buffer): Checkpoint | string {
  if (bytes.length < 44 || bytes.length > CHECKPOINT_BYTES_MAX) return `it has ${bytes.length} bytes`;
  if (bytes.toString("latin1", 0, 8) !== CHECKPOINT_MAGIC) return "it does not begin with the magic";
  const body = bytes.subarray(0, bytes.length - 32);
  if (!Buffer.from(sha256(body)).equals(bytes.subarray(bytes.length - 32))) return "its checksum does not match";
  const headerEnd = 12 + bytes.readUInt32LE(8);
  if (headerEnd > body.length) return "its header is longer than the file";
  const { strategy_bytes, venue_bytes, ...header } = JSON.parse(
    bytes.toString("utf8", 12, headerEnd),
  ) as CheckpointHeader & { strategy_bytes: number; venue_bytes: number };
  if (header.schema_version !== 1) return `its format version ${String(header.schema_version)} is not known`;
  if (headerEnd + strategy_bytes + venue_bytes !== body.length) return "its parts do not fill the file";
  return {
    header,
    strategy: new Uint8Array(body.subarray(headerEnd, headerEnd + strategy_bytes)),
    venue: new Uint8Array(body.subarray(headerEnd + strategy_bytes)),
  };
}
