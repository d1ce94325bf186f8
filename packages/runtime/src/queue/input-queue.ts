/**
 * What waits to be told to one instance besides feed rows, by kind and never by arrival alone (M-4.2.*).
 *
 * How to think: three lines. Safety interrupts: whatever waits, it is taken first. Execution is never dropped and keeps
 * its order, however long the line grows. Everything else (configuration, signals, notes of the shell itself) waits in
 * one bounded line that refuses when it is full. Market events are not in here: they are rows of the feed, newest first.
 *
 * Invariants
 * - A safety input is taken before everything that waited before it, also when every line is full (input-queue.test.ts "[M-4.2.3]").
 * - A million execution events come out in their order (input-queue.test.ts "[M-4.2.2]").
 * - Taking costs the same at any length.
 */
export type InputClass = "safety" | "execution" | "other";

/** A first-in first-out line whose take is O(1): it eats from the front and moves up now and then. */
class Line<T> {
  #items: (T | undefined)[] = [];
  #from = 0;

  get length(): number {
    return this.#items.length - this.#from;
  }

  put(item: T): void {
    this.#items.push(item);
  }

  take(): T | undefined {
    const item = this.#items[this.#from];
    if (this.#from >= this.#items.length) return undefined;
    this.#items[this.#from] = undefined;
    this.#from += 1;
    if (this.#from >= 1_024 && this.#from * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#from);
      this.#from = 0;
    }
    return item;
  }
}

export class InputQueue<T> {
  readonly #classOf: (item: T) => InputClass;
  readonly #otherMax: number;
  readonly #lines: Readonly<Record<InputClass, Line<T>>> = {
    safety: new Line(),
    execution: new Line(),
    other: new Line(),
  };

  constructor(options: { readonly classOf: (item: T) => InputClass; readonly other_max: number }) {
    this.#classOf = options.classOf;
    this.#otherMax = options.other_max;
  }

  /** Everything that waits. */
  get length(): number {
    return this.#lines.safety.length + this.#lines.execution.length + this.#lines.other.length;
  }
  /** Execution events that wait: never dropped, so their number is what a cap is compared with. */
  get executionWaiting(): number {
    return this.#lines.execution.length;
  }

  /** False when it is of the bounded kind and the line is full. */
  put(item: T): boolean {
    const of = this.#classOf(item);
    if (of === "other" && this.#lines.other.length >= this.#otherMax) return false;
    this.#lines[of].put(item);
    return true;
  }

  /** Safety first, then execution, then the rest; each in its own order. */
  take(): T | undefined {
    return this.#lines.safety.take() ?? this.#lines.execution.take() ?? this.#lines.other.take();
  }

  takeAll(): readonly T[] {
    const taken: T[] = [];
    for (let item = this.take(); item !== undefined; item = this.take()) taken.push(item);
    return taken;
  }
}
