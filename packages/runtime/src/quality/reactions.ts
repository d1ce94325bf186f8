/**
 * The reactions in force, per instrument: a deterministic counter of clean rows behind every flag that asked for one.
 *
 * How to think: a flagged row starts its flag's countdown anew; a row without any flag takes one off all countdowns of its
 * instrument; a book snapshot ends a resync at once. Nothing but rows moves it, so a replay reacts at the same rows.
 *
 * Invariants (reactions.test.ts, data-quality.test.ts)
 * - The same rows and policies give the same restrictions, whatever checkpoint they go on from.
 * - The row loop asks once per row whether anything is in force; a clean feed costs that and nothing else.
 */
import {
  DATA_QUALITY_DEFAULT,
  QUALITY_FLAGS,
  QUALITY_LIMITS,
  type DataQualityPolicy,
  type QualityFlag,
  type QualityReaction,
} from "./policy.ts";

/** What the gate must know: the strictest reaction in force for an instrument, and whose it is. */
export type DataRestriction = {
  readonly restriction: Exclude<QualityReaction, "ignore" | "resync">;
  readonly reason_code: string;
};

export type ReactionState = {
  readonly policy: DataQualityPolicy;
  /** Countdowns that run: instrument, flag, clean rows still wanted. */
  readonly running: readonly (readonly [instrument: number, flag: QualityFlag, left: number])[];
};

const FLAGS = Object.keys(QUALITY_FLAGS) as readonly QualityFlag[];
const REASONS: Readonly<Record<QualityFlag, string>> = {
  stale: "M.DATA.STALE",
  gap: "M.DATA.GAP",
  dup: "M.DATA.DUP",
  out_of_order: "M.DATA.OUT_OF_ORDER",
  clock_drift: "M.DATA.CLOCK_DRIFT",
};
const RESTRICTIONS: Readonly<Record<Exclude<QualityReaction, "ignore">, DataRestriction["restriction"]>> = {
  limit_only: "limit_only",
  reduce_size: "reduce_size",
  no_trade: "no_trade",
  resync: "no_trade",
};
const STRICTNESS: Readonly<Record<DataRestriction["restriction"], number>> = {
  limit_only: 1,
  reduce_size: 2,
  no_trade: 3,
};

export class QualityReactions {
  /** Whether any countdown runs. */
  active = false;
  policy: DataQualityPolicy = DATA_QUALITY_DEFAULT;
  /** By instrument and flag. */
  readonly #left: Uint32Array;
  readonly #restrictions: (DataRestriction | undefined)[];

  constructor(instruments: number) {
    this.#left = new Uint32Array(instruments * FLAGS.length);
    this.#restrictions = Array.from({ length: instruments });
  }

  /** A row came; answers whether a restriction began, changed or ended. */
  row(instrument: number, flags: number, isSnapshot: boolean): boolean {
    const from = instrument * FLAGS.length;
    for (const [index, flag] of FLAGS.entries()) {
      const at = from + index;
      const reaction = this.policy[flag];
      if ((flags & QUALITY_FLAGS[flag]) !== 0) {
        if (reaction === "ignore") continue;
        this.#left[at] = reaction === "resync" ? QUALITY_LIMITS.resync_clean_rows : QUALITY_LIMITS.clean_rows;
      }
      if (reaction === "resync" && isSnapshot) this.#left[at] = 0;
      else if (flags === 0 && (this.#left[at] ?? 0) > 0) this.#left[at] = (this.#left[at] ?? 0) - 1;
    }
    return this.#derive(instrument);
  }

  /** What holds for an instrument. */
  of(instrument: number): DataRestriction | undefined {
    return this.#restrictions[instrument];
  }

  /** By instrument, for the gate. */
  get restrictions(): readonly (DataRestriction | undefined)[] {
    return this.#restrictions;
  }

  /** The first instrument's reason, for the instance's health. */
  get reason(): string | null {
    return this.#restrictions.find((one) => one !== undefined)?.reason_code ?? null;
  }

  /** Another policy from here on; countdowns of flags that it ignores end. Answers whether a restriction changed. */
  become(policy: DataQualityPolicy): boolean {
    this.policy = policy;
    for (const at of this.#left.keys())
      if (policy[FLAGS[at % FLAGS.length] ?? "stale"] === "ignore") this.#left[at] = 0;
    let changed = false;
    for (const instrument of this.#restrictions.keys()) changed = this.#derive(instrument) || changed;
    return changed;
  }

  save(): ReactionState {
    const running = [...this.#left.entries()].flatMap(([at, left]): ReactionState["running"] =>
      left === 0 ? [] : [[Math.floor(at / FLAGS.length), FLAGS[at % FLAGS.length] ?? "stale", left]],
    );
    return { policy: this.policy, running };
  }

  /** `undefined`: of a checkpoint that was written before there were reactions. */
  restore(saved: ReactionState | undefined): void {
    if (saved === undefined) return;
    this.#left.fill(0);
    for (const [instrument, flag, left] of saved.running)
      this.#left[instrument * FLAGS.length + FLAGS.indexOf(flag)] = left;
    this.become(saved.policy);
  }

  #derive(instrument: number): boolean {
    const before = this.#restrictions[instrument];
    let strictest: DataRestriction | undefined;
    for (const [index, flag] of FLAGS.entries()) {
      const reaction = this.policy[flag];
      if (reaction === "ignore" || (this.#left[instrument * FLAGS.length + index] ?? 0) === 0) continue;
      const restriction = RESTRICTIONS[reaction];
      if (strictest === undefined || STRICTNESS[restriction] > STRICTNESS[strictest.restriction])
        strictest = { restriction, reason_code: REASONS[flag] };
    }
    if (before?.restriction === strictest?.restriction && before?.reason_code === strictest?.reason_code) return false;
    this.#restrictions[instrument] = strictest;
    this.active = this.#restrictions.some((one) => one !== undefined);
    return true;
  }
}
