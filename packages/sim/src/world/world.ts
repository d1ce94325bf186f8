/**
 * Virtual time: one queue of events, one of them at a time, each run until nothing of it is left to do.
 *
 * How to think: an event may start asynchronous work; the world gives way until that work has come to rest, and only then
 * takes the next event. All that production code awaits is either a microtask, `setImmediate`, or an event of this queue,
 * so the order of everything follows from the seed alone. Whatever else were awaited would show as another digest.
 *
 * Invariant: the same seed gives the same digest (simulate.test.ts).
 */
import { createHash } from "node:crypto";
import { invariant, seededRandom, type Random } from "@rumi/kernel";

/** Turns of the real event loop after each event; the store's queue and its readers use one each. */
const SETTLE_TURNS = 2;
const LINES_KEPT = 400;
const MOMENT_EVENTS_MAX = 100_000;

export type Owner = {
  /** `false`: nothing of it happens any more. */
  readonly alive: boolean;
  /** Holds the event back until its owner goes on. */
  hold?(act: () => void): boolean;
};

type Event = { readonly at_us: number; readonly number: number; readonly act: () => unknown; readonly owner: Owner };

export class World {
  readonly random: Random;
  now_us = 0;
  #number = 0;
  #inMoment = 0;
  #lastFrom = "";
  readonly #heap: Event[] = [];
  readonly #digest = createHash("sha256");
  readonly #lines: string[] = [];
  readonly #say: (line: string) => void;

  constructor(seed: string, say: (line: string) => void = () => undefined) {
    this.random = seededRandom(`rumi-sim/${seed}`);
    this.#say = say;
  }

  /** Runs `act` after `delay_us`, unless its owner is gone by then or it was cancelled. */
  schedule(delay_us: number, owner: Owner, act: () => unknown): () => void {
    let isCancelled = false;
    const at_us = this.now_us + Math.max(0, Math.round(delay_us));
    if (this.#inMoment === MOMENT_EVENTS_MAX - 2) this.#lastFrom = new Error("scheduled here").stack ?? "";
    const event = { at_us, number: (this.#number += 1), act: () => (isCancelled ? undefined : act()), owner };
    push(this.#heap, event);
    return () => {
      isCancelled = true;
    };
  }

  /** Everything up to then, in order. `after` is called behind each event. */
  async runUntil(until_us: number, after: () => void): Promise<void> {
    for (let event = this.#heap[0]; event !== undefined && event.at_us <= until_us; event = this.#heap[0]) {
      pop(this.#heap);
      if (!event.owner.alive) continue;
      this.#countMoment(event);
      const { act, owner } = event;
      if (owner.hold?.(() => void this.schedule(0, owner, act)) === true) continue;
      const done = act();
      if (done instanceof Promise) await done;
      await settle();
      after();
    }
    this.now_us = Math.max(this.now_us, until_us);
  }

  /** A moment that never ends is a loop without a pause in production code. */
  #countMoment({ at_us }: Event): void {
    this.#inMoment = at_us > this.now_us ? 0 : this.#inMoment + 1;
    this.now_us = Math.max(this.now_us, at_us);
    invariant(this.#inMoment < MOMENT_EVENTS_MAX, `a moment ends: ${this.#lastFrom}`);
  }

  /** Writes into the trace whose digest two runs of one seed share. */
  note(who: string, what: string): void {
    const line = `${(this.now_us / 1_000).toFixed(3)} ${who} ${what}`;
    this.#digest.update(line).update("\n");
    this.#lines.push(line);
    if (this.#lines.length > LINES_KEPT * 2) this.#lines.splice(0, LINES_KEPT);
    this.#say(line);
  }

  /** The last lines of the trace. */
  lines(count: number): readonly string[] {
    return this.#lines.slice(-count);
  }

  digest(): string {
    return this.#digest.copy().digest("hex");
  }
}

export async function settle(): Promise<void> {
  for (let turn = 0; turn < SETTLE_TURNS; turn += 1) await new Promise((resolve) => void setImmediate(resolve));
}

const isBefore = (a: Event, b: Event): boolean => a.at_us < b.at_us || (a.at_us === b.at_us && a.number < b.number);

function push(heap: Event[], event: Event): void {
  let at = heap.length;
  heap.push(event);
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above];
    if (parent === undefined || !isBefore(event, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = event;
}

function pop(heap: Event[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
    if (left === undefined) break;
    const isRight = right !== undefined && isBefore(right, left);
    const child = isRight ? right : left;
    if (!isBefore(child, last)) break;
    heap[at] = child;
    at = 2 * at + (isRight ? 2 : 1);
  }
  heap[at] = last;
}

/** Owner of what belongs to no process. */
export const FOREVER: Owner = { alive: true };
