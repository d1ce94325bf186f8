/** Hashing and comparing secrets; the one door to `node:crypto` for digests. */
import * as crypto from "node:crypto";
import type { Digest } from "./ids.ts";

export function sha256(...parts: readonly (Uint8Array | string)[]): Uint8Array {
  const [first, ...more] = parts;
  // One call instead of three objects; the first Node 20s do not have it.
  if (first !== undefined && more.length === 0 && typeof crypto.hash === "function")
    return new Uint8Array(Buffer.from(crypto.hash("sha256", first, "binary"), "latin1"));
  const hash = crypto.createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

export function sha256Hex(...parts: readonly (Uint8Array | string)[]): string {
  const [first, ...more] = parts;
  if (first !== undefined && more.length === 0 && typeof crypto.hash === "function")
    return crypto.hash("sha256", first, "hex");
  return Buffer.from(sha256(...parts)).toString("hex");
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
