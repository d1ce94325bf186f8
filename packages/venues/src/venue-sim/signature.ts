/** How a request proves its key: HMAC-SHA256 over timestamp, window, method, target and body, compared in constant time. */
import { createHmac, timingSafeEqual } from "node:crypto";

export type ApiKey = { readonly key_id: string; readonly secret: string };

export type Signed = {
  readonly timestamp_ms: number;
  readonly recv_window_ms: number;
  readonly method: string;
  /** Path with query. */
  readonly target: string;
  readonly body: string;
};

/** 64 hexadecimal digits. */
export function sign(secret: string, { timestamp_ms, recv_window_ms, method, target, body }: Signed): string {
  return createHmac("sha256", secret)
    .update(`${timestamp_ms}\n${recv_window_ms}\n${method}\n${target}\n${body}`)
    .digest("hex");
}

export function isSignedBy(secret: string, signed: Signed, signature: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(signature)) return false;
  return timingSafeEqual(Buffer.from(sign(secret, signed), "hex"), Buffer.from(signature, "hex"));
}
