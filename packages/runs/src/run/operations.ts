/** What people do with runs: start one, stop it, decide on its violations, look at it. */
import { err, failure, ok, sha256Hex, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { RUN_LIMITS } from "../limits.ts";
import type { BoxMechanism } from "../process/box.ts";
import { overlapWith, prepare, type AdmissionPorts, type Prepared } from "./admission.ts";
import { RunStartedAnswer, RunStoppedAnswer, ViolationView } from "./answers.ts";
import { keepPrompt } from "./execute.ts";
import { closed, ReasonField, RunIdField, StartInput } from "./fields.ts";
import type { RunFiles } from "./files.ts";
import { freezeDod, statusOf, type Run, type Violation } from "./model.ts";
import { logRef, placesOf } from "./places.ts";
import { runQueries } from "./queries.ts";
import {
  decideViolation,
  insertRun,
  newestRunId,
  readRun,
  readUnfinished,
  readViolation,
  updateRun,
} from "./tables.ts";
import { summaryOf, violationView } from "./views.ts";

export type RunDeps = AdmissionPorts & {
  /** Folder of all runs. */
  readonly root: string;
  readonly mechanism: () => Promise<BoxMechanism>;
  readonly stop: (run_id: number) => void;
  readonly files: RunFiles;
};

const DOERS = ["operator", "admin"] as const;

export function runDeclarations(deps: RunDeps): readonly Declaration[] {
  return [
    startRun(deps),
    stopRun(deps),
    decide("approve", "approved"),
    decide("reject", "rejected"),
    ...runQueries(deps.files),
  ];
}

type StartFacts = {
  readonly prepared: Result<Prepared, Failure>;
  readonly unfinished: readonly Run[];
  readonly newest: number;
  readonly mechanism: BoxMechanism;
};

const startRun = (deps: RunDeps): Declaration =>
  defineOperation({
    name: "runs.start",
    summary: "Run a command in a fresh worktree of a repository, with its scope and definition of done frozen",
    http: { method: "POST", path: "/api/runs" },
    input: StartInput,
    output: RunStartedAnswer,
    success: [202],
    key: "header",
    permission: DOERS,
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target: ({ repo }) => ({ resource_type: "repository", resource_id: repo }),
    gates: [],
    load: async (reader, input, { store }): Promise<StartFacts> => ({
      prepared: await prepare(input, deps),
      unfinished: await readUnfinished(reader, store),
      newest: await newestRunId(reader, store),
      mechanism: await deps.mechanism(),
    }),
    decide: ({ prepared, unfinished, newest, mechanism }: StartFacts, input, { now, principal, store, trace_id }) => {
      if (!prepared.ok) return prepared;
      const dod = freezeDod(input.dod.required_checks);
      if (!dod.ok) return err(failure("RUMI-VAL-002", dod.error));
      const active = unfinished.filter(({ finished_at }) => finished_at === null);
      if (active.length >= RUN_LIMITS.active) return err(failure("RUMI-RUN-006", { limit: RUN_LIMITS.active }));
      if (input.enforce === "deny" && mechanism === "none") return err(failure("RUMI-RUN-005", {}));
      const met = overlapWith(active, prepared.value);
      if (met !== undefined) return err(met);
      const run_id = newest + 1;
      const run: Run = {
        run_id,
        repo: prepared.value.repo.root,
        base_ref: input.base_ref ?? "HEAD",
        base_sha: prepared.value.base_sha,
        command: input.command,
        prompt_hash: sha256Hex(input.prompt),
        scope_snapshot: prepared.value.scope.scope,
        dod_snapshot: dod.value,
        enforce: input.enforce ?? "record",
        enforcement: null,
        timeout_seconds: input.timeout_seconds ?? RUN_LIMITS.default_timeout_seconds,
        phase: "requested",
        problem: null,
        pid: null,
        pid_started: null,
        exit_code: null,
        cancelled: false,
        stop_requested: false,
        head_sha: null,
        snapshot_sha: null,
        worktree_dirty: null,
        log_ref: logRef(run_id),
        proof_bundle_ref: null,
        decisions: 0,
        proved_decisions: 0,
        requested_by: principal.id,
        trace_id,
        started_at: now,
        finished_at: null,
      };
      return ok({
        writes: [insertRun(store, run)],
        events: [],
        outbox: [],
        feed: [{ kind: "code_run", key: String(run_id), data: { run_id } }],
        data: summaryOf(run),
        status: 202,
        durable_first: async () => {
          keepPrompt(placesOf(deps.root, run_id), input.prompt);
          return ok(undefined);
        },
      });
    },
  });

const stopRun = ({ stop }: RunDeps): Declaration =>
  defineOperation({
    name: "runs.stop",
    summary: "Stop a run's command: SIGTERM, and SIGKILL after five seconds; its evidence is made all the same",
    http: { method: "POST", path: "/api/runs/{run_id}/stop" },
    input: Type.Object({ run_id: RunIdField, reason: ReasonField }, closed),
    output: RunStoppedAnswer,
    success: [202],
    key: "header",
    permission: DOERS,
    risk: () => "tighten",
    danger: () => ({ kind: "none" }),
    target: ({ run_id }) => ({ resource_type: "code_run", resource_id: String(run_id) }),
    gates: [],
    load: (reader, { run_id }, { store }) => readRun(reader, store, run_id),
    decide: (run: Run | undefined, { run_id }, { store }) => {
      if (run === undefined) return err(failure("RUMI-RUN-001", { run_id }));
      if (run.finished_at !== null) return err(failure("RUMI-RUN-010", { run_id, status: statusOf(run) }));
      return ok({
        writes: run.stop_requested ? [] : [updateRun(store, run, { stop_requested: true })],
        events: [],
        outbox: [],
        data: { run_id, stop_requested: true },
        status: 202,
      });
    },
    settle: (data) => {
      stop((data as { readonly run_id: number }).run_id);
      return Promise.resolve(ok(data));
    },
  });

type DecideFacts = { readonly run: Run | undefined; readonly violation: Violation | undefined };

const decide = (verb: "approve" | "reject", approved_status: "approved" | "rejected"): Declaration =>
  defineOperation({
    name: `runs.violations_${verb}`,
    summary: `${verb === "approve" ? "Accept" : "Refuse"} what a run did outside its scope; the next revision of its bundle says so`,
    http: { method: "POST", path: `/api/runs/{run_id}/violations/{violation_id}/${verb}` },
    input: Type.Object(
      {
        run_id: RunIdField,
        violation_id: Type.Integer({ minimum: 1, maximum: RUN_LIMITS.violations }),
        reason: Type.String({ minLength: 1, maxLength: 1_024, pattern: "\\S" }),
      },
      closed,
    ),
    output: ViolationView,
    key: "header",
    permission: DOERS,
    risk: () => (verb === "approve" ? "neutral" : "tighten"),
    danger: () => ({ kind: "none" }),
    target: ({ run_id }) => ({ resource_type: "code_run", resource_id: String(run_id) }),
    gates: [],
    load: async (reader, { run_id, violation_id }, { store }): Promise<DecideFacts> => ({
      run: await readRun(reader, store, run_id),
      violation: await readViolation(reader, store, { run_id, violation_id }),
    }),
    decide: ({ run, violation }: DecideFacts, { run_id, violation_id, reason }, { now, principal, store }) => {
      if (run === undefined) return err(failure("RUMI-RUN-001", { run_id }));
      if (violation === undefined) return err(failure("RUMI-RUN-011", { run_id, violation_id }));
      if (violation.approved_status !== "pending")
        return err(
          failure("RUMI-RUN-012", { violation_id, status: violation.approved_status, by: violation.decided_by ?? "" }),
        );
      const decision = { approved_status, decided_at: now, decided_by: principal.id, decision_reason: reason } as const;
      return ok({
        writes: [decideViolation(store, violation, decision), updateRun(store, run, { decisions: run.decisions + 1 })],
        events: [
          {
            action: verb === "approve" ? "run.violation_approved" : "run.violation_rejected",
            resource_type: "code_run",
            resource_id: String(run_id),
            outcome: "SUCCESS",
            details: { violation_id, path: violation.path.slice(0, 1_024) },
          },
        ],
        outbox: [],
        feed: [{ kind: "code_run", key: String(run_id), data: { run_id } }],
        data: violationView({ ...violation, ...decision }),
      });
    },
  });
