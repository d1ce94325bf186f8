/** Amounts of quote currency: decimal strings outside, whole numbers scaled by 10^8 inside, of any size. */
import { MONEY_DIGITS } from "@rumi/abi";

/** `undefined` for what is malformed, negative or finer than 10^-8. */
export function parseMoney(text: string): bigint | undefined {
  const match = /^(\d{1,30})(?:\.(\d{1,8}))?$/.exec(text);
  return match === null ? undefined : BigInt(`${match[1]}${(match[2] ?? "").padEnd(MONEY_DIGITS, "0")}`);
}
