/**
 * Reads a tape that is still being written, row by row, and stays where it stands at its end.
 *
 * How to think: headers are read anew each time, so rows that a late writer left behind are cut off before they are read.
 * A group that is not whole yet is read the next time. Segments of format 1 are of lives that are over, and nobody stands
 * in them: they are refused. Who writes the tape knows nothing of who reads it, and may drop what is wanted here.
 *
 * Invariants
 * - Each row once, in its order, across segments and lives (shadow-live.test.ts).
 * - A wanted row that was dropped is told, never waited for (tail.test.ts).
 */
import { closeSync, openSync, readSync } from "node:fs";
import { type Failure, failure } from "@rumi/kernel";
import { GROUP_HEAD_BYTES, groupBytes, isSound } from "./group.ts";
import { GROUP_BYTES_MAX } from "./limits.ts";
import { readRow, type TapedRow } from "./row.ts";
import { HEADER_BYTES, listSegments, type Segment, unlessGone } from "./segments.ts";

export class TapeTail {
  readonly #run_dir: string;
  readonly #buffer = Buffer.allocUnsafeSlow(GROUP_BYTES_MAX);
  #path = "";
  #offset = HEADER_BYTES;
  /** Row with which the group at the offset begins. */
  #groupRow = 0;
  /** The next row to be handed out. */
  #row: number;

  constructor(run_dir: string, from_row: number) {
    this.#run_dir = run_dir;
    this.#row = from_row;
  }

  /** Hands out rows before `until`, and books carried over where it stands, as far as the tape is whole; error RUMI-STR-045. */
  read(until: number, take: (taped: TapedRow) => void): Failure | null {
    if (this.#row >= until) return null;
    const { segments } = listSegments(this.#run_dir);
    while (this.#row < until) {
      const segment = segments.findLast(({ first_row }) => first_row <= this.#row);
      if (segment === undefined) return this.#dropped(segments[0]);
      if (segment.format === 1) return corrupt(segment, "it is of format 1, and is followed as it is written");
      if (segment.path !== this.#path) {
        this.#path = segment.path;
        this.#offset = HEADER_BYTES;
        this.#groupRow = segment.first_row;
      }
      const group = this.#group();
      // Dropped since it was listed: what is left now says whether its rows are missing.
      if (group === "gone") return this.read(until, take);
      if (group === undefined) return null;
      const problem = this.#hand(group, Math.min(until, segment.until), take);
      if (problem !== "") return corrupt(segment, problem);
    }
    return null;
  }

  /** Without a segment nothing was received yet; one that begins later says that the row at hand is no more. */
  #dropped(first: Segment | undefined): Failure | null {
    return first === undefined
      ? null
      : corrupt(first, `it begins at row ${first.first_row}, and row ${this.#row} is needed`);
  }

  #hand(group: Buffer, until: number, take: (taped: TapedRow) => void): string {
    const view = new DataView(group.buffer, group.byteOffset, group.length);
    let row = this.#groupRow;
    for (let at = GROUP_HEAD_BYTES; at < group.length;) {
      if (row >= until) return "";
      const taped = readRow(view, at, group.length);
      if (typeof taped === "string") return taped;
      if (row === this.#row) take(taped);
      if ("seq" in taped) {
        row += 1;
        this.#row = Math.max(this.#row, row);
      }
      at += taped.bytes;
    }
    this.#offset += group.length;
    this.#groupRow = row;
    return "";
  }

  /** The group at the offset; absent while it is not whole. */
  #group(): Buffer | "gone" | undefined {
    const fd = unlessGone(() => openSync(this.#path, "r"));
    if (fd === undefined) return "gone";
    const read = readSync(fd, this.#buffer, 0, this.#buffer.length, this.#offset);
    closeSync(fd);
    const bytes = groupBytes(this.#buffer.subarray(0, read));
    const group = bytes === 0 || bytes > read ? undefined : this.#buffer.subarray(0, bytes);
    return group !== undefined && isSound(group) ? group : undefined;
  }
}

const corrupt = ({ path }: Segment, problem: string): Failure =>
  failure("RUMI-STR-045", { path, problem }, { reasonCode: "M.TAPE.CORRUPT" });
