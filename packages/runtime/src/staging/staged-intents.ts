/**
 * Intents that wait for approval: staged → approved → committed (M-8.3.1). Part of the deterministic machine.
 *
 * How to think: the gate judged an intent and it would add risk; under a staging policy it stops here and nothing of it
 * is an order. An approval is a recorded input (or the policy's own rule). Then the gate judges once more, with the limits
 * of that moment, and only what it lets out goes to the desk, which sends it: the desk commits, never the strategy.
 *
 * Invariants (staging.test.ts)
 * - What was staged under another epoch, expired, was rejected or voided is never sent, whoever approves it.
 * - An approval sends at most what was shown when it was staged, and at most once, whatever is repeated or replayed.
 * - Cancels and what only closes a position never wait.
 */
import type { JsonObject } from "@rumi/kernel";
import { parseMoney } from "../gate/money.ts";
import { worthAdded } from "../gate/exposure.ts";
import type { GateMoment, Verdict } from "../gate/gate.ts";
import type { Intent, VenueAction } from "../gate/intent.ts";
import type { MachineOptions } from "../instance/machine-options.ts";
import { decideAgain } from "./decide-again.ts";
import type { StagingInput } from "./input.ts";
import type { StagingOptions, StagingState } from "./policy.ts";

/** One that waits; plain JSON, part of every checkpoint while there is any. */
export type StagedIntent = {
  readonly intent: Intent;
  /** What the gate would have let out when it was staged. */
  readonly action: Exclude<VenueAction, { readonly kind: "cancel" }>;
  readonly reason_code: string | null;
  readonly client_order_id: string | null;
  readonly epoch: number;
  /** Event time. */ readonly expires_us: number;
  readonly trace_id: string;
  /** Who has to agree; what the policy approves waits for nobody. */
  readonly approves: "person" | "policy";
};

/** What stands for an intent that may not go at once. */
export type Held = {
  readonly verdict: Verdict;
  /** Absent: there was no room for it. */ readonly staged?: StagedIntent;
};

/** What became of one: the `staging` record's words. */
export type StagingWord = {
  readonly state: StagingState;
  /** Who approved or rejected it; the policy is somebody too. */
  readonly by: string | null;
  readonly reason_code: string | null;
};

/** What the desk does for it. */
export type StagingDesk = {
  readonly options: MachineOptions;
  readonly clock: () => number;
  readonly moment: (intent: Intent) => GateMoment;
  readonly traceId: () => string;
  /** A record of what became of it. */
  readonly tell: (staged: StagedIntent, word: StagingWord) => void;
  /** The desk records it as an order of its own and holds it until it may be sent. */
  readonly commit: (staged: StagedIntent, verdict: Omit<Verdict, "state">, by: string) => void;
  /** The strategy hears that this one will never be an order. */
  readonly never: (staged: StagedIntent, how: "rejected" | "cancelled", reason_code: string) => void;
};

/** What the intent's record says of it beside its verdict. */
export const stagingJson = ({ epoch, expires_us, approves }: StagedIntent, isWaiting: boolean): JsonObject =>
  isWaiting ? { state: "staged", approves, epoch, expires_us } : { state: "approved" };

export class StagedIntents {
  /** Earliest expiry, event time; the row loop compares it and nothing else. */
  nextExpiry: number = Number.POSITIVE_INFINITY;
  readonly #desk: StagingDesk;
  readonly #options: StagingOptions | undefined;
  readonly #approveUpTo: bigint | null;
  readonly #waiting = new Map<number, StagedIntent>();

  constructor(desk: StagingDesk) {
    this.#desk = desk;
    this.#options = desk.options.staging;
    const limit = this.#options?.policy.approve_up_to;
    this.#approveUpTo = limit === undefined ? null : (parseMoney(limit) ?? null);
  }

  get keys(): readonly number[] {
    return [...this.#waiting.keys()];
  }
  /** Something waits that was staged under another epoch. */
  get isOutdated(): boolean {
    const epoch = this.#options?.epoch();
    return [...this.#waiting.values()].some((one) => one.epoch !== epoch);
  }

  /** Keeps what the gate let out and has to wait, and answers the verdict that stands for it; `null`: it may go. */
  hold(intent: Intent, judged: Verdict, moment: GateMoment): Held | null {
    if (this.#options === undefined) return null;
    const [action] = judged.actions;
    if (action === undefined || action.kind === "cancel") return null;
    const { options, clock, traceId } = this.#desk;
    const worth = worthAdded(action, options.instruments, moment);
    if (worth === 0n) return null;
    const { policy, epoch } = this.#options;
    if (this.#waiting.size >= policy.max_staged)
      return { verdict: { ...judged, verdict: "discarded", reason_code: "M.STAGING.FULL", actions: [] } };
    const staged: StagedIntent = {
      intent,
      action,
      reason_code: judged.reason_code,
      client_order_id: action.kind === "submit" ? options.orderId(action.key) : null,
      epoch: epoch(),
      expires_us: clock() + policy.expires_after_us,
      trace_id: traceId(),
      approves: this.#approveUpTo !== null && worth <= this.#approveUpTo ? "policy" : "person",
    };
    this.#waiting.set(intent.key, staged);
    this.#lookAhead();
    return { verdict: { ...judged, verdict: "staged" }, staged };
  }

  /** The policy's own approval, after the intent's record was made. */
  byPolicy(staged: StagedIntent): void {
    this.#approve(staged, "policy");
  }

  /** Whether there is something to take back under this key. */
  withdraws(key: number): boolean {
    return this.#waiting.has(key);
  }
  /** The strategy takes back what still waits. */
  withdraw(key: number): void {
    const staged = this.#waiting.get(key);
    if (staged !== undefined) this.#over(staged, "voided", null, "M.STAGING.WITHDRAWN");
  }

  apply(input: StagingInput): void {
    if (input.action === "void") return this.voidAll(input.reason_code);
    // What waits no more was answered before: a repeated word changes nothing.
    const staged = this.#waiting.get(Number(input.idempotency_key));
    if (staged === undefined) return;
    if (input.action === "expire") return this.#over(staged, "expired", null, "M.STAGING.EXPIRED");
    if (input.action === "reject") return this.#over(staged, "rejected", input.actor, "M.STAGING.REJECTED");
    if (staged.expires_us <= this.#desk.clock()) return this.#over(staged, "expired", null, "M.STAGING.EXPIRED");
    if (staged.epoch !== this.#options?.epoch()) return this.#over(staged, "voided", null, "M.STAGING.EPOCH");
    const refusal = this.#approve(staged, input.actor);
    if (refusal !== null) this.#desk.never(staged, "rejected", "M.STAGING.REFUSED");
  }

  /** Time passed the moment of `nextExpiry`. */
  look(): void {
    const now = this.#desk.clock();
    for (const staged of this.#waiting.values())
      if (staged.expires_us <= now) this.#over(staged, "expired", null, "M.STAGING.EXPIRED");
  }

  voidAll(reason_code: string): void {
    for (const staged of this.#waiting.values()) this.#over(staged, "voided", null, reason_code);
  }

  /** Absent where nothing waits: the digest of a state without staging stays what it was. */
  save(): { readonly staged?: readonly StagedIntent[] } {
    return this.#waiting.size === 0 ? {} : { staged: [...this.#waiting.values()] };
  }
  restore(saved: readonly StagedIntent[] = []): void {
    this.#waiting.clear();
    for (const staged of saved) this.#waiting.set(staged.intent.key, staged);
    this.#lookAhead();
  }

  /** `null`, or why the gate refuses it now. It waits no more either way: nothing is committed twice. */
  #approve(staged: StagedIntent, by: string): string | null {
    const { tell, moment, commit, options } = this.#desk;
    this.#end(staged, { state: "approved", by, reason_code: null });
    const decided = decideAgain(staged, options.gate, moment(staged.intent));
    if (decided.kind === "refused") {
      tell(staged, { state: "refused", by, reason_code: decided.reason });
      return decided.reason;
    }
    const reason_code = decided.changed === "" ? staged.reason_code : decided.changed;
    const verdict = reason_code === null ? "forwarded" : "degraded";
    commit(staged, { verdict, reason_code, actions: decided.actions }, by);
    return null;
  }

  /** It ends without having been an order, and its strategy hears so. */
  #over(staged: StagedIntent, state: StagingState, by: string | null, reason_code: string): void {
    this.#end(staged, { state, by, reason_code });
    this.#desk.never(staged, state === "voided" ? "cancelled" : "rejected", reason_code);
  }

  #end(staged: StagedIntent, word: StagingWord): void {
    this.#waiting.delete(staged.intent.key);
    this.#lookAhead();
    this.#desk.tell(staged, word);
  }

  #lookAhead(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const { expires_us } of this.#waiting.values()) next = Math.min(next, expires_us);
    this.nextExpiry = next;
  }
}
