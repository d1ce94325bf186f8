/**
 * What a store is, and who gets to see it. Pure.
 *
 * Think of a store as a pack's own drawer: its owner reads and writes it, and a pack that it is shared with reads it.
 * Both need a capability grant that names the store besides; a share alone opens nothing, and neither does a grant alone.
 *
 * Invariants (packages/rumi/test/stores.test.ts): nobody but the owner ever writes; a share that is taken away counts for the
 * next call already.
 */
import { canonicalJson, err, failure, ok, sha256Hex, type Failure, type Json, type Result } from "@rumi/kernel";
import type { EventDraft } from "@rumi/operations";

export const STORE_ID_PATTERN = "^[A-Za-z0-9_-]{1,128}$";
export const STORE_KEY_PATTERN = "^[A-Za-z0-9_/.:-]{1,512}$";

export type DataStore = {
  readonly store_id: string;
  readonly owner_pack: string;
  readonly created_by: string;
  readonly created_at: number;
  readonly keys: number;
  readonly bytes: number;
};
export type StoreShare = {
  readonly store_id: string;
  readonly target_pack: string;
  readonly approved_by: string;
  readonly approved_at: number;
};

export type StoreAct = "read" | "write";

/** Whether a pack whose grant names the store may do it now; RUMI-DATA-001 or -003. */
export function mayUse(
  store: DataStore | undefined,
  of: {
    readonly store_id: string;
    readonly pack_id: string;
    readonly act: StoreAct;
    readonly is_shared: boolean;
  },
): Result<DataStore, Failure> {
  const { store_id, pack_id, act, is_shared } = of;
  const refused = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-DATA-003", { store_id, pack_id, act, problem }));
  if (store === undefined) return err(failure("RUMI-DATA-001", { store_id }));
  if (store.owner_pack === pack_id) return ok(store);
  if (!is_shared) return refused("it is another pack's and not shared with this one");
  return act === "read" ? ok(store) : refused("it is another pack's, and what is shared can be read only");
}

/** A value as it is kept, and the hash that compare-and-set goes by. */
export type KeptValue = { readonly text: string; readonly hash: string; readonly bytes: number };

export function keptValue(value: Json): KeptValue {
  const text = canonicalJson(value);
  return { text, hash: `sha256:${sha256Hex(text)}`, bytes: Buffer.byteLength(text) };
}

/** A share as a permission, which it is. */
export function shareEvent(
  action: "permission.granted" | "permission.revoked",
  { owner_pack, store_id }: Pick<DataStore, "owner_pack" | "store_id">,
  target_pack: string,
): EventDraft {
  return {
    action,
    resource_type: "store",
    resource_id: store_id,
    outcome: "SUCCESS",
    details: { permission_type: "store_share", principal_id: target_pack, owner_pack },
  };
}
