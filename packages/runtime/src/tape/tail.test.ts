/** A tape read while it is written and dropped: what is gone is said. */
import { symlinkSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { listSegments, segmentName, tapeFolder } from "./segments.ts";
import { rowAt } from "../../test/tape-kit.ts";
import { TapeTail } from "./tail.ts";
import { TapeWriter } from "./writer.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

it("who lags behind what the tape's owner keeps is told so; who stands in what is left reads on", () => {
  const run_dir = folder.path;
  const lagging = new TapeTail(run_dir, 0);
  const read = (tail: TapeTail, until: number): unknown => {
    const rows: number[] = [];
    const broken = tail.read(until, (taped) => "seq" in taped && rows.push(taped.seq));
    return broken === null ? rows : [broken.code, broken.reasonCode, broken.params["problem"]];
  };
  expect(read(lagging, 10), "nothing was received yet").toEqual([]);
  const tape = new TapeWriter({
    run_dir,
    epoch: 1,
    files: 0,
    first_row: 0,
    last_seq: null,
    received_us: 0,
    books: () => [],
    needed_row: () => Number.POSITIVE_INFINITY,
    limits: { segment_bytes: 4_096, keep_bytes: 8_192 },
  });
  const write = (from: number, until: number): void => {
    for (let n = from; n < until; n += 1) {
      tape.append(rowAt(n), n);
      tape.flush();
    }
  };
  write(0, 10);
  expect(read(lagging, 5)).toEqual([0, 1, 2, 3, 4]);
  write(10, 1_000);
  tape.close();
  const first = listSegments(run_dir).segments[0]?.first_row ?? 0;
  expect(first).toBeGreaterThan(5);
  expect(read(lagging, 1_000)).toEqual([
    "RUMI-STR-045",
    "M.TAPE.CORRUPT",
    `it begins at row ${first}, and row 5 is needed`,
  ]);
  // A name whose file is gone when it is looked at, as where it is dropped at that moment.
  symlinkSync(join(run_dir, "dropped"), join(tapeFolder(run_dir), segmentName(1, 1)));
  expect(read(new TapeTail(run_dir, first), first + 3)).toEqual([first, first + 1, first + 2]);
});

it("a segment that is dropped after it was listed and before it is opened is told like any other that is missing", () => {
  const run_dir = join(folder.path, "dropped-in-between");
  const tape = new TapeWriter({
    run_dir,
    epoch: 1,
    files: 0,
    first_row: 0,
    last_seq: null,
    received_us: 0,
    books: () => [],
    needed_row: () => 0,
    limits: { segment_bytes: 4_096, keep_bytes: 1 << 30 },
  });
  for (let n = 0; n < 500; n += 1) {
    tape.append(rowAt(n), n);
    tape.flush();
  }
  tape.close();
  const [first, second, third] = listSegments(run_dir).segments;
  const broken = new TapeTail(run_dir, 0).read(500, (taped) => {
    // Its owner drops the oldest first.
    if ("seq" in taped && taped.seq === (second?.first_row ?? 0) - 1)
      for (const segment of [first, second]) unlinkSync(segment?.path ?? "");
  });
  expect(broken).toMatchObject({
    code: "RUMI-STR-045",
    params: { problem: `it begins at row ${third?.first_row}, and row ${second?.first_row} is needed` },
  });
});
