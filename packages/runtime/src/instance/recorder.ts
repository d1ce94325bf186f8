/**
 * Where a machine's entries go: into the journal, or, during a replay, beside what the journal already says.
 *
 * A replay holds the entries after the checkpoint. Each entry of the machine must equal the next of them; equal ones
 * are not written again and keep their ids, even under a newer epoch. The moment they are used up, `run_resumed`
 * is written and the run is live.
 *
 * Invariants
 * - A regenerated entry that differs stops the replay before anything new is written (recovery.test.ts "a replay that differs halts").
 * - The epoch of a client order id is the epoch under which its intent was first recorded.
 */
import { canonicalJson, type Digest, type JsonObject } from "@rumi/kernel";
import type { JournalWriter } from "../journal/writer.ts";
import type { JournalEntry } from "../protocol.ts";
import type { MachineEntry } from "./entry.ts";

export type Divergence = { readonly seq: number; readonly journal: string; readonly replay: string };

/** Thrown through the machine: a replay that diverged cannot go on, and the machine is thrown away. */
export class DivergenceError extends Error {
  readonly divergence: Divergence;
  constructor(divergence: Divergence) {
    super(`the replay differs at record ${divergence.seq}`);
    this.divergence = divergence;
  }
}

/** What a replay needs of whoever compares; the journal's recorder and a replay that only looks share it. */
export interface Tape {
  /** Nothing is expected any more. */
  readonly live: boolean;
  /** The next entry of the earlier life, while there is one. */
  readonly head: JournalEntry | undefined;
  /** Passes over the head: the shell replayed it. */
  passHead(): void;
  /** Ends the replay if nothing is expected any more. */
  goLiveIfDone(where: Where): void;
}

/** The entries that an earlier life left, taken one by one as they come out again. */
export class Expectation {
  readonly #entries: readonly JournalEntry[];
  #next = 0;
  #epochInForce: number;

  constructor(entries: readonly JournalEntry[], epochBefore: number) {
    this.#entries = entries;
    this.#epochInForce = epochBefore;
    this.skipResumed();
  }

  get head(): JournalEntry | undefined {
    return this.#entries[this.#next];
  }
  get isOver(): boolean {
    return this.#next >= this.#entries.length;
  }
  /** Epoch under which the newest passed entry was written. */
  get epochInForce(): number {
    return this.#epochInForce;
  }

  /** False when nothing was expected. Throws `DivergenceError` where the head says something else. */
  meets(entry: MachineEntry): boolean {
    this.skipResumed();
    const { head } = this;
    if (head === undefined) return false;
    const journal = comparable(head);
    const replay = canonicalJson(entry);
    if (journal !== replay) throw new DivergenceError({ seq: head.seq, journal, replay });
    this.#next += 1;
    return true;
  }

  pass(): void {
    this.#next += 1;
    this.skipResumed();
  }

  skipResumed(): void {
    for (
      let { head } = this;
      head !== undefined && (head.kind === "run_resumed" || head.kind === "run_started");
      head = this.#entries[this.#next]
    ) {
      this.#epochInForce = head.epoch;
      this.#next += 1;
    }
  }
}

export class RunRecorder implements Tape {
  readonly #writer: JournalWriter;
  readonly #wallNow: () => number;
  readonly #epoch: number;
  readonly #began: Began;
  #expected: Expectation;
  #live = false;

  constructor(options: {
    readonly writer: JournalWriter;
    readonly wallNow: () => number;
    readonly epoch: number;
    readonly expected: readonly JournalEntry[];
    /** Epoch in force where the expected entries begin. */ readonly epochBefore: number;
    readonly began: Began;
  }) {
    this.#writer = options.writer;
    this.#wallNow = options.wallNow;
    this.#epoch = options.epoch;
    this.#began = options.began;
    this.#expected = new Expectation(options.expected, options.epochBefore);
  }

  get live(): boolean {
    return this.#live;
  }
  get epochInForce(): number {
    return this.#live ? this.#epoch : this.#expected.epochInForce;
  }
  get head(): JournalEntry | undefined {
    return this.#live ? undefined : this.#expected.head;
  }

  /** Takes what the machine says happened. */
  record(entry: MachineEntry): void {
    if (this.#live) return void this.append(entry);
    const expected = this.#expected.meets(entry);
    this.goLiveIfDone(entry);
    if (!expected) this.append(entry);
  }

  passHead(): void {
    this.#expected.pass();
  }

  /** Starts the live part once nothing is expected any more. */
  goLiveIfDone(where: Where, kind: "run_started" | "run_resumed" = "run_resumed"): void {
    this.#expected.skipResumed();
    if (this.#live || !this.#expected.isOver) return;
    this.#live = true;
    this.#expected = new Expectation([], this.#epoch);
    this.#writer.append({
      kind,
      epoch: this.#epoch,
      ...this.#began,
      at_us: this.#wallNow(),
      event_time_us: where.event_time_us,
      cursor: where.cursor,
      trace_id: where.trace_id,
    });
  }

  append(entry: MachineEntry | OperationalEntry): JournalEntry {
    return this.#writer.append({ ...entry, at_us: this.#wallNow() });
  }
}

/** What this life began with, told by its first record. */
export type Began = {
  /** Digest of the run's record (run-record.ts). */ readonly run?: Digest;
  /** Generation of the checkpoint that it was restored from. */ readonly checkpoint?: number;
};
export type Where = { readonly event_time_us: number; readonly cursor: number; readonly trace_id: string };
export type OperationalEntry = Where &
  (
    | { readonly kind: "checkpoint"; readonly checkpoint: JsonObject }
    | { readonly kind: "run_paused" | "run_continued" | "run_stopped" }
  );

/** An entry without what the wall clock and the journal's own numbering put there. */
export function comparable(entry: JournalEntry): string {
  const { seq: _seq, at_us: _at, ...rest } = entry;
  return canonicalJson(rest);
}

/** The entries that a replay must reproduce; everything else tells what the host did. */
export const isReproduced = (entry: JournalEntry): boolean =>
  entry.kind === "intent" ||
  entry.kind === "staging" ||
  entry.kind === "order" ||
  entry.kind === "fill" ||
  entry.kind === "health" ||
  entry.kind === "breaker" ||
  entry.kind === "feed_ended" ||
  isFault(entry);
export const isFault = (entry: JournalEntry): boolean => entry.kind === "input" && entry.input["input"] === "fault";
