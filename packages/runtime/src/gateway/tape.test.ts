import { appendFileSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TradeRow } from "@rumi/venues";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { readTape, TAPE_RECORD_BYTES, tapeFolder, TapeWriter } from "./tape.ts";

const made: { remove: () => void }[] = [];
afterEach(() => made.splice(0).forEach((one) => one.remove()));
const folder = (): string => {
  const one = temporaryFolder();
  made.push(one);
  return one.path;
};
const row = (n: number): TradeRow => ({
  instrument: n % 3,
  event_time_us: 1_800_000_000_000_000 + n,
  received_time_us: 1_800_000_000_000_500 + n,
  flags: n % 32,
  price: Number.MAX_SAFE_INTEGER - n,
  quantity: 5 + n,
  aggressor: n % 3,
  trade_id: 2 ** 40 + n,
});
function write(path: string, at: { files: number; first_row: number }, rows: number): void {
  const tape = new TapeWriter(path, { ...at, epoch: at.files + 1 });
  for (let n = 0; n < rows; n += 1) tape.append(row(at.first_row + n), 100 + at.first_row + n);
  tape.close();
}
const read = (path: string): { rows: number; last: number | null } => {
  const tape = readTape(path);
  if (!tape.ok) throw new Error(tape.error.code);
  const { feed } = tape.value.feed;
  for (let n = 0; n < feed.length; n += 1)
    expect([
      feed.price[n],
      feed.flags[n],
      feed.received_time_us[n],
      feed.trade_id[n],
      feed.instrument[n],
      feed.aggressor[n],
    ]).toEqual([
      row(n).price,
      row(n).flags,
      row(n).received_time_us,
      row(n).trade_id,
      row(n).instrument,
      row(n).aggressor,
    ]);
  return { rows: feed.length, last: tape.value.last_seq };
};
const file = (path: string, n: number): string => join(tapeFolder(path), `rows-00000${n}.tape`);

describe("tape", () => {
  it("[M-6.1.1] what was received is read back over several lives, flags and times included", () => {
    const path = folder();
    expect(read(path)).toEqual({ rows: 0, last: null });
    write(path, { files: 0, first_row: 0 }, 40);
    write(path, { files: 1, first_row: 40 }, 3);
    write(path, { files: 2, first_row: 43 }, 0);
    expect(read(path)).toEqual({ rows: 43, last: 142 });
  });

  it("a torn end and a changed record end a file; a life that never got its header counts for nothing", () => {
    const path = folder();
    write(path, { files: 0, first_row: 0 }, 10);
    truncateSync(file(path, 1), TAPE_RECORD_BYTES * 11 - 5);
    expect(read(path)).toEqual({ rows: 9, last: 108 });
    const bytes = readFileSync(file(path, 1));
    bytes[TAPE_RECORD_BYTES * 6 + 30] = (bytes[TAPE_RECORD_BYTES * 6 + 30] ?? 0) ^ 1;
    writeFileSync(file(path, 1), bytes);
    expect(read(path)).toEqual({ rows: 5, last: 104 });
    write(path, { files: 1, first_row: 5 }, 2);
    writeFileSync(file(path, 3), "RUMITAP1");
    expect(read(path)).toEqual({ rows: 7, last: 106 });
  });

  it("[M-7.1.2] what a late holder still writes into its own file is not read", () => {
    const path = folder();
    write(path, { files: 0, first_row: 0 }, 6);
    const late = readFileSync(file(path, 1)).subarray(TAPE_RECORD_BYTES * 5, TAPE_RECORD_BYTES * 6);
    write(path, { files: 1, first_row: 6 }, 2);
    appendFileSync(file(path, 1), late);
    expect(read(path).rows).toBe(8);
  });

  it("files that do not follow each other are refused", () => {
    const path = folder();
    write(path, { files: 0, first_row: 0 }, 3);
    write(path, { files: 1, first_row: 5 }, 3);
    const tape = readTape(path);
    expect(tape.ok ? "read" : [tape.error.code, tape.error.reasonCode]).toEqual(["RUMI-STR-045", "M.TAPE.CORRUPT"]);
  });
});
