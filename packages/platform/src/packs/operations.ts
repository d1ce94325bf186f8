/** What an operator may do with packs, as the Operations Guide prints it: empty bodies, key in the header. */
import { err, failure, ID_PATTERNS, ok, parsePackId, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration, type Decision, type EventDraft } from "@rumi/operations";
import type { Reader, Store } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { forgetPermissions } from "../forget.ts";
import { packEvent, type PackDeps, type PackLibrary, type ScannedFolder } from "./library.ts";
import {
  closed,
  decisionOf,
  NO_DANGER,
  packView,
  provenanceDetails,
  provenanceView,
  ReasonField,
  type WriteContext,
} from "./decisions.ts";
import { applyPack, importPack, listStaged } from "./import-operations.ts";
import type { Sight } from "./look.ts";
import { approved, newPack, rejected, sighted, type Pack, type PackChange } from "./model.ts";
import { permissionDiff } from "./permissions.ts";
import type { VerifiedProvenance } from "./provenance.ts";
import { uploadPack } from "./upload-operation.ts";
import { expecting, readPack, readPacks, savePack, type PackTables } from "./tables.ts";
import {
  ApprovedPackAnswer,
  PackAnswer,
  PacksAnswer,
  PendingPacksAnswer,
  ScanAnswer,
  UninstalledPackAnswer,
  WholePackAnswer,
} from "./answers.ts";

const PackIdField = Type.String({ pattern: ID_PATTERNS.pack });
const PackInput = Type.Object({ pack_id: PackIdField, reason: ReasonField }, closed);
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
    uploadPack(library, deps),
    listStaged(deps),
    applyPack(deps, library),
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
    output: PendingPacksAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, _input, { store }) => {
      const packs = (await readPacks(reader, store))
        .filter((pack) => pack.state === "pending" || pack.state === "modified")
        .map((pack) => ({ ...packView(pack), permission_diff: wouldChange(pack) }));
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
            permission_diff: wouldChange(pack.value),
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
    load: async (reader, _input, { store }) => {
      const packs = await readPacks(reader, store);
      return { packs, folders: await library.scan(packs) };
    },
    decide: (facts, _input, context) => ok(decideScan(facts.packs, facts.folders, context)),
  });

function decideScan(packs: readonly Pack[], folders: readonly ScannedFolder[], context: WriteContext): Decision {
  const changes: { readonly before: Pack | undefined; readonly change: PackChange }[] = [];
  const skipped: { readonly source_dir: string; readonly error_code: string; readonly problem: string }[] = [];
  const taken = new Set<string>();
  for (const { source_dir, sight } of folders) {
    const known = packs.find((pack) => pack.source_dir === source_dir);
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
    if (!sight.ok)
      skipped.push({ source_dir, error_code: sight.error.code, problem: String(sight.error.params["problem"] ?? "") });
    changes.push({
      before: other,
      change: sighted(other ?? newPack(pack_id, source_dir), sight.ok ? ok(sight.value.seen) : sight),
    });
  }
  const gone = packs.filter((pack) => !folders.some(({ source_dir }) => source_dir === pack.source_dir));
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
        const provenance = sight.ok ? await library.provenanceOf(reader, sight.value) : ok(null);
        return { pack, sight, kept, may, provenance };
      });
    },
    preview: previewApproval,
    decide: (facts: ApprovalFacts, { pack_id }, context) => {
      if (facts.pack === undefined || facts.sight === undefined) return err(failure("RUMI-PACK-005", { pack_id }));
      if (facts.may !== undefined && !facts.may.ok) return facts.may;
      if (facts.kept !== undefined && !facts.kept.ok) return facts.kept;
      if (facts.provenance !== undefined && !facts.provenance.ok) return facts.provenance;
      const provenance = facts.provenance?.value ?? null;
      const change = approved(
        facts.pack,
        facts.sight.ok ? ok(facts.sight.value.seen) : facts.sight,
        context.principal.id,
        context.now,
      );
      if (!change.ok) return change;
      const decision = decisionOf(facts.pack, change.value, context, {
        permission_diff: permissionDiff(facts.pack.approved?.manifest, change.value.next.approved?.manifest),
        provenance: provenance === null ? null : provenanceView(provenance),
      });
      const told = decision.events.map((event) => ({
        ...event,
        details: { ...event.details, ...provenanceDetails(provenance) },
      }));
      return ok({ ...decision, events: told });
    },
  });

type ApprovalFacts = {
  readonly pack: Pack | undefined;
  readonly sight?: Result<Sight, Failure>;
  readonly kept?: Result<string, Failure> | undefined;
  readonly may?: Result<unknown, Failure> | undefined;
  readonly provenance?: Result<VerifiedProvenance | null, Failure>;
};

/** Of the bytes that lie there now, not of those that were seen last. */
function previewApproval({ pack, sight }: ApprovalFacts) {
  if (pack === undefined || sight?.ok !== true) return {};
  const { digest, files, bytes, manifest } = sight.value.seen;
  return {
    digest,
    approved_digest: pack.approved?.digest ?? null,
    version: manifest.version,
    approved_version: pack.approved?.manifest.version ?? null,
    files,
    bytes,
    permission_diff: permissionDiff(pack.approved?.manifest, manifest),
  };
}

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
      permissions: await forgetPermissions(reader, store, pack_id),
    }),
    preview: ({ pack, users, permissions }) => ({
      digest: pack?.approved?.digest ?? null,
      bots: users,
      revokes: permissions.events.map(({ resource_type, resource_id, details }) => ({
        resource_type,
        resource_id,
        permission: details["permission_id"] ?? details["permission_type"] ?? null,
      })),
    }),
    decide: ({ pack, users, permissions }, { pack_id }, context) => {
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
          ...permissions.writes,
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
        events: [event, ...permissions.events],
        outbox: [],
        data: { pack_id, uninstalled: true },
      });
    },
  });

/** What an approval of what lies there now would change. */
function wouldChange(pack: Pack) {
  return permissionDiff(pack.approved?.manifest, pack.seen?.manifest);
}

async function found(reader: Reader, store: Pick<Store, "builder">, pack_id: string): Promise<Result<Pack, Failure>> {
  if (parsePackId(pack_id) === undefined)
    return err(failure("RUMI-PACK-001", { pack_id: JSON.stringify(pack_id).slice(1, 80) }));
  const pack = await readPack(reader, store, pack_id);
  return pack === undefined ? err(failure("RUMI-PACK-005", { pack_id })) : ok(pack);
}
