/** What the catalogue says about one kind of event, and the helper with which an area's file declares them. */
import type { Outcome } from "../event.ts";
import type { Fields } from "./schema.ts";

/** The eight categories of the JSONL views. */
export const AUDIT_CATEGORIES = [
  "flow_execution",
  "modifier_application",
  "python_file_call",
  "approval",
  "permission",
  "network",
  "security",
  "system",
] as const;
export type AuditCategory = (typeof AUDIT_CATEGORIES)[number];

export type Severity = "info" | "warning" | "error" | "critical";
export type SeverityRule = Readonly<Record<Outcome, Severity>>;

export const DAY_MICROS = 86_400_000_000;
/** How long an event of a kind must be kept: a year, seven years (money and approvals), or as long as the log. */
export type Retention = "standard" | "financial" | "permanent";
export const RETENTION_DAYS: Readonly<Record<Retention, number | null>> = {
  standard: 365,
  financial: 2_557,
  permanent: null,
};

export type EventKind = {
  readonly category: AuditCategory;
  readonly severity: SeverityRule;
  readonly retention: Retention;
  /** Details beside the seven that every event has. */
  readonly details: Fields;
};

/** Succeeding is normal; a refusal deserves a look; a failure is an error. */
export const USUAL: SeverityRule = { SUCCESS: "info", REJECTED: "warning", FAILURE: "error" };
/** Even when it succeeds somebody should look. */
export const NOTABLE: SeverityRule = { SUCCESS: "warning", REJECTED: "warning", FAILURE: "error" };
/** Something is wrong whatever the outcome. */
export const ALARMING: SeverityRule = { SUCCESS: "critical", REJECTED: "critical", FAILURE: "critical" };

export function defineKinds<const Kinds extends Readonly<Record<string, EventKind>>>(kinds: Kinds): Kinds {
  return kinds;
}
