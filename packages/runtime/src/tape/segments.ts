/**
 * The files of a tape: their names, their headers, and which rows of each count.
 *
 * How to think: a life writes segments, numbered on from those that there are, its epoch in each name. Rows are numbered
 * through all of them, and a header says with which one its segment begins. A holder that came back late may still write,
 * into its own segment or a new one: whatever a later life's first row leaves behind counts for nothing. And while one
 * reads (a shadow), the owner may drop: a file that is gone between the list and the look was not there.
 *
 * Layout: docs/formats/tape.md, formats 1 and 2. Invariants (tape.test.ts)
 * - Rows of a late writer are not read, and segments that do not follow each other are refused by whoever reads them.
 */
import { closeSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";

export const HEADER_BYTES = 64;
const MAGIC = { 1: "RUMITAP1", 2: "RUMITAP2" } as const;
const FILE = /^rows-(\d{6})(?:-e\d+)?\.tape$/;

export type SegmentHeader = {
  readonly format: 1 | 2;
  readonly epoch: number;
  readonly first_row: number;
  /** Of the row before the first; `null` and 0 where there is none, or where format 1 does not say. */
  readonly last_seq: number | null;
  readonly received_us: number;
};
export type Segment = SegmentHeader & {
  readonly path: string;
  readonly number: number;
  readonly bytes: number;
  /** Its rows before this one count. */
  readonly until: number;
};

export const tapeFolder = (run_dir: string): string => join(run_dir, "tape");
export const segmentName = (number: number, epoch: number): string =>
  `rows-${String(number).padStart(6, "0")}-e${epoch}.tape`;

/** All with a whole header, in the order of their rows; `number` is the highest there is. */
export function listSegments(run_dir: string): { readonly segments: readonly Segment[]; readonly number: number } {
  const folder = tapeFolder(run_dir);
  const found = tapeFiles(run_dir).map((name) => ({ name, number: Number(FILE.exec(name)?.[1]) }));
  // A file without a whole header is a life that ended before it received anything.
  const headed = found.flatMap(({ name, number }) => {
    const path = join(folder, name);
    const header = unlessGone(() => readHeader(path));
    const bytes = unlessGone(() => statSync(path).size);
    return header === undefined || bytes === undefined ? [] : [{ ...header, path, number, bytes, until: Infinity }];
  });
  headed.sort((a, b) => a.epoch - b.epoch || a.number - b.number);
  let until = Infinity;
  for (const segment of headed.toReversed()) {
    segment.until = until;
    until = Math.min(until, segment.first_row);
  }
  return {
    segments: headed.filter((one) => one.first_row < one.until),
    number: found.reduce((most, one) => Math.max(most, one.number), 0),
  };
}

export function encodeHeader({ epoch, first_row, last_seq, received_us }: Omit<SegmentHeader, "format">): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC[2], 0, "latin1");
  header.writeDoubleLE(epoch, 8);
  header.writeDoubleLE(first_row, 16);
  header.writeDoubleLE(last_seq ?? -1, 24);
  header.writeDoubleLE(received_us, 32);
  header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
  return header;
}

function readHeader(path: string): SegmentHeader | undefined {
  const header = Buffer.alloc(HEADER_BYTES);
  const fd = openSync(path, "r");
  const bytes = readSync(fd, header, 0, HEADER_BYTES, 0);
  closeSync(fd);
  if (bytes < HEADER_BYTES || header.readUInt32LE(60) !== crc32(header.subarray(0, 60))) return undefined;
  const magic = header.toString("latin1", 0, 8);
  const at = { epoch: header.readDoubleLE(8), first_row: header.readDoubleLE(16) };
  if (magic === MAGIC[1]) return { format: 1, ...at, last_seq: null, received_us: 0 };
  if (magic !== MAGIC[2]) return undefined;
  const last_seq = header.readDoubleLE(24);
  return { format: 2, ...at, last_seq: last_seq < 0 ? null : last_seq, received_us: header.readDoubleLE(32) };
}

/** Names of a run's files. */
export function tapeFiles(run_dir: string): readonly string[] {
  return (unlessGone(() => readdirSync(tapeFolder(run_dir))) ?? []).filter((name) => FILE.test(name));
}

/** What is looked at may be dropped by its owner at any moment. */
export function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (problem) {
    if ((problem as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw problem;
  }
}
