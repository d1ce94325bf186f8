/** What counts for a pack now, read where grants and approvals are written down. */
import type { Reader, Store } from "@rumi/store";
import { readApproval } from "../packs/tables.ts";
import { standingOf, type Standing } from "./model.ts";
import { readNetworkGrant } from "./tables.ts";

export async function readStanding(reader: Reader, sql: Pick<Store, "builder">, pack_id: string): Promise<Standing> {
  const grant = await readNetworkGrant(reader, sql, pack_id);
  return standingOf(grant, (await readApproval(reader, sql, pack_id))?.state);
}
