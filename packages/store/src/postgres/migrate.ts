/** Carries out a migration plan on PostgreSQL, one program at a time. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type pg from "pg";
import { CREATE_MIGRATION_TABLE, planMigrations, SELECT_APPLIED, type AppliedStep } from "../migrations.ts";
import type { Migrations } from "../port.ts";
import { plainRows } from "./client.ts";
import { LOCKS } from "./locks.ts";

/**
 * Called before an existing store is migrated, with the steps to come. PostgreSQL cannot copy itself
 * through SQL: the composition root runs or demands a dump here. A failure ends the opening.
 */
export type BeforeMigration = (steps: readonly string[]) => Promise<Result<void, Failure>>;

export async function migratePostgres(
  client: pg.ClientBase,
  owners: readonly Migrations[],
  before: BeforeMigration,
): Promise<Result<readonly string[], Failure>> {
  await client.query("SELECT pg_advisory_lock($1)", [LOCKS.migration]);
  try {
    await client.query(CREATE_MIGRATION_TABLE);
    const applied = plainRows(
      (await client.query<Record<string, unknown>>(SELECT_APPLIED)).rows,
    ) as unknown as readonly AppliedStep[];
    const plan = planMigrations(applied, owners, "postgres");
    if (!plan.ok) return plan;
    const names = plan.value.map((step) => `${step.owner}/${step.name}`);
    if (names.length > 0 && applied.length > 0) {
      const prepared = await before(names);
      if (!prepared.ok) return prepared;
    }
    for (const step of plan.value) {
      try {
        await client.query("BEGIN");
        for (const statement of step.statements) await client.query(statement);
        await client.query("INSERT INTO store_migration (owner, position, name, checksum) VALUES ($1, $2, $3, $4)", [
          step.owner,
          step.position,
          step.name,
          step.checksum,
        ]);
        await client.query("COMMIT");
      } catch (cause) {
        await client.query("ROLLBACK");
        const problem = cause instanceof Error ? cause.message : String(cause);
        return err(failure("RUMI-STO-009", { owner: step.owner, migration: step.name, problem }, { cause }));
      }
    }
    return ok(names);
  } finally {
    await client.query("SELECT pg_advisory_unlock($1)", [LOCKS.migration]);
  }
}
