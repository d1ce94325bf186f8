/**
 * What makes two requests the same: HMAC-SHA-256 under this home's key over RFC 8785 JSON of method, route,
 * path parameters and validated body. Never a bare hash, since bodies can hold secrets.
 */
import { type Json, canonicalJson } from "@rumi/kernel";
import { hmacHex } from "@rumi/ledger";

export type FingerprintOf = {
  readonly method: string;
  /** The declared path, so that an alias is the same request. */
  readonly route: string;
  readonly params: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
};

/** 64 lower-case hexadecimal digits; the key has at most 64 bytes. Throws a TypeError for what JSON cannot say (lone surrogates). */
export function fingerprint(key: Uint8Array, of: FingerprintOf): string {
  return hmacHex(key, canonicalJson(of as unknown as Json));
}
