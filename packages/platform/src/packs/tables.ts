/** Where packs are written down, and the one codec between rows and {@link Pack}. */
import { invariant, type Digest } from "@rumi/kernel";
import { compiledText, type Migrations, type Reader, type Statement, type Store, type Write } from "@rumi/store";
import type { PackManifest } from "./manifest.ts";
import type { Approval, Pack, PackState, SeenPack } from "./model.ts";

const MANIFESTS_KEPT = 64;

export type PackRow = {
  pack_id: string;
  state: string;
  seen: string | null;
  approved: string | null;
  approved_digest: string | null;
  source_dir: string;
  applying: string | null;
  backup: string | null;
  note: string | null;
  generation: number;
  updated_at: number;
};
export type StagingRow = { staging_id: string; pack_id: string; seen: string; origin: string; imported_at: number };
/** A folder of ecosystem/ that an uninstall still has to take away. */
export type RemovalRow = { source_dir: string; generation: number };
export type PackTables = { pack: PackRow; pack_staging: StagingRow; pack_removal: RemovalRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE pack (
    pack_id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('scanned', 'pending', 'approved', 'rejected', 'modified')),
    seen TEXT, approved TEXT, approved_digest TEXT, source_dir TEXT NOT NULL, applying TEXT, note TEXT,
    generation ${integer} NOT NULL, updated_at ${integer} NOT NULL)`,
  "CREATE INDEX pack_state ON pack (state, pack_id)",
  `CREATE TABLE pack_staging (
    staging_id TEXT NOT NULL PRIMARY KEY, pack_id TEXT NOT NULL, seen TEXT NOT NULL, origin TEXT NOT NULL, imported_at ${integer} NOT NULL)`,
  `CREATE TABLE pack_removal (source_dir TEXT NOT NULL PRIMARY KEY, generation ${integer} NOT NULL)`,
];

/** A backup's name outlives the pack's row: generations begin anew after an uninstall, and would name an older backup again. */
const BACKUPS = ["ALTER TABLE pack ADD COLUMN backup TEXT"];

export const PACK_MIGRATIONS: Migrations = {
  owner: "platform.packs",
  steps: [
    { name: "001-packs", sqlite: statements("INTEGER"), postgres: statements("BIGINT") },
    { name: "002-backups", sqlite: BACKUPS, postgres: BACKUPS },
  ],
};

type Sql = Pick<Store, "builder">;

const SELECT_PACK = compiledText<PackTables>((db) => db.selectFrom("pack").selectAll().where("pack_id", "=", ""));

export async function readPacks(reader: Reader, sql: Sql): Promise<readonly Pack[]> {
  return (await reader.rows<PackRow>(sql.builder<PackTables>().selectFrom("pack").selectAll().orderBy("pack_id"))).map(
    packOf,
  );
}

const SELECT_MARKS = compiledText<PackTables>((db) =>
  db
    .selectFrom("pack")
    .select(["pack_id", "state", "approved_digest", "applying", "generation", "updated_at"])
    .orderBy("pack_id"),
);
const SELECT_REMOVALS = compiledText<PackTables>((db) =>
  db.selectFrom("pack_removal").selectAll().orderBy("source_dir"),
);

export type PackMarks = {
  /** Another text whenever a pack changed or a folder is to be taken away. */
  readonly text: string;
  /** No move and no removal is still to be finished. */
  readonly is_settled: boolean;
};

/** What tells whether the large rows need be read at all. */
export async function packMarks(reader: Reader, sql: Sql): Promise<PackMarks> {
  const packs = await reader.rows<Pick<PackRow, "applying">>({ sql: SELECT_MARKS(sql), parameters: [] });
  const removals = await reader.rows<RemovalRow>({ sql: SELECT_REMOVALS(sql), parameters: [] });
  return {
    text: JSON.stringify([packs, removals]),
    is_settled: removals.length === 0 && packs.every(({ applying }) => applying === null),
  };
}

/** Staged imports that wait to be applied. */
export async function stagedIds(reader: Reader, sql: Sql): Promise<readonly string[]> {
  const rows = await reader.rows<Pick<StagingRow, "staging_id">>(
    sql.builder<PackTables>().selectFrom("pack_staging").select("staging_id"),
  );
  return rows.map((row) => row.staging_id);
}

export async function readPack(reader: Reader, sql: Sql, pack_id: string): Promise<Pack | undefined> {
  const [row] = await reader.rows<PackRow>({ sql: SELECT_PACK(sql), parameters: [pack_id] });
  return row === undefined ? undefined : packOf(row);
}

const SELECT_APPROVAL = compiledText<PackTables>((db) =>
  db.selectFrom("pack").select(["state", "note", "approved_digest"]).where("pack_id", "=", ""),
);
/** A digest covers the manifest, so one that was read once need not be read again. */
const manifests = new Map<string, PackManifest>();

/** State and approval as they are now; the large manifest is read from its row only where its digest is new here. */
export async function readApproval(reader: Reader, sql: Sql, pack_id: string): Promise<Approval | undefined> {
  const [row] = await reader.rows<Pick<PackRow, "state" | "note" | "approved_digest">>({
    sql: SELECT_APPROVAL(sql),
    parameters: [pack_id],
  });
  if (row === undefined) return undefined;
  const { note, approved_digest } = row;
  const of = { pack_id, state: row.state as PackState, note };
  if (approved_digest === null) return { ...of, approved: null };
  const known = manifests.get(approved_digest);
  if (known !== undefined) return { ...of, approved: { digest: approved_digest as Digest, manifest: known } };
  const pack = await readPack(reader, sql, pack_id);
  if (manifests.size >= MANIFESTS_KEPT) manifests.clear();
  if (pack !== undefined && pack.approved !== null) manifests.set(pack.approved.digest, pack.approved.manifest);
  return pack;
}

/** Insert or guarded update: changes one row, or the batch conflicts. */
export function savePack(sql: Sql, pack: Pack, before: Pack | undefined, now: number): Write {
  const row: PackRow = {
    pack_id: pack.pack_id,
    state: pack.state,
    seen: pack.seen === null ? null : JSON.stringify(pack.seen),
    approved: pack.approved === null ? null : JSON.stringify(pack.approved),
    approved_digest: pack.approved?.digest ?? null,
    source_dir: pack.source_dir,
    applying: pack.applying,
    backup: pack.backup,
    note: pack.note,
    generation: pack.generation,
    updated_at: now,
  };
  const db = sql.builder<PackTables>();
  return before === undefined
    ? expecting(db.insertInto("pack").values(row).compile(), 1)
    : expecting(
        db
          .updateTable("pack")
          .set(row)
          .where("pack_id", "=", pack.pack_id)
          .where("generation", "=", before.generation)
          .compile(),
        1,
      );
}

export function expecting(statement: Statement, expect: Write["expect"]): Write {
  return { sql: statement.sql, parameters: statement.parameters, expect };
}

function packOf(row: PackRow): Pack {
  const approved = row.approved === null ? null : (JSON.parse(row.approved) as Pack["approved"]);
  invariant(
    (approved?.digest ?? null) === (row.approved_digest as Digest | null),
    `pack ${row.pack_id}: digests of one row agree`,
  );
  return {
    pack_id: row.pack_id,
    state: row.state as PackState,
    seen: row.seen === null ? null : (JSON.parse(row.seen) as SeenPack),
    approved,
    source_dir: row.source_dir,
    applying: row.applying,
    backup: row.backup,
    note: row.note,
    generation: row.generation,
  };
}
