/** Answers about the house itself: policies, guardrails, runners, support bundles. */
import { anything, flag, integer, list, mapOf, nullable, object, oneOf, optional, text, type Of } from "./shape.ts";

const policyFields = {
  version: integer,
  cedar: text,
  confirmations: list(object({ operation: text, requires: list(text) })),
  reason: optional(text),
  created_at: optional(text),
  created_by: optional(text),
} as const;
export const policyAnswer = object(policyFields);
export type Policy = Of<typeof policyAnswer>;
export const policyVersions = object({ versions: list(object(policyFields)) });

const flip = object({
  principal: text,
  operation: text,
  resource: text,
  before: text,
  after: text,
  policies: list(text),
  times: integer,
});
export const simulation = object({ replayed: integer, flips: list(flip) });
export type Simulation = Of<typeof simulation>;

export const guardrails = object({
  version: integer,
  high_risk_actions: list(text),
  friction_level_by_action: mapOf(list(text)),
  contextual_warnings: mapOf(list(text)),
  hard_block_conditions: list(mapOf(anything)),
  updated_at: nullable(text),
  updated_by: nullable(text),
});
export type Guardrails = Of<typeof guardrails>;

export const supplyPolicy = object({ revision: integer, policy: mapOf(anything), set_by: nullable(text) });

const isolation = object({ level: text, mechanism: text, available: flag, reason: nullable(text) });
export const runnersSeen = object({
  runners: list(
    object({ runner_id: text, state: text, isolation: list(isolation), instances: integer, last_seen_at: text }),
  ),
});

export const health = object({ status: oneOf("UP", "DEGRADED", "DOWN", "UNKNOWN") });
