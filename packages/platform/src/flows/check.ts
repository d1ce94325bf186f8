/** Whether the flows of a pack can be read, for validating a pack that nobody runs; flows of other packs are not asked for. */
import { join } from "node:path";
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { readPlain } from "../packs/files.ts";
import type { Sight } from "../packs/look.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { parseFlow } from "./model.ts";
import { FLOW_SUFFIX, PACK_FLOW_FOLDERS } from "./sources.ts";

/** The first flow of the pack that would be refused, and why. */
export async function checkFlows({ folder, tree, seen }: Sight): Promise<Result<unknown, Failure>> {
  const { pack_id } = seen.manifest;
  const found = new Map<string, string>();
  for (const { path, bytes } of tree.entries) {
    if (!path.endsWith(FLOW_SUFFIX) || !PACK_FLOW_FOLDERS.includes(path.slice(0, path.lastIndexOf("/")))) continue;
    const data = bytes > FLOW_LIMITS.file_bytes ? undefined : await readPlain(join(folder, path));
    if (data === undefined)
      return err(failure("RUMI-FLOW-008", { path, problem: `it is larger than ${FLOW_LIMITS.file_bytes} bytes` }));
    const parsed = parseFlow(data.toString("utf8"), { path, owner_pack: pack_id });
    if (!parsed.ok) return err(parsed.error.failure);
    const { flow_id } = parsed.value.flow;
    const other = found.get(flow_id);
    if (other !== undefined) return err(failure("RUMI-FLOW-013", { flow_id, path, other }));
    found.set(flow_id, path);
  }
  return ok(found);
}
