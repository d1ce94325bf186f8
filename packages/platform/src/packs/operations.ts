/** What an operator may do with packs, as the Operations Guide prints it: empty bodies, key in the header. */
import { err, failure, ID_PATTERNS, ok, parsePackId, type Failure, type Micros, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type Decision, type EventDraft } from "@rumi/operations";
import type { Reader, Store } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { packEvent, type PackDeps, type PackLibrary, type ScannedFolder, type Sight, type Staged } from "./library.ts";
import { applied, approved, newPack, rejected, sighted, type Pack, type PackChange, type SeenPack } from "./model.ts";
import { expecting, readPack, readPacks, savePack, type PackTables, type StagingRow } from "./tables.ts";
import {
  AppliedPackAnswer,
  ApprovedPackAnswer,
  PackAnswer,
  PacksAnswer,
  ScanAnswer,
  StagedPackAnswer,
  UninstalledPackAnswer,
  WholePackAnswer,
} from "./answers.ts";

const closed = { additionalProperties: false } as const;
const PackIdField = Type.String({ pattern: ID_PATTERNS.pack });
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const PackInput = Type.Object({ pack_id: PackIdField, reason: ReasonField }, closed);
const NO_DANGER = () => ({ kind: "none" }) as const;
const packTarget = (input: { readonly pack_id: string }) => ({ resource_type: "pack", resource_id: input.pack_id });

export function packDeclarations(deps: PackDeps, library: PackLibrary): readonly Declaration[] {
  return [
    listPacks(),
    pendingPacks(),
    packStatus(),
    scanPacks(library),
    approvePack(deps, library),
    rejectPack(),
    importPack(library),
    applyPack(),
    uninstallPack(deps),
  ];
}

const listPacks = (): Declaration =>
  defineQuery({
    name: "packs.list",
    summary: "Every pack of this home with its state",
    http: { method: "GET", path: "/api/packs" },
    input: Type.Object({}, closed),
    output: PacksAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, _input, { store }) => {
      const packs = (await readPacks(reader, store)).map(packView);
      return ok({ packs, count: packs.length });
    },
  });

const pendingPacks = (): Declaration =>
  defineQuery({
    name: "packs.pending",
    summary: "Packs that wait for a person's approval",
    http: { method: "GET", path: "/api/packs/pending" },
    input: Type.Object({}, closed),
    output: PacksAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, _input, { store }) => {
      const packs = (await readPacks(reader, store))
        .filter((pack) => pack.state === "pending" || pack.state === "modified")
        .map(packView);
      return ok({ packs, count: packs.length });
    },
  });

const packStatus = (): Declaration =>
  defineQuery({
    name: "packs.status",
    summary: "One pack: state, digests, strategies, what it asks for",
    http: { method: "GET", path: "/api/packs/{pack_id}/status" },
    input: Type.Object({ pack_id: Type.String() }, closed),
    output: WholePackAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, { pack_id }, { store }) => {
      const pack = await found(reader, store, pack_id);
      return pack.ok
        ? ok({
            ...packView(pack.value),
            manifest: pack.value.seen?.manifest ?? null,
            approved_manifest: pack.value.approved?.manifest ?? null,
          })
        : pack;
    },
  });

const scanPacks = (library: PackLibrary): Declaration =>
  defineOperation({
    name: "packs.scan",
    summary: "Look through ecosystem/ for new and changed packs",
    http: { method: "POST", path: "/api/packs/scan" },
    input: Type.Object({ reason: ReasonField }, closed),
    output: ScanAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target: () => ({ resource_type: "pack", resource_id: "*" }),
    gates: [],
    load: async (reader, _input, { store }) => ({
      packs: await readPacks(reader, store),
      folders: await library.scan(),
    }),
    decide: (facts, _input, context) => ok(decideScan(facts.packs, facts.folders, context)),
  });

type WriteContext = { readonly now: Micros; readonly store: Pick<Store, "builder" | "dialect"> };

function decideScan(packs: readonly Pack[], folders: readonly ScannedFolder[], context: WriteContext): Decision {
  const changes: { readonly before: Pack | undefined; readonly change: PackChange }[] = [];
  const skipped: { readonly source_dir: string; readonly error_code: string; readonly problem: string }[] = [];
  const taken = new Set<string>();
  for (const { source_dir, sight } of folders) {
    const known = packs.find((pack) => pack.source_dir === source_dir && pack.applying === null);
    const pack_id = sight.ok ? sight.value.seen.manifest.pack_id : (known?.pack_id ?? parsePackId(source_dir));
    const other = packs.find((pack) => pack.pack_id === pack_id);
    if (pack_id === undefined || taken.has(pack_id) || (other !== undefined && other.source_dir !== source_dir)) {
      skipped.push({
        source_dir,
        error_code: "RUMI-PACK-003",
        problem:
          pack_id === undefined
            ? "its name is not a pack_id and it has no manifest"
            : `the pack_id ${pack_id} is that of another folder`,
      });
      continue;
    }
    taken.add(pack_id);
    if (other?.applying != null) continue; // its staged tree decides until it is in place
    if (!sight.ok)
      skipped.push({ source_dir, error_code: sight.error.code, problem: String(sight.error.params["problem"] ?? "") });
    changes.push({
      before: other,
      change: sighted(other ?? newPack(pack_id, source_dir), sight.ok ? ok(sight.value.seen) : sight),
    });
  }
  const gone = packs.filter(
    (pack) => pack.applying === null && !folders.some((folder) => folder.source_dir === pack.source_dir),
  );
  for (const pack of gone)
    changes.push({
      before: pack,
      change: sighted(pack, err(failure("RUMI-PACK-019", { pack_id: pack.pack_id, path: pack.source_dir }))),
    });
  const made = changes.filter(({ before, change }) => before === undefined || change.next !== before);
  return {
    writes: made.map(({ before, change }) => savePack(context.store, change.next, before, context.now)),
    events: made.flatMap(({ change }) => packEvent(change) ?? []),
    outbox: [],
    data: {
      scanned: folders.length,
      new_packs: made.filter(({ before }) => before === undefined).length,
      modified: made.filter(({ change }) => change.next.state === "modified").map(({ change }) => change.next.pack_id),
      skipped,
      packs: changes.map(({ change }) => packView(change.next)),
    },
  };
}

const approvePack = ({ mayApprove }: PackDeps, library: PackLibrary): Declaration =>
  defineOperation({
    name: "packs.approve",
    summary: "Approve exactly what lies in the pack's folder now, and pin its digest",
    http: { method: "POST", path: "/api/packs/{pack_id}/approve" },
    input: PackInput,
    output: ApprovedPackAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "increase",
    danger: NO_DANGER,
    target: packTarget,
    gates: [],
    load: async (reader, { pack_id }, { store, now }) => {
      const pack = await readPack(reader, store, pack_id);
      if (pack === undefined) return { pack: undefined };
      return library.undisturbed(async () => {
        const sight = await library.look(pack);
        const kept =
          sight.ok && sight.value.seen.manifest.pack_id === pack_id ? await library.keep(sight.value) : undefined;
        const may = sight.ok ? await mayApprove?.(reader, sight.value.seen.digest, now) : undefined;
        return { pack, sight, kept, may };
      });
    },
    decide: (
      facts: {
        readonly pack: Pack | undefined;
        readonly sight?: Result<Sight, Failure>;
        readonly kept?: Result<string, Failure> | undefined;
        readonly may?: Result<unknown, Failure> | undefined;
      },
      { pack_id },
      context,
    ) => {
      if (facts.pack === undefined || facts.sight === undefined) return err(failure("RUMI-PACK-005", { pack_id }));
      if (facts.may !== undefined && !facts.may.ok) return facts.may;
      if (facts.kept !== undefined && !facts.kept.ok) return facts.kept;
      const change = approved(
        facts.pack,
        facts.sight.ok ? ok(facts.sight.value.seen) : facts.sight,
        context.principal.id,
        context.now,
      );
      return change.ok
        ? ok(decisionOf(facts.pack, change.value, context, permissionDiff(facts.pack, change.value.next)))
        : change;
    },
  });

const rejectPack = (): Declaration =>
  defineOperation({
    name: "packs.reject",
    summary: "Reject a pack, with a reason",
    http: { method: "POST", path: "/api/packs/{pack_id}/reject" },
    input: PackInput,
    output: PackAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "tighten",
    danger: NO_DANGER,
    target: packTarget,
    gates: [],
    load: async (reader, { pack_id }, { store }) => found(reader, store, pack_id),
    decide: (pack, input, context) => {
      if (!pack.ok) return pack;
      const change = rejected(pack.value, input.reason ?? null);
      return change.ok ? ok(decisionOf(pack.value, change.value, context)) : change;
    },
  });

const importPack = (library: PackLibrary): Declaration =>
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
    load: async (reader, { path }, { store }) => {
      const staged = await library.stage(path);
      const known = staged.ok ? await readStaging(reader, store, staged.value.staging_id) : undefined;
      return { staged, known };
    },
    decide: (
      facts: { readonly staged: Result<Staged, Failure>; readonly known: StagingRow | undefined },
      { path },
      context,
    ) => {
      if (!facts.staged.ok) return facts.staged;
      const { staging_id, seen, warnings } = facts.staged.value;
      const row: StagingRow = {
        staging_id,
        pack_id: seen.manifest.pack_id,
        seen: JSON.stringify(seen),
        origin: path,
        imported_at: context.now,
      };
      const writes =
        facts.known === undefined
          ? [expecting(context.store.builder<PackTables>().insertInto("pack_staging").values(row).compile(), 1)]
          : [];
      const details = {
        version: seen.manifest.version,
        digest: seen.digest,
        files: seen.files,
        bytes: seen.bytes,
        source: path.slice(0, 1_024),
      };
      const event: EventDraft = {
        action: "pack.imported",
        resource_type: "pack",
        resource_id: row.pack_id,
        outcome: "SUCCESS",
        details,
      };
      const { manifest, digest, files, bytes } = seen;
      return ok({
        writes,
        events: [event],
        outbox: [],
        data: {
          staging_id,
          pack_id: manifest.pack_id,
          pack_identity: manifest.pack_identity,
          version: manifest.version,
          digest,
          files,
          bytes,
          warnings,
        },
      });
    },
  });

const applyPack = (): Declaration =>
  defineOperation({
    name: "packs.apply",
    summary: "Put a staged import in place of the installed pack, keeping a backup",
    http: { method: "POST", path: "/api/packs/apply" },
    input: Type.Object({ staging_id: Type.String({ minLength: 1, maxLength: 128 }), reason: ReasonField }, closed),
    output: AppliedPackAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target: ({ staging_id }) => ({ resource_type: "pack_staging", resource_id: staging_id }),
    gates: [],
    load: async (reader, { staging_id }, { store }) => {
      const staged = await readStaging(reader, store, staging_id);
      return { staged, pack: staged === undefined ? undefined : await readPack(reader, store, staged.pack_id) };
    },
    decide: ({ staged, pack }, { staging_id }, context) => {
      if (staged === undefined) return err(failure("RUMI-PACK-014", { staging_id }));
      if (pack !== undefined && pack.applying !== null && pack.applying !== staging_id) {
        return err(
          failure("RUMI-PACK-013", { pack_id: pack.pack_id, state: "still being moved into place", act: "apply" }),
        );
      }
      const change = applied(pack, { staging_id, seen: JSON.parse(staged.seen) as SeenPack });
      if (!change.ok) return change;
      const decision = decisionOf(pack, change.value, context, {
        staging_id,
        backup:
          pack === undefined
            ? null
            : `user_data/pack_backups/${change.value.next.pack_id}-${change.value.next.generation}`,
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
        details: { digest: change.value.next.seen?.digest ?? null, source: `user_data/pack_staging/${staging_id}` },
      };
      return ok({ ...decision, writes: [...decision.writes, forget], events: [...decision.events, event] });
    },
  });

const uninstallPack = (deps: PackDeps): Declaration =>
  defineOperation({
    name: "packs.uninstall",
    summary: "Remove a pack that no bot uses; approved trees stay in the store as evidence",
    http: { method: "DELETE", path: "/api/packs/{pack_id}" },
    input: PackInput,
    output: UninstalledPackAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target: packTarget,
    gates: [],
    load: async (reader, { pack_id }, { store }) => ({
      pack: await readPack(reader, store, pack_id),
      users: await deps.botsUsing(reader, pack_id),
    }),
    decide: ({ pack, users }, { pack_id }, context) => {
      if (pack === undefined) return err(failure("RUMI-PACK-005", { pack_id }));
      if (users.length > 0) return err(failure("RUMI-PACK-012", { pack_id, users: users.slice(0, 10).join(", ") }));
      const db = context.store.builder<PackTables>();
      const event: EventDraft = {
        action: "pack.removed",
        resource_type: "pack",
        resource_id: pack_id,
        outcome: "SUCCESS",
        details: { digest: pack.approved?.digest ?? null },
      };
      return ok({
        writes: [
          expecting(
            db.deleteFrom("pack").where("pack_id", "=", pack_id).where("generation", "=", pack.generation).compile(),
            1,
          ),
          expecting(
            db
              .insertInto("pack_removal")
              .values({ source_dir: pack.source_dir, generation: pack.generation })
              .onConflict((on) => on.column("source_dir").doUpdateSet({ generation: pack.generation }))
              .compile(),
            1,
          ),
        ],
        events: [event],
        outbox: [],
        data: { pack_id, uninstalled: true },
      });
    },
  });

/** What an operator sees of a pack. */
export function packView(pack: Pack) {
  const manifest = pack.seen?.manifest ?? pack.approved?.manifest;
  return {
    pack_id: pack.pack_id,
    status: pack.state,
    state: pack.state,
    display_name: manifest?.display_name ?? null,
    version: manifest?.version ?? null,
    pack_identity: manifest?.pack_identity ?? null,
    digest: pack.seen?.digest ?? null,
    approved_digest: pack.approved?.digest ?? null,
    approved_by: pack.approved?.by ?? null,
    approved_at: pack.approved?.at ?? null,
    source_dir: `ecosystem/${pack.source_dir}`,
    note: pack.note,
    strategies: (manifest?.strategies ?? []).map(({ strategy_id, strategy_version, runtime_kind }) => ({
      strategy_id,
      strategy_version,
      runtime_kind,
    })),
    generation: pack.generation,
  };
}

/** What the new approval asks for beyond the last one; shown at every (re-)approval. */
function permissionDiff(before: Pack, after: Pack): Readonly<Record<string, unknown>> {
  const [old, now] = [asks(before), asks(after)];
  return {
    permission_diff: {
      added: now.filter((one) => !old.includes(one)),
      removed: old.filter((one) => !now.includes(one)),
    },
  };
}

/** Network, secrets and host execution that an approved manifest claims. */
function asks(pack: Pack): readonly string[] {
  const manifest = pack.approved?.manifest;
  if (manifest === undefined) return [];
  const network = (manifest.required_network ?? []).map(
    (one) => `network:${typeof one === "string" ? one : one.domain}`,
  );
  const secrets = (manifest.required_secrets ?? []).map((one) => `secret:${one}`);
  return [...network, ...secrets, ...(manifest.host_execution === true ? ["host_execution"] : [])];
}

function decisionOf(
  before: Pack | undefined,
  change: PackChange,
  context: WriteContext,
  extra: Readonly<Record<string, unknown>> = {},
): Decision {
  const event = packEvent(change);
  return {
    writes: change.next === before ? [] : [savePack(context.store, change.next, before, context.now)],
    events: event === undefined ? [] : [event],
    outbox: [],
    data: { ...packView(change.next), ...extra },
  };
}

async function found(reader: Reader, store: Pick<Store, "builder">, pack_id: string): Promise<Result<Pack, Failure>> {
  if (parsePackId(pack_id) === undefined)
    return err(failure("RUMI-PACK-001", { pack_id: JSON.stringify(pack_id).slice(1, 80) }));
  const pack = await readPack(reader, store, pack_id);
  return pack === undefined ? err(failure("RUMI-PACK-005", { pack_id })) : ok(pack);
}

async function readStaging(
  reader: Reader,
  store: Pick<Store, "builder">,
  staging_id: string,
): Promise<StagingRow | undefined> {
  const [row] = await reader.rows<StagingRow>(
    store.builder<PackTables>().selectFrom("pack_staging").selectAll().where("staging_id", "=", staging_id),
  );
  return row;
}
