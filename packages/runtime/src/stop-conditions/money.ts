/**
 * What an instance has won or lost since its run began, and what its positions are worth; exact at any size. Pure.
 *
 * Amounts are whole numbers at one scale for all instruments: the finest of theirs, and never coarser than money's own, so
 * that nothing is rounded before it is compared.
 */
import { type InstrumentSpec, MONEY_DIGITS } from "@rumi/abi";
import { formatDecimal } from "@rumi/kernel";

export type Holding = {
  readonly quantity: number;
  /** What trading it brought and cost so far, fees included. */ readonly cash: bigint;
};
export type Worth = { readonly equity: bigint; readonly exposure: bigint };

/** Decimals of the common scale. */
export const scaleOf = (instruments: readonly InstrumentSpec[]): number =>
  instruments.reduce((most, one) => Math.max(most, one.price_digits + one.quantity_digits), MONEY_DIGITS);

/** By how much an instrument's amounts are raised to the common scale. */
export const raiseOf = (of: InstrumentSpec, scale: number): bigint =>
  10n ** BigInt(scale - of.price_digits - of.quantity_digits);

export function worthOf(
  holdings: readonly Holding[],
  last_prices: ArrayLike<number>,
  raises: readonly bigint[],
): Worth {
  let equity = 0n;
  let exposure = 0n;
  for (const [at, { quantity, cash }] of holdings.entries()) {
    const raise = raises[at] ?? 1n;
    const value = BigInt(quantity) * BigInt(last_prices[at] ?? 0) * raise;
    equity += cash * raise + value;
    exposure += value < 0n ? -value : value;
  }
  return { equity, exposure };
}

/** From money (10^8) to the common scale. */
export const scaled = (money: bigint, scale: number): bigint => money * 10n ** BigInt(scale - MONEY_DIGITS);
export const textOf = (amount: bigint, scale: number): string => formatDecimal(amount, scale);
