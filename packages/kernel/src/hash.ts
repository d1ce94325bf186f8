/** Hashing and comparing secrets; the one door to `node:crypto` for digests. */
import * as crypto from "node:crypto";
import type { Digest } from "./ids.ts";

/** One call instead of a hash object with its finalizer; the first Node 20s do not have it. */
const oneCall: typeof crypto.hash | undefined = crypto.hash;
/** Parts of up to this many bytes together are gathered first, which costs less than an object that takes them one by one. */
const GATHERED_BYTES_MAX = 4_096;
const room = Buffer.allocUnsafeSlow(GATHERED_BYTES_MAX);

type Parts = readonly (Uint8Array | string)[];

export function sha256(...parts: Parts): Uint8Array {
  return new Uint8Array(sha256Buffer(...parts));
}

/** As `sha256`; for those who go on with a `Buffer`. */
export function sha256Buffer(...parts: Parts): Buffer {
  const whole = gathered(parts);
  if (whole === undefined || oneCall === undefined) return hashOf(parts).digest();
  return Buffer.from(oneCall("sha256", whole, "binary"), "latin1");
}

export function sha256Hex(...parts: Parts): string {
  const whole = gathered(parts);
  return whole === undefined || oneCall === undefined ? hashOf(parts).digest("hex") : oneCall("sha256", whole, "hex");
}

/** All parts in one piece, good until the next call; `undefined` where they are too long for that. */
function gathered(parts: Parts): Uint8Array | string | undefined {
  const [only] = parts;
  if (parts.length === 1) return only;
  let at = 0;
  for (const part of parts) {
    // A character is three bytes at most.
    if (at + (typeof part === "string" ? part.length * 3 : part.length) > GATHERED_BYTES_MAX) return undefined;
    if (typeof part === "string") at += room.write(part, at);
    else {
      room.set(part, at);
      at += part.length;
    }
  }
  return room.subarray(0, at);
}

function hashOf(parts: Parts): crypto.Hash {
  const hash = crypto.createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash;
}

export function digestOf(...parts: readonly (Uint8Array | string)[]): Digest {
  return `sha256:${sha256Hex(...parts)}` as Digest;
}

export function hmacSha256(key: Uint8Array, ...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const hmac = crypto.createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return new Uint8Array(hmac.digest());
}

/** Compares in a time that does not tell where two secrets differ. */
export function equalSecrets(a: string, b: string): boolean {
  return crypto.timingSafeEqual(sha256(a), sha256(b));
}
