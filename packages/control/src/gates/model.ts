/**
 * Gates: what somebody outside has to report healthy before risk may grow. Pure.
 *
 * How to think: a report is evidence with an end. Past it, or where there never was one, the state is UNKNOWN, and what
 * cannot be observed is not healthy: only a PASS that has not expired lets anything through (G-5.2).
 *
 * Invariant (gates.test.ts): no age, clock or missing report ever turns into a PASS.
 */
import { failure, isoFromMicros, micros, ok, err, type Failure, type Micros, type Result } from "@rumi/kernel";
import type { GateRow, GateState } from "./tables.ts";

export const GATE_LIMITS = {
  /** Gates that a home knows. */
  gates: 256,
  rules: 200,
  /** How long a report may count at most, seconds. */
  ttl_seconds: 86_400,
} as const;
export type GateRule = { readonly rule_id: string; readonly passed: boolean; readonly message?: string };

export function stateOf({ state, expires_at }: Pick<GateRow, "state" | "expires_at">, now: Micros): GateState {
  return state !== "UNKNOWN" && expires_at > now ? state : "UNKNOWN";
}

export const rulesOf = ({ rules }: Pick<GateRow, "rules">): readonly GateRule[] => JSON.parse(rules) as GateRule[];

/** The `gate_results` contract, schema_version 1. */
export function gateResult(row: GateRow, now: Micros) {
  const state = stateOf(row, now);
  return {
    schema_version: 1,
    run_id: row.run_id,
    gate: row.gate,
    passed: state === "PASS",
    rules: rulesOf(row),
    evaluated_at: isoFromMicros(micros(row.evaluated_at)),
    state,
    expires_at: isoFromMicros(micros(row.expires_at)),
  } as const;
}

/** The first required gate that does not pass, by name. */
export function judgeGates(rows: readonly GateRow[], now: Micros): Result<null, Failure> {
  for (const row of rows) {
    if (row.required !== 1) continue;
    const state = stateOf(row, now);
    if (state === "PASS") continue;
    const failed = rulesOf(row).filter(({ passed }) => !passed);
    const problem =
      state === "FAIL"
        ? failed.map(({ rule_id, message }) => (message === undefined ? rule_id : `${rule_id}: ${message}`)).join("; ")
        : row.evaluated_at === 0
          ? "nobody has reported it"
          : `its report ended at ${isoFromMicros(micros(row.expires_at))}`;
    return err(
      failure(
        "RUMI-CMD-006",
        { gate: row.gate, state, problem: problem === "" ? "its reporter says so" : problem.slice(0, 512) },
        { reasonCode: `G.GATE.${state}`, details: { gate: gateResult(row, now) } },
      ),
    );
  }
  return ok(null);
}
