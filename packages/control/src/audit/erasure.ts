/**
 * POST /api/audit/erasures: forgetting what events told once their retention is over (L-26).
 *
 * How to think: an entry of the log stays for ever, and with it who did what to whom and when; what is forgotten is its
 * payload with the salt, after which nobody can guess what it was. Each kind of event says how long it is kept
 * (ledger/catalogue). A wish that reaches into that time is refused whole; kinds that are kept longer are passed over.
 * One erasure names at most {@link ERASURE_EVENTS} events; the answer says where the next one goes on.
 *
 * Invariants
 * - Nothing is erased before its retention ends, nor without its name in an `audit.erasure` event (erasure.test.ts).
 * - The log verifies behind it, and an erasure that came too early is found by anybody
 *   (packages/ledger/src/verify.test.ts).
 */
import {
  err,
  failure,
  isoFromMicros,
  micros,
  microsFromIso,
  ok,
  type Failure,
  type Micros,
  type Result,
} from "@rumi/kernel";
import { DAY_MICROS, EVENT_CATALOGUE, RETENTION_DAYS, type Retention } from "@rumi/ledger";
import { defineOperation, type Declaration } from "@rumi/operations";
import { erasableEntries, erasePayloadsWrite, type Erasable } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { CountField, InstantField, nullable, OPEN } from "../shared/answers.ts";
import { CLOSED, CommandIdField, ReasonField, UtcInstantField } from "../shared/fields.ts";

/** Of one erasure; the event's own limit is a thousand. */
export const ERASURE_EVENTS = 500;
const CLASSES = Object.keys(RETENTION_DAYS) as readonly Retention[];

type Facts = { readonly found: readonly Erasable[]; readonly more: boolean };

export const eraseEvents: Declaration = defineOperation({
  name: "audit.erase",
  summary: "Forget what events told whose retention is over; their entries in the log stay and say so",
  http: { method: "POST", path: "/api/audit/erasures" },
  input: Type.Object(
    {
      command_id: CommandIdField,
      before: UtcInstantField,
      from_index: Type.Optional(
        Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "The former answer's next_index." }),
      ),
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: Type.Object(
    {
      before: InstantField,
      erased: CountField,
      first_index: nullable(CountField),
      last_index: nullable(CountField),
      next_index: nullable(CountField),
    },
    OPEN,
  ),
  key: "command_id",
  permission: ["admin"],
  // What nobody may look at any more says nothing of what bots may do.
  safety: ["NORMAL", "SAFE"],
  risk: () => "neutral",
  danger: ({ before }, { found }: Facts) =>
    found.length === 0
      ? { kind: "none" }
      : {
          kind: "confirm",
          requires: ["phrase", "second_person"],
          phrase: before,
          base: { first_index: found[0]?.idx ?? null, last_index: found.at(-1)?.idx ?? null, events: found.length },
        },
  target: () => ({ resource_type: "audit", resource_id: "log" }),
  gates: [],
  load: async (reader, { before, from_index = 0 }, { store, now }): Promise<Facts> => {
    const until = untilOf(before, now);
    if (!until.ok) return { found: [], more: false };
    const found = await erasableEntries(store, reader, from_index, dueBy(until.value, now), ERASURE_EVENTS + 1);
    return { found: found.slice(0, ERASURE_EVENTS), more: found.length > ERASURE_EVENTS };
  },
  preview: ({ found, more }, { before }) => ({
    before,
    events: found.length,
    first_index: found[0]?.idx ?? null,
    last_index: found.at(-1)?.idx ?? null,
    more,
  }),
  decide: ({ found, more }, { before }, { now, store }) => {
    const until = untilOf(before, now);
    if (!until.ok) return until;
    const [first_index, last_index] = [found[0]?.idx, found.at(-1)?.idx];
    const data = {
      before: isoFromMicros(until.value),
      erased: found.length,
      first_index: first_index ?? null,
      last_index: last_index ?? null,
      next_index: more && last_index !== undefined ? last_index + 1 : null,
    };
    if (first_index === undefined || last_index === undefined) return ok({ writes: [], events: [], outbox: [], data });
    const erased_event_ids = found.map(({ event_id }) => event_id);
    return ok({
      writes: [
        erasePayloadsWrite(
          store,
          found.map(({ idx }) => idx),
        ),
      ],
      events: [
        {
          action: "audit.erasure",
          resource_type: "audit",
          resource_id: "log",
          outcome: "SUCCESS",
          details: { erased_event_ids, first_index, last_index },
        },
      ],
      outbox: [],
      data,
    });
  },
});

/** The instant, where it is one that lies behind even the shortest retention. */
function untilOf(before: string, now: Micros): Result<Micros, Failure> {
  const until = microsFromIso(before);
  if (until === undefined)
    return err(
      failure("RUMI-VAL-002", { field: "before", problem: "it is not a UTC instant such as 2026-02-24T12:00:00Z" }),
    );
  const days = Math.min(...CLASSES.flatMap((kept) => RETENTION_DAYS[kept] ?? []));
  const latest = micros(now - days * DAY_MICROS);
  return until <= latest
    ? ok(until)
    : err(failure("RUMI-LOG-029", { days, latest: isoFromMicros(latest) }, { reasonCode: "L.AUDIT.RETENTION" }));
}

/** The kinds that have an end, each with the instant before which it is over. */
function dueBy(
  until: Micros,
  now: Micros,
): readonly { readonly actions: readonly string[]; readonly before: Micros }[] {
  return CLASSES.flatMap((kept) => {
    const days = RETENTION_DAYS[kept];
    if (days === null) return [];
    const actions = Object.entries(EVENT_CATALOGUE).flatMap(([action, kind]) =>
      kind.retention === kept ? action : [],
    );
    // Over is over: the bound itself is the first instant at which it may go.
    return [{ actions, before: micros(Math.min(until, now - days * DAY_MICROS + 1)) }];
  });
}
