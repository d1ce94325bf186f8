/**
 * Decides which migrations a store still needs; pure. The two stores carry the plan out, one
 * transaction per step, and record each step with the checksum of what it ran.
 *
 * A store whose history is not a prefix of ours is refused: a changed step (RUMI-STO-003) means the
 * schema is not what the code believes, an unknown one (RUMI-STO-004) that a newer program was here.
 */
import { digestOf, err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import type { SqlDialect } from "./builder.ts";
import type { Migrations } from "./port.ts";

export type AppliedStep = {
  readonly owner: string;
  readonly position: number;
  readonly name: string;
  readonly checksum: string;
};
export type PendingStep = AppliedStep & { readonly statements: readonly string[] };

export const CREATE_MIGRATION_TABLE = `CREATE TABLE IF NOT EXISTS store_migration (
  owner TEXT NOT NULL, position INTEGER NOT NULL, name TEXT NOT NULL, checksum TEXT NOT NULL, PRIMARY KEY (owner, position))`;
export const SELECT_APPLIED = "SELECT owner, position, name, checksum FROM store_migration ORDER BY owner, position";

export function stepsOf(owner: Migrations, dialect: SqlDialect): readonly PendingStep[] {
  return owner.steps.map((step, position) => ({
    owner: owner.owner,
    position,
    name: step.name,
    checksum: digestOf(JSON.stringify([owner.owner, step.name, step[dialect]])),
    statements: step[dialect],
  }));
}

/** Steps to run, in order: owners as listed, steps as written. */
export function planMigrations(
  applied: readonly AppliedStep[],
  owners: readonly Migrations[],
  dialect: SqlDialect,
): Result<readonly PendingStep[], Failure> {
  const known = new Map<string, PendingStep>();
  for (const step of owners.flatMap((owner) => stepsOf(owner, dialect))) {
    const key = `${step.owner}/${step.position}`;
    if (known.has(key)) throw new Error(`two lists of migrations belong to ${step.owner}`);
    known.set(key, step);
  }
  for (const step of applied) {
    const ours = known.get(`${step.owner}/${step.position}`);
    const params = { owner: step.owner, migration: step.name };
    if (ours === undefined) return err(failure("RUMI-STO-004", params));
    if (ours.name !== step.name || ours.checksum !== step.checksum) return err(failure("RUMI-STO-003", params));
    known.delete(`${step.owner}/${step.position}`);
  }
  const pending = [...known.values()];
  const gap = applied.find((step) =>
    pending.some((other) => other.owner === step.owner && other.position < step.position),
  );
  return gap === undefined ? ok(pending) : err(failure("RUMI-STO-003", { owner: gap.owner, migration: gap.name }));
}
