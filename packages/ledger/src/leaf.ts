/**
 * Log leaf v1 (FROZEN, docs/formats/log-leaf.md): what one audit event leaves in the tree for ever.
 *
 * How to think: the leaf is public and permanent, the payload is neither. The leaf says who did what to
 * what and when, and commits to the payload with a salted HMAC; deleting salt and payload erases the
 * rest, and nobody can test a guess against the commitment. Every proof stays valid.
 *
 * Invariants
 * - One event and one salt give exactly one byte string (leaf.test.ts, golden vectors).
 * - A leaf opens only with its own salt and payload, and only when both tell the same story (leaf.test.ts).
 * - At most 65,535 bytes, the payload at most 262,144: beyond it a coded refusal (leaf.test.ts).
 */
import {
  type Failure,
  ID_PATTERNS,
  type Json,
  type JsonObject,
  LIMITS,
  type Micros,
  type Result,
  type Uuid,
  canonicalJson,
  err,
  failure,
  isoFromMicros,
  microsFromIso,
  ok,
} from "@rumi/kernel";
import type { PreparedLeaf } from "./append.ts";
import { assertKnownEvent } from "./catalogue.ts";
import type { EventDetails, LedgerEvent, Outcome } from "./event.ts";
import { hmacHex } from "./hashing.ts";

export const LEAF_VERSION = 1;
export const PAYLOAD_SCHEMA_VERSION = 1;
export const SALT_BYTES = 32;

/** The leaf's fields, in canonical (alphabetical) order. */
export type LeafRecord = {
  readonly actor: string;
  /** HMAC-SHA-256(salt, payload) as 64 hexadecimal digits. */
  readonly commitment: string;
  readonly event_id: Uuid;
  /** `<resource_type>:<resource_id>`. */
  readonly subject: string;
  readonly time: Micros;
  /** The event's action. */
  readonly type: string;
};

export type OpenedLeaf = { readonly record: LeafRecord; readonly event: LedgerEvent };

/** `salt` must be 32 fresh random bytes. An event outside the catalogue is a broken invariant and throws. */
export function prepareLeaf(event: LedgerEvent, salt: Uint8Array): Result<PreparedLeaf, Failure> {
  if (salt.length !== SALT_BYTES) throw new RangeError(`a salt of ${salt.length} bytes`);
  assertKnownEvent(event);
  const payload = payloadText(event);
  const payloadBytes = Buffer.byteLength(payload);
  if (payloadBytes > LIMITS.event_payload_bytes) {
    return err(
      failure("RUMI-LOG-002", { action: event.action, bytes: payloadBytes, limit: LIMITS.event_payload_bytes }),
    );
  }
  const leaf = Buffer.from(leafText(recordOf(event, hmacHex(salt, payload))));
  if (leaf.length > LIMITS.log_leaf_bytes)
    return err(failure("RUMI-LOG-001", { bytes: leaf.length, limit: LIMITS.log_leaf_bytes }));
  return ok({ event_id: event.event_id, leaf, salt, payload });
}

/** Verifies that salt and payload are what the leaf committed to, and that both tell the same story. */
export function openLeaf(leaf: Uint8Array, salt: Uint8Array, payload: string): Result<OpenedLeaf, Failure> {
  const record = parseLeaf(leaf);
  return record.ok ? openRecord(record.value, salt, payload) : record;
}

export function openRecord(record: LeafRecord, salt: Uint8Array, payload: string): Result<OpenedLeaf, Failure> {
  if (salt.length !== SALT_BYTES || hmacHex(salt, payload) !== record.commitment) return err(failure("RUMI-LOG-004"));
  const event = parsePayload(payload);
  if (!event.ok) return event;
  const told = recordOf(event.value, record.commitment);
  const other = (["actor", "event_id", "subject", "time", "type"] as const).find(
    (field) => told[field] !== record[field],
  );
  return other === undefined
    ? ok({ record, event: event.value })
    : err(failure("RUMI-LOG-005", { problem: `${other} differs` }));
}

/**
 * The way of the untouched: makes the leaf again from its payload and salt, and answers when that is byte for byte the
 * leaf that was given. Equal bytes say all that {@link parseLeaf} and {@link openRecord} ask one by one, at half their
 * price; undefined says nothing yet: those two then tell what is wrong.
 */
export function reopenLeaf(leaf: Uint8Array, salt: Uint8Array, payload: string): OpenedLeaf | undefined {
  if (salt.length !== SALT_BYTES) return undefined;
  const made = remakeLeaf(payload, hmacHex(salt, payload));
  return made !== undefined && isText(leaf, leafText(made.record)) ? made : undefined;
}

/** What a payload under this commitment leaves in the tree; undefined where it is none that a leaf could come from. */
export function remakeLeaf(payload: string, commitment: string): OpenedLeaf | undefined {
  const event = parsePayload(payload);
  if (!event.ok || !UUID.test(event.value.event_id)) return undefined;
  return { record: recordOf(event.value, commitment), event: event.value };
}

let scratch = Buffer.alloc(4_096);

/** Whether these bytes are the text's UTF-8. */
export function isText(bytes: Uint8Array, text: string): boolean {
  if (3 * text.length > scratch.length) scratch = Buffer.alloc(6 * text.length);
  const length = scratch.write(text, "utf8");
  return length === bytes.length && scratch.compare(bytes, 0, length, 0, length) === 0;
}

/** The payload: the audit_event contract in canonical JSON (docs/contracts/audit_event.schema.json). */
export function payloadText(event: LedgerEvent): string {
  const { event_id, action, actor, resource_type, resource_id, outcome, details, occurred_at } = event;
  // The fields in RFC 8785 order, written out because every event passes here.
  return (
    `{"action":${canonicalJson(action)},"actor":${canonicalJson(actor)},"details":${canonicalJson(details)},"event_id":${canonicalJson(event_id)},` +
    `"occurred_at":"${isoFromMicros(occurred_at)}","outcome":"${outcome}","resource_id":${canonicalJson(resource_id)},` +
    `"resource_type":${canonicalJson(resource_type)},"schema_version":${PAYLOAD_SCHEMA_VERSION}}`
  );
}

const PAYLOAD_FIELDS: ReadonlySet<string> = new Set(
  "action,actor,details,event_id,occurred_at,outcome,resource_id,resource_type,schema_version".split(","),
);
const OUTCOMES: ReadonlySet<Json | undefined> = new Set<Outcome>(["SUCCESS", "FAILURE", "REJECTED"]);

/** Reads a payload back; closed, so an unknown field or another schema_version is refused (RUMI-LOG-005). */
export function parsePayload(payload: string): Result<LedgerEvent, Failure> {
  const object = parseObject(payload);
  if (object === undefined || !hasItsFields(object)) return badPayload("it has not the fields of an audit_event");
  const { schema_version, event_id, action, actor, resource_type, resource_id, outcome, details, occurred_at } =
    object as Record<string, Json>;
  const time = typeof occurred_at === "string" ? microsFromIso(occurred_at) : undefined;
  if (schema_version !== PAYLOAD_SCHEMA_VERSION)
    return badPayload(`its schema_version is ${JSON.stringify(schema_version)}`);
  if (
    typeof event_id !== "string" ||
    typeof action !== "string" ||
    typeof actor !== "string" ||
    typeof resource_type !== "string" ||
    typeof resource_id !== "string" ||
    time === undefined ||
    !OUTCOMES.has(outcome) ||
    !isObject(details)
  )
    return badPayload("a field has the wrong type");
  return ok({
    event_id: event_id as Uuid,
    action,
    actor,
    resource_type,
    resource_id,
    outcome: outcome as Outcome,
    occurred_at: time,
    details: details as EventDetails,
  });
}

/** Whether these are the keys, all of them and no other. Counted, not sorted: a log of a million entries passes here. */
function hasItsFields(object: JsonObject): boolean {
  let count = 0;
  for (const key of Object.keys(object)) {
    if (!PAYLOAD_FIELDS.has(key)) return false;
    count += 1;
  }
  return count === PAYLOAD_FIELDS.size;
}

const UUID = new RegExp(ID_PATTERNS.uuid);
const COMMITMENT = /^[0-9a-f]{64}$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Reads a leaf; every byte must be as {@link leafText} writes it (RUMI-LOG-003). */
export function parseLeaf(leaf: Uint8Array): Result<LeafRecord, Failure> {
  let text: string;
  try {
    text = utf8.decode(leaf);
  } catch (cause) {
    return err(failure("RUMI-LOG-003", { problem: "it is not UTF-8" }, { cause }));
  }
  const object = parseObject(text);
  if (object === undefined) return badLeaf("it is not a JSON object");
  const { actor, commitment, event_id, subject, time, type, version } = object as Record<string, Json>;
  if (version !== LEAF_VERSION) return badLeaf(`its version is ${JSON.stringify(version)}`);
  const at = typeof time === "string" ? microsFromIso(time) : undefined;
  if (typeof actor !== "string" || typeof subject !== "string" || typeof type !== "string" || at === undefined)
    return badLeaf("a field has the wrong type");
  if (typeof event_id !== "string" || !UUID.test(event_id)) return badLeaf("its event_id is no UUID");
  if (typeof commitment !== "string" || !COMMITMENT.test(commitment))
    return badLeaf("its commitment is no HMAC-SHA-256");
  const record: LeafRecord = { actor, commitment, event_id: event_id as Uuid, subject, time: at, type };
  return leafText(record) === text ? ok(record) : badLeaf("it is not in canonical form");
}

/** The leaf's text, fields in RFC 8785 order; written out because a million of them are compared at a time. */
export function leafText(of: LeafRecord): string {
  const { actor, commitment, event_id, subject, time, type } = of;
  return (
    `{"actor":${JSON.stringify(actor)},"commitment":"${commitment}","event_id":"${event_id}",` +
    `"subject":${JSON.stringify(subject)},"time":"${isoFromMicros(time)}","type":${JSON.stringify(type)},"version":${LEAF_VERSION}}`
  );
}

function recordOf(event: LedgerEvent, commitment: string): LeafRecord {
  const subject = `${event.resource_type}:${event.resource_id}`;
  return {
    actor: event.actor,
    commitment,
    event_id: event.event_id,
    subject,
    time: event.occurred_at,
    type: event.action,
  };
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // the caller names what is wrong; a parser's message would quote the payload
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const badLeaf = (problem: string): Result<never, Failure> => err(failure("RUMI-LOG-003", { problem }));
const badPayload = (problem: string): Result<never, Failure> => err(failure("RUMI-LOG-005", { problem }));
