/**
 * Reads one line of a trade file byte by byte into numbers; no string is made unless a row is refused.
 *
 * `parse` fills the fields below and answers "" or why the row is refused. The fields are only
 * meaningful until the next call.
 */
import type { Layout, Role } from "./layouts.ts";

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

/** Digits of the instrument, or `any` to learn them: then values stay as written, with `*_digits` beside them. */
export type Precision = { readonly price_digits: number; readonly quantity_digits: number } | "any";

export class RowParser {
  time_us = 0;
  received_us = 0;
  price = 0;
  price_digits = 0;
  quantity = 0;
  quantity_digits = 0;
  /** 0 unknown, 1 buyer, 2 seller. */
  aggressor = 0;
  id = 0;
  /** Second hash of a text id, 0 for a number: tells a collision from a duplicate. */
  id_check = 0;
  /** Fixed by the first row that holds a time. */
  unit: "ms" | "us" | undefined;
  /** Exchange and symbol, from the first row. */
  readonly names: string[] = [];

  readonly #columns: readonly Role[];
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
    this.received_us = -1;
    this.#stop = start - 1;
    for (let column = 0; column < columns.length; column += 1) {
      if (this.#stop >= end) return `has ${column} columns instead of ${columns.length}`;
      const problem = this.#field(columns[column] as Role, column, bytes, this.#stop + 1, end);
      if (problem !== "") return problem;
    }
    if (this.#stop < end) return `has more than ${columns.length} columns`;
    if (this.received_us < 0) this.received_us = this.time_us;
    return "";
  }

  /** Reads the field that starts at `at`; where it succeeds, `#stop` is the comma behind it or the line's end. */
  #field(role: Role, column: number, bytes: Uint8Array, at: number, end: number): string {
    switch (role) {
      case "price": {
        const problem = this.#decimal(bytes, at, end, this.#precision === "any" ? -1 : this.#precision.price_digits);
        if (problem !== "") return `price ${problem}`;
        if (this.#value === 0) return "price is zero";
        this.price = this.#value;
        this.price_digits = this.#digits;
        return "";
      }
      case "quantity": {
        const problem = this.#decimal(bytes, at, end, this.#precision === "any" ? -1 : this.#precision.quantity_digits);
        if (problem !== "") return `quantity ${problem}`;
        if (this.#value === 0) return "quantity is zero";
        this.quantity = this.#value;
        this.quantity_digits = this.#digits;
        return "";
      }
      case "time": {
        const problem = this.#time(bytes, at, end);
        if (problem !== "") return `time ${problem}`;
        this.time_us = this.#value;
        return "";
      }
      case "local_time": {
        const problem = this.#time(bytes, at, end);
        if (problem !== "") return `local time ${problem}`;
        this.received_us = this.#value;
        return "";
      }
      case "id":
        return this.#identifier(bytes, at, end);
      case "side":
        this.#stop = fieldEnd(bytes, at, end);
        this.aggressor = sideOf(bytes, at, this.#stop);
        return this.aggressor < 0 ? "side is not buy, sell or unknown" : "";
      case "buyer_is_maker":
        this.#stop = fieldEnd(bytes, at, end);
        this.aggressor = booleanOf(bytes, at, this.#stop) + 1;
        return this.aggressor === 0 ? `column ${column + 1} is not a boolean` : "";
      case "unused_boolean":
        this.#stop = fieldEnd(bytes, at, end);
        return booleanOf(bytes, at, this.#stop) < 0 ? `column ${column + 1} is not a boolean` : "";
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

  /** Digits with an optional fraction; trailing zeros of the fraction carry no precision. */
  #decimal(bytes: Uint8Array, at: number, end: number, digits: number): string {
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
        fraction += zeros + 1;
        if (digits >= 0 && fraction > digits) return `is finer than ${digits} decimals`;
        value = fraction > 16 ? Infinity : value * (POWERS[zeros + 1] ?? Infinity) + digit;
        if (value > MAX) return "is 2^53 or more";
        zeros = 0;
      }
      if (i === first) return "is not a number";
    }
    if (i < end && bytes[i] !== COMMA) return "is not a number";
    if (digits > fraction) {
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

  /** A number as it is; any other text as a 53-bit hash (two 32-bit multiplicative hashes side by side). */
  #identifier(bytes: Uint8Array, at: number, end: number): string {
    this.id_check = 0;
    const problem = this.#integer(bytes, at, end);
    if (problem === "is empty") return "id is empty";
    if (problem === "") {
      this.id = this.#value;
      return "";
    }
    const stop = fieldEnd(bytes, at, end);
    this.#stop = stop;
    let low = 0x811c9dc5;
    let high = 0x9e3779b9;
    for (let i = at; i < stop; i += 1) {
      const byte = bytes[i] ?? 0;
      low = Math.imul(low ^ byte, 0x01000193);
      high = Math.imul((high ^ byte) + ((high << 13) | (high >>> 19)), 0x85ebca6b);
    }
    high = Math.imul(high ^ (high >>> 15), 0xc2b2ae35);
    this.id = ((high >>> 11) & 0x1fffff) * 0x1_0000_0000 + (low >>> 0);
    this.id_check = 1 + (high & 0x7ff) * 0x1000 + ((stop - at) & 0xfff);
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
