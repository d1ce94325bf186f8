/**
 * Cuts bytes into lines, finds the layout, parses and counts; what is accepted goes to a sink with its quality flags.
 *
 * How to think: `push` offers each line to the quick parser first; whatever it does not take goes the careful way, which
 * knows blank lines, headers, byte order marks, lines that are too long, and the reason of every refusal.
 *
 * Invariants
 * - read = accepted + rejected, whatever the bytes are (load.test.ts, random bytes).
 */
import { failure, FailureError } from "@rumi/kernel";
import { FLAG_GAP } from "../columns.ts";
import type { VenueLimits } from "../limits.ts";
import { barProblem, rangeProblem } from "./bars.ts";
import { halfOfQuote, halfOfSnapshot } from "./halves.ts";
import { FastRow } from "./fast-row.ts";
import { isKnownHeader, KNOWN_LAYOUTS, LAYOUTS, type Layout } from "./layouts.ts";
import { RowChecker, type QualityBounds } from "./row-checker.ts";
import { RowParser } from "./row-parser.ts";
import type { RowSink, ScanFile } from "./row-sink.ts";

export class RowReader {
  read = 0;
  accepted = 0;
  header = false;
  layout: Layout | undefined;
  parser: RowParser | undefined;
  checker: RowChecker | undefined;
  firstRejected: { readonly line: number; readonly problem: string } | null = null;
  readonly rejections = new Map<string, number>();
  #line = 0;
  #blankFrom = 0;
  #carry = new Uint8Array(0);
  #tooLong = false;
  #firstLine: string | undefined;
  #fast: FastRow | undefined;
  /** A refused row of a book leaves a hole in it: the next one carries the gap flag. */
  #hole = false;
  readonly #candidates: readonly Layout[];
  readonly #file: ScanFile;
  readonly #sink: RowSink;
  readonly #limits: VenueLimits;
  readonly #quality: QualityBounds;
  /** Of every candle of a list, 0 unknown; -1 for lines, whose bars say when they end. */
  readonly #duration_us: number;

  constructor(file: ScanFile, sink: RowSink, quality: QualityBounds, limits: VenueLimits, candle_us: number) {
    this.#file = file;
    this.#sink = sink;
    this.#limits = limits;
    this.#quality = quality;
    this.#duration_us = candle_us;
    this.#candidates = LAYOUTS.filter(
      (layout) =>
        (file.format === "auto" || layout.format === file.format) &&
        (layout.format === "freqtrade_json") === candle_us >= 0,
    );
  }

  push(chunk: Uint8Array): void {
    // A plain view: Uint8Array.indexOf is several times quicker than Buffer's.
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let at = 0;
    if (this.#carry.length > 0 || this.#tooLong) {
      const end = bytes.indexOf(LINE_END);
      if (end < 0) return this.#keep(bytes);
      this.#keep(bytes.subarray(0, end));
      this.#endOfCarry();
      at = end + 1;
    }
    for (;;) {
      if (this.#fast !== undefined && this.#blankFrom === 0) at = this.#takeFast(this.#fast, bytes, at);
      const end = bytes.indexOf(LINE_END, at);
      if (end < 0) break;
      this.#lineOf(bytes, at, end);
      at = end + 1;
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at));
  }

  /** Answers itself, which has ended. Throws `FailureError` when nothing is known or nothing was acceptable. */
  end(): this {
    if (this.#carry.length > 0 || this.#tooLong) this.#endOfCarry();
    if (this.layout === undefined) throw this.#unknownLayout();
    if (this.accepted === 0 && this.read > 0) {
      const first = this.firstRejected ?? { line: 1, problem: "unknown" };
      throw new FailureError(
        failure("RUMI-MKT-003", { path: this.#file.path, line: first.line, problem: first.problem }),
      );
    }
    return this;
  }

  /** Takes well-formed lines from `from` on; answers where the first other one begins. */
  #takeFast(fast: FastRow, bytes: Uint8Array, from: number): number {
    const last = bytes.length - fast.lineBytes;
    let at = from;
    while (at <= last) {
      const next = fast.take(bytes, at);
      // A line end is one byte or two; the careful way knows which, and refuses what is too long.
      if (next === 0 || next - at - 1 > this.#limits.line_bytes) break;
      this.#line += 1;
      this.#accept(fast.values);
      at = next;
    }
    return at;
  }

  /** Counts the row and hands it on, unless its numbers contradict each other. */
  #accept(values: Float64Array): void {
    const checker = this.checker as RowChecker;
    const problem = this.#contradiction(values, checker);
    if (problem !== "") return this.#reject(this.#line, problem);
    this.read += 1;
    this.accepted += 1;
    let flags = checker.check(values);
    if (this.#hole) {
      this.#hole = false;
      if ((flags & FLAG_GAP) === 0) checker.gaps += 1;
      flags |= FLAG_GAP;
    }
    this.#sink.row(values, flags);
  }

  #contradiction(values: Float64Array, checker: RowChecker): string {
    const { kind, columns } = this.layout as Layout;
    if (kind === "quote") return halfOfQuote(values);
    if (kind === "book_snapshot") return halfOfSnapshot(values, (columns.length - 4) / 4);
    if (kind !== "bar") return "";
    return (
      (this.#file.precision === "any" ? "" : rangeProblem(values)) ||
      barProblem(values, this.#duration_us, (this.parser as RowParser).unit ?? "us", checker.bar_us)
    );
  }

  #keep(bytes: Uint8Array): void {
    if (this.#tooLong) return;
    if (this.#carry.length + bytes.length > this.#limits.line_bytes) {
      this.#tooLong = true;
      return;
    }
    const joined = new Uint8Array(this.#carry.length + bytes.length);
    joined.set(this.#carry);
    joined.set(bytes, this.#carry.length);
    this.#carry = joined;
  }

  #endOfCarry(): void {
    const line = this.#carry;
    this.#carry = new Uint8Array(0);
    if (!this.#tooLong) return this.#lineOf(line, 0, line.length);
    this.#tooLong = false;
    this.#line += 1;
    this.#firstLine ??= printable(line);
    this.#reject(this.#line, `is longer than ${this.#limits.line_bytes} bytes`);
  }

  #lineOf(bytes: Uint8Array, from: number, to: number): void {
    this.#line += 1;
    const start = this.#line === 1 ? from + markBytes(bytes, from, to) : from;
    const end = to > start && bytes[to - 1] === 13 ? to - 1 : to;
    if (end === start) {
      if (this.#blankFrom === 0) this.#blankFrom = this.#line;
      return;
    }
    // Blank lines are only the file's last ones; before a row they are refused rows.
    if (this.#blankFrom !== 0) {
      for (let line = this.#blankFrom; line < this.#line; line += 1) this.#reject(line, "is empty");
      this.#blankFrom = 0;
    }
    if (end - start > this.#limits.line_bytes)
      return this.#reject(this.#line, `is longer than ${this.#limits.line_bytes} bytes`);
    if (this.layout === undefined && !this.#find(bytes, start, end)) return;
    const parser = this.parser as RowParser;
    const problem = parser.parse(bytes, start, end);
    if (problem !== "") return this.#reject(this.#line, problem);
    this.#accept(parser.values);
    if (this.#fast === undefined && this.#file.precision !== "any" && this.accepted > 0)
      this.#fast = new FastRow(this.layout as Layout, this.#file.precision, parser);
  }

  /** Tries the known layouts on a line; answers whether the line is data of the one found. */
  #find(bytes: Uint8Array, start: number, end: number): boolean {
    const isFirst = this.#firstLine === undefined;
    this.#firstLine ??= printable(bytes.subarray(start, end));
    for (const layout of this.#candidates) {
      if (new RowParser(layout, "any").parse(bytes, start, end) === "") {
        this.layout = layout;
        this.parser = new RowParser(layout, this.#file.precision);
        this.checker = new RowChecker(this.#quality, layout);
        this.#sink.begin(layout, this.parser.digits);
        return true;
      }
    }
    const line = Buffer.from(bytes.subarray(start, end)).toString("latin1");
    if (isFirst && isKnownHeader(line, this.#candidates)) this.header = true;
    else this.#reject(this.#line, "has no known layout");
    if (this.#line >= this.#limits.layout_search_lines) throw this.#unknownLayout();
    return false;
  }

  #reject(line: number, problem: string): void {
    this.read += 1;
    this.#hole = this.layout?.kind === "book_increments";
    this.firstRejected ??= { line, problem };
    this.rejections.set(problem, (this.rejections.get(problem) ?? 0) + 1);
  }

  #unknownLayout(): FailureError {
    const params = {
      path: this.#file.path,
      first_line: this.#firstLine ?? "(the file is empty)",
      layouts: KNOWN_LAYOUTS,
    };
    return new FailureError(failure("RUMI-MKT-002", params));
  }
}

const LINE_END = 10;

/** Length of a byte order mark. */
function markBytes(bytes: Uint8Array, start: number, end: number): number {
  return end - start >= 3 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf ? 3 : 0;
}

function printable(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.subarray(0, 200)).toString("latin1");
  return text.replace(/[^\x20-\x7e]/g, "?");
}
