/**
 * Pipe transport for strategies in processes: the same frames, many in one write.
 *
 * Request: {u32 payload bytes, u8 callback, u8 0, u16 frames} and then the frames, each with its own length.
 * Reply, one per frame and in order: {u32 output bytes, i32 status} and then the output records. A status below
 * zero is coded (STATUS); its output may hold an error_report. A host may send the next batch before every reply came.
 */
import { LIMITS } from "@rumi/kernel";
import { ABI_LIMITS } from "./schema.ts";
import type { FrameViews } from "./views.ts";

export const PIPE_HEADER_BYTES = 8;

/** Writes the request header; -1 when a bound is passed. */
export function writePipeRequest(
  to: FrameViews,
  at: number,
  callback: number,
  frames: number,
  payloadBytes: number,
): number {
  if (
    frames < 1 ||
    frames > ABI_LIMITS.batch_frames ||
    payloadBytes > LIMITS.abi_frame_bytes ||
    at + PIPE_HEADER_BYTES + payloadBytes > to.u8.length
  )
    return -1;
  to.u32[at >> 2] = payloadBytes;
  to.u32[(at + 4) >> 2] = callback | (frames << 16);
  return PIPE_HEADER_BYTES + payloadBytes;
}

export type PipeReply = { outputBytes: number; status: number };

/** Reads a reply header from raw bytes; false when the claimed length passes the limit or is no multiple of 8. */
export function readPipeReply(bytes: Uint8Array, at: number, into: PipeReply): boolean {
  const byte = (offset: number): number => bytes[at + offset] ?? 0;
  into.outputBytes = (byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24)) >>> 0;
  into.status = byte(4) | (byte(5) << 8) | (byte(6) << 16) | (byte(7) << 24);
  return into.outputBytes <= LIMITS.abi_frame_bytes && into.outputBytes % 8 === 0;
}
