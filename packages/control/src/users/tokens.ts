/**
 * The form of an operator's token: `rumi_<environment>_<32 hexadecimal digits of its id>.<43 characters of chance>`.
 *
 * The id finds the row, the hash of the whole decides. The token itself is nowhere but in the answer that made it.
 */
import { sha256Hex } from "@rumi/kernel";

export const TOKEN_SECRET_BYTES = 32;

export function tokenText(environment: string, token_id: string, secret: Uint8Array): string {
  return `rumi_${environment}_${token_id.replaceAll("-", "")}.${Buffer.from(secret).toString("base64url")}`;
}

/** The id that a presented token names, in the form of its row; undefined where it is no token of this environment. */
export function tokenIdIn(environment: string, presented: string): string | undefined {
  const found = /^rumi_([a-z]+)_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})\.[\w-]{43}$/.exec(
    presented,
  );
  if (found === null || found[1] !== environment) return undefined;
  return found.slice(2).join("-");
}

export function tokenHash(presented: string): string {
  return sha256Hex(presented);
}
