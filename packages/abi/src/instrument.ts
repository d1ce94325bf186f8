/** An instrument as strategies, gate and venues share it. All numbers are scaled integers, |n| < 2^53. */
import type { InstrumentId } from "@rumi/kernel";

export type InstrumentSpec = {
  /** `SYMBOL.VENUE`. */
  readonly instrument_id: InstrumentId;
  /** Decimals of a scaled price: 1 price unit = 10^-price_digits quote currency. */
  readonly price_digits: number;
  /** Decimals of a scaled quantity. */
  readonly quantity_digits: number;
  /** Smallest price step, scaled. */
  readonly tick_size: number;
  /** Smallest quantity step, scaled. */
  readonly lot_size: number;
  /** Smallest and largest quantity of one order, scaled. */
  readonly min_quantity: number;
  readonly max_quantity: number;
  readonly base_currency: string;
  readonly quote_currency: string;
};
