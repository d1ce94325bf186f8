/**
 * The packs of a home: looks at folders and archives, keeps approved trees, and verifies both copies
 * before every use.
 *
 * Invariants (library.test.ts)
 * - A tree is never read while it is being moved: an approval right behind an apply sees it whole (library.test.ts).
 * - One changed byte, in the source or in the store, disables the pack before its next execution.
 * - Whatever the library writes to disk is content-addressed; doing it twice changes nothing.
 */
import { basename, join } from "node:path";
import {
  err,
  failure,
  ok,
  parseDigest,
  sha256Hex,
  type Clock,
  type Micros,
  type Digest,
  type Failure,
  type Random,
  type Result,
} from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";
import type { Reader, Store } from "@rumi/store";
import type { StrategyDescriptor } from "@rumi/abi";
import { systemEvent } from "../system-events.ts";
import { turns } from "../turns.ts";
import { digestFolder, discardTree, exists, moveIntoPlace, readPlain, storeTree } from "./files.ts";
import type { PackEntry } from "./digest.ts";
import { UPLOAD_LIMITS, type UploadLimits } from "./limits.ts";
import { lookAtPack, type Sight } from "./look.ts";
import type { PackManifest } from "./manifest.ts";
import { approvedStrategy, foundModified, type Pack, type PackChange, type SeenPack } from "./model.ts";
import { PROVENANCE_FILE, provenanceOf, type ProvenanceKey, type VerifiedProvenance } from "./provenance.ts";
import { stage, stageUpload, sweepStaging, verifyStaged, type ImportPlaces, type Staged } from "./staging.ts";
import { readApproval, readPack, readPacks, savePack, stagedIds } from "./tables.ts";
import { readUsedTree } from "./tree-at-once.ts";
import { readTree } from "./tree.ts";
import { packUploads, type PackUploads } from "./uploads.ts";
import { packFolders } from "./validation.ts";

export type LiveBotsUsing = (reader: Reader, pack_id: string) => Promise<readonly string[]>;

export type PackDeps = ImportPlaces & {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Of archives that come in a request's body; the program's own where nothing is given. */
  readonly uploadLimits?: UploadLimits;
  /** Names of bots that use a pack and are not stopped for good. */
  readonly botsUsing: (reader: Reader, pack_id: string) => Promise<readonly string[]>;
  /** Those of them that trade live: what disables the pack is then dangerous. None where nothing is given. */
  readonly liveBotsUsing?: LiveBotsUsing;
  /** What else has to be well before these bytes are approved; passes where nothing is given. */
  readonly mayApprove?: (reader: Reader, digest: string, now: Micros) => Promise<Result<unknown, Failure>>;
  /** Whose word on where a pack comes from counts now; nobody's where nothing is given. */
  readonly provenanceKeys?: (reader: Reader, now: Micros) => Promise<readonly ProvenanceKey[]>;
};

export type ScannedFolder = { readonly source_dir: string; readonly sight: Result<Sight, Failure> };

/** An approved pack, both copies verified just now. */
export type VerifiedPack = {
  readonly pack_id: string;
  readonly digest: Digest;
  readonly directory: string;
  readonly manifest: PackManifest;
  /** Its files as they were just now, which is as they were approved. */
  readonly entries: readonly PackEntry[];
};
export type VerifiedStrategy = VerifiedPack & { readonly descriptor: StrategyDescriptor };
export type StrategyReference = {
  readonly pack_id: string;
  readonly strategy_id: string;
  readonly strategy_version: string;
  readonly digest: string;
};

export type ArtifactFiles = {
  readonly pack_id: string;
  readonly version: string;
  readonly files: readonly { readonly path: string; readonly data: Uint8Array }[];
};

export interface PackLibrary {
  /** Every folder of ecosystem/, in order of name; a tree of `packs` that is being moved there, where it lies now. */
  scan(packs: readonly Pack[]): Promise<readonly ScannedFolder[]>;
  /** The source of this pack as it lies there now: the staged tree while it is still being moved into place. */
  look(pack: Pack): Promise<Result<Sight, Failure>>;
  /** Takes a folder or an archive into staging; one at a time. */
  stage(path: string): Promise<Result<Staged, Failure>>;
  /** Receives an archive, for `stageUpload`. */
  receive: PackUploads["receive"];
  /** The same for an archive that is held now, called `name` by whoever sent it. */
  stageUpload(sha256: string, name: string): Promise<Result<Staged, Failure>>;
  /** Where what was seen says it comes from; null where it says nothing. */
  provenanceOf(reader: Reader, sight: Sight): Promise<Result<VerifiedProvenance | null, Failure>>;
  /** The provenance file of bytes that were approved once, as the store keeps it. */
  keptProvenance(digest: string): Promise<Uint8Array | undefined>;
  /** What was staged lies there as it was. */
  verifyStaged(staging_id: string, seen: SeenPack): Promise<Result<unknown, Failure>>;
  /** What lies in this folder of ecosystem/, which an apply would move to the backups. */
  occupant(source_dir: string): Promise<PackManifest | "unreadable" | undefined>;
  /** Takes away what a process that was killed left half written. */
  sweep(): Promise<void>;
  /** Makes sure that the store holds what was seen. */
  keep(sight: Sight): Promise<Result<string, Failure>>;
  /** Runs `act` while no pack is moved or removed: for looking and keeping what was seen. */
  undisturbed<T>(act: () => Promise<T>): Promise<T>;
  /** Re-verifies source and store copy; a difference is committed as `modified` before it is reported. */
  verify(pack_id: string): Promise<Result<VerifiedPack, Failure>>;
  /** Before a start: approved, at this digest, unaltered, and offering this strategy. */
  verifyStrategy(reference: StrategyReference): Promise<Result<VerifiedStrategy, Failure>>;
  /** Without touching the disk: what was approved under this reference. */
  approvedStrategy(reader: Reader, reference: StrategyReference): Promise<Result<StrategyDescriptor, Failure>>;
  /** What is known of a pack, its approval with it. */
  packOf(reader: Reader, pack_id: string): Promise<Pack | undefined>;
  /** Files of a pack's bytes at a digest, approved or waiting for it; their own hashes and the whole's are verified. */
  filesOf(digest: string, isWanted: (path: string) => boolean): Promise<Result<ArtifactFiles, Failure>>;
  /** Finishes a staged move; safe to repeat. */
  finishApply(pack: Pack): Promise<void>;
  removeSource(source_dir: string): Promise<void>;
}

export function createPackLibrary(deps: PackDeps): PackLibrary {
  const { folders, limits, store } = deps;
  /** Whoever reads a whole tree and whoever moves one wait for each other. */
  const undisturbed = turns();
  /** An import holds a whole archive in memory, and two of the same tree would write to one place. */
  const staging = turns();
  const uploads = packUploads({ ...deps, folder: folders.uploads, limits: deps.uploadLimits ?? UPLOAD_LIMITS });

  const keys = async (reader: Reader): Promise<readonly ProvenanceKey[]> =>
    (await deps.provenanceKeys?.(reader, deps.clock.now())) ?? [];

  const lookAt = (folder: string): Promise<Result<Sight, Failure>> => lookAtPack(folder, limits);

  const sourceOf = async (pack: Pack): Promise<string> => {
    const staged = pack.applying === null ? undefined : join(folders.staging, pack.applying);
    return staged !== undefined && (await exists(staged)) ? staged : join(folders.ecosystem, pack.source_dir);
  };

  const look = async (pack: Pack): Promise<Result<Sight, Failure>> => lookAt(await sourceOf(pack));

  const verify = async (pack_id: string): Promise<Result<VerifiedPack, Failure>> => {
    const pack = await readPack(store, store, pack_id);
    if (pack === undefined) return err(failure("RUMI-PACK-005", { pack_id }));
    if (pack.state === "modified") return err(failure("RUMI-PACK-007", { pack_id, where: pack.note ?? "source" }));
    if (pack.state !== "approved" || pack.approved === null)
      return err(failure("RUMI-PACK-006", { pack_id, state: pack.state }));
    const { digest, manifest } = pack.approved;
    const directory = join(folders.store, digestFolder(digest));
    const [source, copy] = await undisturbed(
      async () =>
        await Promise.all([
          sourceOf(pack).then((folder) => readUsedTree(folder, limits, deps.clock)),
          readUsedTree(directory, limits, deps.clock),
        ]),
    );
    const isSource = source.ok && source.value.digest === digest;
    if (isSource && copy.ok && copy.value.digest === digest)
      return ok({ pack_id, digest, directory, manifest, entries: copy.value.entries });
    const where = isSource ? "store" : "source";
    await commitChange(deps, pack, foundModified(pack, where));
    return err(failure("RUMI-PACK-007", { pack_id, where }));
  };

  return {
    look,
    verify,
    undisturbed,
    scan: async (packs) => {
      const moving = new Map(packs.flatMap((pack) => (pack.applying === null ? [] : [[pack.source_dir, pack]])));
      const lying = (await packFolders(folders.ecosystem)).map((folder) => basename(folder));
      const found: ScannedFolder[] = [];
      for (const source_dir of [...new Set([...lying, ...moving.keys()])].toSorted((a, b) => (a < b ? -1 : 1))) {
        const pack = moving.get(source_dir);
        const sight = pack && (await undisturbed(() => look(pack)));
        found.push({ source_dir, sight: sight ?? (await lookAt(join(folders.ecosystem, source_dir))) });
      }
      return found;
    },
    stage: (path) => staging(async () => stage(path, deps, await keys(store))),
    receive: (body) => uploads.receive(body),
    stageUpload: (sha256, name) =>
      staging(async () => {
        const file = uploads.fileOf(sha256);
        if (file === undefined) return err(failure("RUMI-PACK-041", { problem: "it is no longer here" }));
        return stageUpload({ file, name }, deps, await keys(store));
      }),
    provenanceOf: async (reader, { seen, tree, folder }) =>
      provenanceOf(
        { entries: tree.entries, manifest: seen.manifest, dataOf: (path) => readPlain(join(folder, path)) },
        await keys(reader),
        limits,
      ),
    keptProvenance: async (digest) => {
      const known = parseDigest(digest);
      return known === undefined ? undefined : readPlain(join(folders.store, digestFolder(known), PROVENANCE_FILE));
    },
    verifyStaged: (staging_id, seen) => undisturbed(() => verifyStaged(staging_id, seen, deps)),
    occupant: async (source_dir) => {
      const folder = join(folders.ecosystem, source_dir);
      if (!(await exists(folder))) return undefined;
      const sight = await undisturbed(() => lookAt(folder));
      return sight.ok ? sight.value.seen.manifest : "unreadable";
    },
    sweep: () =>
      staging(() =>
        undisturbed(async () => {
          const waiting = await stagedIds(store, store);
          const moving = (await readPacks(store, store)).flatMap(({ applying }) => applying ?? []);
          await sweepStaging(folders, new Set([...waiting, ...moving]));
          await uploads.sweep();
        }),
      ),
    keep: async (sight) => storeTree(sight.folder, sight.tree, folders.store, limits),
    verifyStrategy: async (reference) => {
      const verified = await verify(reference.pack_id);
      if (!verified.ok) return verified;
      const pack = await readPack(store, store, reference.pack_id);
      if (pack === undefined) return err(failure("RUMI-PACK-005", { pack_id: reference.pack_id }));
      const found = approvedStrategy(pack, reference);
      return found.ok ? ok({ ...verified.value, descriptor: found.value.descriptor }) : found;
    },
    approvedStrategy: async (reader, reference) => {
      const pack = await readApproval(reader, store, reference.pack_id);
      if (pack === undefined) return err(failure("RUMI-PACK-005", { pack_id: reference.pack_id }));
      const found = approvedStrategy(pack, reference);
      return found.ok ? ok(found.value.descriptor) : found;
    },
    packOf: (reader, pack_id) => readPack(reader, store, pack_id),
    filesOf: async (digest, isWanted) => {
      const pack = (await readPacks(store, store)).find(
        (one) => one.approved?.digest === digest || one.seen?.digest === digest,
      );
      if (pack === undefined) return err(failure("RUMI-SYS-011", { what: "artifact", id: digest }));
      const { pack_id } = pack;
      const isApproved = pack.approved?.digest === digest;
      // Both copies of what is approved are what was approved, else the pack is disabled before anything is said of it.
      const verified = isApproved && pack.state === "approved" ? await verify(pack_id) : undefined;
      if (verified?.ok === false) return verified;
      const manifest = isApproved ? pack.approved?.manifest : pack.seen?.manifest;
      return undisturbed(async () => {
        const directory = isApproved ? join(folders.store, digestFolder(digest as Digest)) : await sourceOf(pack);
        const tree = await readTree(directory, limits);
        const altered = err(failure("RUMI-PACK-007", { pack_id, where: isApproved ? "store" : "source" }));
        if (!tree.ok) return tree;
        if (tree.value.digest !== digest) return altered;
        const files: { readonly path: string; readonly data: Uint8Array }[] = [];
        for (const { path, sha256 } of tree.value.entries.filter((entry) => isWanted(entry.path))) {
          const data = await readPlain(join(directory, path));
          if (data === undefined || sha256Hex(data) !== sha256) return altered;
          files.push({ path, data });
        }
        return ok({ pack_id, version: manifest?.version ?? "", files });
      });
    },
    finishApply: async (pack) => {
      if (pack.applying === null) return;
      const from = join(folders.staging, pack.applying);
      await undisturbed(() =>
        moveIntoPlace({
          from,
          to: join(folders.ecosystem, pack.source_dir),
          backup: join(folders.backups, pack.backup ?? `${pack.pack_id}-${pack.generation}`),
        }),
      );
      await commitChange(deps, pack, {
        next: { ...pack, applying: null, backup: null, generation: pack.generation + 1 },
        event: null,
      });
    },
    removeSource: (source_dir) => undisturbed(() => discardTree(join(folders.ecosystem, source_dir), folders.staging)),
  };
}

/** The event that a change of a pack leaves; `pending` is what a scan found. */
export function packEvent(change: PackChange): EventDraft | undefined {
  const { next, event } = change;
  if (event === null) return undefined;
  const what = next.seen === null ? {} : { version: next.seen.manifest.version, digest: next.seen.digest };
  const draft = (
    action: string,
    details: EventDraft["details"],
    outcome: EventDraft["outcome"] = "SUCCESS",
  ): EventDraft => ({ action, resource_type: "pack", resource_id: next.pack_id, outcome, details });
  switch (event) {
    case "pack.scanned":
    case "pack.pending":
      return draft("pack.scanned", {
        ...what,
        ...(event === "pack.pending" ? { pending: [next.pack_id] } : { skipped: 1 }),
      });
    case "pack.approved":
      return draft(event, { ...what, files: next.seen?.files ?? 0 });
    case "pack.rejected":
      return draft(event, { ...what, rejection_reason: next.note });
    case "pack.modified":
      return draft(
        event,
        {
          ...(next.approved === null ? {} : { approved_digest: next.approved.digest }),
          found_digest: next.seen?.digest ?? null,
          changed: [next.note ?? "source"],
        },
        "FAILURE",
      );
  }
}

/** Commits a change that nobody asked for; a conflict means that somebody else saw it first. */
async function commitChange(deps: PackDeps, before: Pack, change: PackChange): Promise<void> {
  if (change.next === before) return;
  const draft = packEvent(change);
  const by = { clock: deps.clock, random: deps.random, actor: "system:packs" };
  const committed = await deps.store.commit({
    writes: [savePack(deps.store, change.next, before, deps.clock.now())],
    events: draft === undefined ? [] : [systemEvent(by, draft)],
  });
  if (committed.ok || committed.error.kind === "conflict") return;
  throw new Error(`a change of pack ${before.pack_id} could not be written: ${committed.error.failure.code}`, {
    cause: committed.error.failure,
  });
}
