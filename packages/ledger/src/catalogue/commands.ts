/** Commands and dangerous operations: the pipeline's own events (names of G-7.1). */
import { NOTABLE, USUAL, defineKinds } from "./kind.ts";
import {
  digest,
  facts,
  flag,
  instant,
  listOf,
  nullable,
  oneOf,
  optional,
  tableOf,
  text,
  uuid,
  whole,
} from "./schema.ts";

const operation = {
  operation: optional(text(128)),
  remote: optional(nullable(text(128))),
  parameters: optional(facts),
} as const;
const refusal = {
  error_code: optional(text(32)),
  reason_code: optional(nullable(text(128))),
  status_code: optional(whole),
} as const;
const challenge = {
  challenge_id: uuid,
  intent_hash: optional(text(128)),
  operation: optional(text(128)),
  requires: optional(listOf(oneOf("phrase", "second_person", "ticket"), 3)),
  requested_by: optional(text(256)),
  expiry: optional(instant),
} as const;
const counted = { count: whole, error_codes: optional(tableOf(whole, 100)), window_seconds: optional(whole) } as const;

export const COMMAND_KINDS = defineKinds({
  "controlplane.command.requested": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { ...operation },
  },
  "controlplane.command.applied": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { ...operation, status_code: optional(whole) },
  },
  "controlplane.command.denied": {
    category: "security",
    severity: USUAL,
    retention: "financial",
    details: { ...operation, ...refusal, failures: optional(listOf(facts, 100)) },
  },
  "controlplane.command.failed": {
    category: "system",
    severity: USUAL,
    retention: "financial",
    details: { ...operation, ...refusal },
  },
  "controlplane.command.resumed": {
    category: "system",
    severity: NOTABLE,
    retention: "financial",
    details: { ...operation },
  },
  "controlplane.command.duplicate_suppressed": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: {
      ...operation,
      status_code: optional(whole),
      duplicate_suppressed: optional(flag),
      original_trace_id: optional(nullable(text(128))),
    },
  },
  "controlplane.command.dry_run": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: {
      ...operation,
      ...refusal,
      dry_run: optional(flag),
      would: optional(nullable(facts)),
      refused_by: optional(listOf(text(128), 100)),
    },
  },
  "controlplane.request.invalid": {
    category: "security",
    severity: USUAL,
    retention: "standard",
    details: { ...counted },
  },
  "controlplane.authentication.failed": {
    category: "security",
    severity: NOTABLE,
    retention: "standard",
    details: { ...counted },
  },
  "controlplane.rate_limited": {
    category: "security",
    severity: NOTABLE,
    retention: "standard",
    details: { ...counted },
  },
  "dangerous_op.challenge": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { ...challenge },
  },
  "dangerous_op.approve": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { ...challenge, shown_hash: optional(digest) },
  },
  "dangerous_op.confirm": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { ...challenge, confirmed_by: optional(text(256)), ticket: optional(text(64)) },
  },
  "dangerous_op.reject": {
    category: "security",
    severity: NOTABLE,
    retention: "financial",
    details: { ...challenge, ...refusal },
  },
  "change.proposed": { category: "approval", severity: USUAL, retention: "financial", details: { ...challenge } },
  "change.approved": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { ...challenge, shown_hash: optional(digest) },
  },
  "change.committed": {
    category: "approval",
    severity: NOTABLE,
    retention: "financial",
    details: { ...challenge, confirmed_by: optional(text(256)), ticket: optional(text(64)) },
  },
  "change.rejected": { category: "approval", severity: NOTABLE, retention: "financial", details: { ...challenge } },
  "change.withdrawn": { category: "approval", severity: USUAL, retention: "financial", details: { ...challenge } },
  "change.expired": { category: "approval", severity: USUAL, retention: "financial", details: { ...challenge } },
  "dangerous_op.expire": { category: "security", severity: NOTABLE, retention: "financial", details: { ...challenge } },
});
