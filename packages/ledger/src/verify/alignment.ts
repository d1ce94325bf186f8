/**
 * Lays the entries' hashes beside the tiles' and tells edited, removed, inserted and moved entries apart.
 *
 * How to think: two streams that should be equal. At a difference, a short look ahead decides: the entry
 * comes later in the tiles (something was removed), the tile's hash comes later among the entries
 * (something was inserted), or neither (edited). What was both removed and inserted was moved.
 * Memory is flat: a window of hashes, and a bounded list of differences.
 */
import { HASH_BYTES } from "../hashing.ts";

/** How far ahead a counterpart is sought; further away, a removal shows as edits from there on. */
export const LOOK_AHEAD = 512;
/** After this many differences the streams are taken for different logs. */
export const DIFFERENCES_MAX = 10_000;

export type Difference =
  | { readonly kind: "edited"; readonly index: number }
  | { readonly kind: "removed"; readonly index: number }
  | { readonly kind: "inserted"; readonly index: number }
  | { readonly kind: "reordered"; readonly index: number; readonly found_at: number };

type Raw = { readonly index: number; readonly entry: string | undefined; readonly tile: string | undefined };

export class Alignment {
  readonly #entries: string[] = [];
  readonly #tiles: string[] = [];
  readonly #raw: Raw[] = [];
  #index: number;
  /** True once there were more differences than are kept. */
  overflowed = false;

  /** `index`: log index of the first tile hash that will come. */
  constructor(index: number) {
    this.#index = index;
  }

  /** Takes further hashes of both streams. `final` when neither has more. */
  feed(entries: Uint8Array, tiles: Uint8Array, final: boolean): void {
    pushHashes(this.#entries, entries);
    pushHashes(this.#tiles, tiles);
    let e = 0;
    let t = 0;
    while (!this.overflowed && e < this.#entries.length && t < this.#tiles.length) {
      if (this.#entries[e] === this.#tiles[t]) {
        e += 1;
        t += 1;
        this.#index += 1;
        continue;
      }
      if (!final && (this.#entries.length - e < LOOK_AHEAD || this.#tiles.length - t < LOOK_AHEAD)) break;
      const later = distance(this.#tiles, t, this.#entries[e]);
      const earlier = distance(this.#entries, e, this.#tiles[t]);
      if (later > 0 && (earlier < 0 || later < earlier)) {
        for (let i = 0; i < later; i += 1) this.#note(undefined, this.#tiles[t + i]);
        t += later;
      } else if (earlier > 0 && (later < 0 || earlier < later)) {
        for (let i = 0; i < earlier; i += 1) this.#note(this.#entries[e + i], undefined);
        e += earlier;
      } else {
        this.#note(this.#entries[e], this.#tiles[t]);
        e += 1;
        t += 1;
      }
    }
    this.#entries.splice(0, e);
    this.#tiles.splice(0, t);
    if (!final || this.overflowed) return;
    for (const entry of this.#entries) this.#note(entry, undefined);
    for (const tile of this.#tiles) this.#note(undefined, tile);
  }

  /** What the differences mean, in order of log index. */
  differences(): readonly Difference[] {
    const foundAt = new Map<string, number>();
    const belongs = new Set<string>();
    for (const { index, entry, tile } of this.#raw) {
      if (entry !== undefined) foundAt.set(entry, index);
      if (tile !== undefined) belongs.add(tile);
    }
    const meanings: Difference[] = [];
    for (const { index, entry, tile } of this.#raw) {
      const found_at = tile === undefined ? undefined : foundAt.get(tile);
      if (found_at !== undefined) meanings.push({ kind: "reordered", index, found_at });
      else if (tile !== undefined && entry !== undefined && !belongs.has(entry))
        meanings.push({ kind: "edited", index });
      else if (tile !== undefined) meanings.push({ kind: "removed", index });
      else if (entry !== undefined && !belongs.has(entry)) meanings.push({ kind: "inserted", index });
    }
    return meanings;
  }

  #note(entry: string | undefined, tile: string | undefined): void {
    if (this.#raw.length >= DIFFERENCES_MAX) this.overflowed = true;
    else this.#raw.push({ index: this.#index, entry, tile });
    if (tile !== undefined) this.#index += 1;
  }
}

function pushHashes(queue: string[], hashes: Uint8Array): void {
  const bytes = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.length);
  for (let at = 0; at < bytes.length; at += HASH_BYTES) queue.push(bytes.toString("latin1", at, at + HASH_BYTES));
}

/** Steps from `start` to the next `wanted` within the window; -1 when it is not there. */
function distance(queue: readonly string[], start: number, wanted: string | undefined): number {
  const end = Math.min(queue.length, start + LOOK_AHEAD);
  for (let i = start + 1; i < end; i += 1) if (queue[i] === wanted) return i - start;
  return -1;
}
