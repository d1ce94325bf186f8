import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { eventIdOf, eventOf, logOf, must, type MemoryLog } from "../test/support.ts";
import { localDays, lineIndex } from "./jsonl.ts";
import { clearJsonl, openJsonlWriter } from "./jsonl-writer.ts";

const SIZE = 90;
const ERASED = [3, 4, 5, 30, 31];
let folder: ReturnType<typeof temporaryFolder>;
let log: MemoryLog;

/** A log whose views were written before some of its events were erased. */
beforeEach(async () => {
  folder = temporaryFolder();
  log = logOf(SIZE);
  await write();
  for (const index of ERASED) log.opened[index] = undefined;
  const ids = ERASED.map((index) => eventIdOf(log, index));
  log.append([eventOf(SIZE, "audit.erasure", { erased_event_ids: ids, first_index: 3, last_index: 31 })]);
  log.append([eventOf(SIZE + 1, "pack.approved", { version: "2.0.0" })]);
});
afterEach(() => folder.remove());

async function write(): Promise<void> {
  const writer = must(await openJsonlWriter(folder.path, localDays("UTC")));
  must(await writer.catchUp(log, log.entries.length));
}
const files = (): readonly string[] => readdirSync(folder.path).filter((name) => name.endsWith(".jsonl"));
const contents = (): Record<string, string> =>
  Object.fromEntries(files().map((name) => [name, readFileSync(join(folder.path, name), "utf8")]));
const indices = (): readonly (number | undefined)[] =>
  Object.values(contents()).flatMap((text) => text.trimEnd().split("\n").map(lineIndex));

/** As a writer leaves them that never saw the erased events. */
async function written(): Promise<Record<string, string>> {
  must(await clearJsonl(folder.path));
  await write();
  return contents();
}

it("[L-26] behind an erasure its events have no line, the others stay as they were, and nothing else lies about", async () => {
  const before = new Set(indices());
  for (const index of ERASED) expect(before).toContain(index);
  await write();
  const after = new Set(indices());
  for (const index of ERASED) expect(after).not.toContain(index);
  expect(after.size).toBe(before.size - ERASED.length + 2);
  expect(readdirSync(folder.path).filter((name) => !name.endsWith(".jsonl"))).toEqual([".position"]);
  expect(contents()).toEqual(await written());
});

it("[L-26] cut between the lines and the place behind them, the erasure is repeated and changes nothing more", async () => {
  const position = join(folder.path, ".position");
  const place = readFileSync(position);
  await write();
  writeFileSync(position, place);
  for (const name of files()) {
    const text = readFileSync(join(folder.path, name), "utf8");
    // What came behind the remembered place may be torn.
    if ((lineIndex(text.trimEnd().split("\n").at(-1) ?? "") ?? 0) >= SIZE)
      truncateSync(join(folder.path, name), text.length - 3);
  }
  await write();
  expect(contents()).toEqual(await written());
});

it("[L-26] one that does not say where its events are is obeyed too", async () => {
  log = logOf(SIZE);
  rmSync(folder.path, { recursive: true });
  await write();
  log.opened[8] = undefined;
  log.append([eventOf(SIZE, "audit.erasure", { erased_event_ids: [eventIdOf(log, 8)] })]);
  await write();
  expect(indices()).not.toContain(8);
  expect(indices()).toContain(7);
});
