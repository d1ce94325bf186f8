/**
 * Vouching for a range of the log: all of it is as it must be, or nothing is said.
 *
 * How to think: nearly every log that is verified is whole, and to find that out is much less work than to say what is
 * wrong. Here each entry is made again from its payload and its salt, and compared in one piece with what is stored;
 * the roots of the range's tiles are all that the verifier then needs of it. Of a range that is not vouched for nothing
 * is known: the verifier reads it itself and names what it finds. So whoever vouches can only save time, never hide
 * or invent a finding, and reports are the same with and without.
 *
 * Not vouched for, though nothing may be wrong with it: a range with an erased payload, or with the event that erased one.
 * Memory: one tile's entries at a time, 84 MB were each of the largest size.
 */
import { HASH_BYTES, hmacHexOfBytes, leafHashInto, sameHash } from "../hashing.ts";
import { isText, leafText, remakeLeaf, SALT_BYTES } from "../leaf.ts";
import type { PackedEntries, PackedSource } from "../source.ts";
import { hashOfSpan } from "../tile-tree.ts";
import { TILE_WIDTH } from "../tiles.ts";
import { indexLine } from "./index-check.ts";

const RANGE_TILES = 16;
export const RANGE_ENTRIES: number = RANGE_TILES * TILE_WIDTH;
export const RANGE_ROOT_BYTES: number = RANGE_TILES * HASH_BYTES;

/** The roots of the range's tiles; undefined where somebody has to look closer. `first_index`: where a range begins. */
export async function vouchForRange(source: PackedSource, first_index: number): Promise<Uint8Array | undefined> {
  const roots = new Uint8Array(RANGE_ROOT_BYTES);
  for (let at = 0; at < RANGE_TILES; at += 1) {
    const index = first_index / TILE_WIDTH + at;
    const [packed, tile] = [await source.packed(index), await source.tile(0, index)];
    if (packed === undefined || tile === undefined || !isWhole(packed, tile)) return undefined;
    roots.set(hashOfSpan(tile, 0, TILE_WIDTH), at * HASH_BYTES);
  }
  return roots;
}

/** Whether the tile is full and each of its hashes, payloads and search columns is the entry's own. */
function isWhole(packed: PackedEntries, tile: Uint8Array): boolean {
  const { leaf_lengths, payload_lengths, index_lines } = packed;
  const [leaves, salts, payloads] = [bufferOf(packed.leaves), bufferOf(packed.salts), bufferOf(packed.payloads)];
  if (tile.length !== TILE_WIDTH * HASH_BYTES || salts.length !== TILE_WIDTH * SALT_BYTES) return false;
  if ([leaf_lengths, payload_lengths, index_lines].some(({ length }) => length !== TILE_WIDTH)) return false;
  if (sum(leaf_lengths) !== leaves.length || sum(payload_lengths) !== payloads.length) return false;
  const leafOf = slicer(leaves, leaf_lengths);
  const payloadOf = slicer(payloads, payload_lengths);
  for (let i = 0; i < TILE_WIDTH; i += 1) {
    const [leaf, payload] = [leafOf(i), payloadOf(i)];
    const text = payload.toString("utf8");
    if (text.includes(REPLACED)) return false;
    const made = remakeLeaf(text, hmacHexOfBytes(salts.subarray(i * SALT_BYTES, (i + 1) * SALT_BYTES), payload));
    if (made === undefined || made.event.action === "audit.erasure") return false;
    if (!isText(leaf, leafText(made.record)) || index_lines[i] !== indexLine(made.event)) return false;
    leafHashInto(hash, 0, leaf);
    if (!sameHash(hash, 0, tile, i * HASH_BYTES)) return false;
  }
  return true;
}

const hash = Buffer.alloc(HASH_BYTES);

/** What bytes that are no UTF-8 are read as. */
const REPLACED = "\uFFFD";

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

const sum = (lengths: readonly number[]): number => lengths.reduce((total, length) => total + length, 0);

/** Cuts the next piece off, one after the other. */
function slicer(bytes: Buffer, lengths: readonly number[]): (i: number) => Buffer {
  let end = 0;
  return (i) => {
    const begin = end;
    end += lengths[i] ?? 0;
    return bytes.subarray(begin, end);
  };
}
