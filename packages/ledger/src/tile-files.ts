/**
 * The log as a directory in the standard layout: checkpoint, log.vkey, tile/…, tile/entries/….
 *
 * How to think: a view, rebuilt from a {@link LogSource} at any time. The checkpoint is written last and
 * names only what is already there, so whoever reads the directory sees a whole log at every moment, and
 * after a crash the published size says where to go on. Files appear by rename, never half-written. A partial
 * tile stays until the full one is there, as tlog-tiles wants it: who took an older checkpoint still finds what
 * it names, however often the log grew meanwhile.
 *
 * Invariants
 * - What a published checkpoint names can be read for ever after (tile-files.test.ts).
 * - Stopped after any file, the next update yields the same directory (tile-files.test.ts).
 * - A directory of another log, or of a longer one, is never overwritten (tile-files.test.ts).
 */
import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Failure, type Result, err, failure, ok } from "@rumi/kernel";
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
import { equalBytes } from "./hashing.ts";
import { type NoteVerifier, encodeVerifier } from "./note.ts";
import type { LogSource } from "./source.ts";
import { type TileFetch, rootFromTiles } from "./tile-tree.ts";
import {
  PARTIALS,
  TILE_WIDTH,
  type TileAt,
  encodeEntries,
  entriesPath,
  tilePath,
  tileWidth,
  tilesBetween,
} from "./tiles.ts";

/** How many files are written side by side: as many as Node has threads for it. All of them are read in one turn of the event loop. */
const PARALLEL_FILES = 4;

export type TileFilesUpdate = { readonly size: number; readonly files_written: number };
export type TileFilesOptions = {
  readonly directory: string;
  readonly source: LogSource;
  readonly verifier: NoteVerifier;
};

/** Brings the directory up to the source's checkpoint. Call it as often as you like, never twice at once. */
export async function updateTileFiles(options: TileFilesOptions): Promise<Result<TileFilesUpdate, Failure>> {
  try {
    return await update(options);
  } catch (cause) {
    const problem = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
    return err(failure("RUMI-LOG-022", { path: options.directory, problem }, { cause }));
  }
}

async function update({ directory, source, verifier }: TileFilesOptions): Promise<Result<TileFilesUpdate, Failure>> {
  const note = await source.checkpoint();
  if (note === undefined) return ok({ size: 0, files_written: 0 });
  const head = verifyCheckpoint(note, verifier);
  if (!head.ok) return head;
  const published = await publishedHead(directory);
  const from = published === undefined ? ok(0) : await continues(published, head.value, source, directory);
  if (!from.ok) return from;
  const size = head.value.size;
  const tiles = tilesBetween(from.value, size);
  const jobs = tiles.map((tile) => () => writeTile(directory, source, tile));
  for (const tile of tiles) if (tile.level === 0) jobs.push(() => writeEntries(directory, source, tile));
  const problem = await inParallel(jobs);
  if (problem !== undefined) return err(problem);
  await writeFileWhole(join(directory, "log.vkey"), `${encodeVerifier(verifier)}\n`);
  await writeFileWhole(join(directory, "checkpoint"), note);
  await removePartials(directory, from.value, size);
  return ok({ size, files_written: jobs.length + 2 });
}

/** Removes the view, so that the next update writes all of it. */
export async function clearTileFiles(directory: string): Promise<void> {
  for (const name of ["checkpoint", "log.vkey", "tile"])
    await rm(join(directory, name), { recursive: true, force: true });
}

/** The size to go on from, once the published head is a prefix of the source's log. */
async function continues(
  published: Checkpoint,
  head: Checkpoint,
  source: LogSource,
  path: string,
): Promise<Result<number, Failure>> {
  const other = (problem: string): Result<never, Failure> => err(failure("RUMI-LOG-021", { path, problem }));
  if (published.origin !== head.origin) return other(`its origin is ${published.origin}`);
  if (published.size > head.size) return other(`it has ${published.size} entries, the log ${head.size}`);
  const fetch: TileFetch = (level, index) => source.tile(level, index);
  const root = await rootFromTiles(published.size, fetch);
  if (!root.ok) return root;
  return equalBytes(root.value, published.root)
    ? ok(published.size)
    : other(`its first ${published.size} entries are different ones`);
}

async function publishedHead(directory: string): Promise<Checkpoint | undefined> {
  let note: string;
  try {
    note = await readFile(join(directory, "checkpoint"), "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw cause;
  }
  const head = parseCheckpoint(note);
  return head.ok ? head.value : undefined; // a damaged view is written anew
}

async function writeTile(directory: string, source: LogSource, tile: TileAt): Promise<Failure | undefined> {
  const data = await source.tile(tile.level, tile.index);
  if (data === undefined || data.length < tile.width * 32)
    return failure("RUMI-LOG-016", { what: tilePath(tile), problem: "the log's store has not all of it" });
  await writeFileWhole(join(directory, tilePath(tile)), data.subarray(0, tile.width * 32));
  return undefined;
}

async function writeEntries(directory: string, source: LogSource, tile: TileAt): Promise<Failure | undefined> {
  const first = tile.index * TILE_WIDTH;
  const leaves = await source.leaves(first, first + tile.width);
  if (!leaves.ok) return leaves.error;
  const path = entriesPath(tile.index, tile.width);
  if (leaves.value.length !== tile.width)
    return failure("RUMI-LOG-016", {
      what: path,
      problem: `the log's store has ${leaves.value.length} of ${tile.width} entries`,
    });
  await writeFileWhole(join(directory, path), encodeEntries(leaves.value));
  return undefined;
}

/** Partial tiles whose full one is there now: readers of an older checkpoint find that instead. */
async function removePartials(directory: string, from: number, size: number): Promise<void> {
  for (const { level, index, width } of tilesBetween(from, size)) {
    if (width < TILE_WIDTH || tileWidth(level, index, from) === 0) continue;
    const full = [tilePath({ level, index, width }), ...(level === 0 ? [entriesPath(index, width)] : [])];
    for (const path of full) await rm(join(directory, `${path}${PARTIALS}`), { recursive: true, force: true });
  }
}

async function writeFileWhole(path: string, data: Uint8Array | string): Promise<void> {
  const temporary = `${path}.tmp`;
  await mkdir(dirname(path), { recursive: true });
  const file = await open(temporary, "w", 0o644);
  try {
    await file.writeFile(data);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

async function inParallel(jobs: readonly (() => Promise<Failure | undefined>)[]): Promise<Failure | undefined> {
  let next = 0;
  let problem: Failure | undefined;
  const work = async (): Promise<void> => {
    for (let job = jobs[next++]; job !== undefined && problem === undefined; job = jobs[next++]) {
      const found = await job(); // awaited apart: `??= await` would overwrite what another worker found meanwhile
      problem ??= found;
    }
  };
  // All come to their end before one's fault is told: whoever tries again must not meet a writer of the last attempt.
  const ends = await Promise.allSettled(Array.from({ length: PARALLEL_FILES }, work));
  for (const end of ends) if (end.status === "rejected") throw end.reason;
  return problem;
}
