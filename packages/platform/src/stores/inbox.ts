/**
 * `pack.inbox.send`: leaves a message in another pack's inbox, which is a store of that pack's with a name of its own.
 *
 * How to think: a person opens an inbox by creating the store `inbox-<pack_id>` for the pack; its owner lists, reads and deletes
 * messages as it does any value (`store.*`). A sender may add a message and nothing else: it sees none, not even its own.
 *
 * Invariants (packages/rumi/test/pack-capabilities.test.ts)
 * - One `request_id` of a principal is one message, however often it is sent; with other content it is refused.
 * - Nobody's message takes another one's place.
 */
import {
  err,
  failure,
  isoFromMicros,
  ok,
  sha256Hex,
  uuidv7,
  type Clock,
  type Failure,
  type Json,
  type JsonObject,
  type Random,
  type Result,
} from "@rumi/kernel";
import type { Store } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { strictArgs } from "../capabilities/args.ts";
import { named, type Builtin } from "../capabilities/builtins.ts";
import { readApproval } from "../packs/tables.ts";
import { STORE_LIMITS, type StoreLimits } from "./limits.ts";
import { keptValue, type DataStore } from "./model.ts";
import { putEntry, readDataStore, readEntry } from "./tables.ts";

export const INBOX_LIMITS = { message_bytes: 262_144, subject_characters: 200 } as const;
const ARGS = Type.Object(
  {
    pack_id: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" }),
    subject: Type.String({ minLength: 1, maxLength: INBOX_LIMITS.subject_characters }),
    body: Type.Unknown(),
  },
  { additionalProperties: false },
);

export const inboxOf = (pack_id: string): string => `inbox-${pack_id}`;

type InboxDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly limits?: StoreLimits;
};

/** `{pack_id, subject, body}` → `{message_id, sent}`; `sent` is false for a message that was there. */
export function inboxSend(deps: InboxDeps): Builtin {
  const world = { ...deps, limits: deps.limits ?? STORE_LIMITS };
  return async ({ principal, config, args, request_id }) => {
    const read = strictArgs(ARGS, args);
    if (!read.ok) return read;
    const { pack_id, subject, body } = read.value as { pack_id: string; subject: string; body: Json };
    const allowed = named(config, "pack.inbox.send", "allowed_packs", pack_id);
    if (!allowed.ok) return allowed;
    const inbox = await openInbox(pack_id, world);
    if (!inbox.ok) return inbox;
    const id = request_id ?? uuidv7(deps.clock.now(), deps.random);
    const message_id = sha256Hex(JSON.stringify([principal, id])).slice(0, 32);
    return deliver({ message_id, from: principal, subject, body }, inbox.value, world);
  };
}

async function openInbox(pack_id: string, { store }: InboxDeps): Promise<Result<DataStore, Failure>> {
  const state = (await readApproval(store, store, pack_id))?.state ?? "not installed";
  if (state !== "approved") return err(failure("RUMI-PACK-006", { pack_id, state }));
  const inbox = await readDataStore(store, store, inboxOf(pack_id));
  return inbox?.owner_pack === pack_id ? ok(inbox) : err(failure("RUMI-DATA-001", { store_id: inboxOf(pack_id) }));
}

type Message = { readonly message_id: string; readonly from: string; readonly subject: string; readonly body: Json };

async function deliver(
  message: Message,
  { store_id }: DataStore,
  { store, clock, limits }: InboxDeps & { readonly limits: StoreLimits },
): Promise<Result<JsonObject, Failure>> {
  const { message_id, from } = message;
  const value = keptValue({ ...message, sent_at: isoFromMicros(clock.now()) });
  if (value.bytes > INBOX_LIMITS.message_bytes)
    return err(failure("RUMI-DATA-004", { key: message_id, bytes: value.bytes, limit: INBOX_LIMITS.message_bytes }));
  for (let left = limits.attempts; left > 0; left -= 1) {
    const before = await readEntry(store, store, store_id, message_id);
    if (before !== undefined) return sentBefore(message, JSON.parse(before.value) as JsonObject);
    const of = { store_id, key: message_id, value, before, by: from, now: clock.now(), limits };
    const committed = await store.commit({ writes: putEntry(store, of), events: [] });
    if (committed.ok) return ok({ message_id, sent: true });
    if (committed.error.kind === "failed") return err(committed.error.failure);
    if (committed.error.write_index === 1)
      return err(failure("RUMI-DATA-005", { store_id, keys: limits.keys, bytes: limits.bytes }));
  }
  return err(failure("RUMI-DATA-007", { store_id, key: message_id, attempts: limits.attempts }));
}

function sentBefore({ message_id, from, subject, body }: Message, there: JsonObject): Result<JsonObject, Failure> {
  const { sent_at: _, ...same } = there;
  if (keptValue(same).hash === keptValue({ message_id, from, subject, body }).hash)
    return ok({ message_id, sent: false });
  const problem = "its request_id was used for another message; use a new one for each message";
  return err(failure("RUMI-CAP-002", { permission_id: "pack.inbox.send", problem }));
}
