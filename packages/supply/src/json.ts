/**
 * Strict JSON for files that strangers made: refuses duplicate keys, depth and trailing text, and knows the line of
 * every object, so that a refusal can point at it.
 *
 * How to think: `JSON.parse` keeps the last of two equal keys where others keep the first, so one text would mean two
 * things. `__proto__` is a key like any other; ask for keys that a stranger names with `Object.hasOwn`.
 *
 * Invariant (json.test.ts): what it accepts, `JSON.parse` reads to the same value.
 */
import { err, ok, type Result } from "@rumi/kernel";

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonRecord;
export type JsonRecord = { readonly [key: string]: JsonValue };
export type JsonProblem = { readonly line: number; readonly problem: string };
export type JsonDocument = {
  readonly value: JsonValue;
  /** The line, from 1, on which an object or array of this document begins. */
  readonly lineOf: (part: object) => number;
};

export const JSON_DEPTH_MAX = 64;

class Stop extends Error {
  readonly at: number;
  constructor(problem: string, at: number) {
    super(problem);
    this.at = at;
  }
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** What a string may not hold as it is: an escape has to be read, a control character is refused. */
const SPECIAL = /[\\\u0000-\u001f]/;
const WORDS = [
  ["true", true],
  ["false", false],
  ["null", null],
] as const;

/** With the lines of its parts, for what is to be refused by line. */
export function readJson(source: string): Result<JsonDocument, JsonProblem> {
  const starts = new Map<object, number>();
  const read = readText(source, starts);
  if (!read.ok) return read;
  const { value, lineAt } = read.value;
  return ok({ value, lineOf: (part) => lineAt(starts.get(part) ?? 0) });
}

/** The value alone, at less cost. */
export function readJsonValue(source: string): Result<JsonValue, JsonProblem> {
  const read = readText(source, undefined);
  return read.ok ? ok(read.value.value) : read;
}

type Read = { readonly value: JsonValue; readonly lineAt: (at: number) => number };

function readText(source: string, starts: Map<object, number> | undefined): Result<Read, JsonProblem> {
  const text = source.startsWith("\ufeff") ? source.slice(1) : source;
  let breaks: readonly number[] | undefined;
  const lineAt = (at: number): number => {
    breaks ??= lineBreaks(text);
    let low = 0;
    for (let high = breaks.length; low < high;) {
      const middle = (low + high) >> 1;
      if ((breaks[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low + 1;
  };
  try {
    return ok({ value: new Reader(text, starts).whole(), lineAt });
  } catch (cause) {
    if (!(cause instanceof Stop)) throw cause;
    return err({ line: lineAt(cause.at), problem: cause.message });
  }
}

function lineBreaks(text: string): readonly number[] {
  const found: number[] = [];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) found.push(at);
  return found;
}

class Reader {
  readonly #text: string;
  readonly #starts: Map<object, number> | undefined;
  #at = 0;

  constructor(text: string, starts: Map<object, number> | undefined) {
    this.#text = text;
    this.#starts = starts;
  }

  whole(): JsonValue {
    const value = this.#value(0);
    this.#space();
    if (this.#at !== this.#text.length) throw new Stop("there is text after the value", this.#at);
    return value;
  }

  /** Over blanks, to the sign that stands there. */
  #space(): string | undefined {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return this.#text[this.#at];
      this.#at += 1;
    }
  }

  #value(depth: number): JsonValue {
    const sign = this.#space();
    if (sign === '"') return this.#string();
    if (sign === "{") return this.#record(depth + 1);
    if (sign === "[") return this.#list(depth + 1);
    for (const [word, value] of WORDS)
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    NUMBER.lastIndex = this.#at;
    const digits = NUMBER.exec(this.#text)?.[0];
    if (digits === undefined) throw new Stop(sign === undefined ? "it ends too early" : "it is no JSON", this.#at);
    this.#at += digits.length;
    return Number(digits);
  }

  /** Over the opening sign; whether nothing stands inside. */
  #open(part: object, depth: number, close: string): boolean {
    if (depth > JSON_DEPTH_MAX) throw new Stop(`it is nested deeper than ${JSON_DEPTH_MAX}`, this.#at);
    this.#starts?.set(part, this.#at);
    this.#at += 1;
    if (this.#space() !== close) return false;
    this.#at += 1;
    return true;
  }

  /** After a member: whether another follows. */
  #more(close: string): boolean {
    const sign = this.#space();
    if (sign !== "," && sign !== close)
      throw new Stop(sign === undefined ? "it ends too early" : "it is no JSON", this.#at);
    this.#at += 1;
    return sign === ",";
  }

  #record(depth: number): JsonRecord {
    const record: { [key: string]: JsonValue } = {};
    if (this.#open(record, depth, "}")) return record;
    do {
      const sign = this.#space();
      const began = this.#at;
      if (sign !== '"') throw new Stop("it is no JSON", began);
      const key = this.#string();
      if (Object.hasOwn(record, key))
        throw new Stop(`the key ${JSON.stringify(key.slice(0, 80))} stands there twice`, began);
      if (this.#space() !== ":") throw new Stop("it is no JSON", this.#at);
      this.#at += 1;
      const value = this.#value(depth);
      if (key === "__proto__") Object.defineProperty(record, key, { value, enumerable: true });
      else record[key] = value;
    } while (this.#more("}"));
    return record;
  }

  #list(depth: number): readonly JsonValue[] {
    const list: JsonValue[] = [];
    if (this.#open(list, depth, "]")) return list;
    do list.push(this.#value(depth));
    while (this.#more("]"));
    return list;
  }

  #string(): string {
    const from = this.#at;
    let end = this.#text.indexOf('"', from + 1);
    const plain = this.#text.slice(from + 1, end);
    if (end !== -1 && !SPECIAL.test(plain)) {
      this.#at = end + 1;
      return plain;
    }
    // A quote after an odd number of backslashes belongs to the string.
    while (end !== -1 && this.#isEscaped(from, end)) end = this.#text.indexOf('"', end + 1);
    if (end === -1) throw new Stop("a string does not end", from);
    this.#at = end + 1;
    try {
      return JSON.parse(this.#text.slice(from, this.#at)) as string;
    } catch {
      throw new Stop("a string holds what no string may hold", from);
    }
  }

  #isEscaped(from: number, quote: number): boolean {
    let first = quote;
    while (first - 1 > from && this.#text[first - 1] === "\\") first -= 1;
    return (quote - first) % 2 === 1;
  }
}

export const isRecord = (value: JsonValue | undefined): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);
