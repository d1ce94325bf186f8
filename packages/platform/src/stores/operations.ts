/** What an operator may do with stores: see them, make and delete them, share one with another pack and stop sharing it. */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import type { Reader, Store } from "@rumi/store";
import { Type, type Static } from "@sinclair/typebox";
import { readApproval, readPacks } from "../packs/tables.ts";
import {
  ApprovedShareAnswer,
  closed,
  DeletedStoreAnswer,
  PackIdField,
  ReasonField,
  RevokedShareAnswer,
  SharedAnswer,
  sharedViews,
  shareView,
  StoreAnswer,
  StoreIdField,
  StoresAnswer,
  storeView,
  type ShareWish,
} from "./answers.ts";
import { STORE_LIMITS } from "./limits.ts";
import { shareEvent, type DataStore, type StoreShare } from "./model.ts";
import {
  insertDataStore,
  insertShare,
  readDataStore,
  readDataStores,
  readShares,
  removeDataStore,
  removeShare,
} from "./tables.ts";
import { removeUnits } from "../units/tables.ts";

const READERS = ["view_only", "operator", "admin"] as const;
const NO_DANGER = () => ({ kind: "none" }) as const;
const target = ({ store_id }: { readonly store_id: string }) => ({ resource_type: "store", resource_id: store_id });

export function storeDeclarations(): readonly Declaration[] {
  return [listStores(), createStore(), deleteStore(), listShared(), approveShare(), revokeShare()];
}

const listStores = (): Declaration =>
  defineQuery({
    name: "stores.list",
    summary: "Every store, whose it is, and how much it holds",
    http: { method: "GET", path: "/api/stores" },
    input: Type.Object({}, closed),
    output: StoresAnswer,
    permission: READERS,
    read: async (reader, _input, { store }) => {
      const shares = await readShares(reader, store);
      const stores = (await readDataStores(reader, store)).map((one) => storeView(one, shares));
      const { keys, bytes } = STORE_LIMITS;
      return ok({ stores, count: stores.length, limits: { keys, bytes } });
    },
  });

const createStore = (): Declaration =>
  defineOperation({
    name: "stores.create",
    summary: "Make an empty store that belongs to a pack",
    http: { method: "POST", path: "/api/stores/create" },
    input: Type.Object({ store_id: StoreIdField, owner_pack: PackIdField, reason: ReasonField }, closed),
    output: StoreAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target,
    gates: [],
    load: async (reader, { owner_pack }, { store }) => ({
      stores: await readDataStores(reader, store),
      pack: await readApproval(reader, store, owner_pack),
    }),
    decide: ({ stores, pack }, { store_id, owner_pack }, { store, now, principal }) => {
      if (pack === undefined) return err(failure("RUMI-PACK-005", { pack_id: owner_pack }));
      const there = stores.find((one) => one.store_id === store_id);
      if (there !== undefined) return err(failure("RUMI-DATA-002", { store_id, owner_pack: there.owner_pack }));
      if (stores.length >= STORE_LIMITS.stores)
        return err(failure("RUMI-DATA-010", { limit: STORE_LIMITS.stores, what: "stores" }));
      const made: DataStore = {
        store_id,
        owner_pack,
        created_by: principal.id,
        created_at: now,
        keys: 0,
        bytes: 0,
      };
      const event = {
        action: "store.created",
        ...target({ store_id }),
        outcome: "SUCCESS" as const,
        details: { owner_pack },
      };
      return ok({ writes: [insertDataStore(store, made)], events: [event], outbox: [], data: storeView(made, []) });
    },
  });

type DeleteFacts = { readonly found: DataStore | undefined; readonly shares: readonly StoreShare[] };

const deleteStore = (): Declaration =>
  defineOperation({
    name: "stores.delete",
    summary: "Delete a store with everything in it",
    http: { method: "DELETE", path: "/api/stores/{store_id}" },
    input: Type.Object({ store_id: StoreIdField, reason: ReasonField }, closed),
    output: DeletedStoreAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "neutral",
    danger: ({ store_id }, { found }: DeleteFacts) =>
      found === undefined || found.keys === 0
        ? { kind: "none" }
        : { kind: "confirm", requires: ["phrase"], phrase: store_id, base: { keys: found.keys, bytes: found.bytes } },
    target,
    gates: [],
    load: async (reader, { store_id }, { store }): Promise<DeleteFacts> => ({
      found: await readDataStore(reader, store, store_id),
      shares: (await readShares(reader, store)).filter((one) => one.store_id === store_id),
    }),
    preview: ({ found, shares }: DeleteFacts) => ({
      keys: found?.keys ?? 0,
      bytes: found?.bytes ?? 0,
      shared_with: shares.map(({ target_pack }) => target_pack),
    }),
    decide: ({ found, shares }: DeleteFacts, { store_id }, { store }) => {
      if (found === undefined) return err(failure("RUMI-DATA-001", { store_id }));
      const { owner_pack, keys, bytes } = found;
      const event = {
        action: "store.deleted",
        ...target({ store_id }),
        outcome: "SUCCESS" as const,
        details: { owner_pack, keys, bytes },
      };
      return ok({
        writes: [...removeDataStore(store, found), removeUnits(store, store_id)],
        events: [...shares.map((one) => shareEvent("permission.revoked", found, one.target_pack)), event],
        outbox: [],
        data: { store_id, deleted: true, keys, bytes },
      });
    },
  });

const listShared = (): Declaration =>
  defineQuery({
    name: "stores.shared",
    summary: "What is shared with whom, and what packs ask to have shared",
    http: { method: "GET", path: "/api/stores/shared" },
    input: Type.Object({}, closed),
    output: SharedAnswer,
    permission: READERS,
    read: async (reader, _input, { store }) => {
      const shared_stores = sharedViews(
        await readDataStores(reader, store),
        await readShares(reader, store),
        await wishes(reader, store),
      );
      return ok({ shared_stores, count: shared_stores.length });
    },
  });

/** `stores: [{store_id, owner_pack}]` of an approved manifest asks for another pack's store. */
async function wishes(reader: Reader, store: Pick<Store, "builder">): Promise<readonly ShareWish[]> {
  return (await readPacks(reader, store)).flatMap(({ pack_id, state, approved }) =>
    (state === "approved" ? (approved?.manifest.stores ?? []) : []).flatMap((one) => {
      const owner_pack: unknown = (one as { readonly owner_pack?: unknown }).owner_pack;
      return typeof owner_pack === "string" && owner_pack !== pack_id
        ? [{ store_id: one.store_id, owner_pack, target_pack: pack_id }]
        : [];
    }),
  );
}

const aliased = (name: string) => Type.Optional(Type.String({ pattern: PackIdField.pattern ?? "", description: name }));
const ShareInput = Type.Object(
  {
    store_id: StoreIdField,
    owner_pack: Type.Optional(PackIdField),
    target_pack: Type.Optional(PackIdField),
    provider_pack_id: aliased("Another name of owner_pack."),
    consumer_pack_id: aliased("Another name of target_pack."),
    reason: ReasonField,
  },
  closed,
);
type Named = { readonly owner_pack: string; readonly target_pack: string };

/** Each of the two once, under one of its names. */
function namedBy(input: Static<typeof ShareInput>): Result<Named, Failure> {
  const one = (field: "owner_pack" | "target_pack", alias: "provider_pack_id" | "consumer_pack_id") => {
    const [name, other] = [input[field], input[alias]];
    if (name !== undefined && other !== undefined)
      return err(
        failure("RUMI-VAL-002", { field: alias, problem: `it is another name of ${field}; give one of them` }),
      );
    const found = name ?? other;
    return found === undefined ? err(failure("RUMI-VAL-002", { field, problem: "it is missing" })) : ok(found);
  };
  const owner_pack = one("owner_pack", "provider_pack_id");
  if (!owner_pack.ok) return owner_pack;
  const target_pack = one("target_pack", "consumer_pack_id");
  if (!target_pack.ok) return target_pack;
  return ok({ owner_pack: owner_pack.value, target_pack: target_pack.value });
}

type ShareFacts = {
  readonly found: DataStore | undefined;
  readonly shares: readonly StoreShare[];
  readonly is_installed: boolean;
};

async function loadShare(
  reader: Reader,
  input: Static<typeof ShareInput>,
  store: Pick<Store, "builder">,
): Promise<ShareFacts> {
  const named = namedBy(input);
  const pack = named.ok ? await readApproval(reader, store, named.value.target_pack) : undefined;
  return {
    found: await readDataStore(reader, store, input.store_id),
    shares: (await readShares(reader, store)).filter(({ store_id }) => store_id === input.store_id),
    is_installed: pack !== undefined,
  };
}

/** The store is there, and is whose it is said to be. */
function ownedBy(found: DataStore | undefined, store_id: string, { owner_pack }: Named): Result<DataStore, Failure> {
  if (found === undefined) return err(failure("RUMI-DATA-001", { store_id }));
  return found.owner_pack === owner_pack
    ? ok(found)
    : err(failure("RUMI-DATA-009", { store_id, owner: found.owner_pack, owner_pack }));
}

const approveShare = (): Declaration =>
  defineOperation({
    name: "stores.approve",
    summary: "Let another pack read a store, as long as its grant names the store too",
    http: { method: "POST", path: "/api/stores/shared/approve" },
    input: ShareInput,
    output: ApprovedShareAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "increase",
    danger: NO_DANGER,
    target,
    gates: [],
    load: (reader, input, { store }) => loadShare(reader, input, store),
    decide: ({ found, shares, is_installed }: ShareFacts, input, { store, now, principal }) => {
      const named = namedBy(input);
      if (!named.ok) return named;
      const owned = ownedBy(found, input.store_id, named.value);
      if (!owned.ok) return owned;
      const { owner_pack, target_pack } = named.value;
      if (target_pack === owner_pack)
        return err(failure("RUMI-VAL-002", { field: "target_pack", problem: "it owns the store and sees it anyway" }));
      if (!is_installed) return err(failure("RUMI-PACK-005", { pack_id: target_pack }));
      const before = shares.find((one) => one.target_pack === target_pack);
      if (before !== undefined) return ok({ writes: [], events: [], outbox: [], data: shareView(before, owner_pack) });
      if (shares.length >= STORE_LIMITS.shares)
        return err(failure("RUMI-DATA-010", { limit: STORE_LIMITS.shares, what: "shares of this store" }));
      const share: StoreShare = {
        store_id: input.store_id,
        target_pack,
        approved_by: principal.id,
        approved_at: now,
      };
      return ok({
        writes: [insertShare(store, share)],
        events: [shareEvent("permission.granted", owned.value, target_pack)],
        outbox: [],
        data: shareView(share, owner_pack),
      });
    },
  });

const revokeShare = (): Declaration =>
  defineOperation({
    name: "stores.revoke",
    summary: "Stop letting another pack read a store",
    http: { method: "POST", path: "/api/stores/shared/revoke" },
    input: ShareInput,
    output: RevokedShareAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "tighten",
    danger: NO_DANGER,
    target,
    gates: [],
    load: (reader, input, { store }) => loadShare(reader, input, store),
    decide: ({ found, shares }: ShareFacts, input, { store }) => {
      const named = namedBy(input);
      if (!named.ok) return named;
      const owned = ownedBy(found, input.store_id, named.value);
      if (!owned.ok) return owned;
      const { store_id } = input;
      const { target_pack } = named.value;
      const share = shares.find((one) => one.target_pack === target_pack);
      if (share === undefined) return err(failure("RUMI-DATA-008", { store_id, target_pack }));
      return ok({
        writes: [removeShare(store, share)],
        events: [shareEvent("permission.revoked", owned.value, target_pack)],
        outbox: [],
        data: { store_id, target_pack, status: "revoked" },
      });
    },
  });
