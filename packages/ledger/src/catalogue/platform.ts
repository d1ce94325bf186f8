/** The platform's executions: flows, modifiers, blocks, libraries, capabilities, network. */
import { NOTABLE, USUAL, defineKinds } from "./kind.ts";
import { facts, listOf, measured, nullable, optional, text, whole } from "./schema.ts";

/** Names that the JSONL views lift to their top level. */
const place = {
  flow_id: optional(nullable(text(128))),
  step_id: optional(nullable(text(128))),
  phase: optional(nullable(text(128))),
  owner_pack: optional(nullable(text(64))),
  modifier_id: optional(nullable(text(128))),
  execution_mode: optional(nullable(text(64))),
  error: optional(nullable(text(4_096))),
  error_type: optional(nullable(text(128))),
  rejection_reason: optional(nullable(text(1_024))),
  duration_ms: optional(measured),
} as const;
const grant = {
  permission_type: text(64),
  permission_id: optional(text(256)),
  principal_id: optional(text(256)),
  config: optional(facts),
  ...place,
} as const;

export const PLATFORM_KINDS = defineKinds({
  "flow.executed": {
    category: "flow_execution",
    severity: USUAL,
    retention: "standard",
    details: { ...place, steps: optional(whole) },
  },
  "flow.approval.requested": {
    category: "flow_execution",
    severity: USUAL,
    retention: "standard",
    details: { ...place, flow_approval_id: text(64), decide_until: text(64) },
  },
  "flow.approval.approved": {
    category: "flow_execution",
    severity: NOTABLE,
    retention: "standard",
    details: { ...place, flow_approval_id: text(64) },
  },
  "flow.approval.rejected": {
    category: "flow_execution",
    severity: NOTABLE,
    retention: "standard",
    details: { ...place, flow_approval_id: text(64) },
  },
  "flow.approval.expired": {
    category: "flow_execution",
    severity: NOTABLE,
    retention: "standard",
    details: { ...place, flow_approval_id: text(64) },
  },
  "modifier.applied": {
    category: "modifier_application",
    severity: USUAL,
    retention: "standard",
    details: { ...place, modifier_action: optional(text(32)), target_step_id: optional(nullable(text(128))) },
  },
  "python_file_call.executed": {
    category: "python_file_call",
    severity: USUAL,
    retention: "standard",
    details: { ...place, file: optional(text(1_024)) },
  },
  /** Steps that call something else than a Python file. */
  "step.executed": {
    category: "flow_execution",
    severity: USUAL,
    retention: "standard",
    details: { ...place, step_type: optional(text(32)), target: optional(text(1_024)) },
  },
  "step_target.disabled": {
    category: "flow_execution",
    severity: NOTABLE,
    retention: "standard",
    details: { ...place },
  },
  "step_target.enabled": {
    category: "flow_execution",
    severity: NOTABLE,
    retention: "standard",
    details: { ...place },
  },
  "lib.executed": {
    category: "system",
    severity: USUAL,
    retention: "standard",
    details: { ...place, lib: optional(text(128)), trigger: optional(text(64)) },
  },
  "lib.record_cleared": {
    category: "system",
    severity: NOTABLE,
    retention: "standard",
    details: { ...place, lib: optional(text(128)) },
  },
  "permission.granted": { category: "permission", severity: NOTABLE, retention: "financial", details: { ...grant } },
  "permission.revoked": { category: "permission", severity: NOTABLE, retention: "financial", details: { ...grant } },
  "permission.denied": {
    category: "security",
    severity: NOTABLE,
    retention: "standard",
    details: { ...grant, handler_id: optional(text(128)) },
  },
  "capability.executed": {
    category: "permission",
    severity: USUAL,
    retention: "standard",
    details: { ...grant, handler_id: optional(text(128)) },
  },
  "privilege.executed": { category: "permission", severity: NOTABLE, retention: "financial", details: { ...grant } },
  "network.requested": {
    category: "network",
    severity: USUAL,
    retention: "standard",
    details: {
      ...place,
      domain: text(253),
      port: whole,
      method: optional(text(16)),
      status: optional(whole),
      redirect_hops: optional(listOf(text(1_024), 10)),
      bytes_read: optional(whole),
    },
  },
  /** Before it leaves; what came of it is `network.requested`. */
  "network.sent": {
    category: "network",
    severity: USUAL,
    retention: "standard",
    details: { ...place, domain: text(253), port: whole, method: optional(text(16)) },
  },
});
