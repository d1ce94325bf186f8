/**
 * The quick half of reading: takes a well-formed line in one pass, and leaves every other to the careful parser.
 *
 * How to think: whatever is not plainly in order (another digit count, a header, an unknown word, the chunk's end) is
 * answered with 0, which means "look at it with care", never "refused". So it needs no messages and no state but the
 * file's unit and names, and every number is added up in small integers in local variables.
 *
 * Invariant: a line it takes gives the careful parser's values (fast-row.test.ts).
 */
import { ROW_SLOTS, SLOT, type Column, type Layout, type Role } from "./layouts.ts";
import { hashIdentifier, type Precision, type RowParser } from "./row-parser.ts";

const COMMA = 44;
const POINT = 46;
const LINE_END = 10;
const CARRIAGE = 13;
const ZERO = 48;
const MAX = Number.MAX_SAFE_INTEGER;
const POWERS = Float64Array.from({ length: 17 }, (_, digits) => 10 ** digits);
/** Digits that fit a 32-bit integer, and twice as many less three: below 2^53. */
const HALF = 9;
const DIGITS_MAX = 15;
const TEXT_ID_MAX = 64;
/** No field that is taken is longer than this. */
const FIELD_BYTES = 72;

const CODES = {
  name: 0,
  time: 1,
  received: 1,
  other_time: 1,
  price: 2,
  quantity: 2,
  volume: 2,
  id: 3,
  side: 4,
  buyer_is_maker: 5,
  boolean: 6,
  unused_boolean: 7,
  count: 8,
  unused_integer: 9,
  unused_decimal: 10,
  book_side: 11,
} as const satisfies Record<Role, number>;

export class FastRow {
  readonly values: Float64Array;
  /** The line and its end are certain to lie within so many bytes of its start. */
  readonly lineBytes: number;
  readonly #count: number;
  readonly #codes: Uint8Array;
  readonly #slots: Uint8Array;
  /** Of numbers: digits wanted; 1 in the second where 0 is refused; of names: where they begin in `#names`. */
  readonly #digits: Uint8Array;
  readonly #notZero: Uint8Array;
  readonly #cuts: Uint8Array;
  readonly #nameFrom: Uint16Array;
  readonly #names: Uint8Array;
  readonly #timeDigits: number;
  readonly #timeFactor: number;
  readonly #oneClock: boolean;

  /** `careful` has read a row already, so that unit and names are known. */
  constructor(layout: Layout, precision: Exclude<Precision, "any">, careful: RowParser) {
    const { columns } = layout;
    this.values = careful.values;
    this.#count = columns.length;
    this.#codes = Uint8Array.from(columns, (column) => CODES[column.role]);
    this.#slots = Uint8Array.from(columns, (column) => column.slot);
    this.#digits = Uint8Array.from(columns, (column) => digitsOf(column, precision));
    this.#notZero = Uint8Array.from(columns, (column) => (column.zero === "refused" ? 1 : 0));
    this.#cuts = Uint8Array.from(columns, (column) => (column.role === "volume" ? 1 : 0));
    this.#names = Uint8Array.from(Buffer.from(careful.names.join(""), "latin1"));
    let from = 0;
    this.#nameFrom = Uint16Array.from([...columns, undefined], (_, index) => {
      const at = from;
      from += careful.names[index]?.length ?? 0;
      return at;
    });
    this.#timeDigits = careful.unit === "ms" ? 13 : 16;
    this.#timeFactor = careful.unit === "ms" ? 1_000 : 1;
    this.#oneClock = !columns.some((column) => column.role === "received");
    this.lineBytes = columns.length * FIELD_BYTES + this.#names.length + 2;
    if (ROW_SLOTS > 255) throw new RangeError("slots are kept in bytes");
  }

  /** Where the next line begins, or 0. At least `lineBytes` bytes must follow `start`. */
  take(bytes: Uint8Array, start: number): number {
    const { values } = this;
    const codes = this.#codes;
    const slots = this.#slots;
    const count = this.#count;
    let i = start;
    for (let column = 0; column < count; column += 1) {
      switch (codes[column]) {
        case 0: {
          const names = this.#names;
          const stop = this.#nameFrom[column + 1] ?? 0;
          for (let k = this.#nameFrom[column] ?? 0; k < stop; k += 1) if (bytes[i++] !== names[k]) return 0;
          break;
        }
        case 1: {
          const stop = i + this.#timeDigits;
          const head = eightDigits(bytes, i);
          if (head < 10_000_000) return 0;
          let tail = 0;
          let bad = 0;
          for (i += 8; i < stop; i += 1) {
            const digit = (bytes[i] ?? 0) ^ ZERO;
            bad |= digit + 6;
            tail = (tail * 10 + digit) | 0;
          }
          if ((bad & ~15) !== 0) return 0;
          values[slots[column] ?? 0] =
            this.#timeFactor === 1 ? head * 100_000_000 + tail : (head * 100_000 + tail) * 1_000;
          break;
        }
        case 2: {
          let head = 0;
          let tail = 0;
          let digits = 0;
          let point = -1;
          for (; ; i += 1) {
            const byte = bytes[i] ?? 0;
            const digit = byte ^ ZERO;
            if (digit <= 9) {
              if (digits < HALF) head = (head * 10 + digit) | 0;
              else tail = (tail * 10 + digit) | 0;
              digits += 1;
            } else if (byte === POINT && point < 0) point = digits;
            else break;
            if (digits > DIGITS_MAX) return 0;
          }
          if (digits === 0 || point === 0 || point === digits) return 0;
          let value = digits <= HALF ? head : head * (POWERS[digits - HALF] ?? 0) + tail;
          const missing = (this.#digits[column] ?? 0) - (point < 0 ? 0 : digits - point);
          if (missing > 0) {
            value *= POWERS[missing] ?? Infinity;
            if (value > MAX) return 0;
          } else if (missing < 0) {
            value /= POWERS[-missing] ?? Infinity;
            if (value !== Math.floor(value)) {
              if (this.#cuts[column] === 0) return 0;
              value = Math.floor(value);
            }
          }
          if (value === 0 && this.#notZero[column] === 1) return 0;
          values[slots[column] ?? 0] = value;
          break;
        }
        case 3:
        case 8:
        case 9: {
          const from = i;
          let head = 0;
          let tail = 0;
          for (; i < from + HALF; i += 1) {
            const digit = (bytes[i] ?? 0) ^ ZERO;
            if (digit > 9) break;
            head = (head * 10 + digit) | 0;
          }
          const digitsInHead = i - from;
          for (; i < from + DIGITS_MAX; i += 1) {
            const digit = (bytes[i] ?? 0) ^ ZERO;
            if (digit > 9) break;
            tail = (tail * 10 + digit) | 0;
          }
          const byte = bytes[i];
          if (i === from || (byte !== COMMA && byte !== LINE_END && byte !== CARRIAGE)) {
            if (codes[column] !== 3 || i === from + DIGITS_MAX) return 0;
            while (i < from + TEXT_ID_MAX && bytes[i] !== COMMA && bytes[i] !== LINE_END) i += 1;
            if (i === from || bytes[i] !== COMMA) return 0;
            hashIdentifier(bytes, from, i, values);
            break;
          }
          if (codes[column] === 9) break;
          values[slots[column] ?? 0] = digitsInHead < HALF ? head : head * (POWERS[i - from - HALF] ?? 0) + tail;
          if (codes[column] === 3) values[SLOT.id_check] = 0;
          break;
        }
        case 4: {
          // Four letters tell the words apart; the comma behind them is looked for below.
          const first = bytes[i];
          if (first === 98 && bytes[i + 1] === 117 && bytes[i + 2] === 121) {
            values[SLOT.side] = 1;
            i += 3;
          } else if (first === 115 && bytes[i + 1] === 101 && bytes[i + 2] === 108 && bytes[i + 3] === 108) {
            values[SLOT.side] = 2;
            i += 4;
          } else if (
            first === 117 &&
            bytes[i + 1] === 110 &&
            bytes[i + 2] === 107 &&
            bytes[i + 3] === 110 &&
            bytes[i + 4] === 111 &&
            bytes[i + 5] === 119 &&
            bytes[i + 6] === 110
          ) {
            values[SLOT.side] = 0;
            i += 7;
          } else return 0;
          break;
        }
        case 5:
        case 6:
        case 7: {
          const first = (bytes[i] ?? 0) | 32;
          let truth = 0;
          if (first === 116 && bytes[i + 1] === 114 && bytes[i + 2] === 117 && bytes[i + 3] === 101) {
            truth = 1;
            i += 4;
          } else if (
            first === 102 &&
            bytes[i + 1] === 97 &&
            bytes[i + 2] === 108 &&
            bytes[i + 3] === 115 &&
            bytes[i + 4] === 101
          )
            i += 5;
          else return 0;
          if (codes[column] !== 7) values[slots[column] ?? 0] = codes[column] === 5 ? truth + 1 : truth;
          break;
        }
        case 10: {
          const from = i;
          let points = 0;
          for (; i < from + FIELD_BYTES - 1; i += 1) {
            const byte = bytes[i] ?? 0;
            if ((byte ^ ZERO) <= 9) continue;
            if (byte !== POINT || i === from || (points += 1) > 1) break;
          }
          if (i === from || bytes[i - 1] === POINT || points > 1) return 0;
          break;
        }
        default: {
          if (bytes[i] === 98 && bytes[i + 1] === 105 && bytes[i + 2] === 100) values[SLOT.side] = 1;
          else if (bytes[i] === 97 && bytes[i + 1] === 115 && bytes[i + 2] === 107) values[SLOT.side] = 2;
          else return 0;
          i += 3;
        }
      }
      if (column + 1 < count && bytes[i++] !== COMMA) return 0;
    }
    if (bytes[i] === CARRIAGE) i += 1;
    if (bytes[i] !== LINE_END) return 0;
    if (this.#oneClock) values[SLOT.received] = values[SLOT.time] ?? 0;
    return i + 1;
  }
}

/** The number of eight digits, or -1. */
function eightDigits(bytes: Uint8Array, at: number): number {
  const a = (bytes[at] ?? 0) ^ ZERO;
  const b = (bytes[at + 1] ?? 0) ^ ZERO;
  const c = (bytes[at + 2] ?? 0) ^ ZERO;
  const d = (bytes[at + 3] ?? 0) ^ ZERO;
  const e = (bytes[at + 4] ?? 0) ^ ZERO;
  const f = (bytes[at + 5] ?? 0) ^ ZERO;
  const g = (bytes[at + 6] ?? 0) ^ ZERO;
  const h = (bytes[at + 7] ?? 0) ^ ZERO;
  // A digit plus six stays below sixteen; anything else does not.
  if ((((a + 6) | (b + 6) | (c + 6) | (d + 6) | (e + 6) | (f + 6) | (g + 6) | (h + 6)) & ~15) !== 0) return -1;
  return ((((((a * 10 + b) * 10 + c) * 10 + d) * 10 + e) * 10 + f) * 10 + g) * 10 + h;
}

function digitsOf(column: Column, precision: Exclude<Precision, "any">): number {
  if (column.role === "price") return precision.price_digits;
  return column.role === "quantity" || column.role === "volume" ? precision.quantity_digits : 0;
}
