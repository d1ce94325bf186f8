/**
 * Partial tiles that earlier checkpoints named: each must be how the present tile begins.
 *
 * They lie only beside the last tile of each level, until that is full. Those that are wider than the head allows belong
 * to one that came meanwhile, and are its reader's to judge.
 */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { unlessGone } from "../directory-source.ts";
import { equalBytes, HASH_BYTES } from "../hashing.ts";
import type { LogSource } from "../source.ts";
import {
  encodeEntries,
  entriesPath,
  levelCount,
  PARTIALS,
  rowLength,
  TILE_WIDTH,
  tilePath,
  tileWidth,
} from "../tiles.ts";
import type { Findings } from "./finding.ts";

export async function checkEarlierPartials(
  directory: string,
  source: LogSource,
  size: number,
  findings: Findings,
): Promise<void> {
  for (let level = 0; level < levelCount(size); level += 1) {
    const index = Math.floor(rowLength(level, size) / TILE_WIDTH);
    const width = tileWidth(level, index, size);
    if (width === 0) continue;
    const hashes = await source.tile(level, index);
    const beginning = (of: number): Uint8Array | undefined => hashes?.subarray(0, of * HASH_BYTES);
    await checkFolder(directory, tilePath({ level, index, width: TILE_WIDTH }), width, beginning, findings);
    if (level > 0) continue;
    const leaves = await source.leaves(index * TILE_WIDTH, size);
    const packed = (of: number): Uint8Array | undefined =>
      leaves.ok ? encodeEntries(leaves.value.slice(0, of)) : undefined;
    await checkFolder(directory, entriesPath(index, TILE_WIDTH), width, packed, findings);
  }
}

/** @param beginning what the first hashes or entries must be; undefined where the present tile is damaged, which is told already. */
async function checkFolder(
  directory: string,
  full: string,
  width: number,
  beginning: (of: number) => Uint8Array | undefined,
  findings: Findings,
): Promise<void> {
  const folder = `${full}${PARTIALS}`;
  // A tile that was filled meanwhile takes its partial ones with it.
  for (const name of (await unlessGone(readdir(join(directory, folder)))) ?? []) {
    if (!/^[1-9]\d{0,2}$/.test(name) || Number(name) >= width) continue;
    const wanted = beginning(Number(name));
    const bytes = await unlessGone(readFile(join(directory, folder, name)));
    if (wanted === undefined || bytes === undefined || equalBytes(bytes, wanted)) continue;
    findings.add("tile", null, "RUMI-LOG-015", { what: `${folder}/${name}` });
  }
}
