/**
 * Reads one line of a recording with care: byte by byte into numbers, or why the row is refused.
 *
 * `parse` fills `values` and answers "" or the reason. The values are only meaningful until the next call. Well-formed
 * lines rarely come here: fast-row.ts takes them first.
 */
import { ROW_SLOTS, SLOT, type Column, type Layout } from "./layouts.ts";

/** Decimals of a volume beyond which it is noise, where the instrument is not known yet. */
const VOLUME_DIGITS = 8;
const COMMA = 44;
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const MAX = Number.MAX_SAFE_INTEGER;
const POWERS = Array.from({ length: 17 }, (_, digits) => 10 ** digits);
/** 1973-03-03 in milliseconds; the smallest time that is believed. */
const FIRST_MS = 100_000_000_000;
/** From here on a number is microseconds: as milliseconds it would lie in the year 5138. */
const FIRST_US = 100_000_000_000_000;

/** Digits of the instrument, or `any` to learn them: then values stay as written, with their digits beside them. */
export type Precision = { readonly price_digits: number; readonly quantity_digits: number } | "any";

export class RowParser {
  /** The row's numbers, by SLOT. */
  readonly values: Float64Array = new Float64Array(ROW_SLOTS);
  /** With the precision `any`: decimals of the number in the same slot. */
  readonly digits: Uint8Array = new Uint8Array(ROW_SLOTS);
  /** Fixed by the first row that holds a time. */
  unit: "ms" | "us" | undefined;
  /** Exchange and symbol, from the first row. */
  readonly names: string[] = [];

  readonly #columns: readonly Column[];
  readonly #precision: Precision;
  readonly #nameBytes: Uint8Array[] = [];
  #value = 0;
  #digits = 0;
  #stop = 0;

  constructor(layout: Layout, precision: Precision) {
    this.#columns = layout.columns;
    this.#precision = precision;
    if (layout.time_unit === "us") this.unit = "us";
  }

  parse(bytes: Uint8Array, start: number, end: number): string {
    const columns = this.#columns;
    const { values } = this;
    values[SLOT.received] = -1;
    this.#stop = start - 1;
    for (let column = 0; column < columns.length; column += 1) {
      if (this.#stop >= end) return `has ${column} columns instead of ${columns.length}`;
      const problem = this.#field(columns[column] as Column, column, bytes, this.#stop + 1, end);
      if (problem !== "") return problem;
    }
    if (this.#stop < end) return `has more than ${columns.length} columns`;
    if ((values[SLOT.received] ?? 0) < 0) values[SLOT.received] = values[SLOT.time] ?? 0;
    return "";
  }

  /** Reads the field that starts at `at`; where it succeeds, `#stop` is the comma behind it or the line's end. */
  #field(of: Column, column: number, bytes: Uint8Array, at: number, end: number): string {
    switch (of.role) {
      case "price":
        return this.#number(of, bytes, at, end, this.#precision === "any" ? -1 : this.#precision.price_digits);
      case "quantity":
        return this.#number(of, bytes, at, end, this.#precision === "any" ? -1 : this.#precision.quantity_digits);
      case "volume": {
        const digits = this.#precision === "any" ? VOLUME_DIGITS : this.#precision.quantity_digits;
        return this.#number(of, bytes, at, end, digits, this.#precision === "any" ? "cut_and_kept" : "cut");
      }
      case "time":
      case "received":
      case "other_time": {
        const problem = this.#time(bytes, at, end);
        if (problem !== "") return `${of.label} ${problem}`;
        this.values[of.slot] = this.#value;
        return "";
      }
      case "id":
        return this.#identifier(bytes, at, end);
      case "side":
        this.#stop = fieldEnd(bytes, at, end);
        return this.#word(of.slot, sideOf(bytes, at, this.#stop), "side is not buy, sell or unknown");
      case "book_side":
        this.#stop = fieldEnd(bytes, at, end);
        return this.#word(of.slot, bookSideOf(bytes, at, this.#stop), "side is not bid or ask");
      case "buyer_is_maker": {
        this.#stop = fieldEnd(bytes, at, end);
        const maker = booleanOf(bytes, at, this.#stop);
        return this.#word(of.slot, maker < 0 ? -1 : maker + 1, `column ${column + 1} is not a boolean`);
      }
      case "boolean":
        this.#stop = fieldEnd(bytes, at, end);
        return this.#word(of.slot, booleanOf(bytes, at, this.#stop), `column ${column + 1} is not a boolean`);
      case "unused_boolean":
        this.#stop = fieldEnd(bytes, at, end);
        return booleanOf(bytes, at, this.#stop) < 0 ? `column ${column + 1} is not a boolean` : "";
      case "count": {
        const problem = this.#integer(bytes, at, end);
        if (problem !== "") return `${of.label} ${problem}`;
        this.values[of.slot] = this.#value;
        return "";
      }
      case "unused_integer": {
        const problem = this.#integer(bytes, at, end);
        return problem === "" ? "" : `column ${column + 1} ${problem}`;
      }
      case "unused_decimal": {
        this.#stop = fieldEnd(bytes, at, end);
        const problem = decimalForm(bytes, at, this.#stop);
        return problem === "" ? "" : `column ${column + 1} ${problem}`;
      }
      case "name":
        return this.#name(column, bytes, at, end);
    }
  }

  #word(slot: number, value: number, problem: string): string {
    this.values[slot] = value;
    return value < 0 ? problem : "";
  }

  #number(
    of: Column,
    bytes: Uint8Array,
    at: number,
    end: number,
    digits: number,
    finer: "refused" | "cut" | "cut_and_kept" = "refused",
  ): string {
    if (of.zero === "or_empty" && (at === end || bytes[at] === COMMA)) {
      this.values[of.slot] = 0;
      this.digits[of.slot] = 0;
      this.#stop = at;
      return "";
    }
    const problem = this.#decimal(bytes, at, end, digits, finer);
    if (problem !== "") return `${of.label} ${problem}`;
    if (this.#value === 0 && of.zero === "refused") return `${of.label} is zero`;
    this.values[of.slot] = this.#value;
    this.digits[of.slot] = this.#digits;
    return "";
  }

  /**
   * Digits with an optional fraction; trailing zeros of the fraction carry no precision. The value is scaled to `digits`
   * (-1: to as many as it has, as with `cut_and_kept`); what is finer is refused or cut off.
   */
  #decimal(
    bytes: Uint8Array,
    at: number,
    end: number,
    digits: number,
    finer: "refused" | "cut" | "cut_and_kept",
  ): string {
    let value = 0;
    let fraction = 0;
    let zeros = 0;
    let i = at;
    for (; i < end; i += 1) {
      const digit = (bytes[i] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      if (value > MAX) return "is 2^53 or more";
    }
    if (i === at)
      return i === end || bytes[i] === COMMA ? "is empty" : bytes[i] === MINUS ? "is negative" : "is not a number";
    if (i < end && bytes[i] === POINT) {
      const first = i + 1;
      for (i = first; i < end; i += 1) {
        const digit = (bytes[i] ?? 0) - ZERO;
        if (digit < 0 || digit > 9) break;
        if (digit === 0) {
          zeros += 1;
          continue;
        }
        if (digits >= 0 && fraction + zeros + 1 > digits) {
          if (finer === "refused") return `is finer than ${digits} decimals`;
          zeros += 1;
          continue;
        }
        fraction += zeros + 1;
        value = fraction > 16 ? Infinity : value * (POWERS[zeros + 1] ?? Infinity) + digit;
        if (value > MAX) return "is 2^53 or more";
        zeros = 0;
      }
      if (i === first) return "is not a number";
    }
    if (i < end && bytes[i] !== COMMA) return "is not a number";
    if (digits > fraction && finer !== "cut_and_kept") {
      value *= POWERS[digits - fraction] ?? Infinity;
      if (value > MAX) return "is 2^53 or more";
    }
    this.#value = value;
    this.#digits = fraction;
    this.#stop = i;
    return "";
  }

  /** The first nine digits are added up in small integers, which the engine does several times quicker. */
  #integer(bytes: Uint8Array, at: number, end: number): string {
    let i = at;
    let head = 0;
    const soon = Math.min(end, at + 9);
    for (; i < soon; i += 1) {
      const digit = (bytes[i] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      head = (head * 10 + digit) | 0;
    }
    let value = head;
    if (i === at + 9) {
      let tail = 0;
      const later = Math.min(end, at + 16);
      for (; i < later; i += 1) {
        const digit = (bytes[i] ?? 0) - ZERO;
        if (digit < 0 || digit > 9) break;
        tail = (tail * 10 + digit) | 0;
      }
      value = head * (POWERS[i - at - 9] ?? 1) + tail;
      for (; i < end; i += 1) {
        const digit = (bytes[i] ?? 0) - ZERO;
        if (digit < 0 || digit > 9) break;
        value = value * 10 + digit;
      }
      if (value > MAX) return "is 2^53 or more";
    }
    if (i < end && bytes[i] !== COMMA) return "is not a whole number";
    if (i === at) return "is empty";
    this.#value = value;
    this.#stop = i;
    return "";
  }

  #time(bytes: Uint8Array, at: number, end: number): string {
    const problem = this.#integer(bytes, at, end);
    if (problem !== "") return problem;
    const unit = this.#value < FIRST_US ? "ms" : "us";
    if (unit === "ms" && this.#value < FIRST_MS) return "is before 1973";
    if (unit !== (this.unit ?? unit)) return `is in ${unit}, the file's times are in ${this.unit}`;
    this.unit = unit;
    if (unit === "ms") this.#value *= 1_000;
    return this.#value > MAX ? "is 2^53 or more" : "";
  }

  #identifier(bytes: Uint8Array, at: number, end: number): string {
    const problem = this.#integer(bytes, at, end);
    if (problem === "is empty") return "id is empty";
    if (problem === "") {
      this.values[SLOT.id] = this.#value;
      this.values[SLOT.id_check] = 0;
      return "";
    }
    this.#stop = fieldEnd(bytes, at, end);
    hashIdentifier(bytes, at, this.#stop, this.values);
    return "";
  }

  #name(column: number, bytes: Uint8Array, at: number, end: number): string {
    const known = this.#nameBytes[column];
    if (known === undefined) {
      this.#stop = fieldEnd(bytes, at, end);
      if (at === this.#stop) return `column ${column + 1} is empty`;
      this.#nameBytes[column] = bytes.slice(at, this.#stop);
      this.names[column] = Buffer.from(bytes.subarray(at, this.#stop)).toString("latin1");
      return "";
    }
    const stop = at + known.length;
    let same = stop <= end && (stop === end || bytes[stop] === COMMA);
    for (let i = 0; same && i < known.length; i += 1) same = known[i] === bytes[at + i];
    this.#stop = stop;
    return same ? "" : `column ${column + 1} differs from the file's first row`;
  }
}

/** A text id as a 53-bit number, two 32-bit multiplicative hashes side by side, into the id's two slots. */
export function hashIdentifier(bytes: Uint8Array, at: number, stop: number, values: Float64Array): void {
  let low = 0x811c9dc5;
  let high = 0x9e3779b9;
  for (let i = at; i < stop; i += 1) {
    const byte = bytes[i] ?? 0;
    low = Math.imul(low ^ byte, 0x01000193);
    high = Math.imul((high ^ byte) + ((high << 13) | (high >>> 19)), 0x85ebca6b);
  }
  high = Math.imul(high ^ (high >>> 15), 0xc2b2ae35);
  values[SLOT.id] = ((high >>> 11) & 0x1fffff) * 0x1_0000_0000 + (low >>> 0);
  values[SLOT.id_check] = 1 + (high & 0x7ff) * 0x1000 + ((stop - at) & 0xfff);
}

function fieldEnd(bytes: Uint8Array, at: number, end: number): number {
  let stop = at;
  while (stop < end && bytes[stop] !== COMMA) stop += 1;
  return stop;
}

/** 1 for True/true/1, 0 for False/false/0, -1 otherwise. */
function booleanOf(bytes: Uint8Array, at: number, stop: number): number {
  switch (stop - at) {
    case 1:
      return bytes[at] === 49 ? 1 : bytes[at] === 48 ? 0 : -1;
    case 4:
      return ((bytes[at] ?? 0) | 32) === 116 && bytes[at + 1] === 114 && bytes[at + 2] === 117 && bytes[at + 3] === 101
        ? 1
        : -1;
    case 5:
      return ((bytes[at] ?? 0) | 32) === 102 &&
        bytes[at + 1] === 97 &&
        bytes[at + 2] === 108 &&
        bytes[at + 3] === 115 &&
        bytes[at + 4] === 101
        ? 0
        : -1;
    default:
      return -1;
  }
}

const UNKNOWN = Uint8Array.from(Buffer.from("unknown"));

function sideOf(bytes: Uint8Array, at: number, stop: number): number {
  const length = stop - at;
  if (length === 3 && bytes[at] === 98 && bytes[at + 1] === 117 && bytes[at + 2] === 121) return 1;
  if (length === 4 && bytes[at] === 115 && bytes[at + 1] === 101 && bytes[at + 2] === 108 && bytes[at + 3] === 108)
    return 2;
  if (length !== UNKNOWN.length) return -1;
  for (let i = 0; i < length; i += 1) if (bytes[at + i] !== UNKNOWN[i]) return -1;
  return 0;
}

/** 1 for bid, 2 for ask, -1 otherwise. */
function bookSideOf(bytes: Uint8Array, at: number, stop: number): number {
  if (stop - at !== 3) return -1;
  if (bytes[at] === 98 && bytes[at + 1] === 105 && bytes[at + 2] === 100) return 1;
  return bytes[at] === 97 && bytes[at + 1] === 115 && bytes[at + 2] === 107 ? 2 : -1;
}

function decimalForm(bytes: Uint8Array, at: number, stop: number): string {
  let digits = 0;
  let points = 0;
  for (let i = at; i < stop; i += 1) {
    const byte = bytes[i] ?? 0;
    if (byte === POINT && digits > 0 && points === 0 && i + 1 < stop) points = 1;
    else if (byte >= ZERO && byte <= 57) digits += 1;
    else return "is not a number";
  }
  return digits === 0 ? "is empty" : "";
}
