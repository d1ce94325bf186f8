/** Overrides of a home that was made before artifacts had any: all are there still, and each is of a bot or of an artifact. */
import { join } from "node:path";
import { ok, seededRandom, systemClock } from "@rumi/kernel";
import { openPostgresStore, openSqliteStore, type Migrations, type Store } from "@rumi/store";
import { describe, expect, it } from "vitest";
import { requires, temporaryFolder } from "../../../../tools/test-support.ts";
import { signer } from "../../../platform/test/kit.ts";
import { startPostgres } from "../../../store/test/postgres-server.ts";
import { insertOverride, OVERRIDE_MIGRATIONS, readOfArtifact, readOpen, type OverrideRow } from "./tables.ts";

const BEFORE: Migrations = { ...OVERRIDE_MIGRATIONS, steps: OVERRIDE_MIGRATIONS.steps.slice(0, 1) };
const OLD = {
  override_id: "o-1",
  bot_id: "bot-1",
  check_name: "runbook",
  reason: "before",
  granted_by: "user:a",
  approval_id: "c-1",
  granted_at: 1,
  ends_at: 2,
  ended_at: null,
  ended_by: null,
} as const;

async function moved(open: (migrations: Migrations) => Promise<Store>): Promise<void> {
  const before = await open(BEFORE);
  const { artifact_id: _, ...known } = { ...OLD, artifact_id: null };
  const old = insertOverride(before, known as unknown as OverrideRow);
  expect((await before.commit({ writes: [old], events: [] })).ok).toBe(true);
  await before.close();
  const after = await open(OVERRIDE_MIGRATIONS);
  expect(await readOpen(after, after)).toEqual([{ ...OLD, artifact_id: null }]);
  const put = async (over: Partial<OverrideRow>) =>
    (await after.commit({ writes: [insertOverride(after, { ...OLD, artifact_id: null, ...over })], events: [] })).ok;
  const artifact = { override_id: "o-2", approval_id: "c-2", check_name: "supply_chain" } as const;
  expect(await put({ ...artifact, bot_id: null, artifact_id: "sha256:1" })).toBe(true);
  expect(await readOfArtifact(after, after, "sha256:1")).toMatchObject([{ override_id: "o-2", bot_id: null }]);
  expect(await put({ override_id: "o-3", approval_id: "c-3", bot_id: null }), "of nobody").toBe(false);
  expect(await put({ override_id: "o-4", approval_id: "c-4", artifact_id: "sha256:1" }), "of both").toBe(false);
  await after.close();
}

it("[L-40] on SQLite", async () => {
  const folder = temporaryFolder();
  await moved(async (migrations) => {
    const opened = await openSqliteStore({
      path: join(folder.path, "store.db"),
      backup_folder: folder.path,
      migrations: [migrations],
      signer,
      random: seededRandom("salts"),
      writer: { kind: "in_process" },
    });
    if (!opened.ok) throw new Error(opened.error.code);
    return opened.value;
  });
  folder.remove();
});

describe.runIf(requires("postgresql"))("PostgreSQL", () => {
  it("[L-40] on PostgreSQL", async () => {
    const server = await startPostgres();
    const database = await server.database();
    await moved(async (migrations) => {
      const opened = await openPostgresStore({
        server: database,
        migrations: [migrations],
        signer,
        clock: systemClock(),
        random: seededRandom("salts"),
        before_migration: async () => ok(undefined),
      });
      if (!opened.ok) throw new Error(`${opened.error.code} ${JSON.stringify(opened.error.params)}`);
      return opened.value;
    });
    await server.stop();
  }, 180_000);
});
