/**
 * Writes a new pack's folder, whole or not at all: it is made beside its place, judged as an import would judge it, and then
 * takes its name. What is there already is never touched (scaffold.test.ts).
 */
import { mkdir, mkdtemp, rename, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { exists, removeTree } from "../packs/files.ts";
import { PACK_LIMITS } from "../packs/limits.ts";
import { lookAtPack } from "../packs/look.ts";
import { templateFiles, type PackTemplate } from "./templates.ts";

export type NewPack = {
  readonly pack_id: string;
  readonly template: PackTemplate;
  readonly folder: string;
  readonly files: readonly string[];
  readonly digest: string;
};

const STRICT_PACK_ID = /^[a-z][a-z0-9_-]{0,63}$/;

export async function scaffoldPack(
  pack_id: string,
  template: PackTemplate,
  output_dir: string,
): Promise<Result<NewPack, Failure>> {
  if (!STRICT_PACK_ID.test(pack_id))
    return err(failure("RUMI-PACK-001", { pack_id: JSON.stringify(pack_id.slice(0, 80)) }));
  const folder = resolve(output_dir, pack_id);
  if (await exists(folder))
    return err(failure("RUMI-VAL-002", { field: "pack_id", problem: `${folder} is there already` }));
  const files = templateFiles(pack_id, template);
  try {
    await mkdir(dirname(folder), { recursive: true });
    const made = await mkdtemp(join(dirname(folder), `.${pack_id}.new-`));
    for (const { path, text } of files) {
      await mkdir(dirname(join(made, path)), { recursive: true });
      await writeFile(join(made, path), text, { flag: "wx", mode: 0o644 });
    }
    const seen = await lookAtPack(made, PACK_LIMITS);
    if (!seen.ok) {
      await removeTree(made);
      return seen;
    }
    await rename(made, folder);
    return ok({ pack_id, template, folder, files: files.map(({ path }) => path), digest: seen.value.tree.digest });
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    return err(failure("RUMI-SYS-003", { path: output_dir, problem }, { cause }));
  }
}
