/** Fields that many operations share, so that each has one form everywhere. */
import { ID_PATTERNS, type Failure, type Result } from "@rumi/kernel";
import { Type } from "@sinclair/typebox";

export const CLOSED = { additionalProperties: false } as const;
export const CommandIdField = Type.String({
  pattern: ID_PATTERNS.uuid,
  description: "Idempotency key: the same id never acts twice.",
});
export const ReasonField = Type.String({
  minLength: 1,
  maxLength: 1_024,
  pattern: "\\S",
  description: "Why; kept in the audit log.",
});
/** A UTC instant that microseconds can hold: from 1700 until 2199. */
export const UtcInstantField = Type.String({
  pattern:
    "^(1[7-9]|2[01])\\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,6})?Z$",
  description: "A UTC instant such as 2026-02-24T12:00:00Z.",
});
export const BotIdField = Type.String({ pattern: ID_PATTERNS.bot });
export const VenueIdField = Type.String({ pattern: ID_PATTERNS.venue });
export const InstrumentIdField = Type.String({ pattern: ID_PATTERNS.instrument });
export const DigestField = Type.String({ pattern: ID_PATTERNS.digest });
export const AnswerSchema = Type.Object({}, { additionalProperties: true });
export const EVERYONE = ["view_only", "operator", "admin", "break_glass"] as const;

export const noDanger = (): { readonly kind: "none" } => ({ kind: "none" });

/** The body of an error answer, for rows and reports. */
export type FailureNote = {
  readonly error_code: string;
  readonly reason_code: string | null;
  readonly error: string;
  readonly suggestion: string;
};
export type Checked<T> = Result<T, Failure>;
