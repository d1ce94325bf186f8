/**
 * RFC 6962 hashing: SHA-256 of leaves (prefix 0x00) and of inner nodes (prefix 0x01), without garbage.
 *
 * How to think: the log hashes millions of short inputs, so what costs is the call, not SHA-256.
 * Node's one-shot `crypto.hash` with a one-byte-per-character text result takes a third of the time of
 * one that returns a buffer; the text is then laid into the caller's memory.
 * Everything here is synchronous: the shared scratch memory is never seen half-written.
 */
import * as crypto from "node:crypto";

export const HASH_BYTES = 32;
const ENCODING = "latin1";

/** SHA-256 as a text of 32 characters below 256; older runtimes without `crypto.hash` take the slow way. */
const digestText: (input: Uint8Array) => string =
  typeof crypto.hash === "function"
    ? (input) => crypto.hash("sha256", input, "binary")
    : (input) => crypto.createHash("sha256").update(input).digest("binary");

/** SHA-256 as 64 lower-case hexadecimal digits. */
const digestHex: (input: Uint8Array) => string =
  typeof crypto.hash === "function"
    ? (input) => crypto.hash("sha256", input, "hex")
    : (input) => crypto.createHash("sha256").update(input).digest("hex");

/** Writes SHA-256 of `input` into 32 bytes of `target` at `offset`. */
export function sha256Into(target: Buffer, offset: number, input: Uint8Array): void {
  target.write(digestText(input), offset, HASH_BYTES, ENCODING);
}

const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, 1);

/** Hash of an inner node; the children lie in `left` and `right` at their offsets. */
export function nodeHashInto(
  target: Buffer,
  offset: number,
  left: Uint8Array,
  leftOffset: number,
  right: Uint8Array,
  rightOffset: number,
): void {
  nodeInput.set(left.subarray(leftOffset, leftOffset + HASH_BYTES), 1);
  nodeInput.set(right.subarray(rightOffset, rightOffset + HASH_BYTES), 1 + HASH_BYTES);
  sha256Into(target, offset, nodeInput);
}

let leafInput = Buffer.alloc(4_096);

/** Hash of a leaf's bytes. */
export function leafHashInto(target: Buffer, offset: number, leaf: Uint8Array): void {
  if (leaf.length + 1 > leafInput.length) leafInput = Buffer.alloc(2 * (leaf.length + 1));
  leafInput[0] = 0;
  leafInput.set(leaf, 1);
  sha256Into(target, offset, leafInput.subarray(0, leaf.length + 1));
}

export function leafHash(leaf: Uint8Array): Uint8Array {
  const hash = Buffer.alloc(HASH_BYTES);
  leafHashInto(hash, 0, leaf);
  return hash;
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const hash = Buffer.alloc(HASH_BYTES);
  nodeHashInto(hash, 0, left, 0, right, 0);
  return hash;
}

/** Root of the empty tree: SHA-256 of nothing (RFC 6962 section 2.1). */
export function emptyRoot(): Uint8Array {
  const hash = Buffer.alloc(HASH_BYTES);
  sha256Into(hash, 0, new Uint8Array(0));
  return new Uint8Array(hash);
}

const BLOCK_BYTES = 64;
let hmacInput = Buffer.alloc(4_096);
const hmacOuter = Buffer.alloc(BLOCK_BYTES + HASH_BYTES);

/** HMAC-SHA-256 (RFC 2104) of a text's UTF-8 under a key of at most 64 bytes, as lower-case hexadecimal. */
export function hmacHex(key: Uint8Array, text: string): string {
  takeKey(key, 3 * text.length);
  return finishHmac(hmacInput.write(text, BLOCK_BYTES, "utf8"));
}

/** The same of bytes. */
export function hmacHexOfBytes(key: Uint8Array, bytes: Uint8Array): string {
  takeKey(key, bytes.length);
  hmacInput.set(bytes, BLOCK_BYTES);
  return finishHmac(bytes.length);
}

/** Lays the key before the message, for which there is room afterwards. */
function takeKey(key: Uint8Array, most: number): void {
  if (key.length > BLOCK_BYTES) throw new RangeError(`an HMAC key of ${key.length} bytes`);
  if (BLOCK_BYTES + most > hmacInput.length) hmacInput = Buffer.alloc(2 * (BLOCK_BYTES + most));
  for (let i = 0; i < BLOCK_BYTES; i += 1) {
    const byte = key[i] ?? 0;
    hmacInput[i] = byte ^ 0x36;
    hmacOuter[i] = byte ^ 0x5c;
  }
}

function finishHmac(length: number): string {
  sha256Into(hmacOuter, BLOCK_BYTES, hmacInput.subarray(0, BLOCK_BYTES + length));
  return digestHex(hmacOuter);
}

/** Whether 32 bytes here equal 32 bytes there. */
export function sameHash(a: Uint8Array, aOffset: number, b: Uint8Array, bOffset: number): boolean {
  for (let i = 0; i < HASH_BYTES; i += 1) {
    if (a[aOffset + i] !== b[bOffset + i]) return false;
  }
  return true;
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
