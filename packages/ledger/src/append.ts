/**
 * The pure heart of the log: which rows change when leaves are appended. Performs nothing.
 *
 * The store's single writer calls {@link planAppend} inside its own transaction, writes what the plan
 * says, and signs the new head; so leaves commit with the state they explain. A head is a value: a plan
 * whose transaction fails is thrown away and the head before it is still right.
 *
 * Invariants
 * - Any way of cutting leaves into batches gives the same head, tiles and root (append.test.ts).
 * - `loadHead` of the stored partial tiles gives the head that wrote them (append.test.ts).
 */
import { type Failure, type Result, type Uuid, err, failure, invariant, ok } from "@rumi/kernel";
import { HASH_BYTES, leafHashInto } from "./hashing.ts";
import { perfectSubtrees } from "./merkle.ts";
import { hashOfSpan } from "./tile-tree.ts";
import { ENTRY_BYTES_MAX, TILE_WIDTH, levelCount, rowLength, tileOfSubtree } from "./tiles.ts";
import { TreeBuilder } from "./tree-builder.ts";

/** What the writer must remember between appends; reloaded from the stored partial tiles at start. */
export type LogHead = {
  /** Number of leaves. */
  readonly size: number;
  /** For each level, the hashes (32 bytes each) of its rightmost, incomplete tile; level 0 first. */
  readonly partial: readonly Uint8Array[];
  /** Roots of the perfect subtrees, left to right (32 bytes each); follows from `partial`, saves re-hashing. */
  readonly range: Uint8Array;
};

export type TileWrite = { readonly level: number; readonly index: number; readonly data: Uint8Array };

/** One leaf ready to be stored: bytes as hashed, and beside it the payload that its commitment opens. */
export type PreparedLeaf = {
  readonly event_id: Uuid;
  readonly leaf: Uint8Array;
  readonly salt: Uint8Array;
  readonly payload: string;
};

export type AppendPlan = {
  readonly head: LogHead;
  readonly first_index: number;
  /** Whole contents of every tile this append touched (1–256 hashes each), to be upserted. */
  readonly tiles: readonly TileWrite[];
  readonly root: Uint8Array;
};

export function emptyHead(): LogHead {
  return { size: 0, partial: [], range: new Uint8Array(0) };
}

export function planAppend(head: LogHead, leaves: readonly Pick<PreparedLeaf, "leaf">[]): AppendPlan {
  invariant(head.size + leaves.length <= Number.MAX_SAFE_INTEGER, "the log is full");
  const tiles: TileWrite[] = [];
  const tree = new TreeBuilder((level, index, data) => tiles.push({ level, index, data }));
  tree.restore(head.size, head.range, head.partial);
  const hash = Buffer.alloc(HASH_BYTES);
  for (const { leaf } of leaves) {
    invariant(leaf.length <= ENTRY_BYTES_MAX, `a leaf of ${leaf.length} bytes reached the log`);
    leafHashInto(hash, 0, leaf);
    tree.push(hash);
  }
  const partial = tree.partialTiles();
  for (const [level, data] of partial.entries()) {
    const grown = rowLength(level, tree.size) > rowLength(level, head.size);
    if (grown && data.length > 0)
      tiles.push({ level, index: Math.floor(rowLength(level, tree.size) / TILE_WIDTH), data });
  }
  return {
    head: { size: tree.size, partial, range: tree.range() },
    first_index: head.size,
    tiles,
    root: tree.root(),
  };
}

/**
 * The head of a stored log. `partialTiles` holds for each level the hashes of its rightmost tile, as
 * stored; where that tile is full (or there is none) it is empty. Fails with RUMI-LOG-016 on a wrong width.
 */
export function loadHead(size: number, partialTiles: readonly Uint8Array[]): Result<LogHead, Failure> {
  const levels = levelCount(size);
  const partial: Uint8Array[] = [];
  for (let level = 0; level < levels; level += 1) {
    const width = rowLength(level, size) % TILE_WIDTH;
    const data = partialTiles[level] ?? new Uint8Array(0);
    if (data.length !== width * HASH_BYTES) {
      const problem = `${data.length} bytes where a log of ${size} needs ${width * HASH_BYTES}`;
      return err(failure("RUMI-LOG-016", { what: `the rightmost tile of level ${level}`, problem }));
    }
    partial.push(new Uint8Array(data));
  }
  const range = perfectSubtrees({ from: 0, to: size }).map((subtree) => {
    const { level, offset, span } = tileOfSubtree(subtree);
    return hashOfSpan(partial[level] ?? new Uint8Array(0), offset, span);
  });
  return ok({ size, partial, range: new Uint8Array(Buffer.concat(range)) });
}

/** The root of a head. */
export function rootOf(head: LogHead): Uint8Array {
  const tree = new TreeBuilder();
  tree.restore(head.size, head.range, []);
  return tree.root();
}
