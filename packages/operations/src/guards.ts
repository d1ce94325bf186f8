/**
 * What may refuse a command besides its own decision: locks and freezes, the safety mode, gates, guardrails,
 * challenges. Each is a port; who owns the rule registers it. All of them read the same snapshot as the
 * decision, so that they judge the facts the decision is made from.
 */
import { type Failure, type Micros, type Result, type Uuid, ok } from "@rumi/kernel";
import type { Reader, Write } from "@rumi/store";
import type {
  Base,
  ConfirmedDanger,
  Danger,
  EventDraft,
  Outlook,
  Passage,
  Principal,
  RiskDirection,
  SafetyMode,
  StoredCommand,
} from "./operation.ts";

export type GuardContext = {
  readonly operation: string;
  readonly command_id: string;
  readonly target: { readonly resource_type: string; readonly resource_id: string };
  /** The bot that the operation names beside its target. */
  readonly bot_id: string | null;
  readonly risk: RiskDirection;
  readonly principal: Principal;
  /** A rehearsal: what is rehearsed counts for it, and what is real does not. */
  readonly training: boolean;
  readonly input: Readonly<Record<string, unknown>>;
  readonly facts: unknown;
  readonly now: Micros;
  /**
   * Takes a write that changes nothing and fits only while what the guard read stands. It goes into the commit, so that
   * what restrains and is committed between judgement and effect sends the command back to be judged anew.
   */
  readonly fence: (write: Write) => void;
};

/** One rule; ok passes, a failure refuses. A rule that throws refuses too: no evidence is no permission. */
export interface Guard {
  readonly name: string;
  check(reader: Reader, context: GuardContext): Promise<Result<void, Failure>>;
}

/** What a guardrail is told beside: it asks how a wish came about, not only what it is. */
export type GuardrailContext = GuardContext & {
  readonly passage: Passage;
  /** `outlook`: nobody sends it now, somebody wants to know what it would meet. */
  readonly judged: "to_do" | "dry_run" | "outlook";
  readonly danger: Danger["kind"];
  /** The same for two requests that wish the same, whatever their ids, traces and reasons. */
  readonly likeness: () => string;
  /** The operation's own preview. */
  readonly impact: () => Readonly<Record<string, unknown>>;
};
/** A guard against slips. */
export interface Guardrail {
  readonly name: string;
  check(reader: Reader, context: GuardrailContext): Promise<Result<void, Failure>>;
  /** Told beside a dry run's preview, and what stays of it; null where it has nothing to say. */
  readonly dryRan?: (
    reader: Reader,
    context: GuardrailContext,
    refusals: Outlook["refusals"],
  ) => Promise<{ readonly told: Readonly<Record<string, unknown>>; readonly writes: readonly Write[] } | null>;
}

export type SafetyReading = {
  readonly mode: SafetyMode;
  /** A write that changes nothing and fits only while the mode is the one read; closes the gap to the commit. */
  readonly fence: Write | null;
};
/** Reads the real safety row; its owner is the safety part of the control package. */
export interface SafetyReader {
  read(reader: Reader): Promise<SafetyReading>;
}

/** What stands of what a command names: generations that a plan is made for. */
export type Standing = {
  readonly base: Base;
  /** Writes that change nothing and fit only while the base is as it was read. */
  readonly fences: readonly Write[];
};
export interface StandingReader {
  read(reader: Reader, of: Pick<GuardContext, "target" | "bot_id">): Promise<Standing>;
}

/** A dangerous command on its way to being asked for confirmation. */
export type DangerousCommand = GuardContext & {
  readonly danger: ConfirmedDanger;
  readonly fingerprint: string;
  readonly trace_id: string;
  readonly run_id: string | null;
  readonly reason: string | null;
  /** What it would do and what stands in its way now. */
  readonly outlook: Outlook;
  readonly newId: () => Uuid;
};
/** A challenge that is to be committed together with the answer that tells of it. */
export type OpenedChallenge = {
  readonly challenge: Readonly<Record<string, unknown>> & { readonly challenge_id: string };
  readonly writes: readonly Write[];
  readonly event: EventDraft;
};
/** A confirmation, or the commit of a change, that is in order: the command that was stored, and what confirming it means to the records. */
export type Redeemed = {
  /** A change stands on more than what a dangerous operation declares (pipeline/standing.ts). */
  readonly kind: "challenge" | "change";
  readonly approval_id: string;
  /** Another person has approved it. */
  readonly two_people: boolean;
  readonly command: StoredCommand & {
    readonly trace_id: string;
    readonly run_id: string | null;
    readonly fingerprint: string;
  };
  /** What it was asked for; another value now is a stale plan. */
  readonly base: Base;
  /** Marks it as used, in the commit of the effect; a conflict means that somebody else used it. */
  readonly use: Write;
  /** Marks it as spent in vain, in the commit of a refusal. */
  readonly spend: (error_code: string) => Write;
  readonly event: EventDraft;
};

/** Keeps challenges; absent where dangerous operations are switched off. */
export interface ChallengePort {
  /** Asks for confirmation of a command that may be asked for. */
  open(reader: Reader, command: DangerousCommand): Promise<Result<OpenedChallenge, Failure>>;
  /** The stored command that a confirmation's input names, or why it is not confirmed. */
  redeem(
    reader: Reader,
    context: Pick<GuardContext, "principal" | "input" | "now" | "training">,
  ): Promise<Result<Redeemed, Failure>>;
}

/** Asked beside the roles, for commands and reads alike; it can refuse and never grant. */
export interface PolicyPort {
  refusal(asked: {
    readonly principal: Principal;
    readonly operation: string;
    readonly target: GuardContext["target"];
  }): Failure | undefined | Promise<Failure | undefined>;
}

/** Who only rehearses. */
export interface TrainingPort {
  /** The training that this principal is in now; null: what they ask for is real. */
  sessionOf(reader: Reader, principal_id: string, now: Micros): Promise<string | null>;
}

/** A tightening that the log could not take. */
export type EmergencyEntry = {
  readonly command_id: string;
  readonly operation: string;
  readonly principal: Principal;
  readonly input: Readonly<Record<string, unknown>>;
  readonly trace_id: string;
  readonly at: Micros;
};
export type Tightening =
  /** In force; `durable` where it would outlive this process, `added` unless what waits or the rows are as strict. */
  | { readonly kind: "in_force"; readonly durable: boolean; readonly added: boolean }
  | { readonly kind: "refused"; readonly failure: Failure };
export interface EmergencyPort {
  /** Takes effect at once, or not at all; `isInRows` where the rows say it already. */
  tighten(entry: EmergencyEntry, isInRows: boolean): Tightening;
}

export type Guards = {
  readonly policy: PolicyPort | null;
  readonly locks: readonly Guard[];
  readonly safety: SafetyReader;
  /** By the names that operations declare; a name without a rule is UNKNOWN and refuses. */
  readonly gates: ReadonlyMap<string, Guard>;
  readonly guardrails: readonly Guardrail[];
  readonly challenge: ChallengePort | null;
  /** Commits changes; absent, none is. */
  readonly changes: Pick<ChallengePort, "redeem"> | null;
  /** Without it a change stands on nothing but what operations declare. */
  readonly standing: StandingReader | null;
  /** Whether a strong operation is covered by an open break-glass session; without it none is. */
  readonly breakGlass: Guard | null;
  /** Where tightenings go that the log cannot take; without it they are refused like everything else. */
  readonly emergency: EmergencyPort | null;
  /** Without it nobody ever rehearses. */
  readonly training: TrainingPort | null;
};

/** For programs that have no safety part yet, and for tests: always this mode. */
export function fixedSafety(mode: SafetyMode): SafetyReader {
  return { read: () => Promise.resolve({ mode, fence: null }) };
}

export function guards(of: Partial<Guards> & Pick<Guards, "safety">): Guards {
  return {
    policy: null,
    locks: [],
    gates: new Map(),
    guardrails: [],
    challenge: null,
    changes: null,
    standing: null,
    breakGlass: null,
    emergency: null,
    training: null,
    ...of,
  };
}

export const PASSES: Result<void, never> = ok(undefined);
