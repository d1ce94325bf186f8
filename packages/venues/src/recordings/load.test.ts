import fc from "fast-check";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import type { InstrumentId } from "@rumi/kernel";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { FLAG_DUPLICATE, FLAG_GAP, FLAG_OUT_OF_ORDER, FLAG_STALE } from "../columns.ts";
import { DEMO_INSTRUMENT, DEMO_MARKET, encodeAggTrades, generateMarket } from "../generator.ts";
import type { RecordingFormat } from "../types.ts";
import { VENUE_LIMITS } from "../limits.ts";
import { LAYOUTS, ROW_SLOTS } from "./layouts.ts";
import { DEFAULT_QUALITY, RowChecker } from "./row-checker.ts";
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

const GOLDEN = JSON.parse(
  readFileSync(new URL("../../../../docs/formats/recordings.json", import.meta.url), "utf8"),
) as {
  text_id: { text: string; value: number };
};
const SPEC = { ...DEMO_INSTRUMENT, quantity_digits: 1 };

async function load(
  content: string | Uint8Array,
  options: LoadOptions = {},
  format: RecordingFormat = "auto",
): Promise<LoadedRecordings> {
  const loaded = await loadRecordings([{ path: fileOf(content), format, instrument: SPEC }], options);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  return loaded.value;
}

async function refusal(content: string | Uint8Array, options: LoadOptions = {}): Promise<string> {
  const loaded = await loadRecordings([{ path: fileOf(content), format: "auto", instrument: SPEC }], options);
  return loaded.ok
    ? "loaded"
    : `${loaded.error.code} ${loaded.error.params["problem"] ?? loaded.error.params["limit_name"] ?? loaded.error.params["first_line"]}`;
}

const MS = 1_700_000_000_000;
const agg = (id: number, rest = `100.25,2.5,${id},${id},${MS},True,True`): string => `${id},${rest}`;
const at = (id: number, ms: number): string => `${id},100.25,2.5,${id},${id},${MS + ms},True,True`;
const TARDIS = "exchange,symbol,timestamp,local_timestamp,id,side,price,amount";
const tardis = (id: string, at: number, local: number, side = "buy"): string =>
  `x,ABC,${at},${local},${id},${side},100.25,2`;

function zipOf(
  entries: readonly {
    readonly name: string;
    readonly data: Uint8Array;
    readonly stored?: boolean;
  }[],
): Uint8Array {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, stored } of entries) {
    const body = stored === true ? Buffer.from(data) : deflateRawSync(data);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(stored === true ? 0 : 8, 4);
    fields.writeUInt32LE(crc32(data), 10);
    fields.writeUInt32LE(body.length, 14);
    fields.writeUInt32LE(data.length, 18);
    fields.writeUInt16LE(name.length, 22);
    parts.push(Buffer.from([0x50, 0x4b, 3, 4]), fields, Buffer.from(name), body);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(at, 10);
    directory.push(Buffer.from([0x50, 0x4b, 1, 2, 20, 0]), fields, tail, Buffer.from(name));
    at += 30 + name.length + body.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.set([0x50, 0x4b, 5, 6]);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(at, 16);
  return Buffer.concat([...parts, list, end]);
}

describe("layouts", () => {
  const rows: readonly (readonly [string, string, RecordingFormat, string])[] = [
    ["aggTrades spot, ms", agg(7), "binance_agg_trades", "ms"],
    ["aggTrades spot, us", `7,100.25,2.5,7,7,${MS}000,true,1`, "binance_agg_trades", "us"],
    [
      "aggTrades futures with header",
      `agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,is_buyer_maker\n7,100.25,2.5,7,7,${MS},true`,
      "binance_agg_trades",
      "ms",
    ],
    ["trades spot", `7,100.25,2.5,250.6250,${MS},1,1`, "binance_trades", "ms"],
    [
      "trades futures with header",
      `id,price,qty,quote_qty,time,is_buyer_maker\n7,100.25,2.5,250.625,${MS},true`,
      "binance_trades",
      "ms",
    ],
    ["tardis", `${TARDIS}\nx,ABC,${MS}000,${MS}000,7,sell,100.2500,2.5`, "tardis_trades", "us"],
    ["CRLF, byte order mark, blank last lines", `\uFEFF${agg(7)}\r\n\r\n\n`, "binance_agg_trades", "ms"],
  ];
  for (const [name, content, format, unit] of rows) {
    it(`reads ${name}`, async () => {
      const { feed, report } = await load(content);
      expect([report.files[0]?.format, report.files[0]?.time_unit, report.files[0]?.header]).toEqual([
        format,
        unit,
        /[a-z]{5}/.test(content.split("\n")[0] ?? ""),
      ]);
      expect([
        feed.length,
        feed.event_time_us[0],
        feed.price[0],
        feed.quantity[0],
        feed.aggressor[0],
        feed.trade_id[0],
      ]).toEqual([1, MS * 1_000, 10_025, 25, 2, 7]);
      expect([report.rows_read, report.rows_rejected]).toEqual([1, 0]);
    });
  }

  it("reads gzip and zip, stored and deflated, alike", async () => {
    const plain = Buffer.from(`${agg(1)}\n${agg(2)}\n`);
    for (const [bytes, compression] of [
      [gzipSync(plain), "gzip"],
      [zipOf([{ name: "a.csv", data: plain }]), "zip"],
      [zipOf([{ name: "a.csv", data: plain, stored: true }]), "zip"],
    ] as const) {
      const { feed, report } = await load(bytes);
      expect([feed.length, report.files[0]?.compression, report.files[0]?.bytes]).toEqual([
        2,
        compression,
        plain.length,
      ]);
    }
  });

  it("text ids become stable 53-bit numbers, equal for equal texts", async () => {
    const { feed } = await load(
      [
        TARDIS,
        tardis(GOLDEN.text_id.text, MS * 1_000, MS * 1_000),
        tardis("b46c84da-6942", MS * 1_000, MS * 1_000),
      ].join("\n"),
    );
    expect([...feed.trade_id].every((id) => Number.isSafeInteger(id) && id > 0)).toBe(true);
    expect(feed.trade_id[0]).not.toBe(feed.trade_id[1]);
    expect(feed.trade_id[0]).toBe(GOLDEN.text_id.value);
  });

  it("refuses what it does not know, with the first line", async () => {
    expect(await refusal("1640991660000,1,2,3,4,5,1640991719999,0,0,0,0,0,0\n")).toBe(
      "RUMI-MKT-002 1640991660000,1,2,3,4,5,1640991719999,0,0,0,0,0,0",
    );
    expect(await refusal("")).toBe("RUMI-MKT-002 (the file is empty)");
    expect(await refusal(`${TARDIS}\n`)).toBe(`RUMI-MKT-002 ${TARDIS}`);
    expect(await refusal("x\n".repeat(30) + agg(1))).toBe("RUMI-MKT-002 x");
    const missing = await loadRecordings([
      { path: join(folder.path, "no-such.csv"), format: "auto", instrument: SPEC },
    ]);
    expect(missing.ok ? "" : `${missing.error.code} ${missing.error.params["problem"]}`).toBe("RUMI-MKT-001 ENOENT");
  });
});

describe("rows", () => {
  const wrong: readonly (readonly [string, string])[] = [
    ["2,100.255,2.5,2,2,1700000000000,True,True", "price is finer than 2 decimals"],
    ["2,100.25,2.55,2,2,1700000000000,True,True", "quantity is finer than 1 decimals"],
    ["2,-100.25,2.5,2,2,1700000000000,True,True", "price is negative"],
    ["2,0.00,2.5,2,2,1700000000000,True,True", "price is zero"],
    ["2,100.25,0,2,2,1700000000000,True,True", "quantity is zero"],
    ["2,90071992547409.92,2,2,2,1700000000000,True,True", "price is 2^53 or more"],
    ["2,9007199254740992,2,2,2,1700000000000,True,True", "price is 2^53 or more"],
    ["2,1e5,2,2,2,1700000000000,True,True", "price is not a number"],
    ["2,,2,2,2,1700000000000,True,True", "price is empty"],
    ["2,100.,2,2,2,1700000000000,True,True", "price is not a number"],
    ["2,100.25,2.5,2,2,1700000000000000,True,True", "time is in us, the file's times are in ms"],
    ["2,100.25,2.5,2,2,17000,True,True", "time is before 1973"],
    ["2,100.25,2.5,2,2,1700000000000,yes,True", "column 7 is not a boolean"],
    ["2,100.25,2.5,2,x,1700000000000,True,True", "column 5 is not a whole number"],
    ["2,100.25,2.5,2,2,1700000000000,True", "has 7 columns instead of 8"],
    ["2,100.25,2.5,2,2,1700000000000,True,True,", "has more than 8 columns"],
    ["", "is empty"],
    ["9".repeat(5_000), "is longer than 4096 bytes"],
  ];
  for (const [line, problem] of wrong) {
    it(`refuses a row whose ${problem} (${line.slice(0, 30)})`, async () => {
      const { report } = await load(`${agg(1)}\n${line}\n${agg(2)}\n`);
      expect(report.first_rejected?.problem).toBe(problem);
      expect(report.first_rejected?.line).toBe(2);
      expect([report.rows_read, report.rows_accepted, report.rows_rejected]).toEqual([3, 2, 1]);
      expect(report.rejections).toEqual({ [problem]: 1 });
    });
  }

  it("a line beyond the limit is refused in the middle of well-formed ones too, and they are read on", async () => {
    const lines = Array.from({ length: 40 }, (_, i) => agg(i + 1 === 20 ? 200 : (i % 9) + 1));
    const { report } = await load(lines.join("\r\n"), { limits: { line_bytes: agg(1).length } });
    expect(report.first_rejected).toMatchObject({ line: 20, problem: `is longer than ${agg(1).length} bytes` });
    expect([report.rows_read, report.rows_rejected]).toEqual([40, 1]);
  });

  it("a file of which nothing is acceptable is a failure that names the first line", async () => {
    expect(await refusal("1,100.255,2.5,1,1,1700000000000,True,True\n")).toBe(
      "RUMI-MKT-003 price is finer than 2 decimals",
    );
  });

  it("another symbol in the same file is refused", async () => {
    const { report } = await load(
      [TARDIS, tardis("1", MS * 1_000, MS * 1_000), tardis("2", MS * 1_000, MS * 1_000).replace("ABC", "ABD")].join(
        "\n",
      ),
    );
    expect(report.first_rejected).toMatchObject({
      line: 3,
      problem: "column 2 differs from the file's first row",
    });
  });

  it("random bytes are counted, never lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.string({ maxLength: 60 }), fc.constant(agg(3)), fc.constant("\r\n")), {
          maxLength: 30,
        }),
        async (lines) => {
          const text = [agg(1), ...lines, agg(2)].join("\n");
          const { report, feed } = await load(text);
          expect(report.rows_accepted + report.rows_rejected).toBe(report.rows_read);
          expect(feed.length).toBe(report.rows_accepted);
          expect(report.rows_read).toBe(text.split("\n").length);
        },
      ),
      { seed: 5, numRuns: 60 },
    );
  });
});

describe("quality (M-11.1)", () => {
  it("[M-11.1] gap, duplicate and disorder are counted and flagged", async () => {
    const { feed, report } = await load(
      [at(1, 0), at(2, 10), at(4, 20), at(4, 20), at(5, 15), at(6, 4_000_000)].join("\n"),
    );
    expect([...feed.trade_id]).toEqual([1, 2, 5, 4, 4, 6]);
    expect([...feed.flags]).toEqual([0, 0, FLAG_OUT_OF_ORDER, FLAG_GAP, FLAG_DUPLICATE, FLAG_GAP]);
    expect(report).toMatchObject({
      gaps: 2,
      id_gaps: 1,
      time_gaps: 1,
      duplicates: 1,
      out_of_order: 1,
      id_conflicts: 0,
      stale: 0,
    });
  });

  it("[M-11.3] two clocks: delivered by local time, late arrivals are stale", async () => {
    const us = MS * 1_000;
    const lines = [
      TARDIS,
      tardis("1", us, us + 5),
      tardis("2", us + 9, us + 3),
      tardis("3", us + 20, us + 20_000_000, "unknown"),
    ];
    const { feed, report } = await load(lines.join("\n"));
    expect([...feed.trade_id]).toEqual([2, 1, 3]);
    expect([...feed.received_time_us].map((time) => time - us)).toEqual([3, 5, 20_000_000]);
    expect([...feed.flags]).toEqual([FLAG_OUT_OF_ORDER, 0, FLAG_STALE]);
    expect(feed.aggressor[2]).toBe(0);
    expect([report.out_of_order, report.stale]).toEqual([1, 1]);
  });

  it("a hash collision is told apart from a duplicate; duplicates are looked for within the window", () => {
    const [layout] = LAYOUTS;
    if (layout === undefined) throw new Error("no layout");
    const checker = new RowChecker(DEFAULT_QUALITY, { ...layout, consecutive_ids: false });
    const see = (id: number, id_check: number): number => {
      const values = new Float64Array(ROW_SLOTS);
      values.set([1, 1, id, id_check, 0, 1, 1]);
      return checker.check(values);
    };
    see(5, 1);
    expect([see(5, 2), checker.id_collisions, checker.duplicates]).toEqual([0, 1, 0]);
    see(5 + VENUE_LIMITS.duplicate_window, 2);
    expect(see(5, 2)).toBe(0);
    expect(see(5, 2)).toBe(FLAG_DUPLICATE);
  });

  it("the same id with other contents is a conflict, not a duplicate", async () => {
    const { report } = await load([agg(1), agg(1, `100.30,2.5,1,1,${MS},True,True`)].join("\n"));
    expect([report.duplicates, report.id_conflicts]).toEqual([0, 1]);
  });
});

describe("limits and damage", () => {
  const many = Buffer.from(Array.from({ length: 2_000 }, (_, i) => agg(i + 1)).join("\n"));
  it("a zip bomb, a large file and many rows end at a named limit", async () => {
    expect(await refusal(zipOf([{ name: "a.csv", data: many }]), { limits: { recording_bytes: 9_999 } })).toBe(
      "RUMI-MKT-005 recording_bytes",
    );
    expect(await refusal(gzipSync(many), { limits: { recording_bytes: 9_999 } })).toBe("RUMI-MKT-005 recording_bytes");
    expect(await refusal(many, { limits: { recording_rows: 1_999 } })).toBe("RUMI-MKT-005 recording_rows");
    const file = { path: fileOf(many), format: "auto", instrument: SPEC } as const;
    const two = await loadRecordings([file, file], { limits: { recording_files: 1 } });
    expect(two.ok ? "" : two.error.params["limit_name"]).toBe("recording_files");
  });

  it("damaged archives are refused", async () => {
    const sound = zipOf([{ name: "a.csv", data: many }]);
    const flipped = Buffer.from(sound);
    flipped.writeUInt32LE(0, flipped.length - 22 - 51 + 16);
    expect(await refusal(flipped)).toBe("RUMI-MKT-004 its checksum is wrong");
    expect(await refusal(sound.subarray(0, 400))).toBe("RUMI-MKT-004 its directory is missing");
    expect(await refusal(gzipSync(many).subarray(0, 200))).toBe("RUMI-MKT-004 it is damaged (Z_BUF_ERROR)");
    expect(
      await refusal(
        zipOf([
          { name: "a.csv", data: many },
          { name: "b.csv", data: many },
        ]),
      ),
    ).toBe("RUMI-MKT-004 it holds 2 files");
    expect(await refusal(zipOf([{ name: "a.txt", data: many }]))).toBe(
      "RUMI-MKT-004 its file is neither a .csv nor a .json",
    );
    expect(
      await refusal(zipOf([{ name: "a.csv", data: many }]), {
        limits: { zip_directory_bytes: 10 },
      }),
    ).toBe("RUMI-MKT-005 zip_directory_bytes");
  });
});

describe("several files", () => {
  it("are joined by time; one instrument has one description", async () => {
    const first = fileOf(`${agg(1)}\n`);
    const second = fileOf(`${agg(9, `100.25,2.5,9,9,${MS - 5},True,True`)}\n`);
    const other = { ...SPEC, instrument_id: "OTHER.SIM" as InstrumentId };
    const loaded = await loadRecordings([
      { path: first, format: "auto", instrument: SPEC },
      { path: second, format: "auto", instrument: other },
    ]);
    expect(
      loaded.ok && [
        [...loaded.value.feed.trade_id],
        [...loaded.value.feed.instrument],
        loaded.value.instruments.length,
      ],
    ).toEqual([[9, 1], [1, 0], 2]);
    const torn = await loadRecordings([
      { path: first, format: "auto", instrument: SPEC },
      { path: second, format: "auto", instrument: { ...SPEC, tick_size: 2 } },
    ]);
    expect(torn.ok ? "" : torn.error.code).toBe("RUMI-MKT-007");
  });
});

describe("cache", () => {
  it("gives the same columns, and a damaged copy is rebuilt", async () => {
    const cache_dir = join(folder.path, "cache");
    const file = {
      path: fileOf(`${agg(1)}\n${agg(4)}\nbad\n`),
      format: "auto",
      instrument: SPEC,
    } as const;
    const seen: unknown[] = [];
    const run = async (): Promise<LoadedRecordings> => {
      const loaded = await loadRecordings([file], { cache_dir });
      if (!loaded.ok) throw new Error(loaded.error.code);
      seen.push(loaded.value.report.files[0]?.cache);
      return loaded.value;
    };
    const first = await run();
    const second = await run();
    expect(second.feed).toEqual(first.feed);
    expect(second.report.first_rejected).toEqual(first.report.first_rejected);
    const [name = ""] = readdirSync(cache_dir);
    const copy = join(cache_dir, name);
    const bytes = readFileSync(copy);
    for (const at of [9, 40, bytes.length - 40, bytes.length - 1]) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      writeFileSync(copy, damaged);
      expect((await run()).feed).toEqual(first.feed);
    }
    writeFileSync(copy, bytes.subarray(0, 20));
    await run();
    await run();
    expect(seen).toEqual(["written", "hit", "rebuilt", "rebuilt", "rebuilt", "rebuilt", "rebuilt", "hit"]);
    expect(readFileSync(copy).equals(bytes)).toBe(true);
  });
});

describe("streams and suggestions", () => {
  const made = generateMarket({ ...DEMO_MARKET, trades: 20_000 });
  const csv = made.ok ? encodeAggTrades(made.value, DEMO_INSTRUMENT) : new Uint8Array();

  it("the generated market comes back as it was made, whole or in batches", async () => {
    const file = {
      path: fileOf(csv, "DEMO-aggTrades.csv"),
      format: "auto",
      instrument: DEMO_INSTRUMENT,
    } as const;
    const loaded = await loadRecordings([file]);
    expect(loaded.ok && loaded.value.feed).toEqual(made.ok && made.value);
    const prices: number[] = [];
    const sizes: number[] = [];
    let last = 0;
    const report = await streamRecording(
      file,
      async (batch) => {
        await Promise.resolve();
        sizes.push(batch.length);
        prices.push(...batch.price);
      },
      { batch_rows: 1_000, onProgress: ({ rows }) => (last = rows) },
    );
    expect(prices).toEqual(made.ok ? [...made.value.price] : []);
    expect(sizes.length).toBeGreaterThan(2);
    expect(last).toBeGreaterThan(15_000);
    expect(report.ok && report.value.rows_accepted).toBe(20_000);
  });

  it("suggests the instrument of a recording", async () => {
    const path = join(folder.path, "BTCUSDT-aggTrades-2026.csv");
    writeFileSync(path, csv);
    const inferred = await inferInstrument(path);
    expect(inferred.ok && inferred.value.instrument).toMatchObject({
      instrument_id: "BTCUSDT.BINANCE",
      price_digits: 2,
      quantity_digits: 3,
      tick_size: 1,
      lot_size: 1,
      base_currency: "BTC",
      quote_currency: "USDT",
    });
    const steps = Array.from(
      { length: 1_500 },
      (_, i) => `x,ABC,${MS}000,${MS}000,${i + 1},buy,${(100 + (i % 7) * 0.05).toFixed(3)},${(i % 9) * 20 + 20}`,
    );
    const coarse = await inferInstrument(fileOf([TARDIS, ...steps].join("\n")));
    expect(coarse.ok && coarse.value.instrument).toMatchObject({
      instrument_id: "ABC.X",
      price_digits: 2,
      tick_size: 5,
      quantity_digits: 0,
      quote_currency: "USD",
    });
    expect(coarse.ok && coarse.value.assumptions).toContain("The quote currency is taken to be USD.");
  });
});
