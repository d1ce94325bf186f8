/** Hash tiles of the log (C2SP tlog-tiles), read over HTTP and kept while they are complete. */
import { nodeHash, type Hash, type SubtreeReader } from "./merkle.ts";

const TILE_WIDTH = 256;
const TILE_LEVELS = 8;

export type FetchTile = (path: string) => Promise<Uint8Array>;

/** A reader of complete subtrees of the first `size` leaves. */
export function tileReader(size: number, fetchTile: FetchTile, cache: Map<string, Uint8Array>): SubtreeReader {
  const load = async (level: number, index: number): Promise<Uint8Array> => {
    const hashesAtLevel = Math.floor(size / TILE_WIDTH ** level);
    const width = Math.min(TILE_WIDTH, hashesAtLevel - index * TILE_WIDTH);
    const path = `tile/${level}/${tileIndexPath(index)}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
    const kept = cache.get(path);
    if (kept !== undefined) return kept;
    const data = await fetchTile(path);
    if (data.length !== width * 32) throw new Error(`tile ${path} has ${data.length} bytes`);
    if (width === TILE_WIDTH) cache.set(path, data);
    return data;
  };
  return async (level, index) => {
    const tileLevel = Math.floor(level / TILE_LEVELS);
    const within = level - tileLevel * TILE_LEVELS;
    const first = index * 2 ** within;
    const tile = await load(tileLevel, Math.floor(first / TILE_WIDTH));
    const offset = first % TILE_WIDTH;
    return foldTile(tile, offset, 2 ** within);
  };
}

/** `1234067` → `x001/x234/067`. */
export function tileIndexPath(index: number): string {
  const parts: string[] = [];
  let rest = index;
  do {
    parts.unshift(String(rest % 1000).padStart(3, "0"));
    rest = Math.floor(rest / 1000);
  } while (rest > 0);
  return parts.map((part, at) => (at === parts.length - 1 ? part : `x${part}`)).join("/");
}

async function foldTile(tile: Uint8Array, offset: number, count: number): Promise<Hash> {
  if (count === 1) return tile.slice(offset * 32, (offset + 1) * 32);
  const half = count / 2;
  return nodeHash(await foldTile(tile, offset, half), await foldTile(tile, offset + half, half));
}
