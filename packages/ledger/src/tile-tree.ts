/**
 * Reads a tree out of its tiles: roots, inclusion and consistency proofs.
 *
 * How to think: merkle.ts says which ranges a proof consists of, tiles.ts where they lie; here the few
 * tiles (two or three per level) are fetched and the hashes folded. Wherever the tiles come from (SQL
 * rows, files, a server), a {@link TileFetch} brings them.
 */
import { type Failure, type Result, err, failure, ok } from "@rumi/kernel";
import { HASH_BYTES, nodeHashInto } from "./hashing.ts";
import { type LeafRange, consistencyRanges, foldSubtrees, inclusionRanges, perfectSubtrees } from "./merkle.ts";
import { tileOfSubtree, tileWidth } from "./tiles.ts";

/** Brings the stored hashes of one tile (it may hold more than asked for); undefined when there is none. */
export type TileFetch = (level: number, index: number, width: number) => Promise<Uint8Array | undefined>;

export async function rootFromTiles(size: number, fetch: TileFetch): Promise<Result<Uint8Array, Failure>> {
  const hashes = await rangeHashes([{ from: 0, to: size }], size, fetch);
  return hashes.ok ? ok(hashes.value[0] ?? foldSubtrees([])) : hashes;
}

/** Hashes from the leaf's sibling up to the root's child. */
export async function inclusionProof(
  index: number,
  size: number,
  fetch: TileFetch,
): Promise<Result<readonly Uint8Array[], Failure>> {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < size))
    return err(failure("RUMI-LOG-023", { index, size }));
  return rangeHashes(inclusionRanges(index, size), size, fetch);
}

export async function consistencyProof(
  earlier: number,
  size: number,
  fetch: TileFetch,
): Promise<Result<readonly Uint8Array[], Failure>> {
  if (!(Number.isSafeInteger(earlier) && earlier >= 0 && earlier <= size))
    return err(failure("RUMI-LOG-023", { index: earlier, size }));
  return rangeHashes(consistencyRanges(earlier, size), size, fetch);
}

async function rangeHashes(
  ranges: readonly LeafRange[],
  size: number,
  fetch: TileFetch,
): Promise<Result<readonly Uint8Array[], Failure>> {
  const tiles = new Map<string, Uint8Array>();
  const roots: Uint8Array[] = [];
  for (const range of ranges) {
    const parts: Uint8Array[] = [];
    for (const subtree of perfectSubtrees(range)) {
      const { level, index, offset, span } = tileOfSubtree(subtree);
      const key = `${level}/${index}`;
      const tile = tiles.get(key) ?? (await fetch(level, index, tileWidth(level, index, size)));
      if (tile === undefined || tile.length < (offset + span) * HASH_BYTES) {
        const problem = tile === undefined ? "it is missing" : `it has ${tile.length} bytes`;
        return err(failure("RUMI-LOG-016", { what: `tile ${key}`, problem }));
      }
      tiles.set(key, tile);
      parts.push(hashOfSpan(tile, offset, span));
    }
    roots.push(foldSubtrees(parts));
  }
  return ok(roots);
}

/** Root of `span` (a power of two) neighbouring hashes of a tile. */
export function hashOfSpan(tile: Uint8Array, offset: number, span: number): Uint8Array {
  const row = Buffer.from(tile.subarray(offset * HASH_BYTES, (offset + span) * HASH_BYTES));
  for (let width = span; width > 1; width /= 2) {
    for (let i = 0; i < width / 2; i += 1) {
      nodeHashInto(row, i * HASH_BYTES, row, 2 * i * HASH_BYTES, row, (2 * i + 1) * HASH_BYTES);
    }
  }
  return new Uint8Array(row.subarray(0, HASH_BYTES));
}
