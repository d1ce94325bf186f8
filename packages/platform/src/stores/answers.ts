/** What the operations of stores take and answer, as the Operations Guide prints it. */
import { ID_PATTERNS, isoFromMicros, micros } from "@rumi/kernel";
import { Type, type TNull, type TSchema, type TUnion } from "@sinclair/typebox";
import { STORE_ID_PATTERN, type DataStore, type StoreShare } from "./model.ts";

const OPEN = { additionalProperties: true } as const;
const nullable = <T extends TSchema>(of: T): TUnion<[T, TNull]> => Type.Union([of, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });
const Instant = Type.String({ description: "RFC 3339, UTC." });

export const closed = { additionalProperties: false } as const;
export const StoreIdField = Type.String({ pattern: STORE_ID_PATTERN });
export const PackIdField = Type.String({ pattern: ID_PATTERNS.pack });
export const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));

const share = { store_id: Type.String(), target_pack: Type.String() } as const;

export const StoreAnswer = Type.Object(
  {
    store_id: Type.String(),
    owner_pack: Type.String(),
    created_by: Type.String(),
    created_at: Instant,
    keys: Count,
    bytes: Count,
    shared_with: Type.Array(Type.String()),
  },
  { ...OPEN, title: "Store" },
);
export const StoresAnswer = Type.Object(
  {
    stores: Type.Array(StoreAnswer),
    count: Count,
    limits: Type.Object({ keys: Count, bytes: Count }, { ...OPEN, description: "Of each store." }),
  },
  OPEN,
);
export const DeletedStoreAnswer = Type.Object(
  { store_id: Type.String(), deleted: Type.Literal(true), keys: Count, bytes: Count },
  OPEN,
);
export const SharedAnswer = Type.Object(
  {
    shared_stores: Type.Array(
      Type.Object(
        {
          store_id: Type.String(),
          owner_pack: Type.String(),
          shared_with: Type.Array(Type.String()),
          status: Type.Union([Type.Literal("approved"), Type.Literal("pending")], {
            description: "pending: the manifest of an approved pack asks for it.",
          }),
          approved_at: nullable(Instant),
        },
        OPEN,
      ),
    ),
    count: Count,
  },
  OPEN,
);
export const ApprovedShareAnswer = Type.Object(
  { ...share, owner_pack: Type.String(), status: Type.Literal("approved"), approved_at: Instant },
  OPEN,
);
export const RevokedShareAnswer = Type.Object({ ...share, status: Type.Literal("revoked") }, OPEN);

const instant = (at: number): string => isoFromMicros(micros(at));

export function storeView(store: DataStore, shares: readonly StoreShare[]) {
  return {
    store_id: store.store_id,
    owner_pack: store.owner_pack,
    created_by: store.created_by,
    created_at: instant(store.created_at),
    keys: store.keys,
    bytes: store.bytes,
    shared_with: shares.filter(({ store_id }) => store_id === store.store_id).map(({ target_pack }) => target_pack),
  };
}

export function shareView({ store_id, target_pack, approved_at }: StoreShare, owner_pack: string) {
  return { store_id, owner_pack, target_pack, status: "approved", approved_at: instant(approved_at) };
}

/** A wish for another pack's store, as the manifest of an approved pack has it in `stores[]`. */
export type ShareWish = { readonly store_id: string; readonly owner_pack: string; readonly target_pack: string };

export function sharedViews(stores: readonly DataStore[], shares: readonly StoreShare[], wishes: readonly ShareWish[]) {
  return stores.flatMap(({ store_id, owner_pack }) => {
    const own = shares.filter((one) => one.store_id === store_id);
    const asking = wishes.filter(
      (wish) =>
        wish.store_id === store_id &&
        wish.owner_pack === owner_pack &&
        !own.some(({ target_pack }) => target_pack === wish.target_pack),
    );
    const of = (status: "approved" | "pending", shared_with: readonly string[], at: number | null) =>
      shared_with.length === 0
        ? []
        : [{ store_id, owner_pack, shared_with, status, approved_at: at === null ? null : instant(at) }];
    return [
      ...of(
        "approved",
        own.map(({ target_pack }) => target_pack),
        Math.max(...own.map(({ approved_at }) => approved_at)),
      ),
      ...of(
        "pending",
        asking.map(({ target_pack }) => target_pack),
        null,
      ),
    ];
  });
}
