/**
 * What the built-in permissions `store.*` do for a pack: the functions that a capability call ends in.
 *
 * How to think: whoever calls has found out who asks and what its grant says (`permit`); here the store is looked at, the
 * arguments are read strictly, and values go in and out. A write is decided on what was read and committed only if that is
 * still so; when another one came between it is decided anew.
 *
 * Invariants (packages/rumi/test/stores.test.ts)
 * - `store.cas` changes a value only while it is the expected one, however many ask at once.
 * - A store never holds more keys or bytes than its limits, and its counts are those of its values.
 */
import {
  err,
  failure,
  isoFromMicros,
  micros,
  ok,
  type Clock,
  type Failure,
  type Json,
  type JsonObject,
  type Result,
} from "@rumi/kernel";
import type { Store } from "@rumi/store";
import { Type, type Static, type TObject } from "@sinclair/typebox";
import { strictArgs } from "../capabilities/args.ts";
import { named, type Builtin } from "../capabilities/builtins.ts";
import { boundOf } from "../grants/model.ts";
import type { GrantConfig } from "../grants/permissions.ts";
import { STORE_LIMITS, type StoreLimits } from "./limits.ts";
import { keptValue, mayUse, STORE_ID_PATTERN, STORE_KEY_PATTERN, type DataStore, type StoreAct } from "./model.ts";
import {
  dropEntry,
  putEntry,
  readDataStore,
  readEntries,
  readEntry,
  readKeys,
  readShare,
  readSizes,
  type EntryRow,
} from "./tables.ts";

export const STORE_PERMISSIONS = [
  "store.get",
  "store.set",
  "store.delete",
  "store.list",
  "store.batch_get",
  "store.cas",
] as const;
export type StorePermission = (typeof STORE_PERMISSIONS)[number];

/** Who asks, with the config that is left of its grant of exactly this permission. */
export type StoreCall = {
  readonly permission_id: StorePermission;
  readonly principal_id: string;
  readonly pack_id: string;
  readonly config: GrantConfig;
  readonly args: JsonObject;
};
/** Errors RUMI-VAL-002, -008 (arguments), RUMI-CAP-013, RUMI-DATA-001, -003 (access), -004, -005, -006 (sizes), -007 (busy). */
export type CallStore = (call: StoreCall) => Promise<Result<JsonObject, Failure>>;

/** What `expected_hash` says where there must be no value yet. */
export const EXPECT_MISSING = "missing";

const closed = <T extends Parameters<typeof Type.Object>[0]>(members: T): TObject<T> =>
  Type.Object(members, { additionalProperties: false });
const store_id = Type.String({ pattern: STORE_ID_PATTERN });
const key = Type.String({ pattern: STORE_KEY_PATTERN });
const PREFIX_PATTERN = "^[A-Za-z0-9_/.:-]{0,512}$";

const ARGS = {
  "store.get": closed({ store_id, key }),
  "store.set": closed({ store_id, key, value: Type.Unknown() }),
  "store.delete": closed({ store_id, key }),
  "store.list": closed({
    store_id,
    prefix: Type.Optional(Type.String({ pattern: PREFIX_PATTERN })),
    after: Type.Optional(key),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: STORE_LIMITS.listed_keys })),
  }),
  "store.batch_get": closed({
    store_id,
    keys: Type.Array(key, { minItems: 1, maxItems: STORE_LIMITS.batch_keys }),
  }),
  "store.cas": closed({
    store_id,
    key,
    expected_hash: Type.String({ pattern: `^(sha256:[0-9a-f]{64}|${EXPECT_MISSING})$` }),
    value: Type.Unknown(),
  }),
} as const;
type Args<P extends StorePermission> = Static<(typeof ARGS)[P]>;

type Deps = {
  readonly store: Store;
  readonly clock: Pick<Clock, "now">;
  readonly limits?: StoreLimits;
};
type Seen = { readonly row: DataStore; readonly call: StoreCall };

export function createStoreAccess(deps: Deps): CallStore {
  const world = { store: deps.store, clock: deps.clock, limits: deps.limits ?? STORE_LIMITS };
  return async (call) => {
    switch (call.permission_id) {
      case "store.get":
        return reading(call, world, (args: Args<"store.get">) => get(args, world));
      case "store.batch_get":
        return reading(call, world, (args: Args<"store.batch_get">) => batchGet(args, world));
      case "store.list":
        return reading(call, world, (args: Args<"store.list">) => list(args, world));
      case "store.set":
        return writing(call, world, (args: Args<"store.set">, seen) => put(args, seen, world, () => undefined));
      case "store.cas":
        return writing(call, world, (args: Args<"store.cas">, seen) => compareAndSet(args, seen, world));
      case "store.delete":
        return writing(call, world, (args: Args<"store.delete">) => drop(args, world));
    }
  };
}

/** As call.ts asks for what the program itself answers. */
export function storeBuiltins(access: CallStore): Readonly<Record<StorePermission, Builtin>> {
  const builtin =
    (permission_id: StorePermission): Builtin =>
    ({ principal, pack_id, config, args }) =>
      access({ permission_id, principal_id: principal, pack_id, config, args });
  return Object.fromEntries(STORE_PERMISSIONS.map((one) => [one, builtin(one)])) as Record<StorePermission, Builtin>;
}

type World = { readonly store: Store; readonly clock: Pick<Clock, "now">; readonly limits: StoreLimits };
type Act<Of> = (args: Of, seen: Seen) => Promise<Result<JsonObject, Failure>>;

const reading = <Of extends { readonly store_id: string }>(call: StoreCall, world: World, act: Act<Of>) =>
  allowed(call, "read", world, act);
const writing = <Of extends { readonly store_id: string }>(call: StoreCall, world: World, act: Act<Of>) =>
  allowed(call, "write", world, act);

/** Reads the arguments strictly, then looks whether this pack may. */
async function allowed<Of extends { readonly store_id: string }>(
  call: StoreCall,
  act: StoreAct,
  { store }: World,
  then: Act<Of>,
): Promise<Result<JsonObject, Failure>> {
  const { permission_id, pack_id, config } = call;
  const read = strictArgs(ARGS[permission_id], call.args);
  if (!read.ok) return read;
  const args = call.args as unknown as Of;
  // Judged before anything is said of the store: a pack does not learn which stores there are.
  const granted = named(config, permission_id, "allowed_store_ids", args.store_id);
  if (!granted.ok) return granted;
  const found = await readDataStore(store, store, args.store_id);
  const is_shared = (await readShare(store, store, args.store_id, pack_id)) !== undefined;
  const may = mayUse(found, { store_id: args.store_id, pack_id, act, is_shared });
  return may.ok ? then(args, { row: may.value, call }) : may;
}

async function get(args: Args<"store.get">, { store }: World): Promise<Result<JsonObject, Failure>> {
  const entry = await readEntry(store, store, args.store_id, args.key);
  return ok(entryView(args.key, entry));
}

async function batchGet(
  { store_id: id, keys }: Args<"store.batch_get">,
  { store, limits }: World,
): Promise<Result<JsonObject, Failure>> {
  const wanted = [...new Set(keys)];
  return store.snapshot(async (reader) => {
    const sizes = await readSizes(reader, store, id, wanted);
    const bytes = sizes.reduce((sum, one) => sum + one.bytes, 0);
    if (bytes > limits.answer_bytes) return err(failure("RUMI-DATA-006", { bytes, limit: limits.answer_bytes }));
    const entries = await readEntries(reader, store, id, wanted);
    return ok({
      entries: wanted.map((one) =>
        entryView(
          one,
          entries.find((entry) => entry.key === one),
        ),
      ),
    });
  });
}

async function list(args: Args<"store.list">, { store }: World): Promise<Result<JsonObject, Failure>> {
  const { store_id: id, prefix = "", after = "", limit = STORE_LIMITS.listed_keys } = args;
  const found = await readKeys(store, store, { store_id: id, prefix, after, limit: limit + 1 });
  const keys = found.slice(0, limit);
  return ok({ keys: [...keys], next_after: found.length > limit ? (keys.at(-1) ?? null) : null });
}

function compareAndSet(args: Args<"store.cas">, seen: Seen, world: World): Promise<Result<JsonObject, Failure>> {
  return put(args, seen, world, (before) => {
    const found = before?.value_hash ?? EXPECT_MISSING;
    return found === args.expected_hash ? undefined : { swapped: false, value_hash: before?.value_hash ?? null };
  });
}

/** `unless` is asked with what is there now, each time it is decided anew; its answer ends the call with nothing written. */
async function put(
  args: Args<"store.set"> & { readonly expected_hash?: string },
  { call }: Seen,
  { store, clock, limits }: World,
  unless: (before: EntryRow | undefined) => JsonObject | undefined,
): Promise<Result<JsonObject, Failure>> {
  const value = keptValue(args.value as Json);
  const most = boundOf(call.config, "max_value_bytes", limits.value_bytes);
  if (value.bytes > most) return err(failure("RUMI-DATA-004", { key: args.key, bytes: value.bytes, limit: most }));
  return repeated(args, limits, async () => {
    const before = await readEntry(store, store, args.store_id, args.key);
    const instead = unless(before);
    if (instead !== undefined) return ok(instead);
    const { store_id: id, key: at } = args;
    const writes = putEntry(store, {
      store_id: id,
      key: at,
      value,
      before,
      by: call.principal_id,
      now: clock.now(),
      limits,
    });
    const committed = await store.commit({ writes, events: [] });
    if (committed.ok) {
      const written: JsonObject = { value_hash: value.hash, created: before === undefined };
      return ok(args.expected_hash === undefined ? written : { swapped: true, ...written });
    }
    if (committed.error.kind === "failed") return err(committed.error.failure);
    if (committed.error.write_index !== 1) return "again";
    // The value met what was read, and the counts would pass a limit, or the store is gone.
    const now = await readDataStore(store, store, id);
    return err(
      now === undefined
        ? failure("RUMI-DATA-001", { store_id: id })
        : failure("RUMI-DATA-005", { store_id: id, keys: limits.keys, bytes: limits.bytes }),
    );
  });
}

function drop(args: Args<"store.delete">, { store, limits }: World): Promise<Result<JsonObject, Failure>> {
  return repeated(args, limits, async () => {
    const before = await readEntry(store, store, args.store_id, args.key);
    if (before === undefined) return ok({ deleted: false });
    const committed = await store.commit({ writes: dropEntry(store, before, limits), events: [] });
    if (committed.ok) return ok({ deleted: true });
    return committed.error.kind === "failed" ? err(committed.error.failure) : "again";
  });
}

async function repeated(
  args: { readonly store_id: string; readonly key: string },
  limits: StoreLimits,
  attempt: () => Promise<Result<JsonObject, Failure> | "again">,
): Promise<Result<JsonObject, Failure>> {
  for (let left = limits.attempts; left > 0; left -= 1) {
    const done = await attempt();
    if (done !== "again") return done;
  }
  return err(failure("RUMI-DATA-007", { store_id: args.store_id, key: args.key, attempts: limits.attempts }));
}

function entryView(of: string, entry: EntryRow | undefined): JsonObject {
  return {
    key: of,
    exists: entry !== undefined,
    value: entry === undefined ? null : (JSON.parse(entry.value) as Json),
    value_hash: entry?.value_hash ?? null,
    updated_at: entry === undefined ? null : isoFromMicros(micros(entry.updated_at)),
  };
}
