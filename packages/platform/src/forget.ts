/**
 * What a pack was allowed goes with it: whoever installs its name again starts with nothing.
 *
 * Rejections and blocks stay: a candidate does not become acceptable because its pack was away. A store stays with its values:
 * whoever has the name next sees them only where a person grants that store again.
 */
import type { EventDraft } from "@rumi/operations";
import type { Reader, Store, Write } from "@rumi/store";
import { CANDIDATE_KINDS, readCandidates, removeCandidate } from "./candidates/tables.ts";
import { grantEvent, packOfPrincipal } from "./grants/model.ts";
import { readGrants, removeGrant } from "./grants/tables.ts";
import { readLibRecords, removeLibRecord } from "./libs/tables.ts";
import { permissionEvent } from "./network/model.ts";
import { readNetworkGrant, removeNetworkGrant } from "./network/tables.ts";
import { privilegeEvent } from "./privileges/model.ts";
import { readPrivileges, removePrivilege } from "./privileges/tables.ts";
import { shareEvent } from "./stores/model.ts";
import { readDataStores, readShares, removeShare } from "./stores/tables.ts";

export type Forgotten = { readonly writes: readonly Write[]; readonly events: readonly EventDraft[] };

/** What takes every permission of a pack away, in the transaction that removes it. */
export async function forgetPermissions(
  reader: Reader,
  sql: Pick<Store, "builder">,
  pack_id: string,
): Promise<Forgotten> {
  const writes: Write[] = [];
  const events: EventDraft[] = [];
  const network = await readNetworkGrant(reader, sql, pack_id);
  if (network !== undefined) {
    writes.push(removeNetworkGrant(sql, network));
    events.push(permissionEvent("permission.revoked", network));
  }
  for (const grant of await readGrants(reader, sql)) {
    if (grant.principal_id !== pack_id && packOfPrincipal(grant.principal_id) !== pack_id) continue;
    writes.push(removeGrant(sql, grant));
    events.push(grantEvent("permission.revoked", grant));
  }
  for (const privilege of (await readPrivileges(reader, sql)).filter((one) => one.pack_id === pack_id)) {
    writes.push(removePrivilege(sql, privilege));
    events.push(privilegeEvent("permission.revoked", privilege));
  }
  const owners = new Map((await readDataStores(reader, sql)).map((store) => [store.store_id, store]));
  for (const share of await readShares(reader, sql)) {
    const store = owners.get(share.store_id);
    if (store === undefined || (share.target_pack !== pack_id && store.owner_pack !== pack_id)) continue;
    writes.push(removeShare(sql, share));
    events.push(shareEvent("permission.revoked", store, share.target_pack));
  }
  for (const record of await readLibRecords(reader, sql))
    if (record.pack_id === pack_id) writes.push(removeLibRecord(sql, record));
  for (const kind of CANDIDATE_KINDS)
    for (const one of await readCandidates(reader, sql, kind))
      if (one.pack_id === pack_id && ["pending", "installed", "failed"].includes(one.state))
        writes.push(removeCandidate(sql, kind, one));
  return { writes, events };
}
