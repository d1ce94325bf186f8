/** Looking at runs: lists, one run, its documents. */
import { err, failure, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { RUN_LIMITS } from "../limits.ts";
import { RunAnswer, RunsAnswer } from "./answers.ts";
import { closed, RunIdField } from "./fields.ts";
import type { RunFiles } from "./files.ts";
import { dodStatusOf } from "./model.ts";
import { countUndecided, readBundles, readChecks, readRun, readRuns, readViolations } from "./tables.ts";
import { checkView, revisionView, summaryOf, violationView } from "./views.ts";

const READERS = ["view_only", "operator", "admin"] as const;

export function runQueries(files: RunFiles): readonly Declaration[] {
  return [listRuns(), showRun(), ...documents(files)];
}

const listRuns = (): Declaration =>
  defineQuery({
    name: "runs.list",
    summary: "Runs, newest first",
    http: { method: "GET", path: "/api/runs" },
    input: Type.Object(
      {
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: RUN_LIMITS.listed })),
        before: Type.Optional(RunIdField),
      },
      closed,
    ),
    output: RunsAnswer,
    permission: READERS,
    read: async (reader, { limit = 50, before }, { store }) => {
      const rows = await readRuns(reader, store, limit, before);
      const undecided = await countUndecided(
        reader,
        store,
        rows.map(({ run_id }) => run_id),
      );
      const runs = rows.map((run) => ({ ...summaryOf(run), violations_pending: undecided.get(run.run_id) ?? 0 }));
      return ok({ runs, count: runs.length });
    },
  });

const showRun = (): Declaration =>
  defineQuery({
    name: "runs.show",
    summary: "A run: its snapshots, checks, violations and the revisions of its bundle",
    http: { method: "GET", path: "/api/runs/{run_id}" },
    input: Type.Object({ run_id: RunIdField }, closed),
    output: RunAnswer,
    permission: READERS,
    read: async (reader, { run_id }, { store }) => {
      const run = await readRun(reader, store, run_id);
      if (run === undefined) return err(failure("RUMI-RUN-001", { run_id }));
      const checks = await readChecks(reader, store, run_id);
      const violations = await readViolations(reader, store, run_id);
      const bundles = await readBundles(reader, store, run_id);
      return ok({
        ...summaryOf(run),
        prompt_hash: run.prompt_hash,
        enforcement: run.enforcement,
        timeout_seconds: run.timeout_seconds,
        snapshot_sha: run.snapshot_sha,
        worktree_dirty: run.worktree_dirty,
        problem: run.problem,
        dod_status: dodStatusOf(run.dod_snapshot, checks),
        checks: run.dod_snapshot.required_checks.map((one) => checkView(one, checks)),
        violations: violations.map(violationView),
        revisions: bundles.map(revisionView),
      });
    },
  });

const RevisionField = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 1_000_000, description: "The newest where none is named." }),
);

/** What is served as it lies on the disk. */
function documents(files: RunFiles): readonly Declaration[] {
  const of = { permission: READERS, output: Type.Object({}, { additionalProperties: true }) } as const;
  return [
    defineQuery({
      ...of,
      name: "runs.proof",
      summary: "The proof bundle itself, byte for byte",
      http: { method: "GET", path: "/api/runs/{run_id}/proof" },
      input: Type.Object({ run_id: RunIdField, revision: RevisionField }, closed),
      document: "application/json",
      read: (_reader, { run_id, revision }) => files.proof(run_id, revision),
    }),
    defineQuery({
      ...of,
      name: "runs.attestation",
      summary: "The bundle as a signed in-toto statement in a DSSE envelope",
      http: { method: "GET", path: "/api/runs/{run_id}/proof/attestation" },
      input: Type.Object({ run_id: RunIdField, revision: RevisionField }, closed),
      document: "application/json",
      read: (_reader, { run_id, revision }) => files.attestation(run_id, revision),
    }),
    defineQuery({
      ...of,
      output: Type.String(),
      name: "runs.log",
      summary: "What a run said so far, or one of its checks, as JSON lines",
      http: { method: "GET", path: "/api/runs/{run_id}/log" },
      input: Type.Object(
        { run_id: RunIdField, check_key: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })) },
        closed,
      ),
      document: "application/x-ndjson",
      read: (_reader, { run_id, check_key }) => files.log(run_id, check_key),
    }),
    defineQuery({
      ...of,
      output: Type.Object(
        { event: Type.Union([Type.Literal("line"), Type.Literal("end")]), data: Type.String() },
        { description: "Each event; the data of a line is a line of the log." },
      ),
      name: "runs.stream",
      summary: "What a run says, as server-sent events, from the beginning until it has ended",
      http: { method: "GET", path: "/api/runs/{run_id}/stream" },
      input: Type.Object({ run_id: RunIdField }, closed),
      document: "text/event-stream",
      read: (_reader, { run_id }) => files.stream(run_id),
    }),
  ];
}
