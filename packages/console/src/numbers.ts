/** Decimal strings stay decimal strings: sums are exact, nothing passes through a binary float. */

/** A decimal as an integer of `digits` fraction digits. */
export type Scaled = { readonly units: bigint; readonly digits: number };

export function scaled(text: string): Scaled {
  const [whole = "0", fraction = ""] = text.split(".");
  const magnitude = BigInt(`${whole.replace("-", "")}${fraction}`);
  return { units: whole.startsWith("-") ? -magnitude : magnitude, digits: fraction.length };
}

/** The same number with more fraction digits. */
export function widened({ units, digits }: Scaled, to: number): bigint {
  if (to < digits) throw new RangeError(`${digits} fraction digits do not fit into ${to}`);
  return units * 10n ** BigInt(to - digits);
}

/** Without trailing zeros: `12.5`, `-3`, `0`. */
export function decimalText({ units, digits }: Scaled): string {
  const fixed = fixedText(units, digits);
  return digits === 0 ? fixed : fixed.replace(/\.?0+$/, "").replace(/^-0$/, "0");
}

export function addDecimals(a: string, b: string): string {
  const [x, y] = [scaled(a), scaled(b)];
  const digits = Math.max(x.digits, y.digits);
  return decimalText({ units: widened(x, digits) + widened(y, digits), digits });
}

export function sumDecimals(texts: readonly string[]): string {
  return texts.reduce(addDecimals, "0");
}

export function multiplyDecimals(a: string, b: string): string {
  const [x, y] = [scaled(a), scaled(b)];
  return decimalText({ units: x.units * y.units, digits: x.digits + y.digits });
}

/** Negative where `a` is less than `b`, 0 where they are the same number. */
export function compareDecimals(a: string, b: string): number {
  const [x, y] = [scaled(a), scaled(b)];
  const digits = Math.max(x.digits, y.digits);
  const [left, right] = [widened(x, digits), widened(y, digits)];
  return left < right ? -1 : left > right ? 1 : 0;
}

export function negatedDecimal(text: string): string {
  return text.startsWith("-") ? text.slice(1) : decimalText(scaled(`-${text}`));
}

export function absoluteDecimal(text: string): string {
  return text.startsWith("-") ? text.slice(1) : text;
}

/** Half away from zero to `digits`, thousands apart; the exact text belongs into the title beside it. */
export function shownDecimal(text: string, digits: number): string {
  const exact = scaled(text);
  const isNegative = exact.units < 0n;
  const magnitude = isNegative ? -exact.units : exact.units;
  const unit = 10n ** BigInt(Math.max(0, exact.digits - digits));
  const kept = Math.min(exact.digits, digits);
  const rounded = (magnitude + unit / 2n) / unit;
  const padded = rounded * 10n ** BigInt(digits - kept);
  const [whole = "0", fraction] = fixedText(padded, digits).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  const sign = isNegative && padded !== 0n ? "−" : "";
  return `${sign}${grouped}${fraction === undefined ? "" : `.${fraction}`}`;
}

export function signTone(text: string): "good" | "bad" | "dim" {
  if (!/[1-9]/.test(text)) return "dim";
  return text.startsWith("-") ? "bad" : "good";
}

/** For a chart's pixels only, never for sums. */
export function toFloat(text: string): number {
  return Number(text);
}

function fixedText(units: bigint, digits: number): string {
  const negative = units < 0n;
  const text = (negative ? -units : units).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  return `${negative ? "-" : ""}${whole}${digits === 0 ? "" : `.${text.slice(-digits)}`}`;
}
