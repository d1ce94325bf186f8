/**
 * Reads the flows of a home from their folders, and reads them again when one of the folders or a pack's approval changed.
 *
 * Flows of a pack are those of its approved tree, never of its source folder. Links are not followed.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { err, failure, ok, type Clock, type Failure, type Result } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { readCandidates } from "../candidates/tables.ts";
import type { HandlerFacts } from "../capabilities/handler.ts";
import type { Deprecations } from "../deprecation.ts";
import { BUILTIN_PERMISSIONS } from "../grants/permissions.ts";
import { digestFolder, readPlain } from "../packs/files.ts";
import { readPacks } from "../packs/tables.ts";
import { catalogueOf, type Catalogue, type FlowText } from "./catalogue.ts";
import { FLOW_LIMITS } from "./limits.ts";
import type { Available } from "./modifiers/apply.ts";
import type { FlowSource } from "./source.ts";

export type FlowFolders = {
  /** `flows/`, `user_data/shared/flows/`. */
  readonly flows: string;
  readonly shared: string;
  /** `flow/`, `ecosystem/flows/`: read with a warning. */
  readonly legacy: readonly string[];
  /** `user_data/packs/`: approved trees by their digest. */
  readonly packs: string;
};
export type SourceDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly folders: FlowFolders;
  /** Whether the flows of the pack {@link LOCAL_PACK} are read once it is approved. */
  readonly local_pack: "off" | "require_approval";
  readonly deprecations: Deprecations;
  /** Awaited before anybody sees the catalogue. */
  readonly onLoaded?: (catalogue: Catalogue) => Promise<void> | void;
};

export interface FlowSources {
  /** The flows as they are; undefined until they were read once. */
  current(): Catalogue | undefined;
  /** Looks whether anything changed, and reads again if so. */
  refresh(): Promise<Catalogue>;
  /** As `refresh`, unless that was only just done. */
  recent(): Promise<Catalogue>;
}

type Folder = {
  readonly source: FlowSource;
  readonly shown: string;
  readonly path: string;
  readonly owner_pack: string | null;
};
export const FLOW_SUFFIX = ".flow.yaml";
export const MODIFIER_SUFFIX = ".modifier.yaml";
/** Where a pack keeps its flows. */
export const PACK_FLOW_FOLDERS: readonly string[] = ["flows", "backend/flows"];
/** The guide's line, whole: whoever looks for it in the log finds it. */
export const LEGACY_WARNING = "WARNING: Using legacy flow path. This is DEPRECATED and will be removed.";

/** The pack whose flows are read only where RUMI_LOCAL_PACK_MODE says so, behind those of all others. */
export const LOCAL_PACK = "local_pack";
export const LOCAL_PACK_WARNING = "WARNING: Using local_pack mode. This is DEPRECATED and will be removed.";

const DEPRECATED: Partial<Record<FlowSource, string>> = { legacy: LEGACY_WARNING, local_pack: LOCAL_PACK_WARNING };

export function flowSources(deps: SourceDeps): FlowSources {
  const { clock } = deps;
  let current: { readonly marks: string; readonly catalogue: Catalogue } | undefined;
  let looking: Promise<Catalogue> | undefined;
  let waiting: Promise<Catalogue> | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<Catalogue> => {
    const { folders, available } = await foldersOf(deps);
    const flows = await filesOf(folders, FLOW_SUFFIX);
    const modifiers = await filesOf(modifierFolders(folders), MODIFIER_SUFFIX);
    const can = [...available.interfaces, "", ...available.capabilities].toSorted().join(" ");
    const marks = `${flows.marks}\n${modifiers.marks}\n${can}`;
    if (current?.marks !== marks) {
      const [texts, changes] = await Promise.all(
        [flows, modifiers].map(({ files }) => Promise.all(files.map((file) => allowedText(file, deps)))),
      );
      const catalogue = catalogueOf([...(texts ?? []), ...flows.left], {
        files: [...(changes ?? []), ...modifiers.left],
        available,
      });
      report(catalogue, deps.logger);
      await deps.onLoaded?.(catalogue);
      current = { marks, catalogue };
    }
    lookedAt = clock.monotonic();
    return current.catalogue;
  };
  const begin = (): Promise<Catalogue> => {
    waiting = undefined;
    looking = look().finally(() => (looking = undefined));
    return looking;
  };
  /** Of a look that is under way nobody knows what it has passed already: who asks now is told by the one after it. */
  const refresh = (): Promise<Catalogue> => {
    if (looking === undefined) return begin();
    waiting ??= looking.then(begin, begin);
    return waiting;
  };
  return {
    current: () => current?.catalogue,
    refresh,
    recent: async () =>
      current !== undefined && clock.monotonic() - lookedAt < FLOW_LIMITS.look_ms ? current.catalogue : refresh(),
  };
}

async function foldersOf({
  store,
  folders,
  local_pack,
}: SourceDeps): Promise<{ readonly folders: readonly Folder[]; readonly available: Available }> {
  const known = await readPacks(store, store);
  const packs = known.flatMap(({ pack_id, state, approved }): readonly Folder[] =>
    state !== "approved" || approved === null || (pack_id === LOCAL_PACK && local_pack === "off")
      ? []
      : PACK_FLOW_FOLDERS.map((below) => ({
          source: pack_id === LOCAL_PACK ? "local_pack" : "pack",
          shown: `${pack_id}/${below}`,
          path: join(folders.packs, digestFolder(approved.digest), below),
          owner_pack: pack_id,
        })),
  );
  const all: readonly Folder[] = [
    { source: "flows", shown: "flows", path: folders.flows, owner_pack: null },
    { source: "shared", shown: "user_data/shared/flows", path: folders.shared, owner_pack: null },
    ...packs.filter(({ source }) => source === "pack"),
    ...packs.filter(({ source }) => source === "local_pack"),
    ...folders.legacy.map((path): Folder => ({
      source: "legacy",
      shown: path.split("/").slice(-2).join("/"),
      path,
      owner_pack: null,
    })),
  ];
  const approved = new Map(known.flatMap((pack) => (pack.state === "approved" ? [[pack.pack_id, pack.approved]] : [])));
  const interfaces = [...approved.values()].flatMap((pack) => pack?.manifest.connectivity?.provides ?? []);
  const handlers = (await readCandidates<HandlerFacts>(store, store, "capability"))
    .filter(({ state, pack_id }) => state === "installed" && approved.has(pack_id))
    .map(({ facts }) => facts.permission_id);
  const capabilities = new Set([...Object.keys(BUILTIN_PERMISSIONS), ...handlers]);
  return { folders: all, available: { interfaces: new Set(interfaces), capabilities } };
}

/** Where modifiers lie: beside the flows, or in a folder of their own there; not in legacy paths. */
function modifierFolders(folders: readonly Folder[]): readonly Folder[] {
  return folders
    .filter(({ source }) => source !== "legacy")
    .flatMap((folder) => [
      folder,
      { ...folder, shown: `${folder.shown}/modifiers`, path: join(folder.path, "modifiers") },
    ]);
}

type FoundFile = { readonly folder: Folder; readonly name: string };

/**
 * The files in order of strength; `marks` is another text whenever one of them may be another. `left` is what a folder holds
 * beyond its limit: refused by name, not passed over.
 */
async function filesOf(
  folders: readonly Folder[],
  suffix: string,
): Promise<{
  readonly files: readonly FoundFile[];
  readonly marks: string;
  readonly left: readonly FlowText[];
}> {
  const files: FoundFile[] = [];
  const marks: string[] = [];
  const left: FlowText[] = [];
  for (const folder of folders) {
    const children = await readdir(folder.path, { withFileTypes: true }).catch(() => []);
    const names = children
      .filter((child) => child.isFile() && child.name.endsWith(suffix))
      .map(({ name }) => name)
      .toSorted();
    for (const name of names.slice(FLOW_LIMITS.files)) {
      const problem = `its folder holds ${names.length} of them, and ${FLOW_LIMITS.files} of one folder are read`;
      left.push(refusedText({ folder, name }, problem));
      marks.push(`${folder.path}/${name}`);
    }
    for (const name of names.slice(0, FLOW_LIMITS.files)) {
      const facts = await stat(join(folder.path, name)).catch(() => undefined);
      if (facts === undefined) continue;
      files.push({ folder, name });
      marks.push(`${folder.path}/${name} ${facts.ino} ${facts.size} ${facts.mtimeMs} ${facts.ctimeMs}`);
    }
  }
  return { files, marks: marks.join("\n"), left };
}

const pathOf = ({ folder, name }: FoundFile): string => `${folder.shown}/${name}`;

function refusedText(file: FoundFile, problem: string): FlowText {
  const { source, owner_pack } = file.folder;
  const path = pathOf(file);
  return { source, path, owner_pack, text: err(failure("RUMI-FLOW-008", { path, problem })) };
}

/** What is deprecated is said so, or refused. */
async function allowedText(file: FoundFile, { deprecations, logger }: SourceDeps): Promise<FlowText> {
  const line = DEPRECATED[file.folder.source];
  if (line === undefined) return readText(file);
  const path = pathOf(file);
  const allowed = deprecations.use(path, line);
  const { source, owner_pack } = file.folder;
  if (!allowed.ok) return { source, path, owner_pack, text: allowed };
  logger.info("a flow of a deprecated source was read", { path });
  return readText(file);
}

async function readText({ folder, name }: FoundFile): Promise<FlowText> {
  const path = pathOf({ folder, name });
  const refused = (problem: string): Result<never, Failure> => err(failure("RUMI-FLOW-008", { path, problem }));
  const textOf = async (): Promise<Result<string, Failure>> => {
    const full = join(folder.path, name);
    const facts = await stat(full).catch(() => undefined);
    if (facts !== undefined && facts.size > FLOW_LIMITS.file_bytes)
      return refused(`it is larger than ${FLOW_LIMITS.file_bytes} bytes`);
    const bytes = await readPlain(full);
    if (bytes === undefined) return refused("it cannot be read as a plain file");
    try {
      return ok(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      return refused("it is not UTF-8");
    }
  };
  return { source: folder.source, path, owner_pack: folder.owner_pack, text: await textOf() };
}

function report({ entries, problems, modifiers, modifier_problems }: Catalogue, logger: Logger): void {
  for (const { path, skip_reason } of modifiers)
    if (skip_reason !== null) logger.warning("a modifier changes nothing", { path, skip_reason });
  for (const { path, failure: why } of [...problems, ...modifier_problems])
    logger.warning("a flow was refused", { path, error_code: why.code, problem: String(why.params["problem"] ?? "") });
  for (const { path, warnings } of entries.values())
    for (const warning of warnings)
      logger.warning("a flow has something that may be meant otherwise", { path, warning });
  logger.info("flows were read", { flows: entries.size, modifiers: modifiers.length, refused: problems.length });
}
