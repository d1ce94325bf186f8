/**
 * The host's end of a blocking jail's log pipe: how often it is looked at, and what is kept of it.
 *
 * An empty pipe answers with an exception (EAGAIN), which costs more than everything else the host does for an event. So
 * a pipe that was found empty is not looked at again within `QUIET_MS`; one that held something is looked at after every
 * answer, as long as it does. What is written meanwhile waits in the pipe (64 KiB): a strategy that writes more than that
 * within the time waits for room, and its deadline ends it, as it does with one that writes as much within one event.
 *
 * Invariant: nothing that was written is lost, however late it is looked at (log-pipe.test.ts "[M-5.2.4]").
 */
import { closeSync, readSync } from "node:fs";
import { BoundedLog, type LogCounts } from "./log.ts";

export const QUIET_MS = 1;
/** A flood must not keep the host: what is left is for the next look. */
const CHUNKS = 16;
const CHUNK_BYTES = 65_536;

type LogBounds = {
  readonly bytes_per_second: number;
  readonly bytes_per_run: number;
  /** Whole milliseconds of any steady clock. */
  readonly now_ms: () => number;
};

export class LogPipe {
  readonly #end: number;
  readonly #now_ms: () => number;
  readonly #log: BoundedLog;
  readonly #chunk = Buffer.alloc(CHUNK_BYTES);
  #emptyAt = Number.NEGATIVE_INFINITY;
  #closed = false;

  /** `end`, a read descriptor that does not block, is closed by `close`. */
  constructor(end: number, bounds: LogBounds) {
    this.#end = end;
    this.#now_ms = bounds.now_ms;
    this.#log = new BoundedLog(bounds);
  }

  /** After an answer: takes what is there, unless nothing was a moment ago. */
  look(): void {
    if (this.#now_ms() - this.#emptyAt >= QUIET_MS) this.#drain();
  }

  text(): string {
    this.#drain();
    return this.#log.text();
  }

  counts(): LogCounts {
    this.#drain();
    return this.#log.counts();
  }

  /** Takes the rest and closes the descriptor. */
  close(): void {
    this.#drain();
    this.#closed = true;
    closeSync(this.#end);
  }

  #drain(): void {
    if (this.#closed) return;
    let found = false;
    try {
      for (let i = 0; i < CHUNKS; i += 1) {
        const count = readSync(this.#end, this.#chunk, 0, CHUNK_BYTES, null);
        found ||= count > 0;
        if (count > 0) this.#log.take(this.#chunk.subarray(0, count));
        // A short read leaves nothing behind; the next look finds what comes now.
        if (count < CHUNK_BYTES) break;
      }
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
    this.#emptyAt = found ? Number.NEGATIVE_INFINITY : this.#now_ms();
  }
}
