/** A shadow's own tape keeps what its venue's setting says and what its own checkpoints need, and no more. */
import { statSync } from "node:fs";
import { afterAll, expect, it } from "vitest";
import { temporaryFolder } from "../../../../tools/test-support.ts";
import { RUN_ID, spec } from "../../test/support.ts";
import { TapeStream } from "../tape/reader.ts";
import { listSegments } from "../tape/segments.ts";
import { rowAt, standAt } from "../../test/tape-kit.ts";
import { TapeWriter } from "../tape/writer.ts";
import { PrimaryTape } from "./primary-tape.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const ROWS = 40_000;
const MIB = 1_048_576;
const SEGMENT = 65_536;

function primary(name = "primary"): string {
  const run_dir = `${folder.path}/${name}`;
  const from = { files: 0, first_row: 0, last_seq: null, received_us: 0 };
  const tape = new TapeWriter({ run_dir, epoch: 1, ...from, books: () => [], needed_row: () => 0 });
  for (let n = 0; n < ROWS; n += 1) {
    tape.append(rowAt(n), n);
    if (tape.isFull) tape.flush();
  }
  tape.flush();
  tape.close();
  return run_dir;
}

/** A shadow beside it whose checkpoints stand there takes all rows; its folder. */
function shadowed(
  name: string,
  of: string,
  keep: { readonly tape_keep_mib?: number },
  stands: readonly number[],
): string {
  const run_dir = `${folder.path}/${name}`;
  const { venue } = spec(run_dir);
  const live = { kind: "venue_sim", url: "", key: { env: "" }, stale_after_ms: 1, requests_per_second: 1 } as const;
  const opened = PrimaryTape.open({
    spec: { run_dir, epoch: 1, start: "fresh", venue: { ...venue, live: { ...live, ...keep } } },
    follows: { run_id: RUN_ID, run_dir: of },
    lower: { segment_bytes: SEGMENT },
  });
  if (!opened.ok) throw new Error(opened.error.code);
  opened.value.begin(0);
  standAt(run_dir, ...stands);
  opened.value.pull(ROWS, ROWS);
  opened.value.close();
  return run_dir;
}
const bytesOf = (run_dir: string): number =>
  listSegments(run_dir).segments.reduce((sum, { path }) => sum + statSync(path).size, 0);

it("[M-1.1.1] old segments of a shadow's tape go by the venue's setting, never one that its checkpoints need", () => {
  const of = primary();
  const all = bytesOf(shadowed("keeps-all", of, {}, [30_000, 35_000]));
  expect(all).toBeGreaterThan(2 * MIB);
  const kept = shadowed("keeps-one", of, { tape_keep_mib: 1 }, [30_000, 35_000]);
  expect(bytesOf(kept)).toBeGreaterThanOrEqual(MIB);
  expect(bytesOf(kept)).toBeLessThan(MIB + 4 * SEGMENT);
  const needed = shadowed("needs-more", of, { tape_keep_mib: 1 }, [9_000, 35_000]);
  expect(TapeStream.open(needed, 0).ok, "rows before the older checkpoint are gone").toBe(false);
  expect(TapeStream.open(needed, 8_999).ok, "the row before it is there").toBe(true);
  const [first] = listSegments(needed).segments;
  expect(first?.first_row).toBeGreaterThan(9_000 - SEGMENT / 40);
});

it("[M-1.1.1] a resumed shadow whose checkpoint stands at the border of two segments still knows the row before it", () => {
  const run_dir = shadowed("at-a-border", primary("of-a-border"), {}, [30_000]);
  const border = listSegments(run_dir).segments.find(({ first_row }) => first_row > 10_000)?.first_row ?? 0;
  standAt(run_dir, border);
  const opened = PrimaryTape.open({
    spec: { run_dir, epoch: 2, start: "resume", venue: spec(run_dir).venue },
    follows: { run_id: RUN_ID, run_dir: "not looked at" },
  });
  if (!opened.ok) throw new Error(opened.error.code);
  const { feed } = opened.value;
  expect([border - 1, border].map((row) => feed.received_time_us[row])).toEqual(
    [border - 1, border].map((row) => rowAt(row).received_time_us),
  );
});
