/**
 * What an operation, a query and an observation declare. Everything else is derived from this: HTTP route,
 * OpenAPI entry, CLI command, console form, RBAC action, dry run, audit events, idempotency, metrics.
 */
import type { Failure, Micros, Result, Uuid } from "@rumi/kernel";
import type { EventDetails, LedgerEvent, Outcome } from "@rumi/ledger";
import type { Reader, Store, Write } from "@rumi/store";
import type { Static, TObject, TSchema } from "@sinclair/typebox";
import type { Readable } from "node:stream";

export type Principal = {
  /** Immutable subject id, e.g. `user:root`. */
  readonly id: string;
  readonly roles: readonly Role[];
};
export const ROLES = ["view_only", "operator", "admin", "break_glass"] as const;
export type Role = (typeof ROLES)[number];

export type SafetyMode = "NORMAL" | "SAFE" | "EMERGENCY_STOP";

export type HttpBinding = {
  readonly method: "GET" | "POST" | "DELETE";
  /** Path with `{param}`; params are part of the validated input. All begin with `/api/`. */
  readonly path: string;
  /** Further paths for the same operation (the seed's bare paths). */
  readonly aliases?: readonly string[];
};

/** What a decision wants done after it is durable; kept in the outbox until a reconciler did it. */
export type OutboxItem = {
  readonly kind: string;
  readonly key: string;
  readonly payload: Readonly<Record<string, unknown>>;
};

/** A change that watchers are told of over /api/events although no audit event says it. */
export type FeedItem = {
  readonly kind: string;
  readonly key: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** An audit event as a decision writes it; the pipeline adds id, actor, time, trace and the request's facts. */
export type EventDraft = {
  readonly action: string;
  readonly resource_type: string;
  readonly resource_id: string;
  readonly outcome: Outcome;
  readonly details: Readonly<Record<string, unknown>>;
  /** The run that it is about, where that is one which the decision made. */
  readonly run_id?: string;
  /** Watchers are not told of it. */
  readonly untold?: true;
};

export type Decision = {
  readonly writes: readonly Write[];
  /** Beside the pipeline's own `…requested` / `…applied` / `…denied`. */
  readonly events: readonly EventDraft[];
  readonly outbox: readonly OutboxItem[];
  /** Told to watchers, beside every one of `events` that is not `untold`. */
  readonly feed?: readonly FeedItem[];
  readonly data: unknown;
  /** Joins `data` in this one answer and is kept nowhere: a secret that is shown once. */
  readonly once?: Readonly<Record<string, unknown>>;
  /**
   * Done right before the commit, which happens only when it went well: what the rows name outside the store has to be durable
   * earlier than they are. Whatever of it no row names afterwards is nobody's. Never done in a rehearsal.
   */
  readonly durable_first?: () => Promise<Result<void, Failure>>;
  /** Default 200. */
  readonly status?: number;
};

export type DecideContext = {
  readonly now: Micros;
  readonly principal: Principal;
  readonly command_id: string;
  readonly trace_id: string;
  /** Of the request under this home's key; empty for what is no command. */
  readonly fingerprint: string;
  readonly reason: string | null;
  /** The confirmed challenge that covers this command; null for whatever is not dangerous. */
  readonly approval_id: string | null;
  /** Fresh ids, drawn by the shell so that the decision stays pure. */
  readonly newId: () => Uuid;
  /** A rehearsal: see `rehearsal` of the declaration. */
  readonly training: boolean;
  /** For building writes of the store's dialect. */
  readonly store: Pick<Store, "builder" | "dialect">;
};

/** How dangerous an operation is for given facts: may change with what it touches (e.g. a live bot). */
export type Danger =
  | { readonly kind: "none" }
  /** Needs challenge and confirm. */
  | ConfirmedDanger;
export const CONFIRMATION_FACTORS = ["phrase", "second_person", "ticket"] as const;
export type ConfirmationFactor = (typeof CONFIRMATION_FACTORS)[number];
/** What a wish was made for, by name; whatever of it is another value later makes the plan stale. */
export type Base = Readonly<Record<string, string | number | null>>;
export type ConfirmedDanger = {
  readonly kind: "confirm";
  /** The least that is asked for; policy may add to it. */
  readonly requires: readonly ConfirmationFactor[];
  readonly phrase: string;
  /** What the wish was made for: whatever of it has moved at the confirmation makes the plan stale. */
  readonly base: Base;
  /** Roles that may ask for it and approve it; `admin` where nothing is said. */
  readonly roles?: readonly Role[];
  /** Done only inside the requester's open break-glass session that lists the operation. */
  readonly strong?: true;
  /** How long the requester has for confirming, 120 s where nothing is said. */
  readonly confirm_within_seconds?: number;
};

/** Which direction it moves risk: `tighten` (stop, diagnose) passes safety, freeze and locks; others do not. */
export type RiskDirection = "tighten" | "neutral" | "increase";

export type OperationDefinition<Input extends TObject = TObject, Facts = unknown> = {
  readonly kind: "operation";
  /** Dotted, e.g. `safety.set`; is the RBAC action and the CLI's noun and verb. */
  readonly name: string;
  readonly summary: string;
  readonly http: HttpBinding;
  /** Closed object (additionalProperties: false). `command_id` and `reason` belong to it where the contract says. */
  readonly input: Input;
  readonly output: TSchema;
  /** Statuses of success; 200 where nothing is said. Tests refuse an answer with another one. */
  readonly success?: readonly (200 | 201 | 202)[];
  /** Where the idempotency key is: in the body, in the header, or in either. */
  readonly key: "command_id" | "header" | "either";
  /** Roles that may; default deny. */
  readonly permission: readonly Role[];
  readonly risk: (input: Static<Input>, facts: Facts) => RiskDirection;
  readonly danger: (input: Static<Input>, facts: Facts) => Danger;
  /** What it acts on, for locks, freeze, audit. */
  readonly target: (input: Static<Input>) => {
    readonly resource_type: string;
    readonly resource_id: string;
  };
  /** The bot that it is about where its target is something else of that bot: what holds the bot holds this too. */
  readonly bot?: (input: Static<Input>, facts: Facts) => string | null;
  /** Safety modes in which a risk-increasing run of it is allowed; default only NORMAL. */
  readonly safety?: readonly SafetyMode[];
  /** Names of gates that must pass (guards registered in the pipeline). */
  readonly gates: readonly string[];
  /** Reads everything `decide` needs, from one snapshot. */
  readonly load: (reader: Reader, input: Static<Input>, context: LoadContext) => Promise<Facts>;
  /** Pure: same facts, input and context give the same decision. An error is a refusal, audited as denied. */
  readonly decide: (facts: Facts, input: Static<Input>, context: DecideContext) => Result<Decision, Failure>;
  /** Top-level fields whose values are secret: never stored with the command, so an interrupted one must be sent again. */
  readonly secret_fields?: readonly string[];
  /**
   * What the caller waits for once the decision is durable: the answer is then what came of its effect, and a repeated
   * command is answered so too. Must lead to the same whenever it is asked.
   */
  readonly settle?: (data: unknown) => Promise<Result<unknown, Failure>>;
  /** The answer's status by what was settled; the decision's own where nothing is said. */
  readonly settled_status?: (settled: unknown) => 200 | 202;
  /**
   * Its key becomes durable together with its outcome, in one commit (pipeline/claim.ts). Only for what has no effect outside
   * the store before that commit: cut off earlier it never was, and whoever was not answered sends it again.
   */
  readonly claimed?: "with_outcome";
  /** Its commands on one target touch no row together, so they need not go one after another. */
  readonly turns?: "none";
  /** Its body is a file and no JSON: see `Upload`. */
  readonly upload?: Upload;
  /** `flat` answers `{success, ...data}`, for the few routes whose seed prints it so. */
  readonly envelope?: "flat";
  /** What a seed adds to an error answer of this operation, e.g. `{flow_id}`. */
  readonly error_extras?: (input: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
  /** What it would do, in words and numbers, for dry_run and for whoever approves it. */
  readonly preview?: (facts: Facts, input: Static<Input>) => Readonly<Record<string, unknown>>;
  /** What it would make of each field; without it a change request shows the fields that were asked for. */
  readonly diff?: (facts: Facts, input: Static<Input>) => readonly FieldChange[];
  /** What it is made for beyond the generations of what it names, e.g. a list that it resolves. */
  readonly base?: (facts: Facts, input: Static<Input>) => Base;
  /**
   * Whether no policy can forbid this wish where it only shrinks risk, which is known once the facts are loaded: stopping,
   * pausing and restraining are anybody's whose role allows them. Whatever else the operation can do stays forbidden.
   */
  readonly above_policies?: (input: Readonly<Record<string, unknown>>) => boolean;
  /**
   * Its tightening works whatever happens: it is above policies as with `above_policies`, and where the log cannot be
   * written it goes to the emergency spool and takes effect all the same (pipeline/emergency.ts).
   */
  readonly emergency?: true;
  /**
   * What it is in training. Where nothing is said it is judged to the end and nothing of it is kept; what tightens is refused,
   * so that nobody believes that they stopped something. `kept`: its writes are kept, since in training it makes, reads and
   * changes only what is marked as rehearsed. `real`: it does what it does.
   */
  readonly rehearsal?: "kept" | "real";
  /** It confirms a challenge or commits a change: the stored command is judged and carried out in its place (stages/redeem.ts). */
  readonly redeems?: true;
};

/**
 * A body that is a file. Its fields stand in the query string; what was received of the body joins them as the field `received`,
 * which nobody can send. Where somebody may not ask at all, nothing of the body is read and `received` is `unread`.
 */
export type Upload = {
  readonly media_types: readonly string[];
  readonly limit_bytes: number;
  readonly unread: Readonly<Record<string, unknown>>;
  /** Takes the body as it comes, and leaves nothing where it cannot be taken whole. */
  readonly receive: (body: Readable) => Promise<Result<Received, Failure>>;
  /** Why one that announces so many bytes is not even begun. */
  readonly tooLong: () => Failure;
};
export type Received = {
  readonly received: Readonly<Record<string, unknown>>;
  /** Once its outcome is known: whatever the operation did not take over is gone then. */
  readonly release: () => Promise<void>;
};

/** What a command would meet if it were carried out now. */
export type Outlook = {
  readonly refusals: readonly {
    readonly stage: string;
    readonly error_code: string;
    readonly reason_code: string | null;
    readonly error: string;
    /** What to do about it. */
    readonly suggestion: string;
  }[];
  readonly preview: Readonly<Record<string, unknown>>;
};
/**
 * How a command comes: as it was sent, or stored and confirmed; and whether another person's approval is, or will have been,
 * part of that.
 */
export type Passage = { readonly kind: "direct" | "challenge" | "change"; readonly two_people: boolean };
/** A command as it was accepted and stored. */
export type StoredCommand = {
  readonly operation: string;
  readonly command_id: string;
  readonly principal: Principal;
  readonly input: Readonly<Record<string, unknown>>;
};
/** A command that somebody may propose, and what it would do; nothing of it is done. */
export type Examined = Outlook & {
  /** As it would be carried out: with its defaults. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly target: { readonly resource_type: string; readonly resource_id: string };
  readonly danger: Danger;
  /** Roles that may carry it out themselves. */
  readonly roles: readonly Role[];
  readonly base: Base;
  readonly diff: readonly FieldChange[];
};
export type FieldChange = { readonly field: string; readonly before: unknown; readonly after: unknown };
export type LoadContext = Pick<DecideContext, "store" | "now" | "principal" | "training"> & {
  /** Whether a command can be proposed by its principal, and what it would do then. */
  readonly examine: (command: StoredCommand) => Promise<Result<Examined, Failure>>;
  /** What roles or policies say against somebody's asking for an operation on a target. */
  readonly forbidden: (asked: {
    readonly operation: string;
    readonly principal: Principal;
    readonly target: { readonly resource_type: string; readonly resource_id: string };
  }) => Promise<Failure | undefined>;
};
export type ReadContext = Pick<DecideContext, "store" | "now" | "principal"> & {
  /** Judges a stored command without doing it; null where this program does not know its operation. */
  readonly outlook: (command: StoredCommand, passage: Passage) => Promise<Outlook | null>;
};

export type QueryDefinition<Input extends TObject = TObject> = {
  readonly kind: "query";
  readonly name: string;
  readonly summary: string;
  readonly http: HttpBinding;
  readonly input: Input;
  readonly output: TSchema;
  readonly permission: readonly Role[];
  readonly envelope?: "flat";
  /**
   * The answer is no JSON of ours but a document of this media type, served byte for byte: the data is a `ServedDocument`.
   * Its bytes are evidence, or are scrubbed where they are made.
   */
  readonly document?: string;
  readonly read: (reader: Reader, input: Static<Input>, context: ReadContext) => Promise<Result<unknown, Failure>>;
  /** What having been served leaves behind; committed before the answer goes out, else there is no answer. */
  readonly leaves?: (
    data: never,
    context: Pick<DecideContext, "store" | "now" | "principal">,
  ) => Pick<Decision, "writes" | "events">;
};

/** What a query with `document` answers; a stream is read once. */
export type ServedDocument = { readonly document: Uint8Array | Readable };

/** What runners and probes report; not asked for by a person. Only a changed condition is audited. */
export type ObservationDefinition<Input extends TObject = TObject, Facts = unknown> = {
  readonly kind: "observation";
  readonly name: string;
  readonly input: Input;
  readonly load: (
    reader: Reader,
    input: Static<Input>,
    context: Pick<DecideContext, "store" | "now">,
  ) => Promise<Facts>;
  readonly decide: (
    facts: Facts,
    input: Static<Input>,
    context: Omit<DecideContext, "principal" | "training"> & { readonly source: string },
  ) => Decision;
};

export type { EventDetails, LedgerEvent };
