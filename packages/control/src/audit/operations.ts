/** Queries over the audit log, the offline proof of one event, and forgetting what need not be kept. */
import { err, failure, ID_PATTERNS, microsFromIso, ok, type Failure, type Result } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { CLOSED, EVERYONE, UtcInstantField } from "../shared/fields.ts";
import { PAGE_FIELDS, pageOf } from "../shared/paging.ts";
import { decodeCursor } from "../shared/sql.ts";
import { readEvents } from "./events.ts";
import { EventsAnswer, ProofAnswer } from "./answers.ts";
import { eraseEvents } from "./erasure.ts";

/** The offline proof of one event: leaf, salt, payload, inclusion path, signed checkpoint. Built by the store's log. */
export type ProveEvent = (reader: Reader, event_id: string, log_index: number) => Promise<Result<unknown, Failure>>;

const word = Type.Optional(Type.String({ minLength: 1, maxLength: 256 }));
const instant = Type.Optional(UtcInstantField);
const EventsInput = Type.Object(
  {
    action: word,
    actor: word,
    resource_type: word,
    resource_id: word,
    outcome: word,
    trace_id: word,
    run_id: word,
    request_id: word,
    since: instant,
    until: instant,
    order: Type.Optional(Type.Union([Type.Literal("asc"), Type.Literal("desc")])),
    ...PAGE_FIELDS,
  },
  CLOSED,
);

export function auditDeclarations(prove: ProveEvent): readonly Declaration[] {
  return [listEvents, showProof(prove), eraseEvents];
}

const listEvents = defineQuery({
  name: "audit.events",
  summary: "Audit events, newest first unless asked otherwise",
  http: { method: "GET", path: "/api/audit/events" },
  input: EventsInput,
  output: EventsAnswer,
  permission: EVERYONE,
  read: async (reader, { since, until, cursor, limit = 50, order = "desc", ...exact }, { store }) => {
    const [from, to] = [
      since === undefined ? undefined : microsFromIso(since),
      until === undefined ? undefined : microsFromIso(until),
    ];
    const wrong =
      since !== undefined && from === undefined
        ? "since"
        : until !== undefined && to === undefined
          ? "until"
          : undefined;
    if (wrong !== undefined)
      return err(
        failure("RUMI-VAL-002", { field: wrong, problem: "it is not a UTC instant such as 2026-02-24T12:00:00Z" }),
      );
    const after = decodeCursor(cursor, ["number"]);
    if (!after.ok) return after;
    const index = after.value?.[0] as number | undefined;
    const place = index === undefined ? {} : order === "asc" ? { after_index: index } : { before_index: index };
    const rows = await readEvents(reader, store, {
      ...defined(exact),
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      ...place,
      order,
      limit: limit + 1,
    });
    const { page: events, next_cursor } = pageOf(rows, limit, (row) => [row.log_index]);
    return ok({
      events,
      count: events.length,
      next_cursor,
    });
  },
});

const showProof = (prove: ProveEvent): Declaration =>
  defineQuery({
    name: "audit.proof",
    summary: "Everything that proves one event offline",
    http: { method: "GET", path: "/api/audit/proof/{event_id}" },
    input: Type.Object({ event_id: Type.String({ pattern: ID_PATTERNS.uuid }) }, CLOSED),
    output: ProofAnswer,
    permission: EVERYONE,
    read: async (reader, { event_id }, { store }) => {
      const [event] = await readEvents(reader, store, { event_id, limit: 1 });
      return event === undefined
        ? err(failure("RUMI-BOT-027", { event_id }))
        : prove(reader, event_id, event.log_index);
    },
  });

function defined<T extends object>(object: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
