/**
 * `pack.update.propose_patch`: a pack proposes other content for a pack. What comes of it lies in staging, as if a person had
 * imported it; people look at it, apply it and approve it, or never do.
 *
 * How to think: the patch goes onto the approved tree, never onto what lies in the source folder, and the result is judged as any
 * import is, before the first byte is in staging.
 *
 * Invariants (packages/rumi/test/pack-capabilities.test.ts): nothing of an approved pack changes; a patch that is refused leaves
 * nothing; the same patch of the same tree is one import.
 */
import { mkdir, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { err, failure, ok, type Failure, type Json, type JsonObject, type Result } from "@rumi/kernel";
import { Type } from "@sinclair/typebox";
import { strictArgs } from "../capabilities/args.ts";
import { named, type Builtin } from "../capabilities/builtins.ts";
import { packDigest, packEntry, type PackFile } from "./digest.ts";
import { readPlain, removeTree, writeTree } from "./files.ts";
import type { PackLibrary } from "./library.ts";
import type { PackLimits } from "./limits.ts";
import { readTree } from "./tree.ts";

export const PROPOSAL_LIMITS = { files: 200 } as const;
const MANIFEST = "ecosystem.json";
const ARGS = Type.Object(
  {
    pack_id: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" }),
    reason: Type.String({ minLength: 1, maxLength: 1_024 }),
    /** Path → its whole text, or null for a file that goes. */
    files: Type.Record(Type.String(), Type.Union([Type.String(), Type.Null()]), { minProperties: 1 }),
  },
  { additionalProperties: false },
);

/** Imports what lies at `path` in the name of the pack that proposes it. */
export type ImportProposal = (of: {
  readonly principal: string;
  readonly path: string;
  readonly reason: string;
  readonly trace_id: string | undefined;
}) => Promise<Result<Json, Failure>>;

type ProposeDeps = {
  readonly library: Pick<PackLibrary, "verify">;
  readonly limits: PackLimits;
  /** A root that imports may come from. */
  readonly inbox: string;
  readonly importProposal: ImportProposal;
};

/** `{pack_id, reason, files}` → `{staging_id, pack_id, version, digest, changed}`. */
export function proposePatch({ library, limits, inbox, importProposal }: ProposeDeps): Builtin {
  return async ({ principal, config, args, trail }) => {
    const read = strictArgs(ARGS, args);
    if (!read.ok) return read;
    const { pack_id, reason, files } = read.value;
    const allowed = named(config, PERMISSION, "allowed_packs", pack_id);
    if (!allowed.ok) return allowed;
    const verified = await library.verify(pack_id);
    if (!verified.ok) return verified;
    const before = await filesOf(verified.value.directory, limits);
    if (!before.ok) return before;
    const after = patched(before.value, files, pack_id);
    if (!after.ok) return after;
    const entries = after.value.map(packEntry);
    const digest = packDigest(entries, limits);
    if (!digest.ok) return digest;
    if (digest.value === verified.value.digest) return refused("it changes nothing of what is approved");
    const data = new Map(after.value.map((file) => [file.path, file.data]));
    const own = await ownFolder(proposalsIn(inbox));
    try {
      const folder = join(own, pack_id);
      const written = await writeTree(folder, entries, (path) => data.get(path));
      if (!written.ok) return written;
      const imported = await importProposal({ principal, path: folder, reason, trace_id: trail?.trace_id });
      if (!imported.ok) return imported;
      const { staging_id, version } = imported.value as JsonObject;
      const changed = Object.keys(files).toSorted();
      return ok({ staging_id: staging_id ?? null, pack_id, version: version ?? null, digest: digest.value, changed });
    } finally {
      await removeTree(own);
    }
  };
}

/** Where proposals are written until they are imported; what lies there when a program begins is nobody's. */
export const proposalsIn = (inbox: string): string => join(inbox, "proposals");

async function ownFolder(parent: string): Promise<string> {
  await mkdir(parent, { recursive: true, mode: 0o700 });
  return mkdtemp(join(parent, "patch-"));
}

const PERMISSION = "pack.update.propose_patch";
const refused = (problem: string): Result<never, Failure> =>
  err(failure("RUMI-CAP-002", { permission_id: PERMISSION, problem }));

async function filesOf(directory: string, limits: PackLimits): Promise<Result<readonly PackFile[], Failure>> {
  const tree = await readTree(directory, limits);
  if (!tree.ok) return tree;
  const files: PackFile[] = [];
  for (const { path, mode, sha256 } of tree.value.entries) {
    const data = await readPlain(join(directory, path));
    if (data === undefined || packEntry({ path, mode, data }).sha256 !== sha256)
      return err(failure("RUMI-PACK-009", { path, problem: "it changed while it was read" }));
    files.push({ path, mode, data });
  }
  return ok(files);
}

/** The tree with the patch on it; a file keeps its mode, a new one is not executable. */
function patched(
  before: readonly PackFile[],
  patch: Readonly<Record<string, string | null>>,
  pack_id: string,
): Result<readonly PackFile[], Failure> {
  if (Object.keys(patch).length > PROPOSAL_LIMITS.files)
    return refused(`it changes more than ${PROPOSAL_LIMITS.files} files`);
  const files = new Map(before.map((file) => [file.path, file]));
  for (const [path, text] of Object.entries(patch)) {
    const old = files.get(path);
    if (text === null && old === undefined) return refused(`there is no file ${path.slice(0, 200)} to take away`);
    if (text?.isWellFormed() === false) return refused(`the text of ${path.slice(0, 200)} is not Unicode`);
    if (text === null) files.delete(path);
    else files.set(path, { path, mode: old?.mode ?? "100644", data: Buffer.from(text, "utf8") });
  }
  return namesPack(files.get(MANIFEST)?.data, pack_id)
    ? ok([...files.values()])
    : refused(`its ${MANIFEST} does not name the pack ${pack_id}`);
}

function namesPack(manifest: Uint8Array | undefined, pack_id: string): boolean {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(manifest ?? []).toString("utf8"));
    return typeof parsed === "object" && parsed !== null && "pack_id" in parsed && parsed.pack_id === pack_id;
  } catch {
    return false;
  }
}
