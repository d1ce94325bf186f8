/**
 * The C2SP tlog-tiles geometry: which tile a hash lies in, what its file is called, how entries are packed.
 *
 * How to think: a tile is a piece of the tree eight levels high, stored as its bottom row: up to 256
 * hashes of 32 bytes. Tile level L, row position p is the perfect subtree of height 8·L, index p. A tile
 * of fewer than 256 hashes is partial, and its file name carries its width.
 *
 * Invariants
 * - Paths equal the standard's own examples (tiles.test.ts).
 * - An entry bundle parses back to exactly its entries, and no other bytes are accepted (tiles.test.ts).
 */
import { HASH_BYTES } from "./hashing.ts";
import type { Subtree } from "./merkle.ts";

export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;
/** 2^53 leaves need seven levels of tiles. */
export const TILE_LEVELS_MAX = 7;
const LENGTH_PREFIX_BYTES = 2;
/** Behind a full tile's path: the folder of its partial ones. */
export const PARTIALS = ".p";
export const ENTRY_BYTES_MAX = 65_535;

export type TileAt = { readonly level: number; readonly index: number; /** 1–256 hashes. */ readonly width: number };

/** Number of hashes in the whole bottom row of a level: perfect subtrees of 256^level leaves. */
export function rowLength(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Width of one tile in a tree of `size` leaves; 0 when it does not exist. */
export function tileWidth(level: number, index: number, size: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, rowLength(level, size) - index * TILE_WIDTH));
}

/** Number of tile levels that a tree of `size` leaves has. */
export function levelCount(size: number): number {
  let levels = 0;
  while (rowLength(levels, size) > 0) levels += 1;
  return levels;
}

/** Where a perfect subtree's hash comes from: `span` neighbouring hashes of one tile, from `offset`. */
export function tileOfSubtree(of: Subtree): { level: number; index: number; offset: number; span: number } {
  const level = Math.floor(of.height / TILE_HEIGHT);
  const span = 2 ** (of.height - level * TILE_HEIGHT);
  const first = of.index * span;
  return { level, index: Math.floor(first / TILE_WIDTH), offset: first % TILE_WIDTH, span };
}

/** Every tile that exists at `size` and did not exist in this form at `earlier`, level 0 first. */
export function tilesBetween(earlier: number, size: number): readonly TileAt[] {
  const tiles: TileAt[] = [];
  for (let level = 0; rowLength(level, size) > 0; level += 1) {
    const had = rowLength(level, earlier);
    const has = rowLength(level, size);
    if (had === has) continue;
    for (let index = Math.floor(had / TILE_WIDTH); index * TILE_WIDTH < has; index += 1) {
      tiles.push({ level, index, width: tileWidth(level, index, size) });
    }
  }
  return tiles;
}

/** `tile/<L>/<N>[.p/<W>]`. */
export function tilePath(tile: TileAt): string {
  return `tile/${tile.level}/${indexPath(tile.index)}${partialSuffix(tile.width)}`;
}

/** `tile/entries/<N>[.p/<W>]`. */
export function entriesPath(index: number, width: number): string {
  return `tile/entries/${indexPath(index)}${partialSuffix(width)}`;
}

export type TilePath = {
  readonly kind: "tile" | "entries";
  readonly level: number;
  readonly index: number;
  readonly width: number;
};

/** Parses what {@link tilePath} and {@link entriesPath} write, and nothing else. */
export function parseTilePath(path: string): TilePath | undefined {
  const match = /^tile\/(entries|[0-6])\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) return undefined;
  const [, row = "", digits = "", partial] = match;
  const index = Number(digits.replaceAll(/[x/]/g, ""));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  if (!Number.isSafeInteger(index) || width < 1 || width > TILE_WIDTH) return undefined;
  const level = row === "entries" ? 0 : Number(row);
  const kind = row === "entries" ? "entries" : "tile";
  const canonical = kind === "entries" ? entriesPath(index, width) : tilePath({ level, index, width });
  return canonical === path ? { kind, level, index, width } : undefined;
}

/** Groups of three digits, all but the last with an `x`: 1234067 → `x001/x234/067`. */
function indexPath(index: number): string {
  const digits = String(index);
  const padded = digits.padStart(Math.ceil(digits.length / 3) * 3, "0");
  const groups = padded.match(/\d{3}/g) ?? [];
  return groups.map((group, i) => (i === groups.length - 1 ? group : `x${group}`)).join("/");
}

function partialSuffix(width: number): string {
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH) throw new RangeError(`a tile of ${width} hashes`);
  return width === TILE_WIDTH ? "" : `${PARTIALS}/${width}`;
}

/** Packs entries as the standard wants: each behind its length, a big-endian 16-bit number. */
export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const entry of entries) {
    if (entry.length > ENTRY_BYTES_MAX) throw new RangeError(`an entry of ${entry.length} bytes`);
    total += LENGTH_PREFIX_BYTES + entry.length;
  }
  const bundle = Buffer.allocUnsafe(total);
  let at = 0;
  for (const entry of entries) {
    at = bundle.writeUInt16BE(entry.length, at);
    bundle.set(entry, at);
    at += entry.length;
  }
  return bundle;
}

/** Entries of a bundle as views into it; `rest` counts bytes behind the last whole entry (0 when well-formed). */
export function decodeEntries(bundle: Uint8Array): { readonly entries: readonly Uint8Array[]; readonly rest: number } {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at + LENGTH_PREFIX_BYTES <= bundle.length) {
    const length = ((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0);
    const end = at + LENGTH_PREFIX_BYTES + length;
    if (end > bundle.length) break;
    entries.push(bundle.subarray(at + LENGTH_PREFIX_BYTES, end));
    at = end;
  }
  return { entries, rest: bundle.length - at };
}

/** Number of hashes in a tile's bytes; undefined when it is no whole number from 1 to 256. */
export function hashCount(tile: Uint8Array): number | undefined {
  const count = tile.length / HASH_BYTES;
  return Number.isInteger(count) && count >= 1 && count <= TILE_WIDTH ? count : undefined;
}
