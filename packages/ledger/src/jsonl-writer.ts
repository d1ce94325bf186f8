/**
 * Writes the JSONL views and finds its place again after a crash: no line is lost, none is doubled.
 *
 * How to think: the file `.position` says up to which log index every line is safely on disk. Lines beyond
 * it may or may not have survived, so opening cuts them off (a torn last line too) and the log brings
 * them again. `append` is cheap and unsynced; `flush` makes durable and then moves the position.
 *
 * Invariants
 * - Cut anywhere, the files after catching up equal those of an undisturbed writer (jsonl.test.ts).
 * - Appending an index twice is harmless, appending with a gap is refused (jsonl.test.ts).
 * - Behind an erasure none of its events has a line, whenever the writer was cut (jsonl-erasure.test.ts).
 */
import { type FileHandle, mkdir, open, readFile, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Failure, type Result, err, failure, invariant, ok } from "@rumi/kernel";
import { classify } from "./catalogue.ts";
import type { LedgerEvent } from "./event.ts";
import { erasureOf, removeErased } from "./jsonl-erasure.ts";
import { type LocalDay, jsonlFileName, jsonlLine, lineIndex, parseJsonlFileName } from "./jsonl.ts";
import { parsePayload } from "./leaf.ts";
import type { PayloadSource } from "./source.ts";

const POSITION = ".position";
const READ_BACK_BYTES = 65_536;
/** Read and written at a time; the thread is others' in between. */
const CATCH_UP_ENTRIES = 256;

export interface JsonlWriter {
  /** Log index of the next line to be written. */
  readonly next: number;
  /** Writes lines of consecutive log indices; those already written are skipped. */
  append(first_index: number, events: readonly LedgerEvent[]): Promise<Result<void, Failure>>;
  /** Writes whatever the log has and the files lack, up to `size` entries. Erased payloads leave no line. */
  catchUp(payloads: PayloadSource, size: number): Promise<Result<void, Failure>>;
  /** Forces the lines to disk and remembers the place. */
  flush(): Promise<Result<void, Failure>>;
}

export async function openJsonlWriter(directory: string, day: LocalDay): Promise<Result<JsonlWriter, Failure>> {
  try {
    await mkdir(directory, { recursive: true });
    const next = await readPosition(directory);
    for (const name of await jsonlFiles(directory)) await cutLinesFrom(join(directory, name), next);
    return ok(writerAt(directory, day, next));
  } catch (cause) {
    return unwritable(directory, cause);
  }
}

/** Throws the views away, so that the next `catchUp` writes them all again; after an erasure, for instance. */
export async function clearJsonl(directory: string): Promise<Result<void, Failure>> {
  try {
    await rm(join(directory, POSITION), { force: true });
    for (const name of await jsonlFiles(directory)) await rm(join(directory, name));
    return ok(undefined);
  } catch (cause) {
    return unwritable(directory, cause);
  }
}

/** Index up to which the files are complete; 0 where nothing was ever written. */
export async function readPosition(directory: string): Promise<number> {
  let text: string;
  try {
    text = await readFile(join(directory, POSITION), "utf8");
  } catch (cause) {
    if (isMissing(cause)) return 0;
    throw cause;
  }
  const next = Number(text.trim());
  if (!/^\d+\n$/.test(text) || !Number.isSafeInteger(next)) throw new Error(`${POSITION} holds no index`);
  return next;
}

export async function jsonlFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory);
  return names.filter((name) => parseJsonlFileName(name) !== undefined).toSorted();
}

function writerAt(directory: string, day: LocalDay, start: number): JsonlWriter {
  let next = start;
  let flushed = start;
  const touched = new Set<string>();
  let turn: Promise<unknown> = Promise.resolve();
  /** One call at a time, in order of arrival. */
  const inTurn = <T>(act: () => Promise<Result<T, Failure>>): Promise<Result<T, Failure>> => {
    const result = turn.then(async () => {
      try {
        return await act();
      } catch (cause) {
        return unwritable(directory, cause);
      }
    });
    turn = result;
    return result;
  };

  const write = async (first: number, events: readonly (LedgerEvent | undefined)[]): Promise<void> => {
    invariant(first <= next, `JSONL lines ${next} to ${first} are missing`);
    const lines = new Map<string, string>();
    for (const [i, event] of events.entries()) {
      if (event === undefined || first + i < next) continue;
      const erasure = erasureOf(event);
      if (erasure !== undefined) await removeErased(directory, await jsonlFiles(directory), erasure);
      const name = jsonlFileName(classify(event).category, day(event.occurred_at));
      lines.set(name, `${lines.get(name) ?? ""}${jsonlLine(first + i, event)}\n`);
    }
    const before = new Map<string, number>();
    try {
      for (const [name, text] of lines) {
        await withFile(join(directory, name), "a", async (file) => {
          before.set(name, (await file.stat()).size);
          await file.appendFile(text);
        });
        touched.add(name);
      }
    } catch (cause) {
      // A batch is written whole or not at all, or the next attempt would double its first lines.
      for (const [name, bytes] of before) await withFile(join(directory, name), "r+", (file) => file.truncate(bytes));
      throw cause;
    }
    next = Math.max(next, first + events.length);
  };

  const flush = async (): Promise<Result<void, Failure>> => {
    if (flushed === next && touched.size === 0) return ok(undefined);
    for (const name of touched) await withFile(join(directory, name), "r+", (file) => file.datasync());
    touched.clear();
    await writePosition(directory, next);
    flushed = next;
    return ok(undefined);
  };

  return {
    get next() {
      return next;
    },
    append: (first_index, events) =>
      inTurn(async () => {
        await write(first_index, events);
        return ok(undefined);
      }),
    catchUp: (payloads, size) =>
      inTurn(async () => {
        while (next < size) {
          const from = next;
          const opened = await payloads.payloads(from, Math.min(size, from + CATCH_UP_ENTRIES));
          if (opened.length === 0) return err(failure("RUMI-LOG-020", { problem: `no payloads from index ${from}` }));
          const events: (LedgerEvent | undefined)[] = [];
          for (const one of opened) {
            const event = one === undefined ? undefined : parsePayload(one.payload);
            if (event?.ok === false) return event;
            events.push(event?.value);
          }
          await write(from, events);
        }
        return flush();
      }),
    flush: () => inTurn(flush),
  };
}

async function writePosition(directory: string, next: number): Promise<void> {
  const temporary = join(directory, `${POSITION}.tmp`);
  await writeFile(temporary, `${next}\n`);
  await withFile(temporary, "r+", (file) => file.datasync());
  await rename(temporary, join(directory, POSITION));
}

/** Cuts off a torn last line and every line whose log_index is `from` or more. */
async function cutLinesFrom(path: string, from: number): Promise<void> {
  await withFile(path, "r+", async (file) => {
    const { size } = await file.stat();
    let keep = 0;
    let end = size;
    let tail = Buffer.alloc(0);
    while (end > 0 && keep === 0) {
      const start = Math.max(0, end - READ_BACK_BYTES);
      const chunk = Buffer.alloc(end - start);
      await file.read(chunk, 0, chunk.length, start);
      tail = Buffer.concat([chunk, tail]);
      end = start;
      keep = endOfLastLineBefore(tail, start, from);
    }
    if (keep !== size) await file.truncate(keep);
  });
}

/** File offset behind the last whole line of `tail` (which begins at `start`) whose log_index is below `from`; 0 if none. */
function endOfLastLineBefore(tail: Buffer, start: number, from: number): number {
  let end = tail.lastIndexOf(10);
  while (end >= 0) {
    const begin = end === 0 ? -1 : tail.lastIndexOf(10, end - 1);
    if (begin < 0 && start > 0) return 0; // the line's beginning is further back
    const index = lineIndex(tail.toString("utf8", begin + 1, end));
    if (index !== undefined && index < from) return start + end + 1;
    end = begin;
  }
  return 0;
}

async function withFile<T>(path: string, flags: string, act: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags);
  try {
    return await act(file);
  } finally {
    await file.close();
  }
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}

function unwritable(path: string, cause: unknown): Result<never, Failure> {
  const problem = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  return err(failure("RUMI-LOG-022", { path, problem }, { cause }));
}
