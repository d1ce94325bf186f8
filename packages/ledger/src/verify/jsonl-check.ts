/**
 * Holds the JSONL views against the log while it streams by: every event its line, every line its event.
 *
 * How to think: in each file the lines follow the log's order, so one cursor per file suffices. A file's
 * day is the writer's local day, and no zone is further than a day from UTC, so an event's line is at the
 * cursor of one of three files. A cursor that lags behind stands at a line that belongs nowhere.
 * The files grow while they are read: only lines that had begun when the check was opened are looked at. A line is
 * written after the checkpoint that covers it, so a head that is read after that covers them all.
 * Memory: one read buffer per open file; a file is opened when its first line is due and closed at its end.
 */
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import type { Micros } from "@rumi/kernel";
import { isoFromMicros } from "@rumi/kernel";
import { classify } from "../catalogue.ts";
import { DAY_MICROS } from "../catalogue/kind.ts";
import type { LedgerEvent } from "../event.ts";
import { jsonlLine, lineIndex } from "../jsonl.ts";
import { jsonlFiles, readPosition } from "../jsonl-writer.ts";
import type { LeafRecord } from "../leaf.ts";
import type { Findings } from "./finding.ts";

const READ_BYTES = 262_144;
/** A line is one event's payload and a little more; a longer one is no line of ours. */
const LINE_CHARACTERS_MAX = 1_048_576;

export class JsonlCheck {
  readonly #directory: string;
  readonly #cursors: Map<string, Cursor>;
  readonly #findings: Findings;
  /** Entries up to here must have their line; beyond it the views may still be behind. */
  readonly complete_to: number;
  lines = 0;

  private constructor(directory: string, files: ReadonlyMap<string, number>, complete_to: number, findings: Findings) {
    this.#directory = directory;
    this.#cursors = new Map([...files].map(([name, bytes]) => [name, new Cursor(join(directory, name), bytes)]));
    this.complete_to = complete_to;
    this.#findings = findings;
  }

  /** To be called before the log's head is read: what is there now, is then covered by that head. */
  static async open(directory: string, findings: Findings): Promise<JsonlCheck> {
    const complete_to = await readPosition(directory);
    const files = new Map<string, number>();
    for (const name of await jsonlFiles(directory)) files.set(name, (await stat(join(directory, name))).size);
    return new JsonlCheck(directory, files, complete_to, findings);
  }

  get directory(): string {
    return this.#directory;
  }

  /** The next entry of the log; `event` where its payload was readable. */
  async entry(index: number, record: LeafRecord, event: LedgerEvent | undefined): Promise<void> {
    const { category } = classify({ action: record.type, outcome: "SUCCESS" });
    for (const day of daysAround(record.time)) {
      const name = `${category}_${day}.jsonl`;
      const cursor = this.#cursors.get(name);
      const line = cursor === undefined ? undefined : await this.#lineAt(name, cursor, index);
      if (cursor === undefined || line === undefined) continue;
      cursor.advance();
      this.lines += 1;
      const problem =
        event === undefined
          ? recordProblem(line, record)
          : line === jsonlLine(index, event)
            ? undefined
            : "the line tells something else than the entry";
      if (problem !== undefined)
        this.#findings.add("jsonl_mismatch", index, "RUMI-LOG-018", { file: name, index, problem });
      return;
    }
    if (event !== undefined && index < this.complete_to) {
      this.#findings.add("jsonl_mismatch", index, "RUMI-LOG-018", {
        file: `${category}_*.jsonl`,
        index,
        problem: "its line is missing",
      });
    }
  }

  /** An entry whose payload was erased must have no line left. */
  async erased(index: number, record: LeafRecord): Promise<void> {
    const before = this.lines;
    await this.entry(index, record, undefined);
    if (this.lines > before)
      this.#findings.add("jsonl_mismatch", index, "RUMI-LOG-018", {
        file: "*.jsonl",
        index,
        problem: "the payload is gone but its line is still there",
      });
  }

  /** Reports every line that no entry claimed, and closes the files. */
  async finish(): Promise<void> {
    for (const [name, cursor] of this.#cursors) {
      await this.#lineAt(name, cursor, Number.POSITIVE_INFINITY);
      await cursor.close();
    }
  }

  /** The cursor's line if it is of entry `index`; passes over, and reports, lines that belong to none. */
  async #lineAt(name: string, cursor: Cursor, index: number): Promise<string | undefined> {
    for (;;) {
      const line = cursor.ready ? cursor.line : await cursor.read();
      if (line === undefined) return undefined;
      const at = lineIndex(line);
      if (at === index) return line;
      if (at !== undefined && at > index) return undefined;
      const problem = at === undefined ? "a line is malformed" : "a line is out of order or belongs to no entry";
      this.#findings.add("jsonl_mismatch", at ?? null, "RUMI-LOG-018", { file: name, index: at ?? "?", problem });
      cursor.advance();
    }
  }
}

/** Reads one file line by line, up to the end of the last line that begins within its first `bytes`. */
class Cursor {
  readonly #path: string;
  /** Bytes that are still to be read; below 0 those of a line that goes on beyond them. */
  #left: number;
  readonly #decoder = new StringDecoder("utf8");
  #file: FileHandle | undefined;
  #text = "";
  #at = 0;
  #ended: boolean;
  line: string | undefined;
  ready = false;

  constructor(path: string, bytes: number) {
    this.#path = path;
    this.#left = bytes;
    this.#ended = bytes === 0;
  }

  advance(): void {
    this.ready = false;
    this.line = undefined;
    const end = this.#text.indexOf("\n", this.#at);
    if (end < 0) return;
    this.line = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    this.ready = true;
  }

  async read(): Promise<string | undefined> {
    for (;;) {
      if (!this.ready) this.advance();
      if (this.ready || this.#ended) break;
      this.#file ??= await open(this.#path, "r");
      const chunk = Buffer.allocUnsafe(READ_BYTES);
      const { bytesRead } = await this.#file.read(chunk, 0, READ_BYTES);
      const read = chunk.subarray(0, bytesRead);
      const end = this.#endIn(read);
      this.#left -= bytesRead;
      this.#text = this.#text.slice(this.#at) + this.#decoder.write(read.subarray(0, end));
      this.#at = 0;
      if (end === undefined && bytesRead > 0 && this.#text.length <= LINE_CHARACTERS_MAX + READ_BYTES) continue;
      this.#ended = true;
      await this.close();
      if (this.#text.length > 0 && !this.#text.endsWith("\n")) this.#text += "\n"; // a torn last line is still a line
    }
    return this.line;
  }

  /** Where in these bytes the reading ends: behind the line in which the file's end lay at first; undefined if not yet. */
  #endIn(read: Buffer): number | undefined {
    if (this.#left > read.length) return undefined;
    const newline = read.indexOf(10, Math.max(0, this.#left - 1));
    return newline < 0 ? undefined : newline + 1;
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}

/** Without the payload, a line can still be held against what the leaf says in public. */
function recordProblem(line: string, record: LeafRecord): string | undefined {
  let told: unknown;
  try {
    told = JSON.parse(line);
  } catch {
    return "the line is no JSON";
  }
  const { action, actor, event_id, ts, resource_type, resource_id } = told as Readonly<Record<string, unknown>>;
  const same =
    action === record.type &&
    actor === record.actor &&
    event_id === record.event_id &&
    ts === isoFromMicros(record.time);
  return same && `${String(resource_type)}:${String(resource_id)}` === record.subject
    ? undefined
    : "the line tells something else than the entry";
}

let daysOf = Number.NaN;
let days: readonly string[] = [];

function daysAround(at: Micros): readonly string[] {
  const day = Math.floor(at / DAY_MICROS);
  if (day !== daysOf) {
    daysOf = day;
    days = [day, day + 1, day - 1].map((d) => new Date((d * DAY_MICROS) / 1_000).toISOString().slice(0, 10));
  }
  return days;
}
