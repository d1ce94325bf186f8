/** Reads a directory in the standard layout as a {@link LogSource}; the size comes from its checkpoint. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Failure, type Result, err, failure, ok } from "@rumi/kernel";
import { parseCheckpoint } from "./checkpoint.ts";
import { HASH_BYTES } from "./hashing.ts";
import type { LogSource } from "./source.ts";
import { TILE_WIDTH, decodeEntries, entriesPath, tilePath, tileWidth } from "./tiles.ts";

/** `log.vkey` of the directory, for those who have no better source of the key. */
export async function readVerifierKey(directory: string): Promise<string | undefined> {
  return (await bytesOf(join(directory, "log.vkey")))?.toString("utf8").trim();
}

/** Fails with RUMI-LOG-016 or -007 where there is no readable checkpoint. */
export async function openLogDirectory(directory: string): Promise<Result<LogSource, Failure>> {
  const note = (await bytesOf(join(directory, "checkpoint")))?.toString("utf8");
  if (note === undefined) return err(failure("RUMI-LOG-016", { what: "checkpoint", problem: "there is no such file" }));
  const head = parseCheckpoint(note);
  return head.ok ? ok(directorySource(directory, note, head.value.size)) : head;
}

function directorySource(directory: string, note: string, size: number): LogSource {
  /** A full tile may stand in for the partial one that a checkpoint names (it grew since). */
  const read = async (
    path: (width: number) => string,
    width: number,
  ): Promise<{ bytes: Buffer; grown: boolean } | undefined> => {
    const own = await bytesOf(join(directory, path(width)));
    if (own !== undefined) return { bytes: own, grown: false };
    const full = width === TILE_WIDTH ? undefined : await bytesOf(join(directory, path(TILE_WIDTH)));
    return full === undefined ? undefined : { bytes: full, grown: true };
  };
  return {
    checkpoint: async () => note,
    tile: async (level, index) => {
      const width = tileWidth(level, index, size);
      if (width === 0) return undefined;
      const file = await read((w) => tilePath({ level, index, width: w }), width);
      return file?.grown === true ? file.bytes.subarray(0, width * HASH_BYTES) : file?.bytes;
    },
    leaves: async (from, to) => {
      const leaves: Uint8Array[] = [];
      for (let index = Math.floor(from / TILE_WIDTH); index * TILE_WIDTH < Math.min(to, size); index += 1) {
        const width = tileWidth(0, index, size);
        const bundle = await read((w) => entriesPath(index, w), width);
        if (bundle === undefined)
          return err(failure("RUMI-LOG-016", { what: entriesPath(index, width), problem: "there is no such file" }));
        const { entries, rest } = decodeEntries(bundle.bytes);
        if (rest > 0)
          return err(
            failure("RUMI-LOG-016", {
              what: entriesPath(index, width),
              problem: `${rest} bytes behind the last whole entry`,
            }),
          );
        const first = index * TILE_WIDTH;
        const whole = to - first >= width && !bundle.grown; // then a surplus entry must be seen
        leaves.push(...entries.slice(Math.max(0, from - first), whole ? entries.length : Math.min(width, to - first)));
      }
      return ok(leaves);
    },
  };
}

async function bytesOf(path: string): Promise<Buffer | undefined> {
  return unlessGone(readFile(path));
}

/** What was read; undefined where there is no such file or folder. */
export async function unlessGone<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR"))
      return undefined;
    throw cause;
  }
}
