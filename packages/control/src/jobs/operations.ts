/** Jobs: written down, listed, and moved by commands of the same shape as a bot's (G-1.2). */
import { err, failure, ID_PATTERNS, isoFromMicros, micros, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type DecideContext, type Decision } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type, type Static } from "@sinclair/typebox";
import {
  bulkOf,
  bulkRow,
  BulkTransitionField,
  impactOf,
  isMeant,
  isStartTo,
  judgeTargets,
  listDigest,
  leftOut,
  MaxErrorsField,
  resolveBots,
  SelectorField,
  type Resolved,
} from "../bulk/begin.ts";
import { beginBulk } from "../bulk/model.ts";
import { bulkEvent, bulkView, tell } from "../bulk/operations.ts";
import { insertBulk, readBulk, type BulkRow } from "../bulk/tables.ts";
import { CommandFields, judgeWish } from "../commands/model.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { CLOSED, CommandIdField, EVERYONE, noDanger, ReasonField } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor, feed, jsonOf, type Sql } from "../shared/sql.ts";
import { actOf, JOB_STATES, stateOf, type JobAct, type JobSpec, type JobState } from "./model.ts";
import { insertJob, readJob, startJob, type JobRow, type JobTables } from "./tables.ts";
import { JobAnswer, JobMovedAnswer, JobsAnswer } from "./answers.ts";

export const jobDeclarations = (): readonly Declaration[] => [createJob, listJobs, showJob, commandJob];

const JobIdField = Type.String({ pattern: ID_PATTERNS.bot });
const target = ({ job_id }: { readonly job_id: string }) => ({ resource_type: "job", resource_id: job_id });

const createJob: Declaration = defineOperation({
  name: "jobs.create",
  summary: "Write a wish for many bots down as a job; nothing happens until it is started",
  http: { method: "POST", path: "/api/jobs" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      job_id: JobIdField,
      display_name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
      selector: SelectorField,
      requested_transition: BulkTransitionField,
      max_errors: MaxErrorsField,
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: JobAnswer,
  success: [201],
  key: "command_id",
  permission: ["operator", "admin"],
  risk: () => "neutral",
  danger: noDanger,
  target,
  gates: [],
  load: async (reader, { job_id }, { store }) => ({
    existing: await readJob(reader, store, job_id),
    count: await countJobs(reader, store),
  }),
  decide: ({ existing, count }, input, { now, principal, store }) => {
    const { job_id, display_name, selector, requested_transition, max_errors } = input;
    if (existing !== undefined) return err(failure("RUMI-BOT-076", { job_id }));
    if (count >= CONTROL_LIMITS.jobs)
      return err(failure("RUMI-CMD-027", { what: "jobs", limit: CONTROL_LIMITS.jobs }, { reasonCode: "G.JOB.FULL" }));
    const spec = { selector, requested_transition, max_errors } as JobSpec;
    const row: JobRow = {
      job_id,
      display_name: display_name ?? job_id,
      spec: JSON.stringify(spec),
      generation: 0,
      bulk_id: null,
      created_at: now,
      created_by: principal.id,
      row_version: 1,
    };
    const { from, to } = requested_transition;
    const created = {
      action: "job.created",
      ...target({ job_id }),
      outcome: "SUCCESS" as const,
      details: { from, to, selector, max_errors },
    };
    const writes = [insertJob(store, row), feed(store, "job", job_id, { job_id, state: "IDLE" }, now)];
    return ok({ writes, events: [created], outbox: [], status: 201, data: jobView(row, undefined) });
  },
});

const listJobs: Declaration = defineQuery({
  name: "jobs.list",
  summary: "Jobs with their states, by id",
  http: { method: "GET", path: "/api/jobs" },
  input: Type.Object(PAGE_FIELDS, CLOSED),
  output: JobsAnswer,
  permission: EVERYONE,
  read: async (reader, { cursor, limit = 50 }, { store }) => {
    const after = decodeCursor(cursor, ["string"]);
    if (!after.ok) return after;
    let query = store
      .builder<JobTables>()
      .selectFrom("job")
      .selectAll()
      .orderBy("job_id")
      .limit(limit + 1);
    if (after.value !== undefined) query = query.where("job_id", ">", String(after.value[0]));
    const rows = await reader.rows<JobRow>(query);
    const { page, next_cursor } = pageOf(rows, limit, (row) => [row.job_id]);
    const bulks = await Promise.all(page.map((row) => bulkOfJob(reader, store, row)));
    return ok({
      jobs: page.map((row, at) => headOf(row, bulks[at])),
      count: page.length,
      next_cursor,
    });
  },
});

const showJob: Declaration = defineQuery({
  name: "jobs.show",
  summary: "One job: what it wishes, its state, and how far its present or last bulk has come",
  http: { method: "GET", path: "/api/jobs/{job_id}" },
  input: Type.Object({ job_id: JobIdField }, CLOSED),
  output: JobAnswer,
  permission: EVERYONE,
  read: async (reader, { job_id }, { store }) => {
    const row = await readJob(reader, store, job_id);
    if (row === undefined) return err(noJob(job_id));
    return ok(jobView(row, await bulkOfJob(reader, store, row)));
  },
});

const JobStateField = Type.Union(JOB_STATES.map((state) => Type.Literal(state)));
const CommandInput = Type.Object(
  {
    job_id: JobIdField,
    requested_transition: Type.Object({ from: JobStateField, to: JobStateField }, CLOSED),
    ...CommandFields,
  },
  CLOSED,
);
type JobCommand = Static<typeof CommandInput>;
type JobFacts = {
  readonly job: JobRow | undefined;
  readonly bulk: BulkRow | undefined;
  /** For a start: whom it would be for now. */
  readonly resolved: Resolved;
};

const commandJob: Declaration = defineOperation({
  name: "jobs.command",
  summary: "Move a job: start, pause, resume, stop",
  http: { method: "POST", path: "/api/jobs/{job_id}/commands" },
  input: CommandInput,
  output: JobMovedAnswer,
  success: [200, 202],
  key: "command_id",
  permission: ["operator", "admin"],
  // Starting and resuming let bots begin where the job is for starts; each bot's own command is judged by every guard.
  risk: ({ requested_transition: { to } }, { job }: JobFacts) =>
    to === "RUNNING" && job !== undefined && isStartTo(specOf(job).requested_transition.to) ? "increase" : "tighten",
  above_policies: () => true,
  danger: noDanger,
  target,
  gates: [],
  load: async (reader, { job_id }, { store }): Promise<JobFacts> => {
    const job = await readJob(reader, store, job_id);
    if (job === undefined) return { job, bulk: undefined, resolved: { bots: [], unknown: [] } };
    const resolved = await resolveBots(reader, store, specOf(job).selector);
    return { job, bulk: await bulkOfJob(reader, store, job), resolved };
  },
  preview: ({ job, bulk, resolved }) => {
    if (job === undefined) return { job_id: null };
    const { requested_transition, max_errors } = specOf(job);
    return {
      job_id: job.job_id,
      state: stateNow(bulk),
      ...impactOf(resolved.bots, requested_transition, max_errors, 1),
    };
  },
  base: ({ job, bulk, resolved }) => ({
    state: stateNow(bulk),
    list: job === undefined ? null : listDigest(resolved.bots),
  }),
  decide: ({ job, bulk, resolved }, input, context) => {
    const wish = judgeWish(input, context);
    if (!wish.ok) return wish;
    if (job === undefined) return err(noJob(input.job_id));
    const act = judgeAct(job, stateNow(bulk), input.requested_transition);
    if (!act.ok) return act;
    if (act.value === "start") return beginJob(job, resolved, input, context);
    if (bulk === undefined) return err(noJob(input.job_id));
    const told = tell(bulk, WORDS[act.value], input.reason, context);
    const { writes, events, row } = told;
    return ok(movedDecision(job, row, { act: act.value, input, context, writes, events }));
  },
});

const WORDS = { pause: "pause", resume: "resume", stop: "abort" } as const;

function judgeAct(
  { job_id }: JobRow,
  current: JobState,
  { from, to }: JobCommand["requested_transition"],
): Result<JobAct, Failure> {
  const bot_id = `the job ${job_id}`;
  const details = { current_state: current };
  if (current !== from)
    return err(failure("RUMI-BOT-011", { bot_id, from, current }, { reasonCode: "G.STATE_MOVED", details }));
  const act = actOf(from, to);
  if (act !== undefined) return ok(act);
  return err(failure("RUMI-BOT-010", { bot_id, from, to }, { reasonCode: "G.TRANSITION_NOT_ALLOWED", details }));
}

/** The list is frozen now, not when the job was written down. */
function beginJob(
  job: JobRow,
  resolved: Resolved,
  input: JobCommand,
  context: DecideContext,
): Result<Decision, Failure> {
  const { requested_transition, max_errors } = specOf(job);
  const { from, to } = requested_transition;
  const what = `the job ${job.job_id}`;
  if (resolved.unknown.length === 0 && !resolved.bots.some((bot) => isMeant(bot, from)))
    return err(
      failure(
        "RUMI-BOT-075",
        { what, from },
        { reasonCode: "G.STATE_MOVED", details: { left_out: leftOut(resolved.bots, from) } },
      ),
    );
  const targets = judgeTargets(resolved, from);
  if (!targets.ok) return targets;
  const { command_id, reason, trace_id } = input;
  const bulk = bulkRow({
    bulk_id: command_id,
    actor: context.principal.id,
    reason,
    trace_id,
    now: context.now,
    from,
    to,
    bulk: beginBulk(
      targets.value.map(({ bot_id }) => bot_id),
      max_errors,
    ),
    targets: targets.value,
    group: null,
  });
  const writes = [insertBulk(context.store, bulk), startJob(context.store, job, command_id)];
  const next = { ...job, bulk_id: command_id, generation: job.generation + 1 };
  const events = [bulkEvent("bulk.started", bulk)];
  return ok(movedDecision(next, bulk, { act: "start", input, context, writes, events }));
}

function movedDecision(
  job: JobRow,
  bulk: BulkRow,
  moved: Pick<Decision, "writes" | "events"> & {
    readonly act: JobAct;
    readonly input: JobCommand;
    readonly context: DecideContext;
  },
): Decision {
  const { input, context, act } = moved;
  const { from } = input.requested_transition;
  const to = stateNow(bulk);
  const { job_id } = job;
  return {
    writes: [...moved.writes, feed(context.store, "job", job_id, { job_id, state: to }, context.now)],
    events: [
      ...moved.events,
      {
        action: "job.state.transition",
        ...target(job),
        outcome: "SUCCESS",
        details: { from, to, act, command_id: input.command_id, bulk_id: bulk.bulk_id, generation: job.generation },
      },
    ],
    outbox: [],
    status: act === "start" || act === "resume" ? 202 : 200,
    data: {
      command_id: input.command_id,
      status: act === "start" || act === "resume" ? "accepted" : "applied",
      requested_transition: input.requested_transition,
      trace_id: input.trace_id,
      ...jobView(job, bulk),
    },
  };
}

export const specOf = ({ spec }: Pick<JobRow, "spec">): JobSpec => jsonOf<JobSpec>(spec);

const stateNow = (bulk: BulkRow | undefined): JobState =>
  stateOf(bulk === undefined ? undefined : { ...bulkOf(bulk), state: bulk.state });

function bulkOfJob(reader: Reader, sql: Sql, { bulk_id }: JobRow): Promise<BulkRow | undefined> {
  return bulk_id === null ? Promise.resolve(undefined) : readBulk(reader, sql, bulk_id);
}

function headOf(row: JobRow, bulk: BulkRow | undefined) {
  const { selector, requested_transition, max_errors } = specOf(row);
  return {
    job_id: row.job_id,
    display_name: row.display_name,
    state: stateNow(bulk),
    generation: row.generation,
    spec: { selector, requested_transition, max_errors },
    bulk_id: row.bulk_id,
    created_at: isoFromMicros(micros(row.created_at)),
    created_by: row.created_by,
  };
}

const jobView = (row: JobRow, bulk: BulkRow | undefined) => ({
  ...headOf(row, bulk),
  bulk: bulk === undefined ? null : bulkView(bulk),
});

async function countJobs(reader: Reader, sql: Sql): Promise<number> {
  const [row] = await reader.rows<{ many: number }>(
    sql
      .builder<JobTables>()
      .selectFrom("job")
      .select((of) => of.fn.countAll<number>().as("many")),
  );
  return row?.many ?? 0;
}

const noJob = (job_id: string): Failure => failure("RUMI-SYS-011", { what: "job", id: job_id });
