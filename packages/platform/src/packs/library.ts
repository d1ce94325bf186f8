/**
 * The packs of a home: looks at folders and archives, keeps approved trees, and verifies both copies
 * before every use.
 *
 * Invariants (library.test.ts)
 * - A tree is never read while it is being moved: an approval right behind an apply sees it whole (library.test.ts).
 * - One changed byte, in the source or in the store, disables the pack before its next execution.
 * - Whatever the library writes to disk is content-addressed; doing it twice changes nothing.
 */
import { readdir, stat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve } from "node:path";
import {
  err,
  failure,
  ok,
  parsePackId,
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
import { readArchive } from "./archive.ts";
import { packDigest, packEntry, printable } from "./digest.ts";
import { copyTree, digestFolder, exists, moveIntoPlace, readPlain, removeTree, storeTree, writeTree } from "./files.ts";
import type { PackLimits } from "./limits.ts";
import { MANIFEST_FILE, parseManifest, type PackManifest } from "./manifest.ts";
import { approvedStrategy, foundModified, type Pack, type PackChange, type SeenPack } from "./model.ts";
import { readApproval, readPack, readPacks, savePack } from "./tables.ts";
import { readTree, type PackTree } from "./tree.ts";

export type PackFolders = {
  /** `ecosystem/`: the source folders, one per pack. */
  readonly ecosystem: string;
  /** `user_data/pack_staging/`, `user_data/packs/`, `user_data/pack_backups/`. */
  readonly staging: string;
  readonly store: string;
  readonly backups: string;
};

export type PackDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly folders: PackFolders;
  readonly limits: PackLimits;
  /** `any` while the API is bound to loopback; else the folders that imports may come from. */
  readonly importRoots: "any" | readonly string[];
  /** Names of bots that use a pack and are not stopped for good. */
  readonly botsUsing: (reader: Reader, pack_id: string) => Promise<readonly string[]>;
  /** What else has to be well before these bytes are approved; passes where nothing is given. */
  readonly mayApprove?: (reader: Reader, digest: string, now: Micros) => Promise<Result<unknown, Failure>>;
};

export type Sight = { readonly seen: SeenPack; readonly tree: PackTree; readonly folder: string };
export type Staged = { readonly staging_id: string; readonly seen: SeenPack; readonly warnings: readonly string[] };
export type ScannedFolder = { readonly source_dir: string; readonly sight: Result<Sight, Failure> };

/** An approved pack, both copies verified just now. */
export type VerifiedPack = {
  readonly pack_id: string;
  readonly digest: Digest;
  readonly directory: string;
  readonly manifest: PackManifest;
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
  /** Every folder of ecosystem/, in order of name. */
  scan(): Promise<readonly ScannedFolder[]>;
  /** The source of this pack as it lies there now: the staged tree while it is still being moved into place. */
  look(pack: Pack): Promise<Result<Sight, Failure>>;
  stage(path: string): Promise<Result<Staged, Failure>>;
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
  /** Whoever reads a whole tree and whoever moves one wait for each other, in order of arrival. */
  let last: Promise<unknown> = Promise.resolve();
  const undisturbed = <T>(act: () => Promise<T>): Promise<T> => {
    const turn = last.then(act, act);
    last = turn.catch(() => undefined); // the caller hears of it; the next one's turn comes all the same
    return turn;
  };

  const lookAt = async (folder: string): Promise<Result<Sight, Failure>> => {
    const tree = await readTree(folder, limits);
    if (!tree.ok) return tree;
    const manifest = await readManifest(folder, tree.value, deps);
    if (!manifest.ok) return manifest;
    return ok({ seen: seenOf(tree.value, manifest.value), tree: tree.value, folder });
  };

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
      async () => [await readTree(await sourceOf(pack), limits), await readTree(directory, limits)] as const,
    );
    const where =
      !source.ok || source.value.digest !== digest
        ? "source"
        : !copy.ok || copy.value.digest !== digest
          ? "store"
          : null;
    if (where === null) return ok({ pack_id, digest, directory, manifest });
    await commitChange(deps, pack, foundModified(pack, where));
    return err(failure("RUMI-PACK-007", { pack_id, where }));
  };

  return {
    look,
    verify,
    undisturbed,
    scan: async () => {
      if (!(await exists(folders.ecosystem))) return [];
      const names = (await readdir(folders.ecosystem, { withFileTypes: true })).filter(
        (child) => child.isDirectory() && child.name !== "flows" && !child.name.startsWith("."),
      );
      const found: ScannedFolder[] = [];
      for (const { name } of names.toSorted((a, b) => (a.name < b.name ? -1 : 1)))
        found.push({ source_dir: name, sight: await lookAt(join(folders.ecosystem, name)) });
      return found;
    },
    stage: (path) => stage(path, deps),
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
          backup: join(folders.backups, `${pack.pack_id}-${pack.generation}`),
        }),
      );
      await commitChange(deps, pack, {
        next: { ...pack, applying: null, generation: pack.generation + 1 },
        event: null,
      });
    },
    removeSource: (source_dir) => undisturbed(() => removeTree(join(folders.ecosystem, source_dir))),
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

async function stage(path: string, deps: PackDeps): Promise<Result<Staged, Failure>> {
  const { folders, limits } = deps;
  if (!isAbsolute(path))
    return err(
      failure("RUMI-VAL-002", { field: "path", problem: "it must be an absolute path on the machine where rumi runs" }),
    );
  if (deps.importRoots !== "any" && !deps.importRoots.some((root) => isBelow(root, path)))
    return err(failure("RUMI-PACK-016", { path: printable(path) }));
  const facts = await stat(path).catch(() => undefined);
  if (facts === undefined) return err(failure("RUMI-VAL-006", { path: printable(path) }));
  if (facts.isDirectory()) {
    const tree = await readTree(path, limits);
    if (!tree.ok) return tree;
    const manifest = await readManifest(path, tree.value, deps);
    if (!manifest.ok) return manifest;
    const staging_id = stagingId(tree.value.digest);
    await copyTree(path, tree.value, join(folders.staging, staging_id));
    return ok(stagedOf(staging_id, seenOf(tree.value, manifest.value)));
  }
  if (!facts.isFile() || !/\.(zip|rumipack)$/i.test(path))
    return err(
      failure("RUMI-PACK-010", {
        path: printable(path),
        problem: "it is neither a folder nor a .zip or .rumipack file",
      }),
    );
  if (facts.size > limits.bytes) return err(failure("RUMI-PACK-008", { limit: limits.bytes, unit: "bytes" }));
  const bytes = await readPlain(path);
  if (bytes === undefined)
    return err(failure("RUMI-PACK-010", { path: printable(path), problem: "it cannot be read" }));
  const archive = readArchive(bytes, path, limits);
  if (!archive.ok) return archive;
  const entries = archive.value.files.map(packEntry);
  const digest = packDigest(entries, limits);
  if (!digest.ok) return digest;
  const text = archive.value.files.find((file) => file.path === MANIFEST_FILE);
  if (text === undefined)
    return err(failure("RUMI-PACK-002", { path: MANIFEST_FILE, field: "(file)", problem: "it is missing" }));
  const manifest = parseManifest(new TextDecoder().decode(text.data), entries);
  if (!manifest.ok) return manifest;
  const staging_id = stagingId(digest.value);
  await writeTree(join(folders.staging, staging_id), archive.value.files);
  return ok(stagedOf(staging_id, seenOf({ digest: digest.value, entries }, manifest.value)));
}

async function readManifest(folder: string, tree: PackTree, deps: PackDeps): Promise<Result<PackManifest, Failure>> {
  const entry = tree.entries.find((one) => one.path === MANIFEST_FILE);
  if (entry === undefined)
    return err(failure("RUMI-PACK-002", { path: MANIFEST_FILE, field: "(file)", problem: "it is missing" }));
  if (entry.bytes > deps.limits.manifest_bytes)
    return err(failure("RUMI-PACK-008", { limit: deps.limits.manifest_bytes, unit: "bytes in its manifest" }));
  const text = await readPlain(join(folder, MANIFEST_FILE));
  if (text === undefined)
    return err(failure("RUMI-PACK-002", { path: MANIFEST_FILE, field: "(file)", problem: "it cannot be read" }));
  return parseManifest(text.toString("utf8"), tree.entries);
}

function seenOf(tree: PackTree, manifest: PackManifest): SeenPack {
  return {
    digest: tree.digest,
    manifest,
    files: tree.entries.length,
    bytes: tree.entries.reduce((sum, entry) => sum + entry.bytes, 0),
  };
}

function stagedOf(staging_id: string, seen: SeenPack): Staged {
  return {
    staging_id,
    seen,
    warnings: parsePackId(seen.manifest.pack_id) === undefined ? ["pack_id is not of the strict form"] : [],
  };
}

/** The same tree always has the same staging id, so that importing twice is one import. */
function stagingId(digest: Digest): string {
  return `stg-${digestFolder(digest).slice(0, 24)}`;
}

function isBelow(root: string, path: string): boolean {
  const between = relative(resolve(root), resolve(path));
  return between !== "" && !between.startsWith("..") && !isAbsolute(between);
}
