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
import { canonicalJson, type JsonObject } from "@rumi/kernel";
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

export class RunRecorder {
  readonly #writer: JournalWriter;
  readonly #wallNow: () => number;
  readonly #epoch: number;
  #expected: readonly JournalEntry[];
  #next = 0;
  #epochInForce: number;
  #live: boolean;

  constructor(options: {
    readonly writer: JournalWriter;
    readonly wallNow: () => number;
    readonly epoch: number;
    readonly expected: readonly JournalEntry[];
    /** Epoch in force where the expected entries begin. */ readonly epochBefore: number;
  }) {
    this.#writer = options.writer;
    this.#wallNow = options.wallNow;
    this.#epoch = options.epoch;
    this.#expected = options.expected;
    this.#epochInForce = options.epochBefore;
    this.#live = false;
  }

  get live(): boolean {
    return this.#live;
  }
  get epochInForce(): number {
    return this.#epochInForce;
  }
  /** The next entry of the earlier life, while there is one. */
  get head(): JournalEntry | undefined {
    return this.#live ? undefined : this.#expected[this.#next];
  }

  /** Takes what the machine says happened. */
  record(entry: MachineEntry): void {
    if (this.#live) return void this.append(entry);
    this.#skipResumed();
    const head = this.#expected[this.#next];
    if (head === undefined) {
      this.goLiveIfDone(entry);
      return void this.append(entry);
    }
    const journal = comparable(head);
    const replay = canonicalJson(entry);
    if (journal !== replay) throw new DivergenceError({ seq: head.seq, journal, replay });
    this.#next += 1;
    this.goLiveIfDone(entry);
  }

  /** Passes over the head: the shell replayed it. */
  passHead(): void {
    this.#next += 1;
    this.#skipResumed();
  }

  /** Starts the live part once nothing is expected any more. */
  goLiveIfDone(
    where: { readonly event_time_us: number; readonly cursor: number; readonly trace_id: string },
    kind: "run_started" | "run_resumed" = "run_resumed",
  ): void {
    this.#skipResumed();
    if (this.#live || this.#next < this.#expected.length) return;
    this.#live = true;
    this.#expected = [];
    this.#epochInForce = this.#epoch;
    this.#writer.append({
      kind,
      epoch: this.#epoch,
      at_us: this.#wallNow(),
      event_time_us: where.event_time_us,
      cursor: where.cursor,
      trace_id: where.trace_id,
    });
  }

  append(entry: MachineEntry | OperationalEntry): JournalEntry {
    return this.#writer.append({ ...entry, at_us: this.#wallNow() });
  }

  #skipResumed(): void {
    for (
      let head = this.#expected[this.#next];
      head !== undefined && (head.kind === "run_resumed" || head.kind === "run_started");
      head = this.#expected[this.#next]
    ) {
      this.#epochInForce = head.epoch;
      this.#next += 1;
    }
  }
}

type Where = { readonly event_time_us: number; readonly cursor: number; readonly trace_id: string };
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
  entry.kind === "order" ||
  entry.kind === "fill" ||
  entry.kind === "health" ||
  entry.kind === "feed_ended" ||
  isFault(entry);
export const isFault = (entry: JournalEntry): boolean => entry.kind === "input" && entry.input["input"] === "fault";
