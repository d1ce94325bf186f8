/** Answers about the audit log as it is searched. */
import { auditEvent } from "./answers.ts";
import { list, nullable, object, text } from "./shape.ts";

export const foundEvents = object({ events: list(auditEvent), next_cursor: nullable(text) });

/** What events are searched by; each exact, times in UTC. */
export const AUDIT_FIELDS = [
  "action",
  "actor",
  "resource_type",
  "resource_id",
  "outcome",
  "trace_id",
  "since",
  "until",
] as const;
export type AuditField = (typeof AUDIT_FIELDS)[number];
export type AuditSearch = Readonly<Partial<Record<AuditField, string>>>;
