/** Import and apply: from a folder or an archive to staging, and from staging into the place of the installed pack. */
import { err, failure, isoFromMicros, micros, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type Decision, type EventDraft } from "@rumi/operations";
import type { Reader, Store } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { AppliedPackAnswer, StagedPackAnswer, StagedPacksAnswer } from "./answers.ts";
import {
  closed,
  decisionOf,
  NO_DANGER,
  provenanceDetails,
  provenanceView,
  ReasonField,
  type WriteContext,
} from "./decisions.ts";
import type { PackDeps, PackLibrary } from "./library.ts";
import { UPLOAD_LIMITS } from "./limits.ts";
import type { PackManifest } from "./manifest.ts";
import { applied, type Pack, type SeenPack } from "./model.ts";
import { permissionDiff } from "./permissions.ts";
import type { Staged } from "./staging.ts";
import { expecting, readPack, readPacks, type PackTables, type StagingRow } from "./tables.ts";

/** Of the newest imports that wait. */
const STAGED_LISTED = 200;

export const importPack = (library: PackLibrary): Declaration =>
  defineOperation({
    name: "packs.import",
    summary: "Take a folder, .zip or .rumipack into staging",
    http: { method: "POST", path: "/api/packs/import" },
    input: Type.Object(
      { path: Type.String({ minLength: 1, maxLength: 4_096, pattern: "^/" }), reason: ReasonField },
      closed,
    ),
    output: StagedPackAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target: () => ({ resource_type: "pack_staging", resource_id: "*" }),
    gates: [],
    load: async (reader, { path }, { store }): Promise<ImportFacts> => {
      const staged = await library.stage(path);
      const known = staged.ok ? await readStaging(reader, store, staged.value.staging_id) : undefined;
      return { staged, known };
    },
    decide: (facts: ImportFacts, { path }, context) => decideImport(facts, path, context),
  });

export type ImportFacts = { readonly staged: Result<Staged, Failure>; readonly known: StagingRow | undefined };

export function decideImport(
  { staged, known }: ImportFacts,
  origin: string,
  context: WriteContext,
): Result<Decision, Failure> {
  if (!staged.ok) return staged;
  const { staging_id, seen, provenance, warnings } = staged.value;
  const { manifest, digest, files, bytes } = seen;
  const { pack_id, pack_identity, version } = manifest;
  const row: StagingRow = { staging_id, pack_id, seen: JSON.stringify(seen), origin, imported_at: context.now };
  const writes =
    known === undefined
      ? [expecting(context.store.builder<PackTables>().insertInto("pack_staging").values(row).compile(), 1)]
      : [];
  const event: EventDraft = {
    action: "pack.imported",
    resource_type: "pack",
    resource_id: pack_id,
    outcome: "SUCCESS",
    details: { version, digest, files, bytes, source: origin.slice(0, 1_024), ...provenanceDetails(provenance) },
  };
  return ok({
    writes,
    events: [event],
    outbox: [],
    data: {
      staging_id,
      pack_id,
      pack_identity,
      version,
      digest,
      files,
      bytes,
      provenance: provenance === null ? null : provenanceView(provenance),
      warnings,
    },
  });
}

type ApplyFacts = {
  readonly staged: StagingRow | undefined;
  readonly seen: SeenPack | undefined;
  readonly pack: Pack | undefined;
  readonly verified: Result<unknown, Failure> | undefined;
  readonly occupant: PackManifest | "unreadable" | undefined;
  /** Another pack that calls the folder its own. */
  readonly owner: string | undefined;
  /** Whoever it was is uninstalled and only its folder is still there. */
  readonly is_leaving: boolean;
  /** Live bots that the change would leave with a disabled pack. */
  readonly live: readonly string[];
};

const NOTHING_STAGED: ApplyFacts = {
  staged: undefined,
  seen: undefined,
  pack: undefined,
  verified: undefined,
  occupant: undefined,
  owner: undefined,
  is_leaving: false,
  live: [],
};

/** A folder that nobody scanned yet, or that is another pack's, is not taken over by the first import of its name. */
function mayReplace(
  occupant: ApplyFacts["occupant"],
  owner: string | undefined,
  { pack_id, pack_identity }: PackManifest,
): Result<unknown, Failure> {
  const there = typeof occupant === "object" ? occupant : undefined;
  const other = owner ?? (there?.pack_id === pack_id ? undefined : there?.pack_id);
  if (other !== undefined) return err(failure("RUMI-PACK-003", { found: pack_id, expected: other }));
  return there === undefined || there.pack_identity === pack_identity
    ? ok(undefined)
    : err(failure("RUMI-PACK-015", { pack_id, found: pack_identity, expected: there.pack_identity }));
}

/** What waits to be applied, and what that would change; the newest first. */
export const listStaged = ({ uploadLimits: { upload_bytes } = UPLOAD_LIMITS }: PackDeps): Declaration =>
  defineQuery({
    name: "packs.staged",
    summary: "Imports that are not applied yet, and what each would change",
    http: { method: "GET", path: "/api/packs/staged" },
    input: Type.Object({}, closed),
    output: StagedPacksAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, _input, { store }) => {
      const packs = new Map((await readPacks(reader, store)).map((pack) => [pack.pack_id, pack]));
      const staged = (await readStagings(reader, store)).map(
        ({ staging_id, pack_id, seen: text, origin, imported_at }) => {
          const { manifest, digest, files, bytes } = JSON.parse(text) as SeenPack;
          const there = packs.get(pack_id);
          return {
            staging_id,
            pack_id,
            pack_identity: manifest.pack_identity,
            version: manifest.version,
            digest,
            files,
            bytes,
            origin,
            imported_at: isoFromMicros(micros(imported_at)),
            installed_digest: there?.seen?.digest ?? null,
            installed_version: there?.seen?.manifest.version ?? null,
            permission_diff: permissionDiff(there?.approved?.manifest, manifest),
          };
        },
      );
      return ok({ staged, count: staged.length, upload_limit_bytes: upload_bytes });
    },
  });

export const applyPack = (deps: PackDeps, library: PackLibrary): Declaration =>
  defineOperation({
    name: "packs.apply",
    summary: "Put a staged import in place of the installed pack, keeping a backup",
    http: { method: "POST", path: "/api/packs/apply" },
    input: Type.Object({ staging_id: Type.String({ minLength: 1, maxLength: 128 }), reason: ReasonField }, closed),
    output: AppliedPackAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "neutral",
    // Other bytes disable the pack until somebody approves them: a live bot of it could not be started again.
    danger: (_input, { pack, seen, live }: ApplyFacts) =>
      pack === undefined || seen === undefined || live.length === 0
        ? { kind: "none" }
        : {
            kind: "confirm",
            requires: ["phrase"],
            phrase: pack.pack_id,
            base: { generation: pack.generation, digest: seen.digest, live_bots: live.join(" ") },
          },
    target: ({ staging_id }) => ({ resource_type: "pack_staging", resource_id: staging_id }),
    gates: [],
    load: async (reader, { staging_id }, { store }) => {
      const staged = await readStaging(reader, store, staging_id);
      if (staged === undefined) return NOTHING_STAGED;
      const seen = JSON.parse(staged.seen) as SeenPack;
      const pack = await readPack(reader, store, staged.pack_id);
      const source_dir = pack?.source_dir ?? staged.pack_id;
      const isOther = pack !== undefined && pack.approved?.digest !== seen.digest;
      return {
        staged,
        seen,
        pack,
        verified: await library.verifyStaged(staging_id, seen),
        occupant: await library.occupant(source_dir),
        is_leaving: await isLeaving(reader, store, source_dir),
        owner: (await readPacks(reader, store)).find(
          (one) => one.source_dir === source_dir && one.pack_id !== staged.pack_id,
        )?.pack_id,
        live: isOther ? ((await deps.liveBotsUsing?.(reader, staged.pack_id)) ?? []) : [],
      };
    },
    preview: ({ seen, pack, live }: ApplyFacts) =>
      seen === undefined
        ? {}
        : {
            pack_id: seen.manifest.pack_id,
            version: seen.manifest.version,
            digest: seen.digest,
            installed_version: pack?.seen?.manifest.version ?? null,
            installed_digest: pack?.seen?.digest ?? null,
            live_bots: live,
            permission_diff: permissionDiff(pack?.approved?.manifest, seen.manifest),
          },
    decide: ({ staged, seen, pack, verified, occupant, owner, is_leaving }: ApplyFacts, { staging_id }, context) => {
      if (staged === undefined || seen === undefined || verified === undefined)
        return err(failure("RUMI-PACK-014", { staging_id }));
      if (pack !== undefined && pack.applying !== null && pack.applying !== staging_id) {
        return err(
          failure("RUMI-PACK-013", { pack_id: pack.pack_id, state: "still being moved into place", act: "apply" }),
        );
      }
      if (!verified.ok) return verified;
      const free = pack === undefined && !is_leaving ? mayReplace(occupant, owner, seen.manifest) : ok(undefined);
      if (!free.ok) return free;
      const backup = `${staged.pack_id}-${isoFromMicros(context.now).replaceAll(/[-:]/g, "")}`;
      const change = applied(pack, { staging_id, seen, backup });
      if (!change.ok) return change;
      const kept = occupant === undefined ? null : `user_data/pack_backups/${backup}`;
      const decision = decisionOf(pack, change.value, context, {
        staging_id,
        backup: kept,
      });
      const forget = expecting(
        context.store.builder<PackTables>().deleteFrom("pack_staging").where("staging_id", "=", staging_id).compile(),
        1,
      );
      const event: EventDraft = {
        action: "pack.imported",
        resource_type: "pack",
        resource_id: change.value.next.pack_id,
        outcome: "SUCCESS",
        details: { digest: seen.digest, source: `user_data/pack_staging/${staging_id}`, backup: kept },
      };
      return ok({ ...decision, writes: [...decision.writes, forget], events: [...decision.events, event] });
    },
  });

export async function readStaging(
  reader: Reader,
  store: Pick<Store, "builder">,
  staging_id: string,
): Promise<StagingRow | undefined> {
  const [row] = await reader.rows<StagingRow>(
    store.builder<PackTables>().selectFrom("pack_staging").selectAll().where("staging_id", "=", staging_id),
  );
  return row;
}

async function readStagings(reader: Reader, store: Pick<Store, "builder">): Promise<readonly StagingRow[]> {
  const rows = store.builder<PackTables>().selectFrom("pack_staging").selectAll();
  return reader.rows<StagingRow>(rows.orderBy("imported_at", "desc").orderBy("staging_id").limit(STAGED_LISTED));
}

async function isLeaving(reader: Reader, store: Pick<Store, "builder">, source_dir: string): Promise<boolean> {
  const rows = await reader.rows(
    store.builder<PackTables>().selectFrom("pack_removal").selectAll().where("source_dir", "=", source_dir),
  );
  return rows.length > 0;
}
