/**
 * Strict JSON for files that strangers made: refuses duplicate keys, depth and trailing text, and knows the line of
 * every object, so that a refusal can point at it.
 *
 * How to think: `JSON.parse` keeps the last of two equal keys where others keep the first, so one text would mean two
 * things. Objects come without a prototype: `__proto__` is a key like any other.
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
  lineOf(part: object): number;
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
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const SPACE = /[ \t\n\r]*/y;

export function readJson(source: string): Result<JsonDocument, JsonProblem> {
  const text = source.startsWith("\ufeff") ? source.slice(1) : source;
  const starts = new WeakMap<object, number>();
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
    const value = new Reader(text, starts).whole();
    return ok({ value, lineOf: (part) => lineAt(starts.get(part) ?? 0) });
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
  readonly #starts: WeakMap<object, number>;
  #at = 0;

  constructor(text: string, starts: WeakMap<object, number>) {
    this.#text = text;
    this.#starts = starts;
  }

  whole(): JsonValue {
    const value = this.#value(0);
    this.#skip(SPACE);
    if (this.#at !== this.#text.length) throw new Stop("there is text after the value", this.#at);
    return value;
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #value(depth: number): JsonValue {
    this.#skip(SPACE);
    const sign = this.#text[this.#at];
    if (sign === "{") return this.#record(depth + 1);
    if (sign === "[") return this.#list(depth + 1);
    if (sign === '"') return this.#string();
    for (const [word, value] of [
      ["true", true],
      ["false", false],
      ["null", null],
    ] as const)
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    const from = this.#at;
    const digits = this.#skip(NUMBER);
    if (digits === "") throw new Stop(sign === undefined ? "it ends too early" : "it is no JSON", from);
    return Number(digits);
  }

  #open(depth: number): number {
    if (depth > JSON_DEPTH_MAX) throw new Stop(`it is nested deeper than ${JSON_DEPTH_MAX}`, this.#at);
    this.#at += 1;
    this.#skip(SPACE);
    return this.#at;
  }

  /** After a member: whether another follows. */
  #more(close: string): boolean {
    this.#skip(SPACE);
    const sign = this.#text[this.#at];
    if (sign !== "," && sign !== close)
      throw new Stop(sign === undefined ? "it ends too early" : "it is no JSON", this.#at);
    this.#at += 1;
    return sign === ",";
  }

  #record(depth: number): JsonRecord {
    const from = this.#at;
    this.#open(depth);
    const record = Object.create(null) as { [key: string]: JsonValue };
    this.#starts.set(record, from);
    if (this.#text[this.#at] === "}") {
      this.#at += 1;
      return record;
    }
    do {
      this.#skip(SPACE);
      const began = this.#at;
      if (this.#text[began] !== '"') throw new Stop("it is no JSON", began);
      const key = this.#string();
      if (key in record) throw new Stop(`the key ${JSON.stringify(key.slice(0, 80))} stands there twice`, began);
      this.#skip(SPACE);
      if (this.#text[this.#at] !== ":") throw new Stop("it is no JSON", this.#at);
      this.#at += 1;
      record[key] = this.#value(depth);
    } while (this.#more("}"));
    return record;
  }

  #list(depth: number): readonly JsonValue[] {
    const from = this.#at;
    this.#open(depth);
    const list: JsonValue[] = [];
    this.#starts.set(list, from);
    if (this.#text[this.#at] === "]") {
      this.#at += 1;
      return list;
    }
    do list.push(this.#value(depth));
    while (this.#more("]"));
    return list;
  }

  #string(): string {
    const from = this.#at;
    this.#at += 1;
    const plain = this.#skip(PLAIN);
    if (this.#text[this.#at] === '"') {
      this.#at += 1;
      return plain;
    }
    for (;;) {
      const sign = this.#text[this.#at];
      if (sign === '"') break;
      if (sign !== "\\") throw new Stop("a string does not end", from);
      this.#at += 2;
      this.#skip(PLAIN);
    }
    this.#at += 1;
    try {
      return JSON.parse(this.#text.slice(from, this.#at)) as string;
    } catch {
      throw new Stop("a string holds an escape that does not exist", from);
    }
  }
}

export const isRecord = (value: JsonValue | undefined): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);
