/** The tape whole: written, rotated, dropped, torn, read as a stream, and the golden vectors of its formats. */
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { FeedRow, MarketFeed } from "@rumi/venues";
import { FeedBuilder, MARKET_KIND } from "@rumi/venues";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { GROUP_HEAD_BYTES } from "./group.ts";
import { TAPE_LIMITS, type TapeLimits } from "./limits.ts";
import { rowAt, runApart } from "../../test/tape-kit.ts";
import { TapeStream } from "./reader.ts";
import { HEADER_BYTES, segmentName, tapeFolder } from "./segments.ts";
import { TapeWriter } from "./writer.ts";

const made: { remove: () => void }[] = [];
afterEach(() => made.splice(0).forEach((one) => one.remove()));
const folder = (): string => {
  const one = temporaryFolder();
  made.push(one);
  return one.path;
};

type Life = {
  readonly epoch?: number;
  readonly limits?: Partial<TapeLimits>;
  readonly group?: number;
  readonly needed?: () => number;
  /** A row that is still there. */
  readonly from?: number;
};

/** A life that goes on where the tape ends, and writes so many rows in groups of `group`. */
async function live(
  path: string,
  rows: number,
  { epoch = 1, limits, group = 7, needed = () => 0, from = 0 }: Life = {},
) {
  const read = whole(path, from);
  const feed = new FeedBuilder(16, { first_row: read.feed.length });
  for (const book of read.feed.books()) feed.carry(book.instrument, 1, book.bids, book.asks);
  const tape = new TapeWriter({
    run_dir: path,
    epoch,
    files: read.files,
    first_row: read.feed.length,
    last_seq: read.last_seq,
    received_us: read.received_us,
    books: () => feed.books(),
    needed_row: needed,
    ...(limits === undefined ? {} : { limits }),
  });
  let waiting: FeedRow[] = [];
  const publish = (): void => {
    tape.flush();
    for (const row of waiting) feed.add(row);
    waiting = [];
  };
  const first = read.feed.length;
  for (let n = first; n < first + rows; n += 1) {
    tape.append(rowAt(n), 100 + n);
    waiting.push(rowAt(n));
    if (waiting.length === group) publish();
  }
  publish();
  await tape.sync();
  tape.close();
}

function whole(path: string, from_row = 0): TapeStream {
  const tape = opened(path, from_row);
  const problem = tape.fill(Number.POSITIVE_INFINITY);
  if (problem !== null) throw new Error(JSON.stringify(problem.params));
  return tape;
}
function opened(path: string, from_row = 0): TapeStream {
  const tape = TapeStream.open(path, from_row);
  if (!tape.ok) throw new Error(JSON.stringify(tape.error.params));
  return tape.value;
}
/** Every column and table of the rows from `from` on, as a builder of the same rows has them. */
function same(feed: MarketFeed, rows: number, from = 0): void {
  const expected = new FeedBuilder(16);
  for (let n = 0; n < rows; n += 1) expected.add(rowAt(n));
  expect(feed.length).toBe(rows);
  for (let row = from; row < rows; row += 1) {
    const [read, wanted] = [told(feed, row), told(expected.feed, row)];
    if (!isDeepStrictEqual(read, wanted)) expect(read, `row ${row}`).toEqual(wanted);
  }
}
function told(feed: MarketFeed, row: number): unknown {
  const { mixed, ...columns } = feed;
  const own = Object.entries(columns).flatMap(([name, column]) =>
    typeof column === "number" ? [] : [[name, column[row]]],
  );
  const kind = mixed?.kind[row] ?? MARKET_KIND.trade;
  const at = mixed?.detail[row] ?? 0;
  const tables: Readonly<Record<number, unknown>> = {
    [MARKET_KIND.quote]: mixed?.quotes,
    [MARKET_KIND.bar]: mixed?.bars,
    [MARKET_KIND.book]: mixed?.books,
  };
  const { first_level, level_price, level_quantity, ...table } = { ...(tables[kind] as object) } as Record<
    string,
    Float64Array
  >;
  const first = first_level?.[at] ?? 0;
  const levels = (table["bids"]?.[at] ?? 0) + (table["asks"]?.[at] ?? 0);
  return [
    kind,
    own,
    Object.entries(table).map(([name, column]) => [name, column[at]]),
    level_price === undefined ? [] : [...level_price.subarray(first, first + levels)],
    level_quantity === undefined ? [] : [...level_quantity.subarray(first, first + levels)],
  ];
}
const file = (path: string, number: number, epoch = 1): string => join(tapeFolder(path), segmentName(number, epoch));
const files = (path: string): readonly string[] => readdirSync(tapeFolder(path)).toSorted();
const problemOf = (path: string, from_row = 0): unknown => {
  const tape = TapeStream.open(path, from_row);
  const problem = tape.ok ? tape.value.fill(Number.POSITIVE_INFINITY) : tape.error;
  return problem === null ? "read" : [problem.code, problem.reasonCode, problem.params["problem"]];
};

describe("tape", () => {
  it("[M-6.1.1] what was received is read back over several lives: every kind, flags, times, levels", async () => {
    const path = folder();
    same(whole(path).feed.feed, 0);
    await live(path, 40);
    await live(path, 3, { epoch: 2 });
    await live(path, 0, { epoch: 3 });
    const read = whole(path);
    same(read.feed.feed, 43);
    expect([read.last_seq, read.received_us, read.torn]).toEqual([142, rowAt(42).received_time_us, null]);
    expect(new Set(Array.from({ length: 43 }, (_, n) => rowAt(n).kind)).size).toBe(4);
  });

  it("a full segment is followed by the next; a reader may begin at any row, with the books as they stood there", async () => {
    const path = folder();
    await live(path, 2_000, { limits: { segment_bytes: 4_096 } });
    expect(files(path).length).toBeGreaterThan(20);
    for (const name of files(path)) expect(statSync(join(tapeFolder(path), name)).size).toBeLessThan(4_096 + 4_000);
    same(whole(path).feed.feed, 2_000);
    for (const from of [0, 1, 999, 1_998, 1_999, 2_000]) {
      const late = whole(path, from);
      expect(late.feed.feed.kept_from ?? 0).toBeLessThanOrEqual(from);
      if (from > 900) expect(late.feed.feed.kept_from).toBeGreaterThan(from - 100);
      same(late.feed.feed, 2_000, late.feed.feed.kept_from);
    }
  });

  it("read bit by bit, it forgets what is behind and tells the same", async () => {
    const path = folder();
    await live(path, 3_000);
    const tape = opened(path);
    for (let row = 0; row < 3_000; row += 100) {
      expect(tape.fill(row + 101)).toBeNull();
      tape.feed.forget(row - 10);
      expect(tape.ended).toBe(row + 101 > 3_000);
    }
    same(tape.feed.feed, 3_000, tape.feed.feed.kept_from);
  });

  it("old segments go once no state checkpoint needs them, and only beyond what the setting keeps", async () => {
    const path = folder();
    const limits = { segment_bytes: 4_096, keep_bytes: 20_000 };
    await live(path, 1_000, { limits: { segment_bytes: 4_096 } });
    const all = files(path).length;
    await live(path, 200, { epoch: 2, limits, needed: () => 0 });
    expect(files(path).length, "everything is needed").toBeGreaterThan(all);
    await live(path, 200, { epoch: 3, limits, needed: () => 700 });
    expect(problemOf(path)).toEqual([
      "RUMI-STR-045",
      "M.TAPE.CORRUPT",
      expect.stringMatching(/^it begins at row \d+, and row 0 is needed$/),
    ]);
    same(whole(path, 700).feed.feed, 1_400, 700);
    await live(path, 200, { epoch: 4, limits, needed: () => Infinity, from: 1_390 });
    const bytes = files(path).reduce((sum, name) => sum + statSync(join(tapeFolder(path), name)).size, 0);
    expect(bytes).toBeGreaterThanOrEqual(limits.keep_bytes);
    expect(bytes).toBeLessThan(limits.keep_bytes + 12_000);
    same(whole(path, 1_590).feed.feed, 1_600, 1_590);
  });

  it("a group is written when it is full, and a book with as many levels as a frame may have fits", async () => {
    const path = folder();
    const { book_levels } = await import("@rumi/abi").then((abi) => abi.ABI_LIMITS);
    const books = new FeedBuilder(16);
    const options = { run_dir: path, epoch: 1, files: 0, first_row: 0, last_seq: null, received_us: 0 };
    const tape = new TapeWriter({
      ...options,
      books: () => books.books(),
      needed_row: () => 0,
      limits: { segment_bytes: 1 },
    });
    const levels = Array.from({ length: book_levels }, (_, n) => [10 + n, 1 + n] as const);
    const book = { ...rowAt(3), kind: "book", action: "snapshot", first_sequence: 1, last_sequence: 2 } as const;
    let appended = 0;
    for (; !tape.isFull; appended += 1) tape.append(rowAt(0), appended);
    expect(appended).toBeGreaterThan(TAPE_LIMITS.group_bytes / 200);
    for (const side of [
      { bids: levels, asks: [] },
      { bids: [], asks: levels.map(([price, q]) => [price + book_levels, q] as const) },
    ]) {
      tape.append({ ...book, ...side, action: side.bids.length > 0 ? "snapshot" : "increment" }, 1);
      tape.flush();
      books.add({ ...book, ...side, action: side.bids.length > 0 ? "snapshot" : "increment" });
    }
    tape.append(rowAt(0), 9);
    tape.flush();
    tape.append(rowAt(0), 10);
    tape.close();
    const read = whole(path, appended + 2);
    expect(read.feed.length).toBe(appended + 3);
    expect([...read.feed.books()][0]).toEqual([...books.books()][0]);
    expect(() => tape.append({ ...book, bids: levels, asks: [[1, 1]] }, 1)).toThrow();
  });
});

describe("tape, damaged", () => {
  it("a torn tail ends it and is told with its place; the next life goes on behind it, and it is told no more", async () => {
    const path = folder();
    await live(path, 21);
    const size = statSync(file(path, 1)).size;
    truncateSync(file(path, 1), size - 5);
    const torn = whole(path);
    expect(torn.feed.length).toBe(14);
    expect(torn.torn).toEqual({ path: file(path, 1), offset: expect.any(Number), bytes: expect.any(Number) });
    expect((torn.torn?.offset ?? 0) + (torn.torn?.bytes ?? 0)).toBe(size - 5);
    await live(path, 5, { epoch: 2 });
    expect(whole(path).torn).toBeNull();
    same(whole(path).feed.feed, 19);
    appendFileSync(file(path, 2, 2), Buffer.alloc(GROUP_HEAD_BYTES - 1, 1));
    expect(whole(path).torn?.bytes).toBe(GROUP_HEAD_BYTES - 1);
  });

  it("one bit changed ends the tape there; with rows of another segment behind it, it is refused", async () => {
    const path = folder();
    await live(path, 70);
    const bytes = readFileSync(file(path, 1));
    const half = Math.floor(bytes.length / 2);
    bytes[half] = (bytes[half] ?? 0) ^ 1;
    writeFileSync(file(path, 1), bytes);
    const { length } = whole(path).feed;
    expect(length).toBeGreaterThan(0);
    expect(length % 7).toBe(0);
    expect(length).toBeLessThan(70);
    bytes[half] = (bytes[half] ?? 0) ^ 1;
    writeFileSync(file(path, 1), bytes);
    await live(path, 7, { epoch: 2 });
    bytes[half] = (bytes[half] ?? 0) ^ 1;
    writeFileSync(file(path, 1), bytes);
    expect(problemOf(path)).toEqual(["RUMI-STR-045", "M.TAPE.CORRUPT", `it begins at row 70, and ${length} were read`]);
  });

  it("[M-7.1.2] what a late holder still writes, into its own segment or a new one, is not read", async () => {
    const path = folder();
    await live(path, 42);
    const late = readFileSync(file(path, 1));
    await live(path, 20, { epoch: 2 });
    appendFileSync(file(path, 1), late.subarray(HEADER_BYTES));
    const other = folder();
    await live(other, 42);
    await live(other, 9, { epoch: 1 });
    copyFileSync(file(other, 2), file(path, 2));
    const read = whole(path);
    expect([read.feed.length, read.last_seq, read.torn]).toEqual([62, 161, null]);
    same(read.feed.feed, 62);
  });

  it("a life that never got its header counts for nothing; a row of a kind that is not known is refused", async () => {
    const path = folder();
    await live(path, 6);
    writeFileSync(file(path, 2, 2), "RUMITAP2");
    same(whole(path).feed.feed, 6);
    await live(path, 6, { epoch: 3 });
    expect(files(path)).toEqual(["rows-000001-e1.tape", "rows-000002-e2.tape", "rows-000003-e3.tape"]);
    same(whole(path).feed.feed, 12);
    const { crc32 } = await import("node:zlib");
    const bytes = readFileSync(file(path, 3, 3));
    const group = bytes.subarray(bytes.indexOf("TGRP", HEADER_BYTES));
    const isCarried = group.readUInt32LE(8) === 0;
    expect(isCarried, "the books come first").toBe(true);
    group.writeUInt8(99, GROUP_HEAD_BYTES + 4);
    const end = GROUP_HEAD_BYTES + group.readUInt32LE(4);
    group.writeUInt32LE(crc32(group.subarray(GROUP_HEAD_BYTES, end), crc32(group.subarray(0, 12))), 12);
    writeFileSync(file(path, 3, 3), bytes);
    expect(problemOf(path)).toEqual([
      "RUMI-STR-045",
      "M.TAPE.CORRUPT",
      "a row is of kind 99, which this version does not know",
    ]);
  });
});

describe("tape, apart", () => {
  it(
    "kill -9 in the middle of writing: all that was flushed is there, and what is torn is said",
    { timeout: 180_000 },
    async () => {
      for (let round = 0; round < 5; round += 1) {
        const path = folder();
        const { lines } = await runApart({ task: "write", path, until_rows: 2_000 + round * 700 });
        const flushed = Number(lines.at(-1));
        const read = whole(path);
        expect(read.feed.length).toBeGreaterThanOrEqual(flushed);
        same(read.feed.feed, read.feed.length);
        await live(path, 10, { epoch: 2 });
        same(whole(path).feed.feed, read.feed.length + 10);
      }
    },
  );

  it("a tape much larger than heap and memory may be is read to its end under both", { timeout: 120_000 }, async () => {
    const path = folder();
    const { lines } = await runApart({ task: "stream", path, megabytes: 96, heap_mb: 16 });
    const { rows, bytes, grown_mb } = JSON.parse(lines.at(-1) ?? "{}") as Record<string, number>;
    expect(bytes).toBeGreaterThan(96e6);
    expect(rows).toBeGreaterThan(1_400_000);
    expect(grown_mb, "of resident memory, while it read").toBeLessThan(64);
  });
});

describe("tape, golden", () => {
  type Vector = { readonly files: readonly { readonly name: string; readonly hex: string }[]; readonly rows: number };
  const golden = (version: number): Vector =>
    JSON.parse(
      readFileSync(new URL(`../../../../docs/formats/tape.v${version}.json`, import.meta.url), "utf8"),
    ) as Vector;
  const laid = (vector: Vector): string => {
    const path = folder();
    mkdirSync(tapeFolder(path), { recursive: true });
    for (const { name, hex } of vector.files) writeFileSync(join(tapeFolder(path), name), Buffer.from(hex, "hex"));
    return path;
  };

  it("format 2: the vector is what is written today, and reads as it did", async () => {
    const vector = golden(2);
    const path = folder();
    await live(path, 8, { group: 4 });
    await live(path, 4, { epoch: 2, group: 4 });
    const written = files(path).map((name) => ({
      name,
      hex: readFileSync(join(tapeFolder(path), name)).toString("hex"),
    }));
    expect(vector.files).toEqual(written);
    same(whole(laid(vector)).feed.feed, vector.rows);
  });

  it("format 1 is read for ever, and a life in format 2 goes on behind it", async () => {
    const vector = golden(1);
    const path = laid(vector);
    const read = whole(path);
    expect([read.feed.length, read.last_seq]).toEqual([vector.rows, 9]);
    expect([...read.feed.feed.price.subarray(0, 3)]).toEqual([10_001, 10_002, 10_003]);
    const { feed } = read.feed;
    const tape = new TapeWriter({
      run_dir: path,
      epoch: 5,
      files: read.files,
      first_row: feed.length,
      last_seq: 9,
      received_us: 0,
      books: () => [],
      needed_row: () => 0,
    });
    tape.append(rowAt(0), 10);
    tape.flush();
    tape.close();
    expect(whole(path).feed.length).toBe(vector.rows + 1);
    expect(files(path).at(-1)).toBe("rows-000003-e5.tape");
  });
});
