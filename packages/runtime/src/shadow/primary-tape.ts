/**
 * The rows of a live primary, as its shadow takes them: from the primary's tape, no further than its journal vouches for.
 *
 * How to think: the shadow asks nobody outside. What the primary received is in its tape; what is certain of it, a journal
 * record with a later cursor says. Rows are taken over into a tape of the shadow's own, which begins where the shadow
 * began, before its machine sees them: so its replay needs nobody else.
 *
 * Invariants (shadow-live.test.ts)
 * - Killed and resumed, a shadow has each row once, at the primary's count.
 * - It never has a row that its primary has not wholly taken.
 * - Its own tape keeps what the venue's setting says, and what its own checkpoints need (primary-tape.test.ts).
 */
import { join } from "node:path";
import { err, type Failure, FailureError, ok, type Result } from "@rumi/kernel";
import { BOOK_ACTION, FeedBuilder, type MarketFeed } from "@rumi/venues";
import { slotCursors } from "../checkpoint/slots.ts";
import type { Datasync } from "../journal/datasync.ts";
import type { EarlierRun, InstanceSpec } from "../protocol.ts";
import { firstNeeded, neededRow } from "../tape/earlier.ts";
import { TAPE_LIMITS, type TapeLimits, tapeLimitsOf } from "../tape/limits.ts";
import type { TapedRow } from "../tape/row.ts";
import { listSegments } from "../tape/segments.ts";
import { TapeTail } from "../tape/tail.ts";
import { TapeWriter } from "../tape/writer.ts";

/** Rows for which the feed has room at first. */
const FEED_ROWS = 4_096;

export type PrimaryTapeOptions = {
  readonly spec: Pick<InstanceSpec, "run_dir" | "epoch" | "start" | "venue">;
  readonly follows: EarlierRun;
  readonly datasync?: Datasync;
  /** Tests lower them. */
  readonly lower?: Partial<TapeLimits>;
};

export class PrimaryTape {
  readonly #o: PrimaryTapeOptions;
  readonly #rows: FeedBuilder;
  #tail: TapeTail;
  #last: { seq: number | null; received_us: number };
  #writer: TapeWriter | undefined;

  private constructor(options: PrimaryTapeOptions, source: string, newest: number) {
    this.#o = options;
    const { segments } = listSegments(source);
    const first = segments.findLast(({ first_row }) => first_row <= firstNeeded(newest)) ?? segments[0];
    const first_row = first?.first_row ?? 0;
    this.#rows = new FeedBuilder(FEED_ROWS, { first_row });
    this.#last = { seq: first?.last_seq ?? null, received_us: first?.received_us ?? 0 };
    this.#tail = new TapeTail(source, first_row);
  }

  /** A fresh one knows the primary's rows up to its newest checkpoint, a resumed one all of its own; error RUMI-STR-045. */
  static open(options: PrimaryTapeOptions): Result<PrimaryTape, Failure> {
    const { start, run_dir } = options.spec;
    const source = start === "fresh" ? options.follows.run_dir : run_dir;
    const { newest } = slotCursors(join(source, "checkpoints"));
    const tape = new PrimaryTape(options, source, newest);
    const broken = tape.#tail.read(start === "fresh" ? newest : Infinity, (taped) => tape.#take(taped));
    return broken === null ? ok(tape) : err(broken);
  }

  /** One object for ever; its length rises. */
  get feed(): MarketFeed {
    return this.#rows.feed;
  }

  /** The shadow's run is there; a fresh one began at row `cursor`. Throws `FailureError` where the tape is broken. */
  begin(cursor: number): void {
    const { spec, follows, datasync, lower } = this.#o;
    const { live } = spec.venue;
    this.#follow(cursor);
    this.#writer = new TapeWriter({
      run_dir: spec.run_dir,
      epoch: spec.epoch,
      files: listSegments(spec.run_dir).number,
      first_row: this.#rows.length,
      last_seq: this.#last.seq,
      received_us: this.#last.received_us,
      books: () => this.#rows.books(),
      needed_row: () => neededRow(spec.run_dir),
      limits: { ...(live === undefined ? {} : tapeLimitsOf(live)), ...lower },
      ...(datasync === undefined ? {} : { datasync }),
    });
    this.#tail = new TapeTail(follows.run_dir, this.#rows.length);
  }

  /** Takes the primary's rows before `until`, as far as they are whole; rows well before `cursor` are left behind. */
  pull(until: number, cursor: number): void {
    this.#rows.forget(cursor - TAPE_LIMITS.rows_behind);
    this.#follow(until);
  }

  sync(): Promise<void> {
    return this.#writer?.sync() ?? Promise.resolve();
  }
  close(): void {
    this.#writer?.close();
    this.#writer = undefined;
  }

  #follow(until: number): void {
    const taken: TapedRow[] = [];
    const broken = this.#tail.read(until, (taped) => {
      taken.push(taped);
      if ("seq" in taped) this.#writer?.append(taped.row, taped.seq);
      if (this.#writer?.isFull === true) this.#publish(taken);
    });
    this.#publish(taken);
    if (broken !== null) throw new FailureError(broken);
  }

  /** In the file before the machine can see them. */
  #publish(taken: TapedRow[]): void {
    this.#writer?.flush();
    for (const taped of taken.splice(0)) this.#take(taped);
  }

  #take(taped: TapedRow): void {
    const { row } = taped;
    if (row.kind === "carried_book")
      return this.#rows.carry(row.instrument, BOOK_ACTION[row.action], row.bids, row.asks);
    this.#rows.add(row);
    if ("seq" in taped) this.#last = { seq: taped.seq, received_us: row.received_time_us };
  }
}
