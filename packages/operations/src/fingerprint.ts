/**
 * What makes two requests the same: HMAC-SHA-256 under this home's key over RFC 8785 JSON of method, route,
 * path parameters and validated body. Never a bare hash, since bodies can hold secrets.
 */
import { type Json, canonicalJson } from "@rumi/kernel";
import { hmacHex } from "@rumi/ledger";

import type { RegisteredOperation } from "./registry.ts";

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

export function requestFingerprint(
  key: Uint8Array,
  { definition, params: names }: RegisteredOperation,
  input: Readonly<Record<string, unknown>>,
): string {
  return fingerprint(key, {
    method: definition.http.method,
    route: definition.http.path,
    params: Object.fromEntries(names.map((name) => [name, String(input[name])])),
    body: Object.fromEntries(Object.entries(input).filter(([name]) => !names.includes(name))),
  });
}

/** Fields that say which request it is and why, not what is wished. */
const OF_THE_REQUEST: readonly string[] = ["command_id", "reason", "trace_id", "run_id", "actor"];

/** The same for two requests that wish the same. */
export function likenessOf(
  key: Uint8Array,
  operation: RegisteredOperation,
  input: Readonly<Record<string, unknown>>,
): string {
  const wished = Object.entries(input).filter(([name]) => !OF_THE_REQUEST.includes(name));
  return requestFingerprint(key, operation, Object.fromEntries(wished));
}
