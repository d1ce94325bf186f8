/**
 * Capability handlers as a pack brings them: `share/capability_handlers/<slug>/handler.json` and the Python beside it.
 *
 * Two hashes: `sha256` of the entry point's file is what the key shows and a person compares; `folder_digest` covers all of
 * the folder, so that neither handler.json nor a module beside the entry point can change under an approval.
 *
 * Invariant: nothing outside the handler's own folder is its entry point (packages/rumi/test/capabilities.test.ts).
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { err, failure, ok, type Digest, type Failure, type Result } from "@rumi/kernel";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { exists, readPlain } from "../packs/files.ts";
import type { PackLimits } from "../packs/limits.ts";
import { readTree, type PackTree } from "../packs/tree.ts";
import { isBuiltinPermission, PERMISSION_PATTERN } from "../grants/permissions.ts";

export const HANDLER_FOLDERS = ["share/capability_handlers", "backend/share/capability_handlers"] as const;
export const HANDLER_MANIFEST = "handler.json";
export const HANDLER_LIMITS = { manifest_bytes: 65_536, per_pack: 100, requires: 16 } as const;
const SLUG = /^[A-Za-z0-9_-]{1,64}$/;

const PERMISSIONS = Type.Array(Type.String({ pattern: PERMISSION_PATTERN }), {
  maxItems: HANDLER_LIMITS.requires,
  uniqueItems: true,
});
const MANIFEST = Type.Object(
  {
    handler_id: Type.String({ pattern: "^[A-Za-z0-9_.-]{1,128}$" }),
    permission_id: Type.String({ pattern: PERMISSION_PATTERN }),
    entrypoint: Type.String({
      pattern: "^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\\.py:[A-Za-z_][A-Za-z0-9_]*$",
      maxLength: 256,
    }),
    description: Type.Optional(Type.String({ maxLength: 1_024 })),
    risk: Type.Optional(Type.String({ maxLength: 1_024 })),
    requires: Type.Optional(PERMISSIONS),
    caller_requires: Type.Optional(PERMISSIONS),
  },
  { additionalProperties: false },
);

export type HandlerFacts = {
  readonly slug: string;
  /** Below the pack's root. */
  readonly folder: string;
  readonly handler_id: string;
  readonly permission_id: string;
  readonly entrypoint: string;
  /** Of the entry point's file, hexadecimal. */
  readonly sha256: string;
  /** Of the whole folder. */
  readonly folder_digest: Digest;
  readonly description: string;
  readonly risk: string;
  /** What its own pack must hold, and what whoever calls it must hold besides the permission itself; absent: nothing. */
  readonly requires?: readonly string[];
  readonly caller_requires?: readonly string[];
};
export type SeenHandler = { readonly facts: HandlerFacts; readonly tree: PackTree };
export type SkippedHandler = { readonly slug: string; readonly failure: Failure };

export function candidateKey(pack_id: string, { slug, handler_id, sha256 }: HandlerFacts): string {
  return `${pack_id}:${slug}:${handler_id}:${sha256}`;
}

/** The file of an entry point, below the handler's folder. */
export function fileOf(entrypoint: string): string {
  return entrypoint.slice(0, entrypoint.lastIndexOf(":"));
}

/** Every handler of a pack's tree; one that is not in order is skipped with its reason. */
export async function lookForHandlers(
  directory: string,
  limits: PackLimits,
): Promise<{ readonly found: readonly SeenHandler[]; readonly skipped: readonly SkippedHandler[] }> {
  const found: SeenHandler[] = [];
  const skipped: SkippedHandler[] = [];
  for (const parent of HANDLER_FOLDERS) {
    if (!(await exists(join(directory, parent)))) continue;
    const children = await readdir(join(directory, parent), { withFileTypes: true });
    for (const { name } of children
      .filter((child) => child.isDirectory())
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const handler = await readHandler(directory, `${parent}/${name}`, limits);
      const twin = found.find(({ facts }) => facts.slug === name);
      if (!handler.ok) skipped.push({ slug: name, failure: handler.error });
      else if (twin !== undefined)
        skipped.push({ slug: name, failure: wrong(`${parent}/${name}`, "slug", `${twin.facts.folder} has it too`) });
      else if (found.length >= HANDLER_LIMITS.per_pack)
        skipped.push({
          slug: name,
          failure: wrong(`${parent}/${name}`, "(pack)", `a pack has at most ${HANDLER_LIMITS.per_pack} handlers`),
        });
      else found.push(handler.value);
    }
  }
  return { found, skipped };
}

/** The handler that lies in `folder` of a pack's tree. */
export async function readHandler(
  directory: string,
  folder: string,
  limits: PackLimits,
): Promise<Result<SeenHandler, Failure>> {
  const slug = folder.slice(folder.lastIndexOf("/") + 1);
  if (!SLUG.test(slug)) return err(wrong(folder, "slug", "it is not of letters, digits, _ and -, at most 64"));
  const tree = await readTree(join(directory, folder), limits);
  if (!tree.ok) return tree;
  const manifest = await readManifest(directory, folder, tree.value);
  if (!manifest.ok) return manifest;
  const { handler_id, permission_id, entrypoint, description = "", risk = "" } = manifest.value;
  if (isBuiltinPermission(permission_id))
    return err(wrong(folder, "permission_id", `${permission_id} is built in and has no handler of a pack`));
  const file = tree.value.entries.find((entry) => entry.path === fileOf(entrypoint));
  if (file === undefined) return err(wrong(folder, "entrypoint", `the folder has no file ${fileOf(entrypoint)}`));
  const { digest: folder_digest } = tree.value;
  const facts = {
    slug,
    folder,
    handler_id,
    permission_id,
    entrypoint,
    sha256: file.sha256,
    folder_digest,
    description,
    risk,
    ...(manifest.value.requires === undefined ? {} : { requires: manifest.value.requires }),
    ...(manifest.value.caller_requires === undefined ? {} : { caller_requires: manifest.value.caller_requires }),
  };
  return ok({ facts, tree: tree.value });
}

async function readManifest(
  directory: string,
  folder: string,
  tree: PackTree,
): Promise<Result<Static<typeof MANIFEST>, Failure>> {
  const entry = tree.entries.find(({ path }) => path === HANDLER_MANIFEST);
  if (entry === undefined) return err(wrong(folder, "(file)", "it is missing"));
  if (entry.bytes > HANDLER_LIMITS.manifest_bytes)
    return err(wrong(folder, "(file)", `it has more than ${HANDLER_LIMITS.manifest_bytes} bytes`));
  const bytes = await readPlain(join(directory, folder, HANDLER_MANIFEST));
  let value: unknown;
  try {
    value = JSON.parse(bytes?.toString("utf8") ?? "");
  } catch (cause) {
    return err(
      failure(
        "RUMI-CAP-007",
        { path: `${folder}/${HANDLER_MANIFEST}`, field: "(file)", problem: "it is not JSON" },
        { cause },
      ),
    );
  }
  const first = Value.Errors(MANIFEST, value).First();
  if (first === undefined) return ok(value as Static<typeof MANIFEST>);
  const problem = first.message === "Unexpected property" ? "there is no such field" : first.message;
  return err(wrong(folder, first.path === "" ? "(file)" : first.path.slice(1), problem));
}

function wrong(folder: string, field: string, problem: string): Failure {
  return failure("RUMI-CAP-007", { path: `${folder}/${HANDLER_MANIFEST}`, field, problem });
}
