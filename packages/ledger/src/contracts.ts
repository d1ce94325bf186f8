/**
 * The published contracts as JSON Schema (2020-12): audit_event from the catalogue, safety_state,
 * gate_results and support_bundle_manifest as the specifications fix them. docs/contracts/ holds what these functions print.
 */
import { ID_PATTERNS, type JsonObject } from "@rumi/kernel";
import { ACTOR_PATTERN, COMMON_DETAILS, EVENT_CATALOGUE, RESOURCE_TYPE_PATTERN } from "./catalogue.ts";
import { type Fields, shapeSchema } from "./catalogue/schema.ts";

const DIALECT = "https://json-schema.org/draft/2020-12/schema";
const uuid = { type: "string", pattern: ID_PATTERNS.uuid } as const;
const instant = { type: "string", format: "date-time" } as const;
const version = { const: 1 } as const;

function contract(
  title: string,
  required: Readonly<Record<string, JsonObject>>,
  optional: Readonly<Record<string, JsonObject>> = {},
): JsonObject {
  return {
    $schema: DIALECT,
    title,
    type: "object",
    additionalProperties: false,
    required: ["schema_version", ...Object.keys(required)],
    properties: { schema_version: version, ...required, ...optional },
  };
}

/** One audit event; the details of each action are closed by the branch that names it. */
export function auditEventSchema(): JsonObject {
  const kinds = Object.entries(EVENT_CATALOGUE).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const common = shapeSchema(COMMON_DETAILS);
  return {
    ...contract("audit_event", {
      event_id: uuid,
      actor: { type: "string", pattern: ACTOR_PATTERN },
      action: { enum: kinds.map(([action]) => action) },
      resource_type: { type: "string", pattern: RESOURCE_TYPE_PATTERN },
      resource_id: { type: "string" },
      outcome: { enum: ["SUCCESS", "FAILURE", "REJECTED"] },
      details: { $ref: "#/$defs/common_details" },
      occurred_at: instant,
    }),
    allOf: kinds.map(([action, kind]) => ({
      if: { properties: { action: { const: action } } },
      then: { properties: { details: closedDetails(kind.details) } },
    })),
    $defs: {
      common_details: { type: "object", required: Object.keys(COMMON_DETAILS), properties: common["properties"] ?? {} },
    },
  };
}

/** A kind's own details; the common ones are allowed by name and described once, in $defs. */
function closedDetails(fields: Fields): JsonObject {
  const own = shapeSchema(fields);
  const allowed = Object.fromEntries(Object.keys(COMMON_DETAILS).map((name) => [name, true]));
  return {
    required: own["required"] ?? [],
    additionalProperties: false,
    properties: { ...allowed, ...(own["properties"] as JsonObject) },
  };
}

export function safetyStateSchema(): JsonObject {
  return contract(
    "safety_state",
    {
      state_id: uuid,
      mode: { enum: ["NORMAL", "SAFE", "EMERGENCY_STOP"] },
      reason: { type: "string" },
      activated_at: instant,
    },
    { activated_by: { type: "string" }, resolved_at: instant },
  );
}

/** `state` UNKNOWN goes with `passed` false: what nobody knows has not passed. */
export function gateResultsSchema(): JsonObject {
  const rule = {
    type: "object",
    additionalProperties: false,
    required: ["rule_id", "passed"],
    properties: { rule_id: { type: "string" }, passed: { type: "boolean" }, message: { type: "string" } },
  };
  return {
    ...contract("gate_results", {
      run_id: uuid,
      gate: { type: "string" },
      passed: { type: "boolean" },
      rules: { type: "array", items: rule },
      evaluated_at: instant,
      state: { enum: ["PASS", "FAIL", "UNKNOWN"] },
      expires_at: instant,
    }),
    allOf: [
      {
        if: { properties: { state: { const: "PASS" } } },
        then: { properties: { passed: { const: true } } },
        else: { properties: { passed: { const: false } } },
      },
    ],
  };
}

/** What lists a support bundle's files; its hash is in the audit event `support_bundle.created`. */
export function supportBundleManifestSchema(): JsonObject {
  const size = { type: "integer", minimum: 0 } as const;
  const file = {
    type: "object",
    additionalProperties: false,
    required: ["path", "size_bytes", "sha256"],
    properties: { path: { type: "string" }, size_bytes: size, sha256: { type: "string", pattern: "^[0-9a-f]{64}$" } },
  };
  const limits = ["max_total_bytes", "max_files", "max_single_file_bytes", "max_path_len"];
  return contract(
    "support_bundle_manifest",
    {
      bundle_id: uuid,
      diag_semver: { type: "string", pattern: ID_PATTERNS.semver },
      files: { type: "array", items: file },
      created_at: instant,
      policy_summary: {
        type: "object",
        additionalProperties: false,
        required: ["archive_format", ...limits],
        properties: {
          archive_format: { enum: ["tar.zst", "zip"] },
          ...Object.fromEntries(limits.map((name) => [name, size])),
        },
      },
    },
    { description: { type: "string" } },
  );
}

/** File name under docs/contracts/ → schema. */
export function contractSchemas(): Readonly<Record<string, JsonObject>> {
  return {
    "audit_event.schema.json": auditEventSchema(),
    "safety_state.schema.json": safetyStateSchema(),
    "gate_results.schema.json": gateResultsSchema(),
    "support_bundle_manifest.schema.json": supportBundleManifestSchema(),
  };
}
