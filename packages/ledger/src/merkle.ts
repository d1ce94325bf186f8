/**
 * RFC 6962 trees as arithmetic on ranges of leaves, and the two proofs' verification.
 *
 * How to think: every hash a proof needs is the root of a range `[from, to)` of leaves. A range falls
 * apart into perfect subtrees `(height, index)`, and each of those lies in exactly one tile
 * (tile-tree.ts). So this file knows no storage, and storage knows no tree.
 *
 * Invariants
 * - Roots and proofs equal those of the RFC's recursive definition (merkle.test.ts, property tests).
 * - A proof for another index, size, leaf or root never verifies (merkle.test.ts).
 * - Sizes are safe integers, so no 32-bit operator appears here.
 */
import { emptyRoot, equalBytes, nodeHash } from "./hashing.ts";

/** Leaves `from` (inclusive) to `to` (exclusive). */
export type LeafRange = { readonly from: number; readonly to: number };
/** The perfect subtree over leaves `index·2^height` to `(index+1)·2^height`. */
export type Subtree = { readonly height: number; readonly index: number };

/** The largest power of two below `n` (n ≥ 2): where RFC 6962 splits a tree of n leaves. */
export function splitPoint(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** The perfect subtrees of a range, left to right; the range is one the RFC's recursion can produce. */
export function perfectSubtrees(range: LeafRange): readonly Subtree[] {
  const parts: Subtree[] = [];
  let at = range.from;
  while (at < range.to) {
    let width = 1;
    let height = 0;
    while (at % (width * 2) === 0 && at + width * 2 <= range.to) {
      width *= 2;
      height += 1;
    }
    parts.push({ height, index: at / width });
    at += width;
  }
  return parts;
}

/** Folds the perfect subtrees of a range, given left to right, into the range's root. */
export function foldSubtrees(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.length === 0 ? emptyRoot() : hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** Ranges whose roots prove leaf `index` in the tree of `size` leaves, in the RFC's order (deepest first). */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  if (!isWithin(index, size)) throw new RangeError(`leaf ${index} of ${size}`);
  const ranges: LeafRange[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + splitPoint(to - from);
    if (index < middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
    }
  }
  return ranges.reverse();
}

/** Ranges whose roots prove that the tree of `size` leaves starts with the tree of `earlier` leaves. */
export function consistencyRanges(earlier: number, size: number): readonly LeafRange[] {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(earlier) || earlier < 0 || earlier > size) {
    throw new RangeError(`${earlier} of ${size}`);
  }
  if (earlier === 0 || earlier === size) return [];
  const ranges: LeafRange[] = [];
  let from = 0;
  let to = size;
  let known = true; // the earlier tree's root is this very subtree, which the verifier has
  while (earlier !== to) {
    const middle = from + splitPoint(to - from);
    if (earlier <= middle) {
      ranges.push({ from: middle, to });
      to = middle;
    } else {
      ranges.push({ from, to: middle });
      from = middle;
      known = false;
    }
  }
  if (!known) ranges.push({ from, to });
  return ranges.reverse();
}

export type Inclusion = {
  readonly index: number;
  readonly size: number;
  readonly leaf_hash: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

/** The root that an inclusion proof leads to; undefined when the proof has not the tree's shape. */
export function rootOfInclusion(inclusion: Inclusion): Uint8Array | undefined {
  const { index, size, proof } = inclusion;
  if (!isWithin(index, size)) return undefined;
  const ranges = inclusionRanges(index, size);
  if (ranges.length !== proof.length) return undefined;
  let hash = inclusion.leaf_hash;
  for (const [i, sibling] of proof.entries()) {
    if (sibling.length !== 32) return undefined;
    hash = (ranges[i]?.from ?? 0) > index ? nodeHash(hash, sibling) : nodeHash(sibling, hash);
  }
  return hash;
}

export function verifyInclusion(inclusion: Inclusion, root: Uint8Array): boolean {
  const reached = rootOfInclusion(inclusion);
  return reached !== undefined && equalBytes(reached, root);
}

export type Consistency = {
  readonly earlier: number;
  readonly earlier_root: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
};

/** Whether the tree of `size` leaves extends the tree of `earlier` leaves. */
export function verifyConsistency(claim: Consistency): boolean {
  const { earlier, size, proof } = claim;
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(earlier) || earlier < 0 || earlier > size) return false;
  if (earlier === 0) return proof.length === 0 && equalBytes(claim.earlier_root, emptyRoot());
  if (earlier === size) return proof.length === 0 && equalBytes(claim.earlier_root, claim.root);
  const ranges = consistencyRanges(earlier, size);
  if (ranges.length !== proof.length || proof.some((hash) => hash.length !== 32)) return false;
  // Where the earlier tree is itself a subtree of the later one, its root is the start, else the proof brings it.
  const start = ranges[0]?.from === earlier ? -1 : 0;
  const seed = start === -1 ? claim.earlier_root : proof[0];
  if (seed === undefined) return false;
  let older = seed;
  let newer = seed;
  for (let i = start + 1; i < proof.length; i += 1) {
    const sibling = proof[i];
    const range = ranges[i];
    if (sibling === undefined || range === undefined) return false;
    if (range.from >= earlier) {
      newer = nodeHash(newer, sibling);
    } else {
      older = nodeHash(sibling, older);
      newer = nodeHash(sibling, newer);
    }
  }
  return equalBytes(older, claim.earlier_root) && equalBytes(newer, claim.root);
}

function isWithin(index: number, size: number): boolean {
  return Number.isSafeInteger(size) && Number.isSafeInteger(index) && index >= 0 && index < size;
}
