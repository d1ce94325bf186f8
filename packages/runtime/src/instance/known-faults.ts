/** Calls that failed in an earlier life, by their ordinal: in the replay they are not made but fail again. */
import type { StrategyFault } from "../strategy/strategy.ts";

export class KnownFaults {
  /** The next ordinal that fails, -1 when none does; the row loop compares it and nothing else. */
  next = -1;
  readonly #at = new Map<number, StrategyFault>();

  add(call: number, fault: StrategyFault): void {
    this.#at.set(call, fault);
    this.#look();
  }

  take(call: number): StrategyFault | undefined {
    const fault = this.#at.get(call);
    if (this.#at.delete(call)) this.#look();
    return fault;
  }

  #look(): void {
    this.next = this.#at.size === 0 ? -1 : Math.min(...this.#at.keys());
  }
}
