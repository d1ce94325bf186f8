/** Reads a run's journal from its files while another thread appends: the stream to the control plane begins at any seq. */
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { join } from "node:path";
import { FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES } from "../journal/frame.ts";
import { segmentFile } from "../journal/reader.ts";
import type { JournalEntry } from "../protocol.ts";

export const TAIL_LIMITS = { batch_entries: 1_000, batch_bytes: 1_048_576, read_bytes: 2_097_152 } as const;

export class JournalTail {
  readonly #directory: string;
  #segment = 1;
  #offset = SEGMENT_HEADER_BYTES;
  /** Seq of the record at the place. */
  #seq = 1;

  constructor(runDir: string) {
    this.#directory = join(runDir, "journal");
  }

  /** Entries after `afterSeq` up to `durableSeq`, a bounded batch of them. */
  read(afterSeq: number, durableSeq: number): readonly JournalEntry[] {
    if (afterSeq + 1 < this.#seq) this.#rewind();
    const entries: JournalEntry[] = [];
    let bytes = 0;
    while (this.#seq <= durableSeq && entries.length < TAIL_LIMITS.batch_entries && bytes < TAIL_LIMITS.batch_bytes) {
      const chunk = this.#chunk();
      let at = 0;
      while (
        chunk.length - at >= FRAME_HEADER_BYTES &&
        this.#seq <= durableSeq &&
        entries.length < TAIL_LIMITS.batch_entries &&
        bytes < TAIL_LIMITS.batch_bytes
      ) {
        const length = chunk.readUInt32LE(at + 4);
        const end = at + FRAME_HEADER_BYTES + length;
        if (end > chunk.length) break;
        if (this.#seq > afterSeq) {
          entries.push(JSON.parse(chunk.toString("utf8", at + FRAME_HEADER_BYTES, end)) as JournalEntry);
          bytes += length;
        }
        this.#seq += 1;
        at = end;
      }
      this.#offset += at;
      if (at > 0) continue;
      if (!existsSync(join(this.#directory, segmentFile(this.#segment + 1)))) break;
      this.#segment += 1;
      this.#offset = SEGMENT_HEADER_BYTES;
    }
    return entries;
  }

  #rewind(): void {
    this.#segment = 1;
    this.#offset = SEGMENT_HEADER_BYTES;
    this.#seq = 1;
  }

  #chunk(): Buffer {
    const fd = openSync(join(this.#directory, segmentFile(this.#segment)), "r");
    try {
      const size = Math.min(TAIL_LIMITS.read_bytes, Math.max(0, fstatSync(fd).size - this.#offset));
      const buffer = Buffer.allocUnsafe(size);
      return buffer.subarray(0, readSync(fd, buffer, 0, size, this.#offset));
    } finally {
      closeSync(fd);
    }
  }
}
