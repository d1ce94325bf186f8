/**
 * A growing Merkle tree that remembers only its right edge.
 *
 * How to think: two views of the same edge. `range` holds the roots of the perfect subtrees, left to
 * right, one per set bit of the size; appending merges them like carrying in binary addition, so a leaf
 * costs one node hash on average and the root costs at most 53. `rows` holds the incomplete tile of each
 * level; whenever a carry reaches a height divisible by eight, that hash belongs to a tile.
 *
 * Mutable on purpose, and seen only inside the package: append.ts wraps it in immutable heads, verify/
 * streams a million leaves through one. Memory is flat: 53 hashes and 7 tiles.
 */
import { invariant } from "@rumi/kernel";
import { HASH_BYTES, emptyRoot, nodeHashInto } from "./hashing.ts";
import { foldSubtrees } from "./merkle.ts";
import { TILE_HEIGHT, TILE_WIDTH } from "./tiles.ts";

const TILE_BYTES = TILE_WIDTH * HASH_BYTES;
const RANGE_HASHES_MAX = 54;

export type FullTile = (level: number, index: number, data: Uint8Array) => void;

export class TreeBuilder {
  #size = 0;
  #depth = 0;
  readonly #range = Buffer.alloc(RANGE_HASHES_MAX * HASH_BYTES);
  readonly #rows: Buffer[] = [];
  readonly #widths: number[] = [];
  readonly #onFull: FullTile;

  /** `onFull` receives each tile when its 256th hash arrives; the bytes are its own to keep. */
  constructor(onFull: FullTile = () => {}) {
    this.#onFull = onFull;
  }

  get size(): number {
    return this.#size;
  }

  /** Continues a tree: its size, perfect subtrees left to right, and the incomplete tile of each level. */
  restore(size: number, range: Uint8Array, rows: readonly Uint8Array[]): void {
    this.#size = size;
    this.#depth = range.length / HASH_BYTES;
    this.#range.set(range);
    this.#rows.length = 0;
    this.#widths.length = 0;
    for (const [level, row] of rows.entries()) {
      this.#row(level).set(row);
      this.#widths[level] = row.length / HASH_BYTES;
    }
  }

  /** Appends the leaf whose hash lies in `from` at `offset`. */
  push(from: Uint8Array, offset = 0): void {
    const range = this.#range;
    const top = this.#depth * HASH_BYTES;
    range.set(from.subarray(offset, offset + HASH_BYTES), top);
    this.#place(0, this.#size, range, top);
    this.#carry(top, this.#size, 0);
    this.#size += 1;
  }

  /** Appends a whole tile of 256 leaves whose root lies in `from` at `offset`; only where no tile is begun. */
  pushTile(from: Uint8Array, offset = 0): void {
    invariant(this.#size % TILE_WIDTH === 0, `a tile after ${this.#size} leaves`);
    const range = this.#range;
    const top = this.#depth * HASH_BYTES;
    range.set(from.subarray(offset, offset + HASH_BYTES), top);
    this.#row(0);
    const index = this.#size / TILE_WIDTH;
    this.#place(1, index, range, top);
    this.#carry(top, index, TILE_HEIGHT);
    this.#size += TILE_WIDTH;
  }

  /** Merges the newest subtree, the `index`-th of its height, with its equals to the left. */
  #carry(at: number, at_index: number, at_height: number): void {
    const range = this.#range;
    let [top, index, height] = [at, at_index, at_height];
    while (index % 2 === 1) {
      top -= HASH_BYTES;
      nodeHashInto(range, top, range, top, range, top + HASH_BYTES);
      index = (index - 1) / 2;
      height += 1;
      if (height % TILE_HEIGHT === 0) this.#place(height / TILE_HEIGHT, index, range, top);
    }
    this.#depth = top / HASH_BYTES + 1;
  }

  root(): Uint8Array {
    if (this.#size === 0) return emptyRoot();
    const hashes: Uint8Array[] = [];
    for (let i = 0; i < this.#depth; i += 1) hashes.push(this.#range.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
    return new Uint8Array(foldSubtrees(hashes));
  }

  range(): Uint8Array {
    return new Uint8Array(this.#range.subarray(0, this.#depth * HASH_BYTES));
  }

  /** A copy of the incomplete tile of each level that the tree has; empty where the last tile is full. */
  partialTiles(): readonly Uint8Array[] {
    return this.#rows.map((row, level) => new Uint8Array(row.subarray(0, (this.#widths[level] ?? 0) * HASH_BYTES)));
  }

  /** An independent copy, reporting full tiles elsewhere. */
  fork(onFull: FullTile = () => {}): TreeBuilder {
    const copy = new TreeBuilder(onFull);
    copy.restore(this.#size, this.range(), this.partialTiles());
    return copy;
  }

  #place(level: number, position: number, from: Buffer, offset: number): void {
    const row = this.#row(level);
    const slot = position % TILE_WIDTH;
    from.copy(row, slot * HASH_BYTES, offset, offset + HASH_BYTES);
    if (slot < TILE_WIDTH - 1) {
      this.#widths[level] = slot + 1;
      return;
    }
    this.#widths[level] = 0;
    this.#onFull(level, Math.floor(position / TILE_WIDTH), new Uint8Array(row));
  }

  #row(level: number): Buffer {
    const present = this.#rows[level];
    if (present !== undefined) return present;
    const row = Buffer.alloc(TILE_BYTES);
    this.#rows[level] = row;
    this.#widths[level] = 0;
    return row;
  }
}
