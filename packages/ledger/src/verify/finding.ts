/** What a verification says: findings with a code, a kind and, where it can be told, the log index. */
import { type ErrorCode, type FailureParams, failureText, type Language } from "@rumi/kernel";

/** At most this many findings are listed; the rest are counted. */
export const FINDINGS_MAX = 1_000;

export type FindingKind =
  | "signature"
  | "forked"
  | "truncated"
  | "edited"
  | "removed"
  | "inserted"
  | "reordered"
  | "tile"
  | "unreadable"
  | "malformed"
  | "commitment_mismatch"
  | "payload_missing"
  | "erased_early"
  | "index_mismatch"
  | "jsonl_mismatch";

export type Finding = {
  readonly kind: FindingKind;
  /** Log index; null where the finding is about the whole log or its head. */
  readonly index: number | null;
  readonly code: ErrorCode;
  readonly params: FailureParams;
};

export function findingText(of: Finding, language: Language): { readonly text: string; readonly next: string } {
  return failureText({ code: of.code, params: of.params }, language);
}

export class Findings {
  readonly listed: Finding[] = [];
  total = 0;

  add(kind: FindingKind, index: number | null, code: ErrorCode, params: FailureParams = {}): void {
    this.total += 1;
    if (this.listed.length < FINDINGS_MAX) this.listed.push({ kind, index, code, params });
  }
}
