/**
 * Prices and quantities: whole numbers scaled by a power of ten, |n| < 2^53, decimal strings in JSON.
 *
 * Nothing here rounds: what does not fit is refused, so that no cent is ever made or lost on the way.
 */
export const MAX_SCALE_DIGITS = 15;

/** Parses `"-12.3400"` at `digits` decimals; `undefined` when malformed, too fine or too large. */
export function parseDecimal(text: string, digits: number): number | undefined {
  const match = /^(-?)(\d{1,16})(?:\.(\d{1,30}))?$/.exec(text);
  if (match === null) return undefined;
  const fraction = (match[3] ?? "").replace(/0+$/, "");
  if (fraction.length > digits) return undefined;
  const scaled = BigInt(`${match[2]}${fraction.padEnd(digits, "0")}`);
  if (scaled > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const magnitude = Number(scaled);
  return match[1] === "-" && magnitude !== 0 ? -magnitude : magnitude;
}

/** The shortest decimal string of `scaled` / 10^digits, e.g. (-1234, 3) → `"-1.234"`. */
export function formatDecimal(scaled: number | bigint, digits: number): string {
  // Whole numbers below 2^53 are their own digits; anything else is refused by `BigInt`.
  const value = typeof scaled === "number" && !Number.isSafeInteger(scaled) ? BigInt(scaled) : scaled;
  const negative = value < 0;
  const text = (negative ? -value : value).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const fraction = digits === 0 ? "" : text.slice(text.length - digits).replace(/0+$/, "");
  return `${negative ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}
