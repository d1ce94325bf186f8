/** Judges folders as packs without a program, a store or a home: each by itself, and then all of them together. Reads only. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { exists } from "./files.ts";
import { PACK_LIMITS, type PackLimits } from "./limits.ts";
import { lookAtPack, type Sight } from "./look.ts";

export type ValidatedPack = { readonly folder: string; readonly judged: Result<Sight, Failure> };

/** What else has to be right in a pack, by whoever reads it: flows, routes, handlers. */
export type PackCheck = (sight: Sight) => Promise<Result<unknown, Failure>>;

export async function validatePacks(
  folders: readonly string[],
  checks: readonly PackCheck[] = [],
  limits: PackLimits = PACK_LIMITS,
): Promise<readonly ValidatedPack[]> {
  const found: ValidatedPack[] = [];
  const taken = new Map<string, string>();
  for (const folder of folders) {
    const judged = await judge(folder, checks, limits);
    const pack_id = judged.ok ? judged.value.seen.manifest.pack_id : undefined;
    const other = pack_id === undefined ? undefined : taken.get(pack_id);
    if (pack_id !== undefined) taken.set(pack_id, other ?? folder);
    found.push({
      folder,
      judged:
        pack_id === undefined || other === undefined
          ? judged
          : err(failure("RUMI-PACK-003", { found: pack_id, expected: `the pack of ${other}` })),
    });
  }
  return found;
}

async function judge(
  folder: string,
  checks: readonly PackCheck[],
  limits: PackLimits,
): Promise<Result<Sight, Failure>> {
  const sight = await lookAtPack(folder, limits);
  if (!sight.ok) return sight;
  for (const check of checks) {
    const checked = await check(sight.value);
    if (!checked.ok) return checked;
  }
  return ok(sight.value);
}

/** The folders of `ecosystem/` that a scan looks at, in order of name. */
export async function packFolders(ecosystem: string): Promise<readonly string[]> {
  if (!(await exists(ecosystem))) return [];
  const children = await readdir(ecosystem, { withFileTypes: true });
  return children
    .filter((child) => child.isDirectory() && child.name !== "flows" && !child.name.startsWith("."))
    .map(({ name }) => name)
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((name) => join(ecosystem, name));
}
