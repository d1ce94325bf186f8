/**
 * Where it is written down what people were asked by runs, and what they decided.
 *
 * How to think: an approval that is open keeps its run waiting, outside of those that run. What is decided is the outcome of
 * the run's step, in one commit with the decision, so a run that goes on finds it as it finds what a block gave.
 */
import type { Json, JsonObject } from "@rumi/kernel";
import { compiledText, write, type Reader, type Store, type Write } from "@rumi/store";
import { sql } from "kysely";
import { FLOW_LIMITS } from "./limits.ts";
import type { FlowTables } from "./tables.ts";

export const APPROVAL_STATES = ["open", "approved", "rejected", "expired"] as const;
export type ApprovalState = (typeof APPROVAL_STATES)[number];

export type ApprovalRow = {
  approval_id: string;
  run_id: string;
  path: string;
  flow_id: string;
  step_id: string;
  phase: string;
  question: string;
  /** JSON text. */
  details: string;
  second_person: number;
  asked_by: string;
  requested_at: number;
  expires_at: number;
  state: string;
  decided_by: string | null;
  decided_at: number | null;
  reason: string | null;
};
type Tables = FlowTables & { flow_approval: ApprovalRow };
type Sql = Pick<Store, "builder">;

export type Approval = Omit<ApprovalRow, "details" | "second_person" | "state"> & {
  readonly details: Json;
  readonly second_person: boolean;
  readonly state: ApprovalState;
};

function approvalOf(row: ApprovalRow): Approval {
  return {
    ...row,
    details: JSON.parse(row.details) as Json,
    second_person: row.second_person !== 0,
    state: row.state as ApprovalState,
  };
}

const COLUMNS =
  "approval_id, run_id, path, flow_id, step_id, phase, question, details, second_person, asked_by, requested_at, expires_at";
const OPEN = compiledText<Tables>((db) => {
  const texts = Array.from({ length: 8 }, () => sql`cast(${""} as text)`);
  const integer = sql`cast(${0} as bigint)`;
  const values = sql.join([...texts, integer, sql`cast(${""} as text)`, integer, integer]);
  return {
    compile: () =>
      sql`insert into flow_approval (${sql.raw(COLUMNS)}, state) select ${values}, 'open'
        where (select count(*) from flow_approval where state = 'open') < ${integer}`.compile(db),
  };
});

/** Opens it while fewer than the limit are open; else it changes no row. */
export function openApproval(
  sqlOf: Sql,
  of: Omit<ApprovalRow, "state" | "decided_by" | "decided_at" | "reason">,
): Write {
  const texts = [of.approval_id, of.run_id, of.path, of.flow_id, of.step_id, of.phase, of.question, of.details];
  const parameters = [
    ...texts,
    of.second_person,
    of.asked_by,
    of.requested_at,
    of.expires_at,
    FLOW_LIMITS.open_approvals,
  ];
  return { sql: OPEN(sqlOf), parameters, expect: 1 };
}

export type Verdict = {
  readonly state: Exclude<ApprovalState, "open">;
  readonly decided_by: string;
  readonly decided_at: number;
  readonly reason: string | null;
};

/** Once: of an approval that is open. */
export function decideApproval(sqlOf: Sql, approval_id: string, verdict: Verdict): Write {
  const query = sqlOf
    .builder<Tables>()
    .updateTable("flow_approval")
    .set(verdict)
    .where("approval_id", "=", approval_id)
    .where("state", "=", "open");
  return write(query, 1);
}

export async function readApproval(reader: Reader, sqlOf: Sql, approval_id: string): Promise<Approval | undefined> {
  const query = sqlOf.builder<Tables>().selectFrom("flow_approval").selectAll();
  const [row] = await reader.rows<ApprovalRow>(query.where("approval_id", "=", approval_id));
  return row === undefined ? undefined : approvalOf(row);
}

/** The last that a run asked for. */
export async function approvalOfRun(reader: Reader, sqlOf: Sql, run_id: string): Promise<Approval | undefined> {
  const query = sqlOf.builder<Tables>().selectFrom("flow_approval").selectAll().where("run_id", "=", run_id);
  const [row] = await reader.rows<ApprovalRow>(query.orderBy("requested_at", "desc").limit(1));
  return row === undefined ? undefined : approvalOf(row);
}

export async function listApprovals(
  reader: Reader,
  sqlOf: Sql,
  state: ApprovalState | undefined,
): Promise<readonly Approval[]> {
  const query = sqlOf.builder<Tables>().selectFrom("flow_approval").selectAll();
  const wanted = state === undefined ? query : query.where("state", "=", state);
  const rows = await reader.rows<ApprovalRow>(
    wanted.orderBy("requested_at", "desc").orderBy("approval_id").limit(FLOW_LIMITS.listed_approvals),
  );
  return rows.map(approvalOf);
}

/** Asked for after every commit of the home. */
const LATE = compiledText<Tables>((db) =>
  db
    .selectFrom("flow_approval")
    .selectAll()
    .where("state", "=", "open")
    .where("expires_at", "<=", 0)
    .orderBy("expires_at"),
);
const WAKEABLE = compiledText<Tables>((db) =>
  db
    .selectFrom("flow_run")
    .select("run_id")
    .where("state", "=", "waiting")
    .where((of) =>
      of.not(
        of.exists(
          of
            .selectFrom("flow_approval")
            .select("approval_id")
            .whereRef("flow_approval.run_id", "=", "flow_run.run_id")
            .where("flow_approval.state", "=", "open"),
        ),
      ),
    )
    .orderBy("waiting_since"),
);

export async function lateApprovals(reader: Reader, sqlOf: Sql, now: number): Promise<readonly Approval[]> {
  const rows = await reader.rows<ApprovalRow>({ sql: LATE(sqlOf), parameters: ["open", now] });
  return rows.map(approvalOf);
}

/** Whatever a run asked, the first question first. */
export async function approvalsOfRun(reader: Reader, sqlOf: Sql, run_id: string): Promise<readonly Approval[]> {
  const query = sqlOf.builder<Tables>().selectFrom("flow_approval").selectAll().where("run_id", "=", run_id);
  return (await reader.rows<ApprovalRow>(query.orderBy("requested_at"))).map(approvalOf);
}

/** Runs that wait for nobody any more, whoever waited longest first. */
export async function wakeableIds(reader: Reader, sqlOf: Sql): Promise<readonly string[]> {
  const rows = await reader.rows<{ run_id: string }>({ sql: WAKEABLE(sqlOf), parameters: ["waiting", "open"] });
  return rows.map(({ run_id }) => run_id);
}

export function waitRun(sqlOf: Sql, run_id: string, at: number): Write {
  const query = sqlOf
    .builder<Tables>()
    .updateTable("flow_run")
    .set({ state: "waiting", waiting_since: at })
    .where("run_id", "=", run_id)
    .where("state", "=", "running");
  return write(query, 1);
}

/** It is one of those that run again, where there is room for it; its time does not count what it waited. */
export function wakeRun(sqlOf: Sql, run_id: string, at: number, most: number): Write {
  const db = sqlOf.builder<Tables>();
  const query = sql`update flow_run set state = 'running', waited_us = waited_us + cast(${at} as bigint) - waiting_since, waiting_since = null
    where run_id = ${run_id} and state = 'waiting'
    and (select count(*) from flow_run where state = 'running') < cast(${most} as bigint)`;
  return write(query.compile(db), 1);
}

export function forgetApprovals(sqlOf: Sql, before: number): Write {
  const db = sqlOf.builder<Tables>();
  const old = db.selectFrom("flow_run").select("run_id").where("finished_at", "<", before);
  return write(db.deleteFrom("flow_approval").where("run_id", "in", old), "any");
}

/** What the step gives that was approved. */
export const approvedOutput = ({ decided_by, reason }: Verdict, decided_at: string): JsonObject => ({
  approved: true,
  decided_by,
  decided_at,
  reason,
});
