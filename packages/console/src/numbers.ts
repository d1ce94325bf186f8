/** Decimal strings stay decimal strings: sums are exact, nothing passes through a binary float. */
export function addDecimals(a: string, b: string): string {
  const digits = Math.max(fractionDigits(a), fractionDigits(b));
  const sum = scaled(a, digits) + scaled(b, digits);
  const negative = sum < 0n;
  const text = (negative ? -sum : sum).toString().padStart(digits + 1, "0");
  const whole = text.slice(0, text.length - digits);
  const fraction = text.slice(text.length - digits).replace(/0+$/, "");
  return `${negative ? "-" : ""}${whole}${digits === 0 || fraction === "" ? "" : `.${fraction}`}`;
}

export function signTone(text: string): "good" | "bad" | "dim" {
  if (text.startsWith("-")) return "bad";
  return /[1-9]/.test(text) ? "good" : "dim";
}

function fractionDigits(text: string): number {
  const point = text.indexOf(".");
  return point < 0 ? 0 : text.length - point - 1;
}

function scaled(text: string, digits: number): bigint {
  const [whole = "0", fraction = ""] = text.split(".");
  const negative = whole.startsWith("-");
  const magnitude = BigInt(`${whole.replace("-", "")}${fraction.padEnd(digits, "0")}`);
  return negative ? -magnitude : magnitude;
}
