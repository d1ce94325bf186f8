/** One command on its way through the stages: what each stage found out, and how a stage ends the way. */
import type { Clock, Failure, Micros, Random, Result, Scrubber, Uuid } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import type { OperationKeyRow, Reader, Store, Write } from "@rumi/store";
import type { Answer } from "../answer.ts";
import type { EventFrame } from "../audit.ts";
import type { Guards, OpenedChallenge, Redeemed } from "../guards.ts";
import type { Logger } from "../logging.ts";
import type { Metrics } from "../metrics.ts";
import type { Decision, Examined, Passage, Principal, RiskDirection, StoredCommand } from "../operation.ts";
import type { RegisteredOperation, Registry } from "../registry.ts";
import type { Summaries } from "../summaries.ts";
import type { Turns } from "./turns.ts";
import type { RawInput } from "../validate/raw-input.ts";

export type PipelineSettings = {
  readonly store: Store;
  readonly registry: Registry;
  readonly guards: Guards;
  readonly clock: Clock;
  readonly random: Random;
  /** This home's key for fingerprints. */
  readonly fingerprintKey: Uint8Array;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Takes known secrets out of what is kept of a request; without it none are known. */
  readonly scrubber?: Scrubber;
  /** Told the name of every stage that begins, for tests. */
  readonly onStage?: (stage: StageName, command_id: string | null) => void;
};

export type CommandRequest = {
  readonly raw: RawInput;
  /** Who authentication found; null is refused. */
  readonly principal: Principal | null;
  /** The header `Idempotency-Key`, or null where none was sent. */
  readonly idempotencyKey: string | null;
  readonly trace_id: string;
  /** Address it came from. */
  readonly remote: string;
  /** The program goes on with what was really asked for before: never a rehearsal, whatever its principal does now. */
  readonly continues?: true;
};

/** What the stages share; made once per pipeline. */
export type PipelineContext = PipelineSettings & {
  readonly scrubber: Scrubber;
  /** Names this process in the dedupe rows. */
  readonly owner: string;
  /** Commands that are being carried out here, by key, with their fingerprint. */
  readonly running: Map<string, string>;
  readonly turns: Turns;
  readonly summaries: Summaries;
  readonly now: () => Micros;
  readonly newId: () => Uuid;
  /** See examine.ts. */
  readonly examine: (reader: Reader, command: StoredCommand) => Promise<Result<Examined, Failure>>;
};

export const STAGE_NAMES = [
  "authenticate",
  "validate",
  "authorise",
  "dedupe",
  "request",
  "redeem",
  "load",
  "lock_freeze",
  "safety",
  "gates",
  "guardrails",
  "challenge",
  "decide",
  "commit",
] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** What is judged and done: the request itself, or the stored command that it confirms. */
export type Subject = {
  operation: RegisteredOperation;
  /** Validated, without `dry_run`. */
  input: Readonly<Record<string, unknown>>;
  frame: EventFrame;
  target: { readonly resource_type: string; readonly resource_id: string };
};

/** A command whose key is claimed with its outcome (claim.ts): the event that it was asked for, and when. */
export type Unclaimed = { readonly requested: LedgerEvent; readonly at: Micros };

export type Run = Subject & {
  readonly request: CommandRequest;
  principal: Principal;
  dry_run: boolean;
  /** The training of whoever asks; null: it is real. */
  training: string | null;
  /** The key of this request; never that of a command which it confirms. */
  command_id: string;
  /** Drawn for this request: nobody can have used it before. */
  key_is_new: boolean;
  fingerprint: string;
  /** The confirmation itself while it carries out what it confirms. */
  confirmation: { readonly own: Subject; readonly redeemed: Redeemed } | null;
  /** The dedupe row's recovery point as this run last wrote it; null before it was claimed. */
  recovery_point: string | null;
  /** Of a command whose key is claimed with its outcome, until it is. */
  unclaimed: Unclaimed | null;
  attempts: number;
  /** This run, and no other, stands in the table of running commands. */
  holdsRunning: boolean;
  /** How it would come if it came: of a stored command at which somebody only looks. */
  judged_as: Passage | null;
  // Found out inside the snapshot, anew at every attempt.
  reader: Reader;
  facts: unknown;
  risk: RiskDirection;
  /** What policies said against it, where only tightening is above them. */
  forbidden: Failure | null;
  fences: Write[];
  decision: Decision | null;
};

/** How a stage ends the way. `undefined` goes on to the next stage. */
export type StageEnd =
  /** Says no; audited as denied where the command is known. */
  | { readonly kind: "refuse"; readonly failure: Failure }
  /** Asks for confirmation: refused for now, and durable together with the challenge. */
  | { readonly kind: "challenge"; readonly failure: Failure; readonly opened: OpenedChallenge }
  /** Has the answer already (a duplicate, or done). */
  | { readonly kind: "answer"; readonly answer: Answer }
  /** Not counted as a command at all: told to the caller and nothing more. */
  | { readonly kind: "turn_away"; readonly failure: Failure; readonly retry_after_seconds?: number }
  /** The log could not take it, and it may be a tightening that has to work all the same. */
  | { readonly kind: "emergency"; readonly failure: Failure }
  /** Something committed in between: load and decide again. */
  | { readonly kind: "again" }
  /** A command that stopped half-way is taken over: go on at `load` with the stored request. */
  | { readonly kind: "take_over"; readonly row: OperationKeyRow };

export type Stage = {
  readonly name: StageName;
  readonly run: (run: Run, context: PipelineContext) => StageEnd | undefined | Promise<StageEnd | undefined>;
};

export const refuse = (failure: Failure): StageEnd => ({ kind: "refuse", failure });
export const turnAway = (failure: Failure): StageEnd => ({ kind: "turn_away", failure });
/** The log could not be written: refused, but for what may have to work all the same. */
export const unlogged = ({ operation }: Pick<Run, "operation">, failure: Failure): StageEnd =>
  operation.definition.emergency === true ? { kind: "emergency", failure } : turnAway(failure);
