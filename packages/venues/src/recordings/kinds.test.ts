/** Layouts other than trades, each read whole, with its report; several kinds in one feed; the cache of them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import type { InstrumentId } from "@rumi/kernel";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { FLAG_CLOCK_DRIFT, FLAG_DUPLICATE, FLAG_GAP, FLAG_OUT_OF_ORDER, FLAG_STALE } from "../columns.ts";
import { DEMO_INSTRUMENT } from "../generator.ts";
import { MARKET_KIND, type MarketFeed, type RecordingFormat } from "../types.ts";
import { inferInstrument } from "./infer.ts";
import { loadRecordings, streamRecording, type LoadedRecordings, type LoadOptions } from "./load.ts";

const folder = temporaryFolder();
afterAll(folder.remove);
let count = 0;
function fileOf(content: string | Uint8Array, name = "file.csv"): string {
  const path = join(folder.path, `${(count += 1)}-${name}`);
  writeFileSync(path, content);
  return path;
}
const SPEC = { ...DEMO_INSTRUMENT, quantity_digits: 1 };
async function load(content: string | Uint8Array, options: LoadOptions = {}): Promise<LoadedRecordings> {
  const file = { path: fileOf(content), format: "auto", instrument: SPEC } as const;
  const loaded = await loadRecordings([file], options);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  return loaded.value;
}
const MS = 1_700_000_000_000 - (1_700_000_000_000 % 60_000);
const US = MS * 1_000;
const MINUTE = 60_000;

const TARDIS = "exchange,symbol,timestamp,local_timestamp";
const QUOTES = `${TARDIS},ask_amount,ask_price,bid_price,bid_amount`;
const quote = (event: number, received: number, rest = "5,100.25,100.20,7.5"): string =>
  `x,ABC,${US + event},${US + received},${rest}`;
const BOOK = `${TARDIS},is_snapshot,side,price,amount`;
const change = (event: number, received: number, rest: string): string =>
  `x,ABC,${US + event},${US + received},${rest}`;
const kline = (minute: number, rest = "100.00,101.00,99.50,100.50,12.5"): string =>
  `${MS + minute * MINUTE},${rest},${MS + (minute + 1) * MINUTE - 1},1250.0,7,6.0,600.0,0`;
const candle = (minute: number, rest = "100.0,101.0,99.5,100.5,12.5"): string => `[${MS + minute * MINUTE},${rest}]`;

function barsOf(feed: MarketFeed): number[][] {
  const { mixed } = feed;
  return Array.from({ length: feed.length }, (_, row) => {
    const at = mixed?.detail[row] ?? -1;
    const bars = mixed?.bars;
    return [
      (feed.event_time_us[row] ?? 0) - US,
      bars?.duration_us[at] ?? -1,
      bars?.open[at] ?? -1,
      bars?.high[at] ?? -1,
      bars?.low[at] ?? -1,
      feed.price[row] ?? -1,
      feed.quantity[row] ?? -1,
      feed.trade_id[row] ?? -1,
    ];
  });
}
const bar = (minute: number, trades: number): number[] => [
  (minute + 1) * MINUTE * 1_000,
  MINUTE * 1_000,
  10_000,
  10_100,
  9_950,
  10_050,
  125,
  trades,
];

describe("quotes", () => {
  const rows: readonly (readonly [string, string, RecordingFormat])[] = [
    ["Tardis quotes", `${QUOTES}\n${quote(0, 5)}\n${quote(9, 14, "5,100.25,,")}\n`, "tardis_quotes"],
    [
      "Binance bookTicker",
      `update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time\n7,100.20,7.5,100.25,5,${US},${US + 5}\n9,0,0,100.25,5,${US + 9},${US + 14}`,
      "binance_book_ticker",
    ],
  ];
  for (const [name, content, format] of rows) {
    it(`[M-4.1.1] reads ${name}: best bid and ask, both times, the middle as the row's price`, async () => {
      const { feed, report } = await load(content);
      expect([report.files[0]?.format, report.files[0]?.header, report.rows_rejected]).toEqual([format, true, 0]);
      const { mixed } = feed;
      expect([...(mixed?.kind ?? [])]).toEqual([MARKET_KIND.quote, MARKET_KIND.quote]);
      expect([...(mixed?.quotes.bid_price ?? [])]).toEqual([10_020, 0]);
      expect([...(mixed?.quotes.bid_quantity ?? [])]).toEqual([75, 0]);
      expect([...(mixed?.quotes.ask_price ?? [])]).toEqual([10_025, 10_025]);
      expect([...(mixed?.quotes.ask_quantity ?? [])]).toEqual([50, 50]);
      expect([...feed.price]).toEqual([10_022, 10_025]);
      expect([...feed.event_time_us].map((time) => time - US)).toEqual([0, 9]);
      expect([...feed.received_time_us].map((time) => time - US)).toEqual([5, 14]);
    });
  }

  it("[M-11.1] [M-11.3] every defect of a quotes file is flagged and counted: stale, gap, dup, out of order, clock drift", async () => {
    const hour = 3_600_000_000;
    const lines = [
      quote(0, 0),
      quote(0, 0),
      quote(10, 11_000_010),
      quote(5, 11_000_011, "5,100.30,100.20,7.5"),
      quote(20_000_000, 18_000_000, "5,100.35,100.20,7.5"),
      quote(hour * 2, hour * 2),
    ];
    const { feed, report } = await load([QUOTES, ...lines].join("\n"));
    expect([...feed.flags]).toEqual([
      0,
      FLAG_DUPLICATE,
      FLAG_STALE,
      FLAG_OUT_OF_ORDER | FLAG_STALE,
      FLAG_CLOCK_DRIFT,
      FLAG_GAP,
    ]);
    expect(report).toMatchObject({ stale: 2, gaps: 1, time_gaps: 1, duplicates: 1, out_of_order: 1, clock_drift: 1 });
    const patient = await load([QUOTES, ...lines].join("\n"), {
      stale_after_us: hour,
      max_time_gap_us: hour * 3,
      max_clock_drift_us: hour,
    });
    expect([...patient.feed.flags]).toEqual([0, FLAG_DUPLICATE, 0, FLAG_OUT_OF_ORDER, 0, 0]);
  });
});

describe("bars", () => {
  const rows: readonly (readonly [string, string | Uint8Array, RecordingFormat, number])[] = [
    ["Binance klines", `${kline(0)}\n${kline(1)}\n`, "binance_klines", 7],
    [
      "klines with a header, in microseconds, gzip",
      gzipSync(
        `open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore\n${[
          0, 1,
        ]
          .map(
            (minute) => `${US + minute * 6e7},100.00,101.00,99.50,100.50,12.5,${US + (minute + 1) * 6e7 - 1},1,7,1,1,0`,
          )
          .join("\n")}`,
      ),
      "binance_klines",
      7,
    ],
    ["Freqtrade json", `[${candle(0)},\n ${candle(1)}]`, "freqtrade_json", 0],
    [
      "Freqtrade json with exponents",
      `[${candle(0, "1e2,1.01E+2,9950e-2,100.5,1.25e1")},${candle(1)}]`,
      "freqtrade_json",
      0,
    ],
  ];
  for (const [name, content, format, trades] of rows) {
    it(`[M-4.1.1] reads ${name}: a bar is delivered at its end`, async () => {
      const { feed, report } = await load(content);
      expect([report.files[0]?.format, report.rows_read, report.rows_rejected]).toEqual([format, 2, 0]);
      expect(barsOf(feed)).toEqual([bar(0, trades), bar(1, trades)]);
      expect([...feed.received_time_us]).toEqual([...feed.event_time_us]);
    });
  }

  it("[M-11.1] a missing bar is a gap, a repeated one a duplicate, a changed one a conflict, an earlier one out of order", async () => {
    const lines = [kline(0), kline(1), kline(1), kline(4), kline(3), kline(4, "100.00,101.00,99.50,100.75,12.5")];
    const { feed, report } = await load(lines.join("\n"));
    expect(report).toMatchObject({
      gaps: 1,
      id_gaps: 1,
      time_gaps: 0,
      duplicates: 1,
      out_of_order: 1,
      id_conflicts: 1,
    });
    expect([...feed.flags]).toEqual([0, 0, FLAG_DUPLICATE, FLAG_OUT_OF_ORDER, FLAG_GAP, 0]);
  });

  it("a volume is a sum with noise: what is finer than the instrument's digits is cut off, by both parsers", async () => {
    const noisy = [
      kline(0, "100.00,101.00,99.50,100.50,12.5999999"),
      kline(1, "100.00,101.00,99.50,100.50,0.30000000000000004"),
    ];
    const { feed, report } = await load(
      [...noisy, kline(2, "100.00,101.00,99.50,100.50,7.2999"), "x".repeat(1_000)].join("\n"),
    );
    expect([...feed.quantity]).toEqual([125, 3, 72]);
    expect(report.rows_rejected).toBe(1);
  });

  const wrong: readonly (readonly [string, string])[] = [
    [kline(2, "100.00,99.00,98.00,98.50,1"), "open or close lies outside high and low"],
    [kline(2, "100.00,101.00,100.20,100.50,1"), "open or close lies outside high and low"],
    [kline(2, "0,101.00,99.50,100.50,1"), "open is zero"],
    [
      kline(2).replace(String(MS + 3 * MINUTE - 1), String(MS + 4 * MINUTE - 1)),
      "bar has another duration than the file's first one",
    ],
    [kline(2).replace(String(MS + 3 * MINUTE - 1), String(MS)), "close time is before open time"],
    [kline(2).replace(",7,", ",x,"), "number of trades is not a whole number"],
  ];
  for (const [line, problem] of wrong)
    it(`refuses a bar: ${problem}`, async () => {
      const { report } = await load([kline(0), line, kline(3)].join("\n"));
      expect(report.first_rejected).toMatchObject({ line: 2, problem });
    });

  it("a list of candles: the number of the candle is the line; one alone, and a list without end, are refused", async () => {
    const { report } = await load(`[${candle(0)},[${MS},2],${candle(1)},null,${candle(2)}`);
    expect(report.rejections).toEqual({
      "has 2 columns instead of 6": 1,
      "open time is not a whole number": 2,
    });
    expect(report.first_rejected?.line).toBe(2);
    const alone = await loadRecordings([{ path: fileOf(`[${candle(0)}]`), format: "auto", instrument: SPEC }]);
    expect(alone.ok ? "" : alone.error.params["problem"]).toBe(
      "candle is the only one, so that its duration is unknown",
    );
    const empty = await loadRecordings([{ path: fileOf("[]"), format: "auto", instrument: SPEC }]);
    expect(empty.ok ? "" : empty.error.code).toBe("RUMI-MKT-002");
  });

  it("more than a thousand candles: all of them arrive, with the smallest step as duration", async () => {
    const lines = Array.from({ length: 2_500 }, (_, i) => candle(i < 3 ? i * 5 : i + 20));
    const { feed, report } = await load(`[${lines.join(",")}]`);
    expect([feed.length, report.rows_rejected, feed.mixed?.bars.duration_us[2_499]]).toEqual([2_500, 0, 6e7]);
  });
});

describe("books", () => {
  const SNAPSHOT = [
    change(0, 5, "true,ask,100.30,4"),
    change(0, 5, "true,ask,100.25,5"),
    change(0, 5, "true,bid,100.20,7"),
    change(0, 5, "true,bid,100.10,9"),
  ];
  const levels = (feed: MarketFeed, row: number): unknown => {
    const books = feed.mixed?.books;
    const at = feed.mixed?.detail[row] ?? -1;
    const first = books?.first_level[at] ?? 0;
    const of = (from: number, many: number) =>
      Array.from({ length: many }, (_, i) => [books?.level_price[from + i], books?.level_quantity[from + i]]);
    const bids = books?.bids[at] ?? 0;
    return [books?.action[at], of(first, bids), of(first + bids, books?.asks[at] ?? 0)];
  };

  it("[M-4.1.1] rows of one message are one event: a snapshot, then increments, best level first", async () => {
    const lines = [
      ...SNAPSHOT,
      change(10, 20, "false,bid,100.20,0"),
      change(10, 20, "false,ask,100.22,1"),
      change(10, 21, "false,bid,100.21,3"),
    ];
    const { feed, report } = await load([BOOK, ...lines].join("\n"));
    expect(report).toMatchObject({ rows_read: 7, rows_accepted: 7, events: 3, gaps: 0 });
    expect([0, 1, 2].map((row) => levels(feed, row))).toEqual([
      [
        1,
        [
          [10_020, 70],
          [10_010, 90],
        ],
        [
          [10_025, 50],
          [10_030, 40],
        ],
      ],
      [2, [[10_020, 0]], [[10_022, 10]]],
      [2, [[10_021, 30]], []],
    ]);
    const books = feed.mixed?.books;
    expect([...(books?.bid_price ?? [])]).toEqual([10_020, 10_010, 10_021]);
    expect([...(books?.ask_price ?? [])]).toEqual([10_025, 10_022, 10_022]);
    expect([...(books?.first_sequence ?? [])]).toEqual([1, 5, 7]);
    expect([...(books?.last_sequence ?? [])]).toEqual([4, 6, 7]);
    expect([...feed.received_time_us].map((time) => time - US)).toEqual([5, 20, 21]);
  });

  it("[M-11.1] increments before any snapshot, and behind a refused row, carry the gap flag", async () => {
    const lines = [
      change(-10, -9, "false,bid,100.00,1"),
      ...SNAPSHOT,
      change(10, 20, "false,middle,100.20,0"),
      change(30, 40, "false,bid,100.21,3"),
      change(50, 60, "false,bid,100.21,4"),
    ];
    const { feed, report } = await load([BOOK, ...lines].join("\n"));
    expect([...feed.flags]).toEqual([FLAG_GAP, 0, FLAG_GAP, 0]);
    expect(report).toMatchObject({ rows_rejected: 1, gaps: 1 });
    expect(report.first_rejected).toMatchObject({ line: 7, problem: "side is not bid or ask" });
  });

  it("[M-4.1.1] reads Tardis book_snapshot_5 and _25: every row a snapshot, empty levels left out", async () => {
    for (const depth of [5, 25]) {
      const names = Array.from(
        { length: depth },
        (_, i) => `asks[${i}].price,asks[${i}].amount,bids[${i}].price,bids[${i}].amount`,
      );
      const full = Array.from({ length: depth }, (_, i) => `${100.25 + i},5,${100.2 - i},7`);
      const thin = Array.from({ length: depth }, (_, i) => (i === 0 ? "100.50,1,100.40,2" : ",,,"));
      const lines = [full, thin].map((level, row) => `x,ABC,${US + row},${US + row + 5},${level.join(",")}`);
      const { feed, report } = await load([`${TARDIS},${names.join(",")}`, ...lines].join("\n"));
      expect([report.files[0]?.format, report.rows_rejected, feed.length]).toEqual(["tardis_book_snapshot", 0, 2]);
      expect(feed.mixed?.books.bids[0]).toBe(depth);
      expect(levels(feed, 1)).toEqual([1, [[10_040, 20]], [[10_050, 10]]]);
    }
  });

  it("a stream cut into batches keeps the book across them", async () => {
    const changes = Array.from({ length: 40 }, (_, i) =>
      change(10 + i, 20 + i, `false,bid,100.${(i % 9) + 10},${i + 1}`),
    );
    const content = [BOOK, ...SNAPSHOT, ...changes].join("\n");
    const whole = await load(content);
    const file = { path: fileOf(content), format: "auto", instrument: SPEC } as const;
    const best: number[] = [];
    const report = await streamRecording(file, (batch) => void best.push(...(batch.mixed?.books.bid_quantity ?? [])), {
      batch_rows: 1,
    });
    expect(best).toEqual([...(whole.feed.mixed?.books.bid_quantity ?? [])]);
    expect(report.ok && report.value.events).toBe(whole.feed.length);
  });
});

describe("bad rows", () => {
  const level = (n: number, rest?: string): string => rest ?? `${100.25 + n},5,${100.2 - n},7`;
  const snapshot = (first?: string): string =>
    `x,ABC,${US},${US + 5},${[0, 1, 2, 3, 4].map((n) => (n === 0 ? level(n, first) : level(n))).join(",")}`;
  const levelNames = [0, 1, 2, 3, 4].map(
    (n) => `asks[${n}].price,asks[${n}].amount,bids[${n}].price,bids[${n}].amount`,
  );
  const ticker = (rest: string): string => `${rest},${US},${US + 5}`;
  const TICKER = "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time";
  /** Of each layout its header, a sound row, and rows with the reason for which they are refused. */
  const layouts: Readonly<Record<string, { head: string; sound: string; bad: Readonly<Record<string, string>> }>> = {
    tardis_quotes: {
      head: QUOTES,
      sound: quote(0, 5),
      bad: {
        "ask price is not a number": quote(0, 5, "5,abc,100.20,7.5"),
        "ask amount is negative": quote(0, 5, "-5,100.25,100.20,7.5"),
        "ask price is finer than 2 decimals": quote(0, 5, "5,100.255,100.20,7.5"),
        "ask has an amount and no price": quote(0, 5, "5,,100.20,7.5"),
        "bid has a price and no amount": quote(0, 5, "5,100.25,100.20,0"),
        "has 7 columns instead of 8": quote(0, 5, "5,100.25,100.20"),
        "column 2 differs from the file's first row": quote(0, 5).replace("ABC", "XYZ"),
      },
    },
    binance_book_ticker: {
      head: TICKER,
      sound: ticker("7,100.20,7.5,100.25,5"),
      bad: {
        "bid has an amount and no price": ticker("8,0,7.5,100.25,5"),
        "ask price is negative": ticker("8,100.20,7.5,-1,5"),
        "has more than 7 columns": `${ticker("8,100.20,7.5,100.25,5")},1`,
      },
    },
    tardis_incremental_book_l2: {
      head: BOOK,
      sound: change(0, 5, "true,bid,100.20,7"),
      bad: {
        "column 5 is not a boolean": change(0, 5, "maybe,bid,100.20,7"),
        "side is not bid or ask": change(0, 5, "false,middle,100.20,7"),
        "price is zero": change(0, 5, "false,bid,0,7"),
        "price is empty": change(0, 5, "false,bid,,7"),
        "amount is negative": change(0, 5, "false,bid,100.20,-7"),
        "has 7 columns instead of 8": change(0, 5, "false,bid,100.20"),
      },
    },
    tardis_book_snapshot: {
      head: `${TARDIS},${levelNames.join(",")}`,
      sound: snapshot(),
      bad: {
        "ask has a price and no amount": snapshot("100.25,,100.20,7"),
        "ask has an amount and no price": snapshot(",5,100.20,7"),
        "bid has a price and no amount": snapshot("100.25,5,100.20,0"),
        "has 23 columns instead of 24": snapshot().slice(0, snapshot().lastIndexOf(",")),
      },
    },
    binance_klines: {
      head: "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore",
      sound: kline(0),
      bad: {
        "open or close lies outside high and low": kline(1, "100.00,99.00,98.00,98.50,1"),
        "volume is negative": kline(1, "100.00,101.00,99.50,100.50,-1"),
      },
    },
  };
  for (const [format, { head, sound, bad }] of Object.entries(layouts))
    it(`[M-11.1] ${format}: each bad row is refused with its reason and its line, and the rows around it are read`, async () => {
      for (const [problem, line] of Object.entries(bad)) {
        const { report } = await load([head, sound, line, sound].join("\n"));
        expect(report.first_rejected, problem).toMatchObject({ line: 3, problem });
        expect([report.files[0]?.format, report.rows_read, report.rows_accepted]).toEqual([format, 3, 2]);
        expect(report.rejections).toEqual({ [problem]: 1 });
      }
    });

  it("[M-11.1] files of every layout, each with bad rows: one feed, and one report that counts them all", async () => {
    const candles = `[${candle(0)},[${MS},2],${candle(1)},null]`;
    const contents = [
      ...Object.values(layouts).map(({ head, sound, bad }) => [head, sound, ...Object.values(bad), sound].join("\n")),
      candles,
    ];
    const files = contents.map((content, n) => ({
      path: fileOf(content),
      format: "auto" as const,
      instrument: { ...SPEC, instrument_id: `I${n}.SIM` as InstrumentId },
    }));
    const loaded = await loadRecordings(files);
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
    const { feed, report } = loaded.value;
    const bad = Object.values(layouts).reduce((sum, one) => sum + Object.keys(one.bad).length, 2);
    expect(report.files.map((file) => file.format)).toEqual([...Object.keys(layouts), "freqtrade_json"]);
    expect(report).toMatchObject({ rows_rejected: bad, rows_read: bad + 12, rows_accepted: 12, events: feed.length });
    expect(Object.values(report.rejections).reduce((sum, count) => sum + count, 0)).toBe(bad);
    expect(report.first_rejected).toMatchObject({ path: files[0]?.path, line: 3 });
    expect(new Set(feed.mixed?.kind)).toEqual(new Set([MARKET_KIND.quote, MARKET_KIND.book, MARKET_KIND.bar]));
  });
});

describe("several kinds", () => {
  const files = () => [
    { content: `${QUOTES}\n${quote(1, 30)}\n${quote(2, 50)}`, instrument: SPEC },
    { content: `${kline(-1)}\n${kline(0)}`, instrument: { ...SPEC, instrument_id: "OTHER.SIM" as InstrumentId } },
    { content: `${TARDIS},id,side,price,amount\nx,ABC,${US + 3},${US + 30},7,buy,100.25,2`, instrument: SPEC },
    { content: [BOOK, change(1, 40, "true,bid,100.00,1")].join("\n"), instrument: SPEC },
  ];

  it("[M-4.1.1] [M-0.7] merge by received time, the same however often; a second load comes from the cache alike", async () => {
    const cache_dir = join(folder.path, "cache");
    const list = files().map(({ content, instrument }) => ({
      path: fileOf(content),
      format: "auto" as const,
      instrument,
    }));
    const runs: LoadedRecordings[] = [];
    for (const options of [{}, { cache_dir }, { cache_dir }]) {
      const loaded = await loadRecordings(list, options);
      if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
      runs.push(loaded.value);
    }
    const [plain, written, hit] = runs;
    const { bar: BAR, quote: QUOTE, trade: TRADE, book: BOOK_ROW } = MARKET_KIND;
    expect([...(plain?.feed.mixed?.kind ?? [])]).toEqual([BAR, QUOTE, TRADE, BOOK_ROW, QUOTE, BAR]);
    expect([...(plain?.feed.instrument ?? [])]).toEqual([1, 0, 0, 0, 0, 1]);
    expect(written?.feed).toEqual(plain?.feed);
    expect(hit?.feed).toEqual(plain?.feed);
    expect(hit?.report.files.map((file) => file.cache)).toEqual(["hit", "hit", "hit", "hit"]);
    expect({ ...hit?.report, files: [] }).toEqual({ ...plain?.report, files: [] });
  });

  it("suggests the instrument of every kind", async () => {
    const [quotes, klines] = files();
    const first = await inferInstrument(fileOf(quotes?.content ?? ""));
    expect(first.ok && first.value.instrument).toMatchObject({
      instrument_id: "ABC.X",
      price_digits: 2,
      quantity_digits: 1,
    });
    const path = join(folder.path, "BTCUSDT-1m-2026-01.csv");
    writeFileSync(path, klines?.content ?? "");
    const second = await inferInstrument(path);
    expect(second.ok && second.value.instrument).toMatchObject({
      instrument_id: "BTCUSDT.BINANCE",
      price_digits: 1,
      quantity_digits: 1,
    });
    const json = join(folder.path, "BTC_USDT-1m.json");
    writeFileSync(json, `[${candle(0)},${candle(1)}]`);
    const third = await inferInstrument(json);
    expect(third.ok && third.value.instrument).toMatchObject({
      instrument_id: "BTC_USDT.FREQTRADE",
      base_currency: "BTC",
      quote_currency: "USDT",
    });
  });
});
