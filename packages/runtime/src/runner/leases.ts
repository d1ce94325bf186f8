/**
 * The runner's own view of its leases: a deadline on its own monotonic clock, counted from before a renewal was sent.
 *
 * The deadline lies in shared memory, so that the thread that would emit asks the clock itself, also after a SIGSTOP.
 * Invariant: a lease that ran out never opens again; another epoch needs another slot (leases.test.ts).
 */
import { type KillWord, packKillWord, UNTOLD } from "../kill-switch/kill-word.ts";

export const LEASE_TIMES = { renew_every_ms: 5_000, margin_ms: 2_000 } as const;

export type SlotState = { readonly slot: number; readonly ttl_ms: number };

export class LeaseFence {
  readonly shared: SharedArrayBuffer;
  /** The deadlines, then the kill words. */
  readonly #deadlines: BigInt64Array;
  readonly #slots: number;
  readonly #free: number[];
  readonly #nowNs: () => bigint;

  constructor(slots: number, nowNs: () => bigint) {
    this.#slots = slots;
    this.shared = new SharedArrayBuffer(slots * 16);
    this.#deadlines = new BigInt64Array(this.shared);
    this.#free = Array.from({ length: slots }, (_, slot) => slots - 1 - slot);
    this.#nowNs = nowNs;
  }

  /** A closed slot, or `undefined` when all are taken. */
  take(): number | undefined {
    const slot = this.#free.pop();
    if (slot === undefined) return undefined;
    this.close(slot);
    this.tell(slot, UNTOLD);
    return slot;
  }

  giveBack(slot: number): void {
    this.close(slot);
    this.#free.push(slot);
  }

  /** What the kill switch says of whoever has the slot. */
  tell(slot: number, word: KillWord): void {
    Atomics.store(this.#deadlines, this.#slots + slot, packKillWord(word));
  }

  /** First grant of a new lease. */
  open(slot: number, sentNs: bigint, ttlMs: number): void {
    Atomics.store(this.#deadlines, slot, sentNs + BigInt(ttlMs - LEASE_TIMES.margin_ms) * 1_000_000n);
  }

  /** A renewal; too late is refused and the slot stays closed. */
  renew(slot: number, sentNs: bigint, ttlMs: number): boolean {
    if (!this.isOpen(slot)) {
      this.close(slot);
      return false;
    }
    this.open(slot, sentNs, ttlMs);
    return true;
  }

  close(slot: number): void {
    Atomics.store(this.#deadlines, slot, 0n);
  }

  isOpen(slot: number): boolean {
    return this.#nowNs() < Atomics.load(this.#deadlines, slot);
  }
}
