/**
 * The one catalogue of event kinds: which events exist, what their details hold, where and how long they live.
 *
 * How to think: an area of the product declares its kinds in `catalogue/<area>.ts`, and this file joins
 * them. Only our own code makes events, so an unknown kind or wrong details is a broken invariant.
 * To add a kind: one line in its area's file (or a new file, joined here), then
 * `npx tsx packages/ledger/generate.ts` for the published contract.
 *
 * Invariants
 * - Every name of G-7.1 is here, spelled so; names are unique across areas (catalogue.test.ts).
 * - The published JSON Schema accepts what the catalogue accepts (contracts.test.ts).
 * - No kind's details are open, and none redefines a common one (catalogue.test.ts).
 */
import { type Json, type Micros, type Uuid, invariant, micros } from "@rumi/kernel";
import { ACCESS_KINDS } from "./catalogue/access.ts";
import { BOT_KINDS } from "./catalogue/bots.ts";
import { CANDIDATE_KINDS } from "./catalogue/candidates.ts";
import { COMMAND_KINDS } from "./catalogue/commands.ts";
import { EXECUTION_KINDS } from "./catalogue/execution.ts";
import { HOME_KINDS } from "./catalogue/home.ts";
import { type AuditCategory, DAY_MICROS, type EventKind, RETENTION_DAYS, type Severity } from "./catalogue/kind.ts";
import { PACK_KINDS } from "./catalogue/packs.ts";
import { PLATFORM_KINDS } from "./catalogue/platform.ts";
import { STORE_KINDS } from "./catalogue/stores.ts";
import { RELEASE_KINDS } from "./catalogue/release.ts";
import { RUN_KINDS } from "./catalogue/runs.ts";
import { SUPPLY_KINDS } from "./catalogue/supply.ts";
import { TRAINING_KINDS } from "./catalogue/training.ts";
import { type Described, type Fields, checkShape, instant, nullable, text } from "./catalogue/schema.ts";
import type { LedgerEvent, Outcome } from "./event.ts";

export const EVENT_AREAS = [
  COMMAND_KINDS,
  ACCESS_KINDS,
  PACK_KINDS,
  CANDIDATE_KINDS,
  BOT_KINDS,
  EXECUTION_KINDS,
  HOME_KINDS,
  PLATFORM_KINDS,
  RELEASE_KINDS,
  RUN_KINDS,
  STORE_KINDS,
  SUPPLY_KINDS,
  TRAINING_KINDS,
] as const;

const TABLE = {
  ...COMMAND_KINDS,
  ...ACCESS_KINDS,
  ...PACK_KINDS,
  ...CANDIDATE_KINDS,
  ...BOT_KINDS,
  ...EXECUTION_KINDS,
  ...HOME_KINDS,
  ...PLATFORM_KINDS,
  ...RELEASE_KINDS,
  ...RUN_KINDS,
  ...STORE_KINDS,
  ...SUPPLY_KINDS,
  ...TRAINING_KINDS,
} as const;

export type EventAction = keyof typeof TABLE;
export const EVENT_CATALOGUE: Readonly<Record<EventAction, EventKind>> = TABLE;

/** Until when an event must be kept; null: as long as the log. An action that the catalogue lacks is never forgotten. */
export function keptUntil({
  action,
  occurred_at,
}: {
  readonly action: string;
  readonly occurred_at: Micros;
}): Micros | null {
  const kind = (EVENT_CATALOGUE as Readonly<Record<string, EventKind>>)[action];
  const days = kind === undefined ? null : RETENTION_DAYS[kind.retention];
  return days === null ? null : micros(occurred_at + days * DAY_MICROS);
}

/** The kind-specific details that an action needs. */
export type DetailsOf<Action extends EventAction> = Described<(typeof TABLE)[Action]["details"]>;

/** Present on every event, null where there is none: why, by whose approval, until when, traceable to what (L-N1). */
export const COMMON_DETAILS = {
  reason: nullable(text(4_096)),
  approval_id: nullable(text(128)),
  expires_at: nullable(instant),
  trace_id: text(128),
  run_id: nullable(text(128)),
  request_id: nullable(text(256)),
  fingerprint: nullable(text(128)),
} as const satisfies Fields;

export type CommonDetails = Described<typeof COMMON_DETAILS>;

/** An event whose details the compiler has checked against the catalogue. */
export function makeEvent<Action extends EventAction>(of: {
  readonly event_id: Uuid;
  readonly action: Action;
  readonly actor: string;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly outcome: Outcome;
  readonly occurred_at: Micros;
  readonly common: CommonDetails;
  readonly details: DetailsOf<Action>;
}): LedgerEvent {
  const { common, details, ...rest } = of;
  return { ...rest, details: { ...(details as Readonly<Record<string, Json>>), ...common } };
}

export function kindOf(action: string): EventKind | undefined {
  return Object.hasOwn(EVENT_CATALOGUE, action) ? EVENT_CATALOGUE[action as EventAction] : undefined;
}

export const ACTOR_PATTERN = "^[a-z][a-z0-9_]*:[^\\u0000-\\u001f]{1,512}$";
export const RESOURCE_TYPE_PATTERN = "^[a-z][a-z0-9_]{0,63}$";
export const RESOURCE_ID_CHARACTERS = 1_024;
const ACTOR = new RegExp(ACTOR_PATTERN);
const RESOURCE_TYPE = new RegExp(RESOURCE_TYPE_PATTERN);

/** The first thing wrong with an event, in words; undefined when it may be logged. */
export function eventProblem(event: LedgerEvent): string | undefined {
  const kind = kindOf(event.action);
  if (kind === undefined) return `the event kind ${event.action} is not in the catalogue`;
  if (!ACTOR.test(event.actor))
    return `${event.action}: the actor ${JSON.stringify(event.actor)} has not the form kind:id`;
  if (!RESOURCE_TYPE.test(event.resource_type))
    return `${event.action}: the resource type ${JSON.stringify(event.resource_type)} is malformed`;
  const problem = checkShape(fieldsOf(event.action, kind), event.details);
  return problem === undefined ? undefined : `${event.action}: details${problem}`;
}

export function assertKnownEvent(event: LedgerEvent): void {
  const problem = eventProblem(event);
  invariant(problem === undefined, problem ?? "");
}

const fieldsByAction = new Map<string, Fields>();

/** Common and specific details of a kind, as one closed shape. */
export function fieldsOf(action: string, kind: EventKind): Fields {
  const known = fieldsByAction.get(action);
  if (known !== undefined) return known;
  const fields = { ...COMMON_DETAILS, ...kind.details };
  fieldsByAction.set(action, fields);
  return fields;
}

/** Category and severity of an event for the JSONL views; an unknown kind (a newer program's) is `system`, `warning`. */
export function classify(event: Pick<LedgerEvent, "action" | "outcome">): {
  readonly category: AuditCategory;
  readonly severity: Severity;
} {
  const kind = kindOf(event.action);
  return kind === undefined
    ? { category: "system", severity: "warning" }
    : { category: kind.category, severity: kind.severity[event.outcome] };
}
