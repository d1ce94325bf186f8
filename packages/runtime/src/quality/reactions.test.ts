import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  DATA_QUALITY_DEFAULT,
  type DataQualityPolicy,
  QUALITY_FLAGS,
  QUALITY_LIMITS,
  QUALITY_REACTIONS,
} from "./policy.ts";
import { QualityReactions } from "./reactions.ts";

const reaction = fc.constantFrom(...QUALITY_REACTIONS);
const policy: fc.Arbitrary<DataQualityPolicy> = fc.record({
  stale: reaction,
  gap: reaction,
  dup: reaction,
  out_of_order: reaction,
  clock_drift: reaction,
});
const row = fc.record({
  instrument: fc.nat(2),
  // Mostly clean, so that countdowns come to their end.
  flags: fc.oneof({ weight: 30, arbitrary: fc.constant(0) }, fc.nat(31)),
  isSnapshot: fc.oneof({ weight: 40, arbitrary: fc.constant(false) }, fc.boolean()),
});

describe("quality reactions", () => {
  it("[M-0.7] [M-11.2] the same rows give the same restrictions, cut by save and restore or not", () => {
    fc.assert(
      fc.property(
        policy,
        fc.array(row, { minLength: 20, maxLength: 300 }),
        fc.array(fc.nat(299), { minLength: 1, maxLength: 5 }),
        (rules, rows, cuts) => {
          const whole = new QualityReactions(3);
          whole.become(rules);
          let cut = new QualityReactions(3);
          cut.become(rules);
          for (const [index, { instrument, flags, isSnapshot }] of rows.entries()) {
            if (cuts.includes(index)) {
              const saved: unknown = JSON.parse(JSON.stringify(cut.save()));
              cut = new QualityReactions(3);
              cut.restore(saved as ReturnType<QualityReactions["save"]>);
            }
            whole.row(instrument, flags, isSnapshot);
            cut.row(instrument, flags, isSnapshot);
            expect([...cut.restrictions]).toEqual([...whole.restrictions]);
            expect([cut.active, cut.reason]).toEqual([whole.active, whole.reason]);
          }
        },
      ),
      { seed: 31, numRuns: 150 },
    );
  });

  it("[M-11.2] whatever was in force ends: after so many clean rows nothing is, and nobody need be asked any more", () => {
    fc.assert(
      fc.property(policy, fc.array(row, { maxLength: 60 }), (rules, rows) => {
        const reactions = new QualityReactions(3);
        reactions.become(rules);
        for (const { instrument, flags, isSnapshot } of rows) reactions.row(instrument, flags, isSnapshot);
        for (let i = 0; i < QUALITY_LIMITS.resync_clean_rows; i += 1)
          for (const instrument of [0, 1, 2]) reactions.row(instrument, 0, false);
        expect([reactions.active, reactions.reason, reactions.save().running]).toEqual([false, null, []]);
      }),
      { seed: 32, numRuns: 150 },
    );
  });

  it("[M-11.2] a policy that ignores a flag ends what that flag brought about", () => {
    const reactions = new QualityReactions(1);
    expect(reactions.row(0, QUALITY_FLAGS.gap, false)).toBe(true);
    expect(reactions.of(0)).toEqual({ restriction: "no_trade", reason_code: "M.DATA.GAP" });
    expect(reactions.become({ ...DATA_QUALITY_DEFAULT, gap: "ignore" })).toBe(true);
    expect([reactions.of(0), reactions.active]).toEqual([undefined, false]);
  });
});
