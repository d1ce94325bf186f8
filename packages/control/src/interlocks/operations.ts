/** Reading the interlocks: thresholds in force, the newest readings, and what holds until a break-glass session clears it. */
import { isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { CLOSED, EVERYONE } from "../shared/fields.ts";
import { hasTripped, INTERLOCK_RULES, INTERLOCKS, type Readings, type Thresholds } from "./model.ts";
import { readLatches } from "./tables.ts";
import { InterlocksAnswer } from "./answers.ts";

export type InterlocksNow = {
  readonly thresholds: Thresholds;
  /** Null before the first sample. */
  readonly readings: () => Readings | null;
};

export const interlockDeclarations = ({ thresholds, readings }: InterlocksNow): readonly Declaration[] => [
  defineQuery({
    name: "interlocks.list",
    summary: "Every interlock with its threshold, its newest reading, what it does, and since when it holds",
    http: { method: "GET", path: "/api/interlocks" },
    input: Type.Object({}, CLOSED),
    output: InterlocksAnswer,
    permission: EVERYONE,
    read: async (reader, _input, { store }) => {
      const latches = await readLatches(reader, store);
      const now = readings();
      return ok({
        interlocks: INTERLOCK_RULES.map((rule) => {
          const { unit, trips, action, latched } = INTERLOCKS[rule];
          const latch = latches.find(({ rule_id }) => rule_id === rule);
          const reading = now?.[rule] ?? null;
          return {
            rule,
            reading,
            threshold: thresholds[rule],
            default_threshold: INTERLOCKS[rule].threshold,
            unit,
            trips,
            action,
            latched,
            tripped: hasTripped(rule, reading, thresholds),
            holds_since: latch === undefined ? null : isoFromMicros(micros(latch.tripped_at)),
            reason: latch?.reason ?? null,
          };
        }),
      });
    },
  }),
];
