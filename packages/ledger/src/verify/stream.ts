/**
 * Recomputes the whole tree from entries and tiles, in one pass and flat memory.
 *
 * How to think: while entries and bottom tiles agree there is one tree. At the first difference it forks:
 * one tree goes on with the entries, one with the tiles. Whichever arrives at the signed root was left
 * alone; the other was tampered with, and the alignment says where.
 */
import type { Failure, Result } from "@rumi/kernel";
import { HASH_BYTES, equalBytes, leafHashInto, sameHash } from "../hashing.ts";
import type { LogSource, RangeVouchers } from "../source.ts";
import { TILE_WIDTH, levelCount, rowLength, tilePath, tileWidth } from "../tiles.ts";
import { TreeBuilder } from "../tree-builder.ts";
import { Ahead } from "./ahead.ts";
import { Alignment, type Difference } from "./alignment.ts";
import type { Findings } from "./finding.ts";
import { RANGE_ENTRIES } from "./vouch.ts";

const CHUNK_ENTRIES = RANGE_ENTRIES;

export type StreamOptions = {
  readonly source: LogSource;
  readonly size: number;
  /** Entries below were pruned by policy; their tiles stand for them. A multiple of 256. */
  readonly minimum_index: number;
  /** Sizes whose roots are wanted (earlier checkpoints). */
  readonly anchors: readonly number[];
  readonly findings: Findings;
  /** Entries that agree with the tiles, in order. */
  readonly onEntries: (first_index: number, leaves: readonly (Uint8Array | undefined)[]) => Promise<void>;
  /** Others who may know already that a range is whole. */
  readonly vouchers: RangeVouchers | undefined;
  /** So many entries, with all that belongs to them, were vouched for and need no further look. */
  readonly onVouched: (entries: number) => void;
  readonly onProgress: (done: number) => void;
};

export type StreamResult = {
  /** Root and anchor roots as the entries give them; the tiles' where an entry could not be read. */
  readonly entries: TreeRoots;
  /** The same as the bottom tiles give them. */
  readonly tiles: TreeRoots;
  readonly differences: readonly Difference[];
  readonly overflowed: boolean;
  /** Number of entries that are there. */
  readonly present: number;
};
export type TreeRoots = {
  readonly size: number;
  readonly root: Uint8Array;
  readonly anchors: ReadonlyMap<number, Uint8Array>;
};

/** A tree that notes its root at certain sizes. */
class AnchoredTree {
  readonly tree: TreeBuilder;
  readonly anchors: Map<number, Uint8Array>;
  readonly #wanted: readonly number[];

  constructor(tree: TreeBuilder, wanted: readonly number[], anchors: ReadonlyMap<number, Uint8Array> = new Map()) {
    this.tree = tree;
    this.#wanted = wanted;
    this.anchors = new Map(anchors);
    this.#note();
  }

  push(hashes: Uint8Array, from: number, to: number): void {
    const until = this.#wanted.filter((size) => size > this.tree.size && size <= this.tree.size + to - from);
    if (until.length === 0) {
      for (let i = from; i < to; i += 1) this.tree.push(hashes, i * HASH_BYTES);
      return;
    }
    for (let i = from; i < to; i += 1) {
      this.tree.push(hashes, i * HASH_BYTES);
      this.#note();
    }
  }

  pushTiles(roots: Uint8Array): void {
    for (let at = 0; at < roots.length; at += HASH_BYTES) {
      this.tree.pushTile(roots, at);
      this.#note();
    }
  }

  fork(): AnchoredTree {
    return new AnchoredTree(this.tree.fork(), this.#wanted, this.anchors);
  }

  roots(): TreeRoots {
    return { size: this.tree.size, root: this.tree.root(), anchors: this.anchors };
  }

  #note(): void {
    if (this.#wanted.includes(this.tree.size)) this.anchors.set(this.tree.size, this.tree.root());
  }
}

export async function streamLog(options: StreamOptions): Promise<StreamResult> {
  const ahead = new Ahead(options);
  try {
    return await stream(options, ahead);
  } finally {
    await ahead.end();
  }
}

async function stream(options: StreamOptions, ahead: Ahead): Promise<StreamResult> {
  const { source, size, findings } = options;
  const upper: { level: number; index: number; data: Uint8Array }[] = [];
  const byTiles = new AnchoredTree(
    new TreeBuilder((level, index, data) => {
      if (level > 0) upper.push({ level, index, data });
    }),
    options.anchors,
  );
  let byEntries = byTiles;
  let alignment: Alignment | undefined;
  let present = 0;

  for (let first = 0; first < size; first += CHUNK_ENTRIES) {
    const end = Math.min(size, first + CHUNK_ENTRIES);
    const roots = alignment === undefined ? await ahead.roots(first) : undefined;
    if (roots !== undefined) {
      byTiles.pushTiles(roots);
      present += end - first;
      options.onVouched(end - first);
      for (const tile of upper.splice(0)) await checkUpperTile(options, tile.level, tile.index, tile.data);
      options.onProgress(end);
      continue;
    }
    const read =
      first + CHUNK_ENTRIES <= options.minimum_index
        ? { leaves: [], hashes: undefined }
        : await readEntries(options, first, end);
    const tiles = await readBottomTiles(source, size, first, end, read.hashes, findings);
    const entries = read.hashes ?? tiles;
    present += entries.length / HASH_BYTES;
    if (alignment === undefined) {
      const agreeing = commonPrefix(entries, tiles);
      byTiles.push(tiles, 0, agreeing);
      if (read.leaves.length > 0) {
        const pruned = Math.max(0, Math.min(agreeing, options.minimum_index - first));
        if (agreeing > pruned) await options.onEntries(first + pruned, read.leaves.slice(pruned, agreeing));
      }
      if (agreeing * HASH_BYTES < Math.max(entries.length, tiles.length)) {
        byEntries = byTiles.fork();
        alignment = new Alignment(first + agreeing);
        byTiles.push(tiles, agreeing, tiles.length / HASH_BYTES);
        byEntries.push(entries, agreeing, entries.length / HASH_BYTES);
        alignment.feed(entries.subarray(agreeing * HASH_BYTES), tiles.subarray(agreeing * HASH_BYTES), end === size);
        await checkInPlace(options, first, read, tiles, agreeing);
      }
    } else {
      byTiles.push(tiles, 0, tiles.length / HASH_BYTES);
      byEntries.push(entries, 0, entries.length / HASH_BYTES);
      alignment.feed(entries, tiles, end === size);
      await checkInPlace(options, first, read, tiles, 0);
    }
    for (const tile of upper.splice(0)) await checkUpperTile(options, tile.level, tile.index, tile.data);
    options.onProgress(end);
  }
  for (const [level, data] of byTiles.tree.partialTiles().entries()) {
    if (level > 0 && data.length > 0)
      await checkUpperTile(options, level, Math.floor(rowLength(level, size) / TILE_WIDTH), data);
  }
  return {
    entries: byEntries.roots(),
    tiles: byTiles.roots(),
    differences: alignment?.differences() ?? [],
    overflowed: alignment?.overflowed ?? false,
    present,
  };
}

/** `hashes` undefined: not read at all. A leaf is undefined where its bundle could not be read and a tile stands for it. */
type Entries = { readonly leaves: readonly (Uint8Array | undefined)[]; readonly hashes: Uint8Array | undefined };

/** Reads and hashes entries; where they cannot be read at all, says so and lets the tiles stand for them. */
async function readEntries({ source, findings, size }: StreamOptions, first: number, end: number): Promise<Entries> {
  const read = await source.leaves(first, end);
  if (read.ok) return { leaves: read.value, hashes: hashesOf(read.value) };
  const leaves: (Uint8Array | undefined)[] = [];
  const parts: Uint8Array[] = [];
  for (let from = first; from < end; from += TILE_WIDTH) {
    const index = from / TILE_WIDTH;
    const width = tileWidth(0, index, size);
    const bundle: Result<readonly Uint8Array[], Failure> = await source.leaves(from, from + width);
    if (bundle.ok) {
      leaves.push(...bundle.value);
      parts.push(hashesOf(bundle.value));
      continue;
    }
    findings.add("unreadable", from, bundle.error.code, bundle.error.params);
    const stand = (await source.tile(0, index)) ?? new Uint8Array(0);
    parts.push(stand);
    leaves.push(...Array.from({ length: stand.length / HASH_BYTES }, () => undefined));
  }
  return { leaves, hashes: new Uint8Array(Buffer.concat(parts)) };
}

function hashesOf(leaves: readonly Uint8Array[]): Uint8Array {
  const hashes = Buffer.allocUnsafe(leaves.length * HASH_BYTES);
  for (const [i, leaf] of leaves.entries()) leafHashInto(hashes, i * HASH_BYTES, leaf);
  return hashes;
}

async function readBottomTiles(
  source: LogSource,
  size: number,
  first: number,
  end: number,
  entries: Uint8Array | undefined,
  findings: Findings,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let at = first; at < end; at += TILE_WIDTH) {
    const index = at / TILE_WIDTH;
    const width = tileWidth(0, index, size);
    const tile = await source.tile(0, index);
    if (tile !== undefined && tile.length === width * HASH_BYTES) {
      parts.push(tile);
      continue;
    }
    const problem = tile === undefined ? "there is none" : `${tile.length} bytes instead of ${width * HASH_BYTES}`;
    findings.add("unreadable", at, "RUMI-LOG-016", { what: tilePath({ level: 0, index, width }), problem });
    parts.push(entries?.subarray((at - first) * HASH_BYTES, (at - first + width) * HASH_BYTES) ?? new Uint8Array(0));
  }
  return Buffer.concat(parts);
}

async function checkUpperTile(
  { source, size, findings }: StreamOptions,
  level: number,
  index: number,
  computed: Uint8Array,
): Promise<void> {
  if (level >= levelCount(size)) return;
  const stored = await source.tile(level, index);
  const what = tilePath({ level, index, width: computed.length / HASH_BYTES });
  if (stored === undefined) findings.add("unreadable", null, "RUMI-LOG-016", { what, problem: "there is none" });
  else if (!equalBytes(stored, computed)) findings.add("tile", null, "RUMI-LOG-015", { what });
}

/** After a difference: entries that still stand where their tile says are checked further. */
async function checkInPlace(
  options: StreamOptions,
  first: number,
  read: Entries,
  tiles: Uint8Array,
  from: number,
): Promise<void> {
  if (read.hashes === undefined) return;
  for (const [i, leaf] of read.leaves.entries()) {
    if (
      i >= from &&
      first + i >= options.minimum_index &&
      (i + 1) * HASH_BYTES <= tiles.length &&
      sameHash(read.hashes, i * HASH_BYTES, tiles, i * HASH_BYTES)
    )
      await options.onEntries(first + i, [leaf]);
  }
}

function commonPrefix(a: Uint8Array, b: Uint8Array): number {
  if (equalBytes(a, b)) return a.length / HASH_BYTES;
  const most = Math.min(a.length, b.length) / HASH_BYTES;
  let i = 0;
  while (i < most && sameHash(a, i * HASH_BYTES, b, i * HASH_BYTES)) i += 1;
  return i;
}
