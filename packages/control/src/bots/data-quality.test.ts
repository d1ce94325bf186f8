import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { dataOf } from "../../../platform/test/kit.ts";
import { INSTRUMENT, openControl, venueBody, type Control } from "../../test/kit.ts";

let world: Control;
beforeAll(async () => {
  world = await openControl();
}, 180_000);
afterAll(async () => {
  await world.close();
});

it("[M-11.2] a bot's version says how flawed data is reacted to; the unknown is refused", async () => {
  const data_quality = { stale: "no_trade", gap: "resync", dup: "ignore", clock_drift: "limit_only" };
  const made = dataOf(await world.makeBot("careful", { data_quality }));
  expect(made).toMatchObject({ bot_id: "careful" });
  expect(dataOf(await world.query("bots.show", {}, { bot_id: "careful" }))).toMatchObject({ spec: { data_quality } });
  for (const wrong of [{ late: "ignore" }, { gap: "panic" }, { gap: true }, []]) {
    const refused = await world.makeBot("careless", { data_quality: wrong });
    expect(refused).toMatchObject({ kind: "refused", status: 400 });
  }
});

it("[M-4.1.1] a venue takes every layout of recordings, several kinds and files at once, and its report says what is in them", async () => {
  const folder = join(world.folder, "recordings");
  mkdirSync(folder, { recursive: true });
  const put = (name: string, lines: readonly string[]): string => {
    writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
    return join(folder, name);
  };
  const at = 1_570_752_000_000;
  const klines = Array.from({ length: 5 }, (_, i) => {
    const open = at + i * 60_000;
    return `${open},0.0015,0.0016,0.0014,0.00155,12.5,${open + 59_999},1,3,1,1,0`;
  });
  const tardis = "exchange,symbol,timestamp,local_timestamp";
  const us = `${at}000,${at}500`;
  const files = [
    { path: put("klines.csv", klines), format: "binance_klines" },
    {
      path: put("quotes.csv", [`${tardis},ask_amount,ask_price,bid_price,bid_amount`, `x,A,${us},1,0.0016,0.0015,2`]),
      format: "tardis_quotes",
    },
    {
      path: put("book.csv", [`${tardis},is_snapshot,side,price,amount`, `x,A,${us},true,bid,0.0015,2`]),
      format: "tardis_incremental_book_l2",
    },
    { path: put("candles.json", [`[[${at},1,1,1,1,5],[${at + 60_000},1,1,1,1,5]]`]), format: "freqtrade_json" },
  ];
  const body = {
    ...venueBody(world),
    venue_id: "KINDS",
    files: files.map((file) => ({ ...file, instrument: INSTRUMENT })),
  };
  const registered = dataOf(await world.command("venues.register", body));
  expect(JSON.stringify(registered)).toContain("binance_klines");
  const { report } = dataOf(await world.query("venues.show", {}, { venue_id: "KINDS" }));
  expect(report).toMatchObject({ rows_accepted: 9, rows_rejected: 0, events: 9, clock_drift: 0 });
  const unknown = await world.command("venues.register", {
    ...body,
    command_id: world.id(),
    venue_id: "WRONG",
    files: [{ ...files[0], format: "parquet", instrument: INSTRUMENT }],
  });
  expect(unknown).toMatchObject({ kind: "refused", status: 400 });
});
