/**
 * Newest first (M-3.1.1, M-4.2.1): of a range of rows, which the strategy still hears when an instance is behind.
 *
 * How to think: the shell measured that rows wait and recorded the range as an input; from there on this is arithmetic on
 * the feed alone, so a replay passes over the same rows. The venue sees every row; only the strategy's call is left out.
 * Of each stream (instrument and kind of event) the newest row of the range is kept. Book increments are no stream of
 * newest values: one may be left out only when a later snapshot of the same book, in the same range, makes it void.
 *
 * Invariants
 * - The newest row of every stream in the range is kept, whatever its place (conflation.test.ts).
 * - No increment is left out without a later snapshot of its book (conflation.test.ts).
 * - A range begun anew in its middle keeps the same rows from there on, so a checkpoint holds only its end (conflation.test.ts).
 */
import { MARKET_KIND, type MarketFeed } from "@rumi/venues";

/** Of one row: its stream, and how it stands to older rows of the same stream. */
export type RowStream = {
  /** Rows of one stream replace each other; a whole number. */
  readonly stream: number;
  /** `newest` replaces all older; `increment` builds on them and replaces none. */
  readonly kind: "newest" | "increment";
};
export type StreamOf = (row: number) => RowStream;

const INCREMENT = 2;
/** Kinds of one instrument's rows are numbered below this. */
const KINDS = 8;

/** Of a feed: one stream for each instrument and kind of row. */
export function feedStreams({ instrument, mixed }: MarketFeed): StreamOf {
  if (mixed === undefined) return (row) => ({ stream: instrument[row] ?? 0, kind: "newest" });
  const { kind, detail, books } = mixed;
  return (row) => ({
    stream: (instrument[row] ?? 0) * KINDS + (kind[row] ?? 0),
    kind: kind[row] === MARKET_KIND.book && books.action[detail[row] ?? 0] === INCREMENT ? "increment" : "newest",
  });
}

/** The rows of [from, until) that are told. */
export function keptRows(streamOf: StreamOf, from: number, until: number): ReadonlySet<number> {
  const kept = new Set<number>();
  const replaced = new Set<number>();
  for (let row = until - 1; row >= from; row -= 1) {
    const { stream, kind } = streamOf(row);
    if (replaced.has(stream)) continue;
    kept.add(row);
    if (kind === "newest") replaced.add(stream);
  }
  return kept;
}

export class Conflation {
  /** Rows before it are told only if they are kept; the row loop compares it and nothing else. */
  until = 0;
  readonly #streamOf: StreamOf;
  #kept: ReadonlySet<number> = new Set();

  constructor(streamOf: StreamOf) {
    this.#streamOf = streamOf;
  }

  begin(from: number, until: number): void {
    this.until = until;
    this.#kept = keptRows(this.#streamOf, from, until);
  }

  isKept(row: number): boolean {
    return this.#kept.has(row);
  }
}
