/** The log as HTTP serves it in the C2SP layout, read straight from the store's rows. */
import { encodeEntries, TILE_WIDTH } from "@rumi/ledger";
import type { LogSource } from "@rumi/server";
import { storedLog, type Store } from "@rumi/store";

const HASH_BYTES = 32;

export function servedLog(store: Store, vkey: string): LogSource {
  const source = storedLog(store, store);
  return {
    vkey: () => vkey,
    checkpoint: async () => (await source.checkpoint()) ?? null,
    tile: async (path) => {
      const asked = parseTilePath(path);
      if (asked === undefined) return null;
      const { level, index, width } = asked;
      if (level === "entries") {
        const first = index * TILE_WIDTH;
        const leaves = await source.leaves(first, first + width);
        return leaves.ok && leaves.value.length === width ? encodeEntries(leaves.value) : null;
      }
      const tile = await source.tile(level, index);
      // A tile that grew since still holds what an older checkpoint names.
      return tile === undefined || tile.length < width * HASH_BYTES ? null : tile.subarray(0, width * HASH_BYTES);
    },
  };
}

/** `0/x001/067.p/5` → level 0, index 1067, width 5. */
export function parseTilePath(
  path: string,
): { readonly level: number | "entries"; readonly index: number; readonly width: number } | undefined {
  const match = /^(entries|\d{1,2})\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) return undefined;
  const [, level = "", indexText = "", widthText] = match;
  const index = Number(indexText.replaceAll(/[x/]/g, ""));
  const width = widthText === undefined ? TILE_WIDTH : Number(widthText);
  if (!Number.isSafeInteger(index) || width < 1 || width > TILE_WIDTH) return undefined;
  return { level: level === "entries" ? "entries" : Number(level), index, width };
}
