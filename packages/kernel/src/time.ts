/**
 * Time as every part of the product knows it: microseconds since the Unix epoch, UTC.
 *
 * |micros| stays below 2^53, so a JavaScript number, a Rust i64 and a Python int hold it exactly.
 * Code never asks the machine for the time: it is handed a {@link Clock}.
 */
declare const microsBrand: unique symbol;
declare const millisBrand: unique symbol;

/** Microseconds since 1970-01-01T00:00:00Z. */
export type Micros = number & { readonly [microsBrand]: true };
/** A duration in milliseconds. */
export type Millis = number & { readonly [millisBrand]: true };

export interface Clock {
  /** Wall time, UTC. May jump; never compare two of these to measure a duration. */
  now(): Micros;
  /** Monotonic milliseconds from an arbitrary origin; for durations and deadlines. */
  monotonic(): Millis;
  /** Resolves after `duration`; rejects never. `signal` ends the wait early. */
  sleep(duration: Millis, signal?: AbortSignal): Promise<void>;
}

export function micros(value: number): Micros {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not whole microseconds: ${value}`);
  return value as Micros;
}

export function millis(value: number): Millis {
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`not a duration: ${value}`);
  return value as Millis;
}

/** The last second that was read, such as `2026-02-24T12:00:00.`: what is read together mostly shares it. */
let readText = "";
let readSecond = Number.NaN;

/** RFC 3339 in UTC, to the microsecond at most; undefined for any other text and for what {@link Micros} cannot hold. */
export function microsFromIso(text: string): Micros | undefined {
  if (text.length === 27 && readText !== "" && text.startsWith(readText) && text.endsWith("Z")) {
    let fraction = 0;
    for (let at = 20; at < 26; at += 1) {
      const digit = text.charCodeAt(at) - 48;
      if (digit < 0 || digit > 9) return undefined;
      fraction = fraction * 10 + digit;
    }
    return held(readSecond * 1_000_000 + fraction);
  }
  const match = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,6}))?Z$/.exec(text);
  if (match === null) return undefined;
  const at_ms = Date.parse(`${match[1]}Z`);
  // Date.parse rolls 30 February over into March.
  if (Number.isNaN(at_ms) || !new Date(at_ms).toISOString().startsWith(match[1] ?? "")) return undefined;
  if (match[2] !== undefined) {
    readText = text.slice(0, 20);
    readSecond = at_ms / 1_000;
  }
  return held(at_ms * 1_000 + Number((match[2] ?? "").padEnd(6, "0")));
}

const held = (at: number): Micros | undefined => (Number.isSafeInteger(at) ? micros(at) : undefined);

/** The last second that was written: what is written together mostly shares it. */
let writtenSecond = Number.NaN;
let writtenText = "";

/** RFC 3339 with six digits and `Z`, e.g. `2026-02-24T12:00:00.000000Z`. */
export function isoFromMicros(at: Micros): string {
  const whole = Math.floor(at / 1_000_000);
  if (whole !== writtenSecond) {
    writtenText = new Date(whole * 1_000).toISOString().slice(0, 19);
    writtenSecond = whole;
  }
  return `${writtenText}.${String(at - whole * 1_000_000).padStart(6, "0")}Z`;
}

/** The machine's own clocks. The composition root is the only caller. */
export function systemClock(): Clock {
  return {
    now: () => micros(Math.round((performance.timeOrigin + performance.now()) * 1_000)),
    monotonic: () => millis(performance.now()),
    sleep: (duration, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted === true) return resolve();
        const done = (): void => {
          clearTimeout(timer);
          signal?.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, duration);
        signal?.addEventListener("abort", done);
      }),
  };
}
