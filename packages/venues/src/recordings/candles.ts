/**
 * Candles as Freqtrade keeps them, `[[open time, open, high, low, close, volume], …]`, turned into lines.
 *
 * How to think: brackets become line ends, so that the reader of lines does the rest; a candle's number is its line. The
 * file does not say how long a candle lasts: it is the smallest step between two of the first thousand. So those are
 * held back until the step is known.
 */
import type { RecordingFormat } from "../types.ts";
import type { RowReader } from "./row-reader.ts";

const OPEN = 91;
const CLOSE = 93;
const COMMA = 44;
const LINE_END = 10;
/** Candles among which the smallest step is looked for. */
const HELD_CANDLES = 1_000;

export class CandleLines {
  readonly #begin: (duration_us: number) => RowReader;
  readonly #lineBytes: number;
  #reader: RowReader | undefined;
  #held: string[] = [];
  #depth = 0;
  #text = "";

  constructor(begin: (duration_us: number) => RowReader, lineBytes: number) {
    this.#begin = begin;
    this.#lineBytes = lineBytes;
  }

  /** Whether a recording that starts with these bytes is one. */
  static isStart(chunk: Uint8Array, format: RecordingFormat): boolean {
    if (format !== "auto") return format === "freqtrade_json";
    const at = chunk.findIndex((byte) => !isSpace(byte));
    return chunk[at] === OPEN;
  }

  get read(): number {
    return this.#reader?.read ?? this.#held.length;
  }

  push(chunk: Uint8Array): void {
    for (const byte of chunk) {
      if (isSpace(byte)) continue;
      if (byte === OPEN) {
        if (this.#depth > 0) this.#flush();
        this.#depth += 1;
      } else if (byte === CLOSE) {
        if (this.#depth > 1) this.#flush();
        this.#depth -= 1;
      } else if (this.#depth > 1 || byte !== COMMA) {
        // What stands where no number belongs becomes a line of its own, and is refused there.
        if (this.#text.length <= this.#lineBytes) this.#text += String.fromCharCode(byte);
      }
    }
  }

  /** Answers the reader, which has ended. */
  end(): RowReader {
    this.#flush();
    if (this.#depth !== 0) this.#put("(the list has no end)");
    const reader = this.#reader ?? this.#release();
    return reader.end();
  }

  #flush(): void {
    if (this.#text === "") return;
    const line = this.#text.split(",").map(plainDecimal).join(",");
    this.#text = "";
    this.#put(line);
  }

  #put(line: string): void {
    if (this.#reader !== undefined) return this.#reader.push(lineBytes(line));
    this.#held.push(line);
    if (this.#held.length === HELD_CANDLES) this.#release();
  }

  #release(): RowReader {
    const reader = this.#begin(stepOf(this.#held));
    this.#reader = reader;
    for (const line of this.#held) reader.push(lineBytes(line));
    this.#held = [];
    return reader;
  }
}

const lineBytes = (line: string): Uint8Array =>
  new Uint8Array(Buffer.from(`${line}${String.fromCharCode(LINE_END)}`, "latin1"));

/** Smallest step between two open times, microseconds; 0 where there are no two. */
function stepOf(lines: readonly string[]): number {
  const times = lines
    .map((line) => Number(line.split(",", 1)[0]))
    .filter((time) => Number.isSafeInteger(time))
    .toSorted((a, b) => a - b);
  let least = Infinity;
  for (let i = 1; i < times.length; i += 1) {
    const step = (times[i] ?? 0) - (times[i - 1] ?? 0);
    if (step > 0 && step < least) least = step;
  }
  if (least === Infinity) return 0;
  return (times[0] ?? 0) < 100_000_000_000_000 ? least * 1_000 : least;
}

/** `1e-05` and `1.5E2` as digits with a point; anything else as it is. */
function plainDecimal(text: string): string {
  const match = /^(\d+)(?:\.(\d+))?[eE]([+-]?\d{1,2})$/.exec(text);
  if (match === null) return text;
  const [, whole = "", fraction = "", exponent = "0"] = match;
  const digits = whole + fraction;
  const point = whole.length + Number(exponent);
  if (point <= 0) return `0.${"0".repeat(-point)}${digits}`;
  if (point >= digits.length) return digits + "0".repeat(point - digits.length);
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

function isSpace(byte: number): boolean {
  return byte === 32 || byte === 9 || byte === LINE_END || byte === 13;
}
