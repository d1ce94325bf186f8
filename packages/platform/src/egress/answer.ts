/** What a pack is told of its request: exactly these members. */
import { failureText, type Failure } from "@rumi/kernel";
import type { EgressCheck } from "../network/model.ts";

export type EgressAnswer =
  | {
      readonly success: true;
      readonly status_code: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly latency_ms: number;
      readonly redirect_hops: number;
      readonly bytes_read: number;
      readonly final_url: string;
    }
  | { readonly success: false; readonly error: string; readonly error_type: EgressErrorType };

export type EgressErrorType =
  | `${EgressCheck}_denied`
  | "invalid_request"
  | "name_not_found"
  | "connection_failed"
  | "tls_failed"
  | "timeout"
  | "response_too_large"
  | "too_many_redirects"
  | "proxy_error";

/** Why a request has no answer, for the pack and for the log. */
export type EgressProblem = { readonly failure: Failure; readonly error_type: EgressErrorType };

export function unanswered({ failure, error_type }: EgressProblem): EgressAnswer {
  const { text, next } = failureText(failure, "en");
  return { success: false, error: `${failure.code}: ${text} ${next}`, error_type };
}
