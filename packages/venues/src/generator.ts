/**
 * The product's own market: synthetic trades from a seed, the same bytes on every machine.
 *
 * Think of a hidden fair price that walks in millionths of a tick. Its step is noise × volatility, plus
 * the push of the current regime (trend up, trend down, pulled back to an anchor, calm), plus a rare
 * jump. Each trade then prints half a spread above or below it. Volatility remembers large steps
 * (clustering); trades come quicker at both ends of the session (U shape).
 * Every number is an integer below 2^53; no transcendental function is called, so nothing depends on a
 * platform's last digit. It is for demonstrations and tests; it claims nothing about real markets.
 *
 * Invariants
 * - One seed, one byte string: the golden SHA-256 in generator.test.ts and docs/formats/recordings.json.
 * - Each ingredient draws from its own named stream, so that changing one moves no other.
 */
import type { InstrumentSpec } from "@rumi/abi";
import {
  failure,
  formatDecimal,
  seededRandom,
  type Failure,
  type InstrumentId,
  type Random,
  type Result,
} from "@rumi/kernel";
import { allocateColumns } from "./columns.ts";
import { VENUE_LIMITS } from "./limits.ts";
import type { TradeColumns } from "./types.ts";

export type MarketOptions = {
  readonly seed: string;
  readonly trades: number;
  /** Time of the first trade and length of the session. */
  readonly start_us: number;
  readonly session_us: number;
  /** Fair price at the start and half the spread, scaled at price_digits. */
  readonly start_price: number;
  readonly half_spread: number;
  /** Typical step of the fair price from one trade to the next, in millionths of a scaled price unit. */
  readonly step_micro: number;
  /** Push of a trend per trade, same unit. */
  readonly trend_micro: number;
  /** Part of the distance to the anchor by which a mean-reverting regime pulls back per trade, per million. */
  readonly reversion_ppm: number;
  /** Jumps per million trades, and their largest size in scaled price units. */
  readonly jumps_ppm: number;
  readonly jump_price: number;
  /** Median quantity, scaled. */
  readonly typical_quantity: number;
  readonly first_trade_id: number;
};

export const DEMO_INSTRUMENT: InstrumentSpec = {
  instrument_id: "DEMO.SIM" as InstrumentId,
  price_digits: 2,
  quantity_digits: 3,
  tick_size: 1,
  lot_size: 1,
  min_quantity: 1,
  max_quantity: 1_000_000_000,
  base_currency: "DEMO",
  quote_currency: "USD",
};

/** Six hours of 2026-01-05 at about 100.00 USD. */
export const DEMO_MARKET: MarketOptions = {
  seed: "rumi-demo-1",
  trades: 60_000,
  start_us: 1_767_603_600_000_000,
  session_us: 21_600_000_000,
  start_price: 10_000,
  half_spread: 1,
  step_micro: 900_000,
  trend_micro: 40_000,
  reversion_ppm: 2_500,
  jumps_ppm: 250,
  jump_price: 25,
  typical_quantity: 400,
  first_trade_id: 1,
};

const MICRO = 1_000_000;
/** Quantiles of the exponential distribution × 1000: −1000·ln((i+½)/128), rounded once and written down. */
const EXPONENTIAL = [
  5545, 4447, 3936, 3599, 3348, 3147, 2980, 2837, 2712, 2601, 2501, 2410, 2326, 2249, 2178, 2111, 2049, 1990, 1934,
  1882, 1832, 1784, 1739, 1695, 1653, 1613, 1575, 1538, 1502, 1468, 1434, 1402, 1371, 1340, 1311, 1282, 1255, 1228,
  1201, 1176, 1151, 1126, 1103, 1079, 1057, 1034, 1013, 991, 970, 950, 930, 910, 891, 872, 854, 836, 818, 800, 783, 766,
  749, 733, 717, 701, 685, 670, 655, 640, 625, 611, 596, 582, 568, 555, 541, 528, 515, 502, 489, 476, 464, 451, 439,
  427, 415, 404, 392, 380, 369, 358, 347, 336, 325, 314, 303, 293, 282, 272, 262, 252, 242, 232, 222, 212, 203, 193,
  184, 175, 165, 156, 147, 138, 129, 120, 111, 103, 94, 86, 77, 69, 60, 52, 44, 36, 28, 20, 12, 4,
] as const;

type Regime = {
  readonly kind: "up" | "down" | "reverting" | "calm";
  readonly anchor: number;
  readonly until: number;
};

/** Trades of one instrument (index 0), in time order, ids consecutive. */
export function generateMarket(options: MarketOptions): Result<TradeColumns, Failure> {
  const problem = optionProblem(options);
  if (problem !== undefined) return { ok: false, error: problem };
  const root = seededRandom(`rumi-market-1/${options.seed}`);
  const streams = {
    regime: root.stream("regime"),
    noise: root.stream("noise"),
    jump: root.stream("jump"),
    side: root.stream("side"),
    quantity: root.stream("quantity"),
    time: root.stream("time"),
  };
  const columns = allocateColumns(options.trades);
  const times = tradeTimes(options, streams.time);
  let fair = options.start_price * MICRO;
  /** Volatility as a multiple of the typical step, per thousand. */
  let volatility = 1_000;
  let regime: Regime = { kind: "calm", anchor: fair, until: 0 };
  for (let row = 0; row < options.trades; row += 1) {
    if (row >= regime.until) regime = nextRegime(options, streams.regime, fair, row);
    const noise = bell(streams.noise);
    let step =
      Math.trunc((noise * volatility * Math.trunc(options.step_micro / 1_000)) / 1_000) + push(options, regime, fair);
    if (streams.jump.below(MICRO) < options.jumps_ppm) {
      const size = (1 + streams.jump.below(options.jump_price)) * MICRO;
      step += streams.jump.below(2) === 0 ? size : -size;
      volatility = 3_000;
    }
    // Large steps raise volatility, time brings it back to 1000: clusters, but never a run-away.
    volatility = Math.min(4_000, Math.trunc((volatility * 985 + 1_000 * 9 + Math.abs(noise) * 7) / 1_000));
    volatility = Math.max(300, volatility);
    fair = Math.max((1 + options.half_spread) * MICRO, fair + step);
    const lean = regime.kind === "up" ? 560 : regime.kind === "down" ? 440 : 500;
    const buyer = streams.side.below(1_000) < lean;
    columns.event_time_us[row] = times[row] ?? 0;
    columns.received_time_us[row] = times[row] ?? 0;
    columns.price[row] = Math.round(fair / MICRO) + (buyer ? options.half_spread : -options.half_spread);
    columns.quantity[row] = tradeQuantity(options, streams.quantity);
    columns.aggressor[row] = buyer ? 1 : 2;
    columns.trade_id[row] = options.first_trade_id + row;
  }
  return { ok: true, value: columns };
}

/** Binance spot aggTrades: 8 columns, no header, microseconds, one trade per aggregate, LF. */
export function encodeAggTrades(columns: TradeColumns, instrument: InstrumentSpec): Uint8Array {
  const blocks: Buffer[] = [];
  let lines: string[] = [];
  for (let row = 0; row < columns.length; row += 1) {
    const id = columns.trade_id[row] ?? 0;
    const price = fixed(columns.price[row] ?? 0, instrument.price_digits);
    const quantity = fixed(columns.quantity[row] ?? 0, instrument.quantity_digits);
    lines.push(
      `${id},${price},${quantity},${id},${id},${columns.event_time_us[row]},${columns.aggressor[row] === 2 ? "True" : "False"},True\n`,
    );
    if (lines.length === 10_000 || row + 1 === columns.length) {
      blocks.push(Buffer.from(lines.join(""), "latin1"));
      lines = [];
    }
  }
  return new Uint8Array(Buffer.concat(blocks));
}

/** All decimals written, as exchanges do. */
function fixed(scaled: number, digits: number): string {
  const short = formatDecimal(scaled, digits);
  if (digits === 0) return short;
  const point = short.indexOf(".");
  return point < 0 ? `${short}.${"0".repeat(digits)}` : short.padEnd(point + 1 + digits, "0");
}

function nextRegime(options: MarketOptions, random: Random, fair: number, row: number): Regime {
  const draw = random.below(100);
  const until = row + 800 + random.below(1_800);
  // Far from home a trend leads back, so that a long market stays near its start price.
  const high = fair > options.start_price * MICRO;
  if (draw < 34) return { kind: "reverting", anchor: fair, until };
  if (draw < 48) return { kind: "calm", anchor: fair, until };
  return { kind: draw < 84 === high ? "down" : "up", anchor: fair, until };
}

function push(options: MarketOptions, regime: Regime, fair: number): number {
  switch (regime.kind) {
    case "up":
      return options.trend_micro;
    case "down":
      return -options.trend_micro;
    case "reverting":
      return Math.trunc((Math.trunc((regime.anchor - fair) / 1_000) * options.reversion_ppm) / 1_000);
    case "calm":
      return 0;
  }
}

/** Bell-shaped noise, mean 0, standard deviation about 1000: eight dice of 1225 sides. */
function bell(random: Random): number {
  let sum = 0;
  for (let i = 0; i < 8; i += 1) sum += random.below(1_225);
  return sum - 4_896;
}

/** Half of the trades below the typical quantity, a long tail above, a favour for round lots. */
function tradeQuantity(options: MarketOptions, random: Random): number {
  const tail = EXPONENTIAL[random.below(128)] ?? 0;
  const stretch = EXPONENTIAL[random.below(128)] ?? 0;
  const quantity = Math.max(
    1,
    Math.trunc((options.typical_quantity * Math.trunc((tail * (500 + stretch)) / 1_050)) / 1_000),
  );
  const round = random.below(4) === 0 && quantity > 100;
  return round ? Math.trunc(quantity / 100) * 100 : quantity;
}

/** Exponential gaps, thrice as dense at the ends of the session as in its middle, scaled to fill it exactly. */
function tradeTimes(options: MarketOptions, random: Random): Float64Array {
  const weights = new Float64Array(options.trades);
  let total = 0;
  for (let row = 0; row < options.trades; row += 1) {
    const place = Math.trunc((2_000 * row) / options.trades) - 1_000;
    const slowness = 3_000 - Math.trunc((place * place * 2) / 1_000);
    weights[row] = total;
    total += Math.trunc(((EXPONENTIAL[random.below(128)] ?? 0) * slowness) / 1_000);
  }
  const times = new Float64Array(options.trades);
  const scale = BigInt(Math.max(1, total));
  for (let row = 0; row < options.trades; row += 1) {
    times[row] = options.start_us + Number((BigInt(weights[row] ?? 0) * BigInt(options.session_us)) / scale);
  }
  return times;
}

function optionProblem(options: MarketOptions): Failure | undefined {
  const bounds: readonly (readonly [keyof MarketOptions, number, number])[] = [
    ["trades", 1, VENUE_LIMITS.generated_trades],
    ["start_us", 0, 4_102_444_800_000_000],
    ["session_us", 1, 31_622_400_000_000],
    ["start_price", 2, 1_000_000_000],
    ["half_spread", 0, 1_000_000],
    ["step_micro", 1_000, 1_000_000_000],
    ["trend_micro", 0, 1_000_000_000],
    ["reversion_ppm", 0, MICRO],
    ["jumps_ppm", 0, MICRO],
    ["jump_price", 1, 1_000_000],
    ["typical_quantity", 1, 1_000_000_000],
    ["first_trade_id", 0, Number.MAX_SAFE_INTEGER - VENUE_LIMITS.generated_trades],
  ];
  for (const [field, least, most] of bounds) {
    const value = options[field];
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) {
      return failure("RUMI-MKT-010", {
        field,
        problem: `must be a whole number from ${least} to ${most}`,
      });
    }
  }
  if (options.seed === "") return failure("RUMI-MKT-010", { field: "seed", problem: "is empty" });
  return undefined;
}
