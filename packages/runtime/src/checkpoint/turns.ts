/**
 * Whose turn it is: the periodic checkpoints of one lane, spread so that they take a bounded share of its time.
 *
 * How to think: with a few instances every one has its turn when it is due. With thousands, or on a slow disk, the next
 * turn comes only when the last one has been over for {@link CHECKPOINT_TURNS.rest_factor} times what it took. Whoever
 * waits loses nothing: its journal brings back what no checkpoint holds, and the bound by events knows no turns.
 *
 * Invariant: one at a time, and at most one part in `rest_factor` + 1 of any time (turns.test.ts).
 */
export const CHECKPOINT_TURNS = {
  rest_factor: 4,
  /** A turn that nobody ended is over after this. */
  longest_ms: 10_000,
} as const;

export class CheckpointTurns {
  readonly #monotonic: () => number;
  #turn: { readonly owner: object; readonly began: number } | undefined;
  #restUntil = Number.NEGATIVE_INFINITY;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** Whether the turn is the owner's now; then it owes a `done`. */
  take(owner: object): boolean {
    const now = this.#monotonic();
    if (now < this.#restUntil) return false;
    if (this.#turn !== undefined && now - this.#turn.began < CHECKPOINT_TURNS.longest_ms) return false;
    this.#turn = { owner, began: now };
    return true;
  }

  /** The owner's checkpoint is written, or failed; of somebody who has no turn it is nothing. */
  done(owner: object): void {
    if (this.#turn?.owner !== owner) return;
    const now = this.#monotonic();
    this.#restUntil = now + (now - this.#turn.began) * CHECKPOINT_TURNS.rest_factor;
    this.#turn = undefined;
  }
}
