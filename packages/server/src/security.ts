/** What guards a browser and the loopback address: host names, origins, headers. */
import { type Failure, failure } from "@rumi/kernel";

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(["127.0.0.1", "localhost", "[::1]"]);

export function isLoopback(address: string): boolean {
  return address === "::1" || address === "localhost" || address.startsWith("127.");
}

/** A page of another site that rebinds its name to 127.0.0.1 still sends its own name. */
export function hostRefusal(bind_address: string, host: string | undefined): Failure | undefined {
  if (!isLoopback(bind_address)) return undefined;
  const name = (host ?? "").toLowerCase().replace(/:\d+$/, "");
  return LOOPBACK_NAMES.has(name) || name === bind_address
    ? undefined
    : failure("RUMI-SYS-010", { host: (host ?? "(none)").slice(0, 255) });
}

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
};

/** Scripts only from the program itself; charts set styles on elements, hence inline styles. */
export const CONSOLE_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export function corsHeaders(origins: readonly string[], origin: string | undefined): Readonly<Record<string, string>> {
  if (origin === undefined || !origins.includes(origin)) return {};
  return {
    "access-control-allow-origin": origin,
    vary: "Origin",
    "access-control-allow-methods": "GET, POST, PUT, DELETE",
    "access-control-allow-headers":
      "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, Accept-Language, Traceparent",
    "access-control-expose-headers": "X-Trace-Id, Idempotency-Key, Retry-After",
    "access-control-max-age": "600",
  };
}
