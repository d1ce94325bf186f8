/** Answers about what ran: instances from inside, stops and their proof, admissions, traces. */
import { anything, flag, integer, list, mapOf, nullable, object, optional, text, type Of } from "./shape.ts";

const counted = object({ reason: text, count: integer, runbook: nullable(text) });
export const inspectAnswer = object({ discarded: list(counted), faults: list(counted) });
export type Counted = Of<typeof counted>;

/** From the first to the last; each is a fact of its own. */
export const STOP_RUNGS = [
  "StopRequested",
  "StopAcknowledged",
  "Quiesced",
  "OrdersClear",
  "CredentialFenced",
  "StopAttested",
] as const;
const stop = object({
  run_id: text,
  instance_id: text,
  epoch: integer,
  mode: text,
  venue: text,
  proven: flag,
  open_orders: nullable(integer),
  rungs: list(object({ rung: text, at: text })),
  blocked: nullable(object({ rung: text, why: text, since: text })),
});
export type Stop = Of<typeof stop>;
export const attestationsAnswer = object({ attestations: list(stop) });

const admission = object({
  report_id: text,
  admitted: flag,
  error_code: nullable(text),
  reason_code: nullable(text),
  digest: text,
  checks: list(object({ check: text, passed: flag, reason_code: nullable(text), detail: text })),
  created_at: text,
});
export type Admission = Of<typeof admission>;
export const admissionsAnswer = object({ admissions: list(admission) });

const row = mapOf(anything);
export const traceAnswer = object({
  id: text,
  commands: list(row),
  runs: list(row),
  events: list(
    object({
      event_id: text,
      log_index: integer,
      action: text,
      actor: text,
      occurred_at: text,
      outcome: optional(text),
    }),
  ),
  intents: list(row),
  orders: list(row),
  fills: list(row),
  limit: optional(integer),
});
export type Trace = Of<typeof traceAnswer>;

const packOfBot = object({
  pack_id: text,
  digest: text,
  pack_version: nullable(text),
  current: flag,
  approved_by: nullable(text),
  approved_at: nullable(text),
  source: nullable(object({ repository: nullable(text), commit: nullable(text) })),
});
export const lineageAnswer = object({ packs: list(packOfBot) });
