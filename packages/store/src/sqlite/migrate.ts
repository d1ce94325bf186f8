/** Carries out a migration plan on SQLite: a backup copy first where there is something to lose. */
import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { CREATE_MIGRATION_TABLE, planMigrations, SELECT_APPLIED, type AppliedStep } from "../migrations.ts";
import type { Migrations } from "../port.ts";
import type { Connection } from "./driver.ts";

/** Names of the steps it ran, `owner/step`. */
export function migrateSqlite(
  db: Connection,
  owners: readonly Migrations[],
  backup_folder: string,
): Result<readonly string[], Failure> {
  db.exec(CREATE_MIGRATION_TABLE);
  const applied = db.all(SELECT_APPLIED, []) as unknown as readonly AppliedStep[];
  const plan = planMigrations(applied, owners, "sqlite");
  if (!plan.ok) return plan;
  const first = plan.value[0];
  if (first !== undefined && applied.length > 0) {
    const backup = backupSqlite(db, backup_folder, `before-${first.owner}-${first.name}`);
    if (!backup.ok) return backup;
  }
  for (const step of plan.value) {
    try {
      db.exec("BEGIN IMMEDIATE");
      for (const statement of step.statements) db.exec(statement);
      db.run("INSERT INTO store_migration (owner, position, name, checksum) VALUES (?, ?, ?, ?)", [
        step.owner,
        step.position,
        step.name,
        step.checksum,
      ]);
      db.exec("COMMIT");
    } catch (cause) {
      if (db.inTransaction()) db.exec("ROLLBACK");
      const problem = cause instanceof Error ? cause.message : String(cause);
      return err(failure("RUMI-STO-009", { owner: step.owner, migration: step.name, problem }, { cause }));
    }
  }
  return ok(plan.value.map((step) => `${step.owner}/${step.name}`));
}

/** A whole, compact copy of the store as of now, readable by its owner only. Answers with its path. */
export function backupSqlite(db: Connection, folder: string, label: string): Result<string, Failure> {
  let partial: string | undefined;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const path = freePath(folder, label);
    partial = `${path}.partial`;
    rmSync(partial, { force: true });
    db.run("VACUUM INTO ?", [partial]);
    chmodSync(partial, 0o600);
    syncPath(partial);
    renameSync(partial, path);
    syncPath(folder);
    return ok(path);
  } catch (cause) {
    if (partial !== undefined) rmSync(partial, { force: true });
    const problem = cause instanceof Error ? cause.message : String(cause);
    return err(failure("RUMI-STO-012", { folder, problem }, { cause }));
  }
}

function freePath(folder: string, label: string): string {
  for (let number = 1; ; number += 1) {
    const path = join(folder, `store-${label}-${number}.db`);
    if (!existsSync(path)) return path;
  }
}

function syncPath(path: string): void {
  const descriptor = openSync(path, "r");
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
