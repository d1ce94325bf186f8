/**
 * Challenges, who was served which intent, and approvals. Rows are kept after their end: they are evidence.
 *
 * The database itself keeps a requester from being the second person.
 */
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, type Sql } from "../shared/sql.ts";
import type { ChallengeKind, ChallengeState } from "./states.ts";

export type ChallengeRow = {
  challenge_id: string;
  kind: ChallengeKind;
  state: ChallengeState;
  environment: string;
  operation: string;
  resource_type: string;
  resource_id: string;
  requester: string;
  /** JSON lists of roles: what the requester held, and what may approve. */
  requester_roles: string;
  roles: string;
  command_id: string;
  trace_id: string;
  run_id: string | null;
  fingerprint: string;
  /** JSON of the stored request, of what it was made for, and of what it would do as it looked then. */
  input: string;
  base: string;
  outlook: string;
  requires: string;
  phrase: string;
  intent_hash: string;
  reason: string | null;
  confirm_within_seconds: number;
  created_at: number;
  /** Until when it can be approved or, once nothing is missing, confirmed. */
  deadline: number;
  settled_by: string | null;
  settled_at: number | null;
  settled_reason: string | null;
  ticket: string | null;
  /** Why a confirmed command was refused after all. */
  error_code: string | null;
  /** 1: a rehearsal; it can never become real, and counts for nothing that is. */
  training: number;
  row_version: number;
};
export type ServedRow = { challenge_id: string; subject_id: string; intent_hash: string; served_at: number };
export type ApprovalRow = {
  challenge_id: string;
  requester: string;
  approver: string;
  intent_hash: string;
  reason: string;
  approved_at: number;
};
export type ChallengeTables = {
  challenge: ChallengeRow;
  challenge_served: ServedRow;
  challenge_approval: ApprovalRow;
};

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE challenge (
    challenge_id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL, environment TEXT NOT NULL, operation TEXT NOT NULL,
    resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, requester TEXT NOT NULL, requester_roles TEXT NOT NULL,
    roles TEXT NOT NULL, command_id TEXT NOT NULL UNIQUE, trace_id TEXT NOT NULL, run_id TEXT, fingerprint TEXT NOT NULL,
    input TEXT NOT NULL, base TEXT NOT NULL, outlook TEXT NOT NULL, requires TEXT NOT NULL, phrase TEXT NOT NULL,
    intent_hash TEXT NOT NULL, reason TEXT, confirm_within_seconds ${integer} NOT NULL, created_at ${integer} NOT NULL,
    deadline ${integer} NOT NULL, settled_by TEXT, settled_at ${integer}, settled_reason TEXT, ticket TEXT,
    error_code TEXT, row_version ${integer} NOT NULL)`,
  "CREATE INDEX challenge_by_time ON challenge (created_at, challenge_id)",
  "CREATE INDEX challenge_by_deadline ON challenge (state, deadline)",
  "CREATE INDEX challenge_by_requester ON challenge (requester, state)",
  `CREATE TABLE challenge_served (
    challenge_id TEXT NOT NULL, subject_id TEXT NOT NULL, intent_hash TEXT NOT NULL, served_at ${integer} NOT NULL,
    PRIMARY KEY (challenge_id, subject_id, intent_hash))`,
  `CREATE TABLE challenge_approval (
    challenge_id TEXT NOT NULL PRIMARY KEY, requester TEXT NOT NULL, approver TEXT NOT NULL, intent_hash TEXT NOT NULL,
    reason TEXT NOT NULL, approved_at ${integer} NOT NULL, CHECK (requester <> approver))`,
];
const KINDS: readonly string[] = [
  "ALTER TABLE challenge ADD COLUMN kind TEXT NOT NULL DEFAULT 'challenge' CHECK (kind IN ('challenge', 'change'))",
];
const training = (integer: string): readonly string[] => [
  `ALTER TABLE challenge ADD COLUMN training ${integer} NOT NULL DEFAULT 0 CHECK (training IN (0, 1))`,
];
export const CHALLENGE_MIGRATIONS: Migrations = {
  owner: "control.challenges",
  steps: [
    { name: "001-challenges", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-changes", sqlite: KINDS, postgres: KINDS },
    { name: "003-training", sqlite: training("INTEGER"), postgres: training("BIGINT") },
  ],
};

const SELECT = compiledText<ChallengeTables>((db) =>
  db.selectFrom("challenge").selectAll().where("challenge_id", "=", ""),
);

/** Each kind has its own doors: what is a change is no challenge, and the other way round. */
export function readChallenge(
  reader: Reader,
  sql: Sql,
  challenge_id: string,
  kind: ChallengeKind = "challenge",
): Promise<ChallengeRow | undefined> {
  return reader
    .rows<ChallengeRow>({ sql: SELECT(sql), parameters: [challenge_id] })
    .then(([row]) => (row?.kind === kind ? row : undefined));
}

/** The challenge that a command was answered with. */
export function readChallengeOf(reader: Reader, sql: Sql, command_id: string): Promise<ChallengeRow | undefined> {
  return first<ChallengeRow>(
    reader,
    sql.builder<ChallengeTables>().selectFrom("challenge").selectAll().where("command_id", "=", command_id),
  );
}

export function readApproval(reader: Reader, sql: Sql, challenge_id: string): Promise<ApprovalRow | undefined> {
  return first<ApprovalRow>(
    reader,
    sql
      .builder<ChallengeTables>()
      .selectFrom("challenge_approval")
      .selectAll()
      .where("challenge_id", "=", challenge_id),
  );
}

/** Whether this person was served this intent. */
export function readServed(
  reader: Reader,
  sql: Sql,
  row: Pick<ChallengeRow, "challenge_id" | "intent_hash">,
  subject_id: string,
): Promise<ServedRow | undefined> {
  return first<ServedRow>(
    reader,
    sql
      .builder<ChallengeTables>()
      .selectFrom("challenge_served")
      .selectAll()
      .where("challenge_id", "=", row.challenge_id)
      .where("subject_id", "=", subject_id)
      .where("intent_hash", "=", row.intent_hash),
  );
}

export function insertServed(sql: Sql, row: ServedRow): Write {
  return write(
    sql
      .builder<ChallengeTables>()
      .insertInto("challenge_served")
      .values(row)
      .onConflict((on) => on.doNothing()),
    "any",
  );
}

/** A guarded change; a conflict means that it moved since it was read. */
export function updateChallenge(sql: Sql, row: ChallengeRow, change: Partial<ChallengeRow>): Write {
  return write(
    sql
      .builder<ChallengeTables>()
      .updateTable("challenge")
      .set({ ...change, row_version: row.row_version + 1 })
      .where("challenge_id", "=", row.challenge_id)
      .where("row_version", "=", row.row_version),
    1,
  );
}
