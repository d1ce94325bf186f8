/**
 * Who may come in: principals with an id that is theirs for ever, and tokens of which only a hash is kept.
 *
 * Each row names the environment it was made in; one of another environment is nobody here.
 */
import { ROOT, type Role } from "@rumi/operations";
import { compiledText, write, type Migrations, type Reader, type Write } from "@rumi/store";
import { first, jsonOf, type Sql } from "../shared/sql.ts";

export type UserRow = {
  /** `user:` and a uuid that is never given again. */
  user_id: string;
  environment: string;
  display_name: string;
  /** JSON list. */
  roles: string;
  state: "active" | "disabled";
  created_at: number;
  created_by: string;
  updated_at: number;
  row_version: number;
};
export type TokenRow = {
  token_id: string;
  user_id: string;
  environment: string;
  /** SHA-256 of the whole token, hexadecimal. */
  token_hash: string;
  label: string;
  created_at: number;
  created_by: string;
  expires_at: number;
  revoked_at: number | null;
  revoked_by: string | null;
};
export type UserTables = { operator: UserRow; operator_token: TokenRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE operator (
    user_id TEXT NOT NULL PRIMARY KEY, environment TEXT NOT NULL, display_name TEXT NOT NULL, roles TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'disabled')), created_at ${integer} NOT NULL, created_by TEXT NOT NULL,
    updated_at ${integer} NOT NULL, row_version ${integer} NOT NULL)`,
  "CREATE INDEX operator_by_time ON operator (created_at, user_id)",
  `CREATE TABLE operator_token (
    token_id TEXT NOT NULL PRIMARY KEY, user_id TEXT NOT NULL REFERENCES operator (user_id), environment TEXT NOT NULL,
    token_hash TEXT NOT NULL UNIQUE, label TEXT NOT NULL, created_at ${integer} NOT NULL, created_by TEXT NOT NULL,
    expires_at ${integer} NOT NULL, revoked_at ${integer}, revoked_by TEXT)`,
  "CREATE INDEX operator_token_by_user ON operator_token (user_id, created_at)",
];
export const USER_MIGRATIONS: Migrations = {
  owner: "control.users",
  steps: [{ name: "001-operators", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

const SELECT_USER = compiledText<UserTables>((db) => db.selectFrom("operator").selectAll().where("user_id", "=", ""));
const SELECT_TOKEN = compiledText<UserTables>((db) =>
  db.selectFrom("operator_token").selectAll().where("token_id", "=", ""),
);

export async function readUser(reader: Reader, sql: Sql, user_id: string): Promise<UserRow | undefined> {
  return (await reader.rows<UserRow>({ sql: SELECT_USER(sql), parameters: [user_id] }))[0];
}

export async function readToken(reader: Reader, sql: Sql, token_id: string): Promise<TokenRow | undefined> {
  return (await reader.rows<TokenRow>({ sql: SELECT_TOKEN(sql), parameters: [token_id] }))[0];
}

export function readTokensOf(reader: Reader, sql: Sql, user_id: string): Promise<readonly TokenRow[]> {
  return reader.rows<TokenRow>(
    sql
      .builder<UserTables>()
      .selectFrom("operator_token")
      .selectAll()
      .where("user_id", "=", user_id)
      .orderBy("created_at", "desc")
      .orderBy("token_id", "desc")
      .limit(1_000),
  );
}

export async function countUsers(reader: Reader, sql: Sql): Promise<number> {
  const query = sql
    .builder<UserTables>()
    .selectFrom("operator")
    .select((of) => of.fn.countAll<number>().as("users"));
  return (await first<{ users: number }>(reader, query))?.users ?? 0;
}

export function updateUser(
  sql: Sql,
  row: UserRow,
  change: Partial<Pick<UserRow, "roles" | "state">>,
  now: number,
): Write {
  return write(
    sql
      .builder<UserTables>()
      .updateTable("operator")
      .set({ ...change, updated_at: now, row_version: row.row_version + 1 })
      .where("user_id", "=", row.user_id)
      .where("row_version", "=", row.row_version),
    1,
  );
}

export function rolesOf(row: Pick<UserRow, "roles">): readonly Role[] {
  return jsonOf<readonly Role[]>(row.roles);
}

/** What somebody may do at this moment, also the bootstrap principal; nothing where disabled or unknown. */
export async function rolesNow(reader: Reader, sql: Sql, user_id: string): Promise<readonly Role[]> {
  if (user_id === ROOT.id) return ROOT.roles;
  const row = await readUser(reader, sql, user_id);
  return row?.state === "active" ? rolesOf(row) : [];
}
