/** What the routes of runs answer. */
import { Type, type TSchema } from "@sinclair/typebox";
import { APPROVED_STATUSES, CHECK_KINDS, CHECK_STATUSES, ENFORCEMENTS, RUN_PHASES, RUN_STATUSES } from "./model.ts";
import { VIOLATION_REASONS } from "../scope/scope.ts";

const open = { additionalProperties: true } as const;
const oneOf = (words: readonly string[]): TSchema => Type.Union(words.map((word) => Type.Literal(word)));
const orNull = (schema: TSchema): TSchema => Type.Union([schema, Type.Null()]);
const Instant = Type.String({ description: "RFC 3339, UTC." });
const Texts = Type.Array(Type.String());

export const ScopeView = Type.Object({ read: Texts, write: Texts, exclude: Texts }, open);
const CheckView = Type.Object(
  {
    check_key: Type.String(),
    label: Type.String(),
    kind: oneOf(CHECK_KINDS),
    required: Type.Boolean(),
    status: oneOf(CHECK_STATUSES),
    exit_code: orNull(Type.Integer()),
    executed_nothing: Type.Boolean(),
  },
  open,
);
export const ViolationView = Type.Object(
  {
    violation_id: Type.Integer(),
    path: Type.String(),
    reason: oneOf(VIOLATION_REASONS),
    approved_status: oneOf(APPROVED_STATUSES),
    decided_at: orNull(Instant),
    decided_by: orNull(Type.String()),
  },
  open,
);
const summary = {
  run_id: Type.Integer(),
  status: oneOf(RUN_STATUSES),
  phase: oneOf(RUN_PHASES),
  repo: Type.String(),
  base_ref: Type.String(),
  base_sha: Type.String(),
  command: Texts,
  exit_code: orNull(Type.Integer()),
  head_sha: orNull(Type.String()),
  log_ref: Type.String(),
  proof_bundle_ref: orNull(Type.String()),
  scope_snapshot: ScopeView,
  dod_snapshot: Type.Object({ required_checks: Type.Array(Type.Object({}, open)) }, open),
  enforce: oneOf(ENFORCEMENTS),
  started_at: Instant,
  finished_at: orNull(Instant),
  requested_by: Type.String(),
} as const;
export const RunAnswer = Type.Object(
  {
    ...summary,
    dod_status: oneOf(CHECK_STATUSES),
    checks: Type.Array(CheckView),
    violations: Type.Array(ViolationView),
    revisions: Type.Array(
      Type.Object({ revision: Type.Integer(), sha256: Type.String(), generated_at: Instant }, open),
    ),
    problem: orNull(Type.String()),
  },
  open,
);
export const RunStartedAnswer = Type.Object(summary, open);
export const PackBuiltAnswer = Type.Object(
  {
    run_id: Type.Integer(),
    path: Type.String(),
    pack_id: Type.String(),
    version: Type.String(),
    digest: Type.String(),
    bytes: Type.Integer(),
    ref: Type.String({ description: "Below the folder of all runs." }),
    provenance: Type.Object({}, open),
  },
  open,
);
const Listed = Type.Object({ ...summary, violations_pending: Type.Integer({ minimum: 0 }) }, open);
export const RunsAnswer = Type.Object({ runs: Type.Array(Listed), count: Type.Integer() }, open);
export const RunStoppedAnswer = Type.Object({ run_id: Type.Integer(), stop_requested: Type.Literal(true) }, open);
