import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { leafHash } from "./hashing.ts";
import {
  consistencyRanges,
  inclusionRanges,
  perfectSubtrees,
  splitPoint,
  verifyConsistency,
  verifyInclusion,
} from "./merkle.ts";
import { type TileFetch, consistencyProof, inclusionProof, rootFromTiles } from "./tile-tree.ts";
import { HASH_BYTES } from "./hashing.ts";
import { TreeBuilder } from "./tree-builder.ts";

const sha = (...parts: Uint8Array[]): Uint8Array => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};
const zero = Uint8Array.of(0);
const one = Uint8Array.of(1);

/** The definitions of RFC 6962 section 2.1, letter by letter. */
function naiveRoot(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha();
  if (leaves.length === 1) return sha(zero, leaves[0] ?? zero);
  const k = splitPoint(leaves.length);
  return sha(one, naiveRoot(leaves.slice(0, k)), naiveRoot(leaves.slice(k)));
}
function naivePath(m: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length <= 1) return [];
  const k = splitPoint(leaves.length);
  return m < k
    ? [...naivePath(m, leaves.slice(0, k)), naiveRoot(leaves.slice(k))]
    : [...naivePath(m - k, leaves.slice(k)), naiveRoot(leaves.slice(0, k))];
}
function naiveSubproof(m: number, leaves: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (m === leaves.length) return whole ? [] : [naiveRoot(leaves)];
  const k = splitPoint(leaves.length);
  return m <= k
    ? [...naiveSubproof(m, leaves.slice(0, k), whole), naiveRoot(leaves.slice(k))]
    : [...naiveSubproof(m - k, leaves.slice(k), false), naiveRoot(leaves.slice(0, k))];
}

const leavesOf = (size: number): Uint8Array[] => Array.from({ length: size }, (_, i) => Buffer.from(`leaf ${i}`));

function tilesOf(leaves: readonly Uint8Array[]): { fetch: TileFetch; root: Uint8Array } {
  const tiles = new Map<string, Uint8Array>();
  const tree = new TreeBuilder((level, index, data) => tiles.set(`${level}/${index}`, data));
  for (const leaf of leaves) tree.push(leafHash(leaf));
  for (const [level, data] of tree.partialTiles().entries()) {
    const index = Math.floor(Math.floor(leaves.length / 256 ** level) / 256);
    if (data.length > 0) tiles.set(`${level}/${index}`, data);
  }
  return {
    root: tree.root(),
    fetch: async (level, index, width) => tiles.get(`${level}/${index}`)?.subarray(0, width * HASH_BYTES),
  };
}
const hex = (hashes: readonly Uint8Array[]): string[] => hashes.map((hash) => Buffer.from(hash).toString("hex"));
async function value<T>(of: Promise<{ ok: true; value: T } | { ok: false; error: unknown }>): Promise<T> {
  const result = await of;
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
}

describe("merkle", () => {
  it("[L-26] root, inclusion and consistency equal RFC 6962's recursive definitions at every size to 40 and around tile edges", async () => {
    for (const size of [...Array.from({ length: 40 }, (_, i) => i + 1), 255, 256, 257, 511, 512, 600]) {
      const leaves = leavesOf(size);
      const { fetch, root } = tilesOf(leaves);
      expect(hex([root, await value(rootFromTiles(size, fetch))])).toEqual(hex([naiveRoot(leaves), root]));
      const step = size <= 40 ? 1 : 97;
      for (let index = 0; index < size; index += step) {
        const proof = await value(inclusionProof(index, size, fetch));
        expect(hex(proof)).toEqual(hex(naivePath(index, leaves)));
        expect(verifyInclusion({ index, size, leaf_hash: leafHash(leaves[index] ?? zero), proof }, root)).toBe(true);
      }
      for (let earlier = 0; earlier <= size; earlier += step) {
        const proof = await value(consistencyProof(earlier, size, fetch));
        expect(hex(proof)).toEqual(hex(earlier === 0 ? [] : naiveSubproof(earlier, leaves, true)));
        const earlier_root = naiveRoot(leaves.slice(0, earlier));
        expect(verifyConsistency({ earlier, earlier_root, size, root, proof })).toBe(true);
      }
    }
  });

  it("[L-26] a wrong index, size, leaf, root or hash never verifies", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 2, max: 700 }), fc.nat(), fc.nat(), fc.nat(), async (size, a, b, c) => {
        const leaves = leavesOf(size);
        const { fetch, root } = tilesOf(leaves);
        const index = a % size;
        const earlier = 1 + (b % (size - 1));
        const leaf_hash = leafHash(leaves[index] ?? zero);
        const proof = await value(inclusionProof(index, size, fetch));
        expect(verifyInclusion({ index: (index + 1) % size, size, leaf_hash, proof }, root)).toBe(false);
        expect(verifyInclusion({ index, size, leaf_hash: leafHash(zero), proof }, root)).toBe(false);
        expect(verifyInclusion({ index, size, leaf_hash, proof: proof.slice(1) }, root)).toBe(false);
        expect(verifyInclusion({ index, size, leaf_hash, proof: [...proof, root] }, root)).toBe(false);
        const bent = proof.map((hash) => Uint8Array.from(hash));
        const target = bent[c % bent.length];
        if (target !== undefined) target[c % 32] = (target[c % 32] ?? 0) ^ 1;
        expect(verifyInclusion({ index, size, leaf_hash, proof: bent }, root)).toBe(false);
        const between = await value(consistencyProof(earlier, size, fetch));
        const earlier_root = naiveRoot(leaves.slice(0, earlier));
        expect(verifyConsistency({ earlier, earlier_root, size, root, proof: between })).toBe(true);
        expect(verifyConsistency({ earlier, earlier_root: root, size, root, proof: between })).toBe(false);
        expect(verifyConsistency({ earlier, earlier_root, size, root: earlier_root, proof: between })).toBe(false);
        expect(verifyConsistency({ earlier, earlier_root, size, root, proof: between.slice(1) })).toBe(false);
        const forged = [...leaves.slice(0, earlier - 1), zero];
        expect(verifyConsistency({ earlier, earlier_root: naiveRoot(forged), size, root, proof: between })).toBe(false);
      }),
      { numRuns: 40, seed: 7 },
    );
  });

  it("sizes beyond 32 bits have the right shape", () => {
    const size = 2 ** 40 + 3;
    expect(inclusionRanges(size - 1, size).at(-1)).toEqual({ from: 0, to: 2 ** 40 });
    expect(perfectSubtrees({ from: 0, to: size }).map((part) => part.height)).toEqual([40, 1, 0]);
    expect(consistencyRanges(2 ** 40, size)).toEqual([{ from: 2 ** 40, to: size }]);
  });

  it("indices outside the tree are refused", () => {
    const proof: Uint8Array[] = [];
    expect(verifyInclusion({ index: 1, size: 1, leaf_hash: leafHash(zero), proof }, leafHash(zero))).toBe(false);
    expect(verifyInclusion({ index: -1, size: 1, leaf_hash: leafHash(zero), proof }, leafHash(zero))).toBe(false);
    expect(verifyInclusion({ index: 0.5, size: 1, leaf_hash: leafHash(zero), proof }, leafHash(zero))).toBe(false);
    expect(() => inclusionRanges(3, 3)).toThrow(RangeError);
    expect(() => consistencyRanges(4, 3)).toThrow(RangeError);
  });
});
