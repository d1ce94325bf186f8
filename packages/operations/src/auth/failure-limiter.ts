/** Limits failed authentications per address, so that a token cannot be guessed by trying. */
import { type Clock, type Failure, failure } from "@rumi/kernel";
import { PIPELINE_LIMITS } from "../limits.ts";

export interface FailureLimiter {
  /** RUMI-AUTH-004 while the address has used up its failures. */
  refusal(address: string): Failure | undefined;
  failed(address: string): void;
}

export function failureLimiter(clock: Clock): FailureLimiter {
  const window_ms = PIPELINE_LIMITS.auth_window_seconds * 1_000;
  const seen = new Map<string, { count: number; until: number }>();
  const current = (address: string): { count: number; until: number } | undefined => {
    const entry = seen.get(address);
    if (entry === undefined || entry.until > clock.monotonic()) return entry;
    seen.delete(address);
    return undefined;
  };
  return {
    refusal: (address) => {
      const entry = current(address);
      if (entry === undefined || entry.count < PIPELINE_LIMITS.auth_failures) return undefined;
      return failure("RUMI-AUTH-004", {
        seconds: Math.max(1, Math.ceil((entry.until - clock.monotonic()) / 1_000)),
      });
    },
    failed: (address) => {
      const entry = current(address) ?? { count: 0, until: clock.monotonic() + window_ms };
      entry.count += 1;
      seen.set(address, entry);
      if (seen.size <= PIPELINE_LIMITS.auth_addresses) return;
      const [oldest] = seen.keys();
      if (oldest !== undefined) seen.delete(oldest);
    },
  };
}
