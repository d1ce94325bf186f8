/**
 * The outside of a shadow: the primary's journal, read from its files as it grows.
 *
 * How to think: the primary's records become the shadow's recorded inputs, each at the row where it stood, and the feed's
 * end moves with what the primary is known to have finished. So the shadow never runs ahead, its own journal holds all
 * that it was told, and its replay needs nobody else. What both wished is compared row by row (comparison.ts).
 *
 * Invariants (shadow.test.ts)
 * - A shadow of the same version wishes exactly what the primary wishes, fills and safety modes included.
 * - A shadow that is killed and resumed takes every record of the primary once.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { invariant } from "@rumi/kernel";
import type { MarketFeed } from "@rumi/venues";
import { decodeCheckpoint } from "../checkpoint/format.ts";
import { ORIGIN_FILE } from "../instance/run-record.ts";
import type { Outside } from "../instance/host-options.ts";
import type { MachineInput } from "../instance/input.ts";
import { isReproduced } from "../instance/recorder.ts";
import type { EarlierRun, InstanceSpec, JournalEntry, ShadowComparison } from "../protocol.ts";
import { JournalTail } from "../runner/journal-tail.ts";
import { objectOf } from "./adopted-order.ts";
import { PrimaryTape } from "./primary-tape.ts";
import { Comparison } from "./comparison.ts";

/** Records of the primary that are read ahead. */
const AHEAD_MAX = 4_096;
/** Inputs of the primary that are the shadow's too; its configuration is its own. */
const SHARED: ReadonlySet<unknown> = new Set([
  "safety",
  "killswitch",
  "signal",
  "conflate",
  "pressure",
  "breaker",
  "gateway",
]);

export class ShadowSide implements Outside {
  readonly feed: MarketFeed;
  readonly settle_ms = 0;
  readonly isSettled = true;
  readonly #primary: JournalTail;
  readonly #own: JournalTail;
  readonly #comparison: Comparison;
  readonly #length: number;
  readonly #tape: PrimaryTape | null;
  /** Orders that the primary opened between two rows, in answer to a report. */
  readonly #between = new WeakSet<JournalEntry>();
  readonly #ahead: JournalEntry[] = [];
  readonly #origin: string;
  /** The shadow's own journal tells of all rows before this one. */
  #ownSafe = 0;
  #read = 0;
  #ownRead = 0;
  /** The primary has wholly taken the rows before this one. */
  #safe = 0;
  #ended = false;
  #begun = false;
  #told: ReadonlySet<number> = new Set();

  constructor(options: {
    readonly spec: Pick<InstanceSpec, "run_dir">;
    readonly follows: EarlierRun;
    /** A recording, or the tape of a live primary. */
    readonly rows: MarketFeed | PrimaryTape;
  }) {
    const { spec, rows, follows } = options;
    this.#origin = join(spec.run_dir, ORIGIN_FILE);
    this.#primary = new JournalTail(follows.run_dir);
    this.#own = new JournalTail(spec.run_dir);
    this.#comparison = new Comparison(follows.run_id);
    this.#tape = rows instanceof PrimaryTape ? rows : null;
    this.#length = rows instanceof PrimaryTape ? Number.POSITIVE_INFINITY : rows.length;
    // Of a tape, only what may be taken is there.
    const length = (): number => this.#until();
    this.feed =
      rows instanceof PrimaryTape
        ? rows.feed
        : Object.defineProperty({ ...rows }, "length", { get: length, enumerable: true });
  }

  /** The primary's journal is over and everything of it was taken. */
  get ended(): boolean {
    return this.#ended && this.#ahead.length === 0 && this.feed.length >= Math.min(this.#length, this.#safe);
  }

  /** What an earlier life of the shadow was told already is not told again. */
  begin(): void {
    // Its own origin says where the primary's state was taken: from there on the primary's journal is followed.
    const origin = decodeCheckpoint(readFileSync(this.#origin));
    invariant(typeof origin !== "string", "the origin was read when the run began");
    this.#begun = true;
    this.#read = origin.header.journal_seq;
    this.#safe = origin.header.last_event_cursor;
    this.#told = this.#toldBefore();
    this.#tape?.begin(origin.header.last_event_cursor);
  }

  take(cursor: number): MachineInput | undefined {
    this.#look();
    const [head] = this.#ahead;
    if (head === undefined || this.#dueOf(head) > cursor) {
      this.#tape?.pull(this.#until(), cursor);
      return undefined;
    }
    this.#ahead.shift();
    return { input: "primary", entry: head };
  }

  counters(): Readonly<Record<string, number>> {
    return { shadow_lag_records: this.#ahead.length };
  }

  shadow(): ShadowComparison {
    for (const entry of this.#own.read(this.#ownRead, Number.MAX_SAFE_INTEGER)) {
      this.#hearOwn(entry);
    }
    this.#comparison.settle(Math.min(this.#ownSafe, this.#safe));
    return this.#comparison.status();
  }

  sync(): Promise<void> {
    return this.#tape?.sync() ?? Promise.resolve();
  }
  close(): void {
    this.#tape?.close();
  }

  /** Rows that may be taken: what the primary finished, up to the next record that has to be heard first. */
  #until(): number {
    if (!this.#begun) return this.#length; // a replay is bounded by its own journal
    const [head] = this.#ahead;
    return Math.min(this.#length, this.#safe, head === undefined ? this.#length : this.#dueOf(head));
  }

  #look(): void {
    if (this.#ahead.length >= AHEAD_MAX) return;
    for (const entry of this.#primary.read(this.#read, Number.MAX_SAFE_INTEGER)) {
      this.#read = entry.seq;
      this.#safe = Math.max(this.#safe, entry.cursor);
      if (entry.kind === "feed_ended" || entry.kind === "run_stopped") this.#ended = true;
      this.#comparison.add("primary", entry);
      if (isTold(entry) && !this.#told.has(entry.seq)) this.#queue(entry);
    }
  }

  /** An order that the primary opened counts after its row; everything else before the row where it stands. */
  #dueOf(entry: JournalEntry): number {
    return entry.kind === "intent" && !this.#between.has(entry) ? entry.cursor + 1 : entry.cursor;
  }

  /** In the order in which they are due: a report of a row is heard before what the row brought about counts. */
  #queue(entry: JournalEntry): void {
    // Outside, a report comes between rows: what stands before it at the same cursor was opened there too.
    if (this.#tape !== null && entry.kind !== "intent")
      for (const before of this.#ahead) if (before.cursor === entry.cursor) this.#between.add(before);
    let at = this.#ahead.length;
    for (; at > 0; at -= 1) {
      const before = this.#ahead[at - 1];
      if (before === undefined || this.#dueOf(before) <= this.#dueOf(entry)) break;
    }
    this.#ahead.splice(at, 0, entry);
  }

  /** Records of the primary that stand in the shadow's own journal. */
  #toldBefore(): ReadonlySet<number> {
    const told = new Set<number>();
    let seq = 0;
    for (;;) {
      const entries = this.#own.read(seq, Number.MAX_SAFE_INTEGER);
      const last = entries.at(-1);
      if (last === undefined) return told;
      seq = last.seq;
      for (const entry of entries) {
        this.#hearOwn(entry);
        const from = entry.kind === "input" && entry.input["input"] === "primary" ? entry.input["entry"] : undefined;
        const of = objectOf(from)?.["seq"];
        if (typeof of === "number") told.add(of);
      }
    }
  }

  #hearOwn(entry: JournalEntry): void {
    this.#ownRead = entry.seq;
    this.#ownSafe = Math.max(this.#ownSafe, entry.cursor);
    this.#comparison.add("shadow", entry);
  }
}

/** Of the primary's records, what its shadow is told. */
const isTold = (entry: JournalEntry): boolean =>
  entry.kind === "order" ||
  entry.kind === "fill" ||
  (entry.kind === "intent" && entry.client_order_id !== null && isReproduced(entry)) ||
  (entry.kind === "input" && SHARED.has(entry.input["input"]));
