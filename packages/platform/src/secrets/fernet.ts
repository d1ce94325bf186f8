/**
 * Fernet: what is kept under a key so that nobody reads or changes it. Source: the Fernet specification, version 0x80.
 *
 * Token: URL-safe Base64 of 0x80 | seconds since the epoch (64 bit, big-endian) | initialisation vector (16) |
 * AES-128-CBC with PKCS#7 | HMAC-SHA-256 of all before. Key: 32 bytes, the first half signs, the second encrypts.
 *
 * Invariants (fernet.test.ts): another implementation opens what is sealed here and the other way round; any bit that
 * changed is refused before anything is decrypted.
 */
import { createCipheriv, createDecipheriv, timingSafeEqual } from "node:crypto";
import { hmacSha256 } from "@rumi/kernel";

const VERSION = 0x80;
const HEAD_BYTES = 1 + 8 + 16;
const MAC_BYTES = 32;
const BLOCK_BYTES = 16;

export type FernetKey = { readonly signing: Uint8Array; readonly encryption: Uint8Array };

/** Undefined where it is not 32 bytes in Base64, URL-safe or not. */
export function parseFernetKey(text: string): FernetKey | undefined {
  if (!/^[A-Za-z0-9_+/-]{43}=?$/.test(text)) return undefined;
  const bytes = new Uint8Array(Buffer.from(text, "base64"));
  return bytes.length === 32 ? { signing: bytes.subarray(0, 16), encryption: bytes.subarray(16) } : undefined;
}

/** `iv`: 16 fresh random bytes; `seconds` since the epoch. */
export function sealFernet(
  key: FernetKey,
  data: Uint8Array,
  { iv, seconds }: { readonly iv: Uint8Array; readonly seconds: number },
): string {
  const cipher = createCipheriv("aes-128-cbc", key.encryption, iv);
  const head = Buffer.alloc(9);
  head.writeUInt8(VERSION, 0);
  head.writeBigUInt64BE(BigInt(seconds), 1);
  const signed = Buffer.concat([head, iv, cipher.update(data), cipher.final()]);
  return urlSafe(Buffer.concat([signed, hmacSha256(key.signing, signed)]));
}

/** Undefined where the token is none, or was made under another key, or is not as it was made. */
export function openFernet(key: FernetKey, token: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(token)) return undefined;
  const bytes = Buffer.from(token, "base64url");
  const sealed = bytes.length - HEAD_BYTES - MAC_BYTES;
  if (sealed < BLOCK_BYTES || sealed % BLOCK_BYTES !== 0 || bytes[0] !== VERSION) return undefined;
  const signed = bytes.subarray(0, -MAC_BYTES);
  if (!timingSafeEqual(hmacSha256(key.signing, signed), bytes.subarray(-MAC_BYTES))) return undefined;
  const decipher = createDecipheriv("aes-128-cbc", key.encryption, signed.subarray(9, HEAD_BYTES));
  try {
    return new Uint8Array(Buffer.concat([decipher.update(signed.subarray(HEAD_BYTES)), decipher.final()]));
  } catch {
    return undefined; // signed by whoever has the key, and no padding of this form
  }
}

/** With its padding, as other implementations want it. */
const urlSafe = (bytes: Buffer): string => bytes.toString("base64").replaceAll("+", "-").replaceAll("/", "_");
