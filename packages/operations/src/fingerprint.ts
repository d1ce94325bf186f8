/**
 * What makes two requests the same: HMAC-SHA-256 under this home's key over RFC 8785 JSON of method, route,
 * path parameters and validated body. Never a bare hash, since bodies can hold secrets.
 */
import { type Json, canonicalJson, hmacSha256 } from "@rumi/kernel";

export type FingerprintOf = {
  readonly method: string;
  /** The declared path, so that an alias is the same request. */
  readonly route: string;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
};

/** 64 lower-case hexadecimal digits. Throws a TypeError for what JSON cannot say (lone surrogates). */
export function fingerprint(key: Uint8Array, of: FingerprintOf): string {
  return Buffer.from(hmacSha256(key, canonicalJson(of as unknown as Json))).toString("hex");
}
