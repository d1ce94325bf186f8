/**
 * A one-writer one-reader ring in shared memory: frames of the ABI from a feed's thread to a lane, without a copy
 * through the event loop (packages/runtime/src/ring/ring.test.ts).
 *
 * How to think: the writer reserves room, lets a codec of the ABI write the frame right there and publishes it; the
 * reader looks at the frame where it lies and releases it. A record is a 16-byte head {u32 bytes, u32 kind of record,
 * f64 monotonic nanoseconds of publishing} and the frame, padded to 8. A frame never wraps: what is left at the end of
 * the buffer is skipped. A full ring refuses: the writer of market data counts the loss, keeps its newest and marks a gap;
 * a writer of execution events keeps the frame and tries again, because those are never dropped.
 *
 * Invariants
 * - Frames arrive whole, once and in order, whatever their sizes (ring.test.ts "[M-4.2.2]").
 * - A reader that sleeps is woken by the next frame; a wake-up is never lost (ring.test.ts).
 * - Nothing is allocated by reserve, publish, next or release.
 *
 * Absent on purpose: many writers or readers (one ring each), and growth.
 */
import { type FrameViews, frameViews } from "@rumi/abi";
import { invariant } from "@rumi/kernel";

export const RING_LIMITS = {
  bytes_least: 4_096,
  bytes_most: 268_435_456,
  /** Largest frame: a quarter of the ring, so that a skip at the end never starves it. */
  frame_share: 4,
} as const;

/** Words of the shared head. */
const WRITTEN = 0;
const RELEASED = 1;
const BELL = 2;
const SLEEPS = 3;
const REFUSED = 4;
const CLOSED = 5;
const HEAD_BYTES = 64;
const RECORD_HEAD = 16;
const SKIP = 0xffff_ffff;

/** What a record is, so that a reader may sort before it decodes. */
export const RING_RECORD = { market: 1, execution: 2, safety: 3 } as const;
export type RingRecord = (typeof RING_RECORD)[keyof typeof RING_RECORD];

/** Shared memory for one ring; `bytes` is a power of two between the limits. */
export function createRing(bytes: number): SharedArrayBuffer {
  invariant(
    bytes >= RING_LIMITS.bytes_least && bytes <= RING_LIMITS.bytes_most && (bytes & (bytes - 1)) === 0,
    "a ring's size is a power of two within its limits",
  );
  return new SharedArrayBuffer(HEAD_BYTES + bytes);
}

const padded = (bytes: number): number => (bytes + 7) & ~7;

export class RingWriter {
  /** Write the frame here, at the offset that `reserve` answered. */
  readonly views: FrameViews;
  readonly #head: Int32Array;
  readonly #size: number;
  readonly #seconds: Float64Array;
  #reserved = -1;
  #room = 0;

  constructor(shared: SharedArrayBuffer) {
    this.#head = new Int32Array(shared, 0, HEAD_BYTES / 4);
    this.#size = shared.byteLength - HEAD_BYTES;
    this.views = frameViews(shared, HEAD_BYTES, this.#size);
    this.#seconds = this.views.f64;
  }

  /** Largest frame that this ring takes. */
  get frameBytesMax(): number {
    return this.#size / RING_LIMITS.frame_share - RECORD_HEAD;
  }
  /** Frames that found no room so far. */
  get refused(): number {
    return Atomics.load(this.#head, REFUSED) >>> 0;
  }

  /** Offset in `views` (a multiple of 8) for a frame of at most `bytes`; -1 while there is no room, which is counted. */
  reserve(bytes: number): number {
    invariant(bytes > 0 && bytes <= this.frameBytesMax, "a frame fits a quarter of its ring");
    const need = RECORD_HEAD + padded(bytes);
    const written = Atomics.load(this.#head, WRITTEN) >>> 0;
    const used = (written - (Atomics.load(this.#head, RELEASED) >>> 0)) >>> 0;
    const at = written & (this.#size - 1);
    const toEnd = this.#size - at;
    const skipped = need > toEnd ? toEnd : 0;
    if (used + skipped + need > this.#size) {
      Atomics.add(this.#head, REFUSED, 1);
      return -1;
    }
    if (skipped > 0) {
      this.views.u32[at >> 2] = SKIP;
      Atomics.store(this.#head, WRITTEN, (written + skipped) | 0);
    }
    this.#reserved = skipped > 0 ? 0 : at;
    this.#room = padded(bytes);
    return this.#reserved + RECORD_HEAD;
  }

  /** Lets the reader see the reserved frame, `length` bytes long; `at_ns` is the moment on the machine's monotonic clock. */
  publish(length: number, record: RingRecord, at_ns: number): void {
    const at = this.#reserved;
    invariant(at >= 0 && length > 0 && padded(length) <= this.#room, "publish follows reserve");
    this.#reserved = -1;
    this.views.u32[at >> 2] = length;
    this.views.u32[(at >> 2) + 1] = record;
    this.#seconds[(at >> 3) + 1] = at_ns;
    const written = Atomics.load(this.#head, WRITTEN);
    Atomics.store(this.#head, WRITTEN, (written + RECORD_HEAD + padded(length)) | 0);
    ring(this.#head);
  }

  /** Copies a whole frame in; false while there is no room. */
  write(frame: Uint8Array, record: RingRecord, at_ns: number): boolean {
    const at = this.reserve(frame.length);
    if (at < 0) return false;
    this.views.u8.set(frame, at);
    this.publish(frame.length, record, at_ns);
    return true;
  }

  /** No frame follows. */
  close(): void {
    Atomics.store(this.#head, CLOSED, 1);
    ring(this.#head);
  }
}

export class RingReader {
  /** The frame at hand lies here. */
  readonly views: FrameViews;
  /** Of the frame at hand: offset, bytes, record, moment of publishing. */
  at = 0;
  length = 0;
  record: RingRecord = RING_RECORD.market;
  at_ns = 0;
  readonly #head: Int32Array;
  readonly #size: number;

  constructor(shared: SharedArrayBuffer) {
    this.#head = new Int32Array(shared, 0, HEAD_BYTES / 4);
    this.#size = shared.byteLength - HEAD_BYTES;
    this.views = frameViews(shared, HEAD_BYTES, this.#size);
  }

  /** Bytes that wait, heads included: how far behind this reader is. */
  get waiting(): number {
    return ((Atomics.load(this.#head, WRITTEN) >>> 0) - (Atomics.load(this.#head, RELEASED) >>> 0)) >>> 0;
  }
  /** The writer is done and everything was read. */
  get ended(): boolean {
    return Atomics.load(this.#head, CLOSED) === 1 && this.waiting === 0;
  }
  /** Frames that the writer found no room for. */
  get refused(): number {
    return Atomics.load(this.#head, REFUSED) >>> 0;
  }

  /** Looks at the next frame; false when there is none. It stays until `release`. */
  next(): boolean {
    for (;;) {
      if (this.waiting === 0) return false;
      const released = Atomics.load(this.#head, RELEASED) >>> 0;
      const at = released & (this.#size - 1);
      const length = this.views.u32[at >> 2] ?? 0;
      if (length === SKIP) {
        Atomics.store(this.#head, RELEASED, (released + this.#size - at) | 0);
        continue;
      }
      this.at = at + RECORD_HEAD;
      this.length = length;
      this.record = (this.views.u32[(at >> 2) + 1] ?? RING_RECORD.market) as RingRecord;
      this.at_ns = this.views.f64[(at >> 3) + 1] ?? 0;
      return true;
    }
  }

  /** Gives the frame at hand back to the writer. */
  release(): void {
    const released = Atomics.load(this.#head, RELEASED);
    Atomics.store(this.#head, RELEASED, (released + RECORD_HEAD + padded(this.length)) | 0);
  }

  /** Sleeps the thread until there is a frame, at most so long; answers whether there is one. */
  wait(timeout_ms: number): boolean {
    if (this.waiting > 0) return true;
    const bell = Atomics.load(this.#head, BELL);
    Atomics.store(this.#head, SLEEPS, 1);
    // Published between the two looks: the writer may not have seen that this thread means to sleep.
    if (this.waiting === 0 && Atomics.load(this.#head, CLOSED) === 0) Atomics.wait(this.#head, BELL, bell, timeout_ms);
    Atomics.store(this.#head, SLEEPS, 0);
    return this.waiting > 0;
  }
}

function ring(head: Int32Array): void {
  if (Atomics.load(head, SLEEPS) === 0) return;
  Atomics.add(head, BELL, 1);
  Atomics.notify(head, BELL);
}
