/**
 * Suggests an instrument from a recording, so that a backtest needs no hand-written description.
 *
 * Digits are the finest that occur; tick and lot are the largest of 1, 2 and 5 that divide every price or
 * quantity, once there are enough rows to believe it. Everything that was guessed is said in `assumptions`.
 */
import { basename } from "node:path";
import type { InstrumentSpec } from "@rumi/abi";
import { failure, MAX_SCALE_DIGITS, parseInstrumentId, type Failure, type Result } from "@rumi/kernel";
import type { RecordingFormat } from "../types.ts";
import type { KnownFormat } from "./layouts.ts";
import type { RowSink } from "./row-sink.ts";
import { scanRecording, type ScanOptions } from "./scan.ts";

export type InferOptions = ScanOptions & {
  readonly format?: RecordingFormat;
  readonly instrument_id?: string;
  readonly base_currency?: string;
  readonly quote_currency?: string;
};

export type InferredInstrument = {
  readonly instrument: InstrumentSpec;
  readonly format: KnownFormat;
  readonly rows: number;
  /** What the data did not say, one sentence each. */
  readonly assumptions: readonly string[];
};

/** Rows from which a common divisor counts as the market's step. */
const ROWS_FOR_STEP = 1_000;
const QUOTES = [
  "FDUSD",
  "USDT",
  "USDC",
  "BUSD",
  "TUSD",
  "USD",
  "EUR",
  "GBP",
  "JPY",
  "TRY",
  "BRL",
  "BTC",
  "ETH",
  "BNB",
  "XBT",
] as const;

/** Reads the whole file once. Errors RUMI-MKT-001 to -006, -009. */
export async function inferInstrument(
  path: string,
  options: InferOptions = {},
): Promise<Result<InferredInstrument, Failure>> {
  const price = new StepFinder();
  const quantity = new StepFinder();
  let columns: readonly { readonly slot: number; readonly digits: Uint8Array; readonly finder: StepFinder }[] = [];
  const sink: RowSink = {
    begin: (layout, digits) => {
      quantity.isSum = layout.kind === "bar";
      columns = layout.columns.flatMap(({ role, slot }) =>
        role === "price"
          ? [{ slot, digits, finder: price }]
          : role === "quantity" || role === "volume"
            ? [{ slot, digits, finder: quantity }]
            : [],
      );
    },
    row: (values) => {
      for (const { slot, digits, finder } of columns) finder.add(values[slot] ?? 0, digits[slot] ?? 0);
    },
  };
  const scanned = await scanRecording({ path, format: options.format ?? "auto", precision: "any" }, sink, options);
  if (!scanned.ok) return scanned;
  const { format, rows_accepted: rows, names } = scanned.value;
  const assumptions: string[] = [];
  if (quantity.coarsen())
    assumptions.push(`Volumes have noise; quantities are taken to have ${quantity.digits} decimals.`);
  const refused = (problem: string): Result<InferredInstrument, Failure> => ({
    ok: false,
    error: failure("RUMI-MKT-009", { path, problem }),
  });
  for (const [word, finder] of [
    ["prices", price],
    ["quantities", quantity],
  ] as const) {
    if (finder.digits > MAX_SCALE_DIGITS || finder.largest > Number.MAX_SAFE_INTEGER)
      return refused(`its ${word} need more than 2^53 steps`);
  }
  const symbol = symbolOf(path, format, names);
  const id = parseInstrumentId(options.instrument_id ?? symbol);
  if (id === undefined) return refused(`${options.instrument_id ?? symbol} is not an instrument id (SYMBOL.VENUE)`);
  if (options.instrument_id === undefined)
    assumptions.push(
      `The instrument is called ${id} after the ${format.startsWith("tardis_") ? "file's columns" : "file's name"}.`,
    );
  const pair = currenciesOf(id.slice(0, id.indexOf(".")));
  if (options.quote_currency === undefined && pair.guessed) assumptions.push("The quote currency is taken to be USD.");
  const lot = quantity.step(rows);
  assumptions.push("The largest quantity of one order is 1000 times the largest quantity seen.");
  if (rows < ROWS_FOR_STEP) assumptions.push(`Only ${rows} rows: tick and lot are the smallest possible.`);
  return {
    ok: true,
    value: {
      format,
      rows,
      assumptions,
      instrument: {
        instrument_id: id,
        price_digits: price.digits,
        quantity_digits: quantity.digits,
        tick_size: price.step(rows),
        lot_size: lot,
        min_quantity: lot,
        max_quantity: Math.floor(Math.min(quantity.largest * 1_000, Number.MAX_SAFE_INTEGER) / lot) * lot,
        base_currency: options.base_currency ?? pair.base,
        quote_currency: options.quote_currency ?? pair.quote,
      },
    },
  };
}

/** Finest decimals, largest value and greatest common divisor of a stream of decimals. */
class StepFinder {
  digits = 0;
  largest = 0;
  /** Of sums, whose last decimals are noise. */
  isSum = false;
  #divisor = 0;

  add(value: number, digits: number): void {
    if (value === 0) return;
    if (digits > this.digits) {
      const factor = 10 ** (digits - this.digits);
      this.largest *= factor;
      this.#divisor *= factor;
      this.digits = digits;
    }
    const scaled = value * 10 ** (this.digits - digits);
    if (scaled > this.largest) this.largest = scaled;
    if (this.#divisor !== 1) this.#divisor = commonDivisor(scaled, this.#divisor);
  }

  /** Gives up decimals of sums until a thousand times the largest fits; answers whether it did. */
  coarsen(): boolean {
    const before = this.digits;
    while (this.isSum && this.digits > 0 && this.largest > Number.MAX_SAFE_INTEGER / 1_000) {
      this.digits -= 1;
      this.largest = Math.floor(this.largest / 10);
      this.#divisor = 1;
    }
    return this.digits < before;
  }

  step(rows: number): number {
    if (rows < ROWS_FOR_STEP) return 1;
    return this.#divisor % 5 === 0 && this.#divisor % 10 !== 0
      ? 5
      : this.#divisor % 2 === 0 && this.#divisor % 10 !== 0
        ? 2
        : 1;
  }
}

function commonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

function symbolOf(path: string, format: KnownFormat, names: readonly string[]): string {
  if (format.startsWith("tardis_")) return `${clean(names[1] ?? "")}.${clean(names[0] ?? "")}`;
  return `${clean(/^[A-Za-z0-9_]+/.exec(basename(path))?.[0] ?? "")}.${format === "freqtrade_json" ? "FREQTRADE" : "BINANCE"}`;
}

function clean(text: string): string {
  return text
    .toUpperCase()
    .replace(/[^A-Z0-9_-]/g, "-")
    .slice(0, 32);
}

function currenciesOf(symbol: string): {
  readonly base: string;
  readonly quote: string;
  readonly guessed: boolean;
} {
  const plain = symbol.replace(/[-_](PERPETUAL|PERP|SWAP)$/, "");
  const quote = QUOTES.find((currency) => plain.endsWith(currency) && plain.length >= currency.length + 3);
  if (quote === undefined) return { base: plain, quote: "USD", guessed: true };
  return { base: plain.slice(0, -quote.length).replace(/[-_]$/, ""), quote, guessed: false };
}
