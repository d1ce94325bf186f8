/** Whether the flows and modifiers of a pack can be read, for validating a pack that nobody runs; flows of other packs are not asked for. */
import { join } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { readPlain } from "../packs/files.ts";
import type { Sight } from "../packs/look.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { parseFlow } from "./model.ts";
import { parseModifier } from "./modifiers/model.ts";
import { FLOW_SUFFIX, MODIFIER_SUFFIX, PACK_FLOW_FOLDERS } from "./sources.ts";

/** The first of them that would be refused, and why. */
export async function checkFlows({ folder, tree, seen }: Sight): Promise<Result<unknown, Failure>> {
  const { pack_id } = seen.manifest;
  const found = new Map<string, string>();
  for (const { path, bytes } of tree.entries) {
    const folder_of = path.slice(0, path.lastIndexOf("/"));
    const isFlow = path.endsWith(FLOW_SUFFIX) && PACK_FLOW_FOLDERS.includes(folder_of);
    const isModifier =
      path.endsWith(MODIFIER_SUFFIX) &&
      PACK_FLOW_FOLDERS.some((below) => folder_of === below || folder_of === `${below}/modifiers`);
    if (!isFlow && !isModifier) continue;
    const data = bytes > FLOW_LIMITS.file_bytes ? undefined : await readPlain(join(folder, path));
    if (data === undefined)
      return err(failure("RUMI-FLOW-008", { path, problem: `it is larger than ${FLOW_LIMITS.file_bytes} bytes` }));
    const origin = { path, owner_pack: pack_id };
    const text = data.toString("utf8");
    const parsed = isFlow ? idOf(parseFlow(text, origin)) : modifierIdOf(parseModifier(text, origin));
    if (!parsed.ok) return parsed;
    const key = `${isFlow ? "flow" : "modifier"} ${parsed.value}`;
    const other = found.get(key);
    if (other !== undefined) return err(failure("RUMI-FLOW-013", { flow_id: parsed.value, path, other }));
    found.set(key, path);
  }
  return ok(found);
}

function idOf(parsed: ReturnType<typeof parseFlow>): Result<string, Failure> {
  return parsed.ok ? ok(parsed.value.flow.flow_id) : err(parsed.error.failure);
}

function modifierIdOf(parsed: ReturnType<typeof parseModifier>): Result<string, Failure> {
  return parsed.ok ? ok(parsed.value.modifier.modifier_id) : err(parsed.error.failure);
}
