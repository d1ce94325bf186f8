import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../tools/test-support.ts";
import { MemoryLog, SIGNER, codeOf, logOf, must, sampleEvent } from "../test/support.ts";
import { openLogDirectory } from "./directory-source.ts";
import type { LogSource } from "./source.ts";
import { clearTileFiles, updateTileFiles } from "./tile-files.ts";
import { parseTilePath, tileWidth } from "./tiles.ts";
import { verifyDirectory, verifyLog } from "./verify.ts";

let folder: ReturnType<typeof temporaryFolder>;
let directory: string;
beforeEach(() => {
  folder = temporaryFolder();
  directory = join(folder.path, "tlog");
});
afterEach(() => folder.remove());

const update = (source: MemoryLog, into = directory): ReturnType<typeof updateTileFiles> =>
  updateTileFiles({ directory: into, source, verifier: SIGNER });
const tree = (path: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [
        join(entry.parentPath, entry.name).slice(path.length),
        readFileSync(join(entry.parentPath, entry.name)).toString("base64"),
      ]),
  );
/** A directory's files without the partial tiles of earlier heads, which stay until the full tile is there. */
function besidesEarlierPartials(files: Record<string, string>, size: number): Record<string, string> {
  const isEarlier = (path: string): boolean => {
    const tile = parseTilePath(path.slice(1));
    return tile !== undefined && tile.width < tileWidth(tile.level, tile.index, size);
  };
  return Object.fromEntries(Object.entries(files).filter(([path]) => !isEarlier(path)));
}

describe("tile files", () => {
  it("[L-26] grown step by step, the directory equals one written at once", async () => {
    const log = new MemoryLog();
    for (const step of [1, 2, 252, 1, 1, 300, 255, 1]) {
      log.append(Array.from({ length: step }, (_, n) => sampleEvent(log.head.size + n)));
      must(await update(log));
    }
    const once = join(folder.path, "once");
    must(await update(log, once));
    expect(besidesEarlierPartials(tree(directory), log.head.size)).toEqual(tree(once));
    expect((await verifyDirectory({ directory })).ok).toBe(true);
  });

  it("[L-26] whoever took a checkpoint finds all that it names, however often the log grows before the files are read", async () => {
    const log = logOf(247);
    must(await update(log));
    const taken: LogSource[] = [];
    for (const step of [0, 1, 3, 5, 1, 250, 4, 1, 300]) {
      log.append(Array.from({ length: step }, (_, n) => sampleEvent(log.head.size + n)));
      must(await update(log));
      taken.push(must(await openLogDirectory(directory)));
      for (const source of taken) expect((await verifyLog({ source, verifier: SIGNER })).findings).toEqual([]);
    }
    const partials = Object.keys(tree(directory)).filter((path) => path.includes(".p/"));
    expect(partials.filter((path) => path.startsWith("/tile/0/") || path.startsWith("/tile/entries/"))).toEqual([
      "/tile/0/003.p/44",
      "/tile/entries/003.p/44",
    ]);
  });

  it("[L-26] stopped after any file, the next update completes it, and readers never see a broken log", async () => {
    const log = logOf(600);
    must(await update(log));
    log.append(Array.from({ length: 300 }, (_, n) => sampleEvent(600 + n)));
    const finished = join(folder.path, "finished");
    cpSync(directory, finished, { recursive: true });
    must(await update(log, finished));
    for (let stop = 0; stop < 12; stop += 1) {
      const crashed = join(folder.path, `crashed-${stop}`);
      cpSync(directory, crashed, { recursive: true });
      let calls = 0;
      const dying = {
        checkpoint: () => log.checkpoint(),
        leaves: (from: number, to: number) => log.leaves(from, to),
        tile: async (level: number, index: number) => {
          calls += 1;
          if (calls > stop) throw new Error("power cut");
          return log.tile(level, index);
        },
      };
      const result = await updateTileFiles({ directory: crashed, source: dying, verifier: SIGNER });
      expect((await verifyDirectory({ directory: crashed, verifier: SIGNER })).ok).toBe(true);
      expect(result.ok || codeOf(result) === "RUMI-LOG-022").toBe(true);
      must(await update(log, crashed));
      expect(tree(crashed)).toEqual(tree(finished));
    }
  });

  it("[L-26] a view of another or a longer log is never overwritten; a damaged one is written anew", async () => {
    must(await update(logOf(600)));
    expect(codeOf(await update(logOf(500)))).toBe("RUMI-LOG-021");
    const other = new MemoryLog();
    other.append(Array.from({ length: 700 }, (_, n) => sampleEvent(n + 1)));
    expect(codeOf(await update(other))).toBe("RUMI-LOG-021");
    writeFileSync(join(directory, "checkpoint"), "rubbish");
    expect((await openLogDirectory(directory)).ok).toBe(false);
    must(await update(logOf(600)));
    expect((await verifyDirectory({ directory })).ok).toBe(true);
    await clearTileFiles(directory);
    expect(existsSync(join(directory, "checkpoint"))).toBe(false);
    must(await update(other));
  });

  it("a store that lacks rows is named and nothing is published", async () => {
    const log = logOf(300);
    log.entries.length = 280;
    expect(codeOf(await update(log))).toBe("RUMI-LOG-016");
    expect(existsSync(join(directory, "checkpoint"))).toBe(false);
    rmSync(directory, { recursive: true, force: true });
  });

  it("an unchanged log costs two small files", async () => {
    const log = logOf(300);
    must(await update(log));
    expect(must(await update(log))).toEqual({ size: 300, files_written: 2 });
  });
});
