/**
 * Intent journal, format 1: how one record and one segment file lie on disk.
 *
 * Segment = 72-byte header, then frames. Frame = mark(4) · payload length(u32 LE) · chain(32) · payload (JCS JSON).
 * chain = SHA-256(previous chain · length · payload); the first of a segment continues the header's.
 * The chain is both checksum and order: a record cannot be changed, moved, dropped or put in without a trace.
 * The mark cannot occur inside JSON (it ends in a control byte), so a later frame can be told from a torn tail.
 *
 * Layout and vector: docs/formats/intent-journal.md (guarded by journal.test.ts).
 */
import { sha256Buffer } from "@rumi/kernel";

export const SEGMENT_MAGIC = "RUMIJNL1";
export const SEGMENT_HEADER_BYTES = 72;
export const FRAME_HEADER_BYTES = 40;
export const FRAME_MARK: Buffer = Buffer.from([0xa5, 0x52, 0x4a, 0x01]);
/** Largest payload of one record. */
export const RECORD_BYTES_MAX = 262_144;
export const CHAIN_START: Buffer = Buffer.alloc(32);

export type SegmentHeader = {
  readonly segment: number;
  readonly firstSeq: number;
  readonly runId: string;
  readonly chain: Buffer;
};

export function nextChain(previous: Uint8Array, payload: Uint8Array): Buffer {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32LE(payload.length, 0);
  return sha256Buffer(previous, length, payload);
}

export function encodeFrame(
  previous: Uint8Array,
  payload: Uint8Array,
): { readonly frame: Buffer; readonly chain: Buffer } {
  const chain = nextChain(previous, payload);
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  FRAME_MARK.copy(frame, 0);
  frame.writeUInt32LE(payload.length, 4);
  chain.copy(frame, 8);
  frame.set(payload, FRAME_HEADER_BYTES);
  return { frame, chain };
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  bytes.write(SEGMENT_MAGIC, 0, "latin1");
  bytes.writeUInt32LE(header.segment, 8);
  bytes.writeBigUInt64LE(BigInt(header.firstSeq), 12);
  Buffer.from(header.runId.replaceAll("-", ""), "hex").copy(bytes, 20);
  header.chain.copy(bytes, 36);
  sha256Buffer(bytes.subarray(0, 68)).copy(bytes, 68, 0, 4);
  return bytes;
}

/** `undefined` when the bytes are no whole, sound header. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.toString("latin1", 0, 8) !== SEGMENT_MAGIC) return undefined;
  const check = sha256Buffer(bytes.subarray(0, 68)).subarray(0, 4);
  if (!check.equals(bytes.subarray(68, 72))) return undefined;
  const hex = bytes.toString("hex", 20, 36);
  const runId = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  return {
    segment: bytes.readUInt32LE(8),
    firstSeq: Number(bytes.readBigUInt64LE(12)),
    runId,
    chain: Buffer.from(bytes.subarray(36, 68)),
  };
}

export type FrameRead =
  | { readonly kind: "record"; readonly payload: Buffer; readonly chain: Buffer; readonly end: number }
  | { readonly kind: "end" }
  /** Nothing sound follows: an append that never finished. */
  | { readonly kind: "torn"; readonly problem: string }
  /** Sound-looking frames follow the damage: something changed what had been written. */
  | { readonly kind: "corrupt"; readonly problem: string };

export function readFrame(bytes: Buffer, offset: number, previous: Uint8Array): FrameRead {
  if (offset === bytes.length) return { kind: "end" };
  const damaged = (problem: string): FrameRead => ({
    kind: bytes.indexOf(FRAME_MARK, offset + 1) === -1 ? "torn" : "corrupt",
    problem,
  });
  if (bytes.length - offset < FRAME_HEADER_BYTES) return damaged("the frame header is cut off");
  if (!bytes.subarray(offset, offset + 4).equals(FRAME_MARK)) return damaged("the frame mark is missing");
  const length = bytes.readUInt32LE(offset + 4);
  if (length > RECORD_BYTES_MAX) return damaged(`the record claims ${length} bytes`);
  const end = offset + FRAME_HEADER_BYTES + length;
  if (end > bytes.length) return damaged("the record is cut off");
  const payload = bytes.subarray(offset + FRAME_HEADER_BYTES, end);
  const chain = nextChain(previous, payload);
  if (!chain.equals(bytes.subarray(offset + 8, offset + FRAME_HEADER_BYTES)))
    return damaged("the record does not continue the chain");
  return { kind: "record", payload, chain, end };
}
