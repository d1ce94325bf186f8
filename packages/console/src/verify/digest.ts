/** Whether bytes that were served are the ones that were named. */
import { fromBase64, hex } from "./merkle.ts";

export type Received =
  | { readonly kind: "same"; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "other"; readonly found: string };

/** The bytes, where their SHA-256 is each of those that were told; else what it is. Throws where it is no base64. */
export async function received(base64: string, told: readonly string[]): Promise<Received> {
  const bytes = fromBase64(base64);
  const found = hex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
  return told.length > 0 && told.every((one) => one === found) ? { kind: "same", bytes } : { kind: "other", found };
}
