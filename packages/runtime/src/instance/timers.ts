/** A strategy's timers: one time per id, at most {@link TIMERS_MAX} of them. */
export const TIMERS_MAX = 1_024;

export class Timers {
  /** Earliest time, infinite when none is set; the row loop compares it and nothing else. */
  next: number = Number.POSITIVE_INFINITY;
  #at = new Map<number, number>();

  /** Time 0 takes the timer away. False when there are too many. */
  set(id: number, at_us: number): boolean {
    if (at_us === 0) this.#at.delete(id);
    else if (this.#at.has(id) || this.#at.size < TIMERS_MAX) this.#at.set(id, at_us);
    else return false;
    this.#look();
    return true;
  }

  /** Fires those due up to `now`, earliest first; one that was moved or taken away meanwhile does not fire. */
  fire(now: number, act: (id: number, at_us: number) => void): void {
    const due = [...this.#at].filter(([, at]) => at <= now).sort((a, b) => a[1] - b[1] || a[0] - b[0]);
    for (const [id, at] of due) {
      if (this.#at.get(id) !== at) continue;
      this.#at.delete(id);
      act(id, at);
    }
    this.#look();
  }

  save(): readonly (readonly [number, number])[] {
    return [...this.#at].sort((a, b) => a[0] - b[0]);
  }

  restore(saved: readonly (readonly [number, number])[]): void {
    this.#at = new Map(saved);
    this.#look();
  }

  #look(): void {
    this.next = Math.min(Number.POSITIVE_INFINITY, ...this.#at.values());
  }
}
