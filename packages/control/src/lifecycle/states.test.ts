/* oxlint-disable unicorn/consistent-function-scoping -- helpers stay beside the cases that use them */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  BOT_STATES,
  CAUSES_IN_FORCE,
  mayMove,
  TRANSITION_CAUSES,
  type BotState,
  type TransitionCause,
} from "./states.ts";

/** The whole matrix, written out by hand from the seed: rows from, columns to, one letter per state in order. */
const ORDER = "CIPSLUTEQ"; // Created Idle Paper Shadow Live paUsed sTopping Error Quarantined
const MATRIX: Readonly<Record<TransitionCause, Readonly<Record<string, string>>>> = {
  operator: { C: "Q", I: "PSQ", P: "UTQ", S: "UTQ", L: "UTQ", U: "PSTQ", T: "Q", E: "PSTQ", Q: "" },
  dangerous: { C: "", I: "L", P: "", S: "", L: "", U: "L", T: "", E: "L", Q: "I" },
  initialised: { C: "I", I: "", P: "", S: "", L: "", U: "", T: "", E: "", Q: "" },
  stopped: { C: "", I: "", P: "", S: "", L: "", U: "", T: "I", E: "", Q: "" },
  fault: { C: "E", I: "", P: "E", S: "E", L: "E", U: "E", T: "E", E: "", Q: "" },
  safety: { C: "Q", I: "Q", P: "Q", S: "Q", L: "Q", U: "Q", T: "Q", E: "Q", Q: "" },
};
const letter = (state: BotState): string => ORDER.charAt(BOT_STATES.indexOf(state));

describe("[G-2.2a] the full 9×9 matrix, each cause apart", () => {
  for (const cause of TRANSITION_CAUSES) {
    for (const from of BOT_STATES) {
      it(`${cause}: from ${from}`, () => {
        for (const to of BOT_STATES)
          expect([to, mayMove(cause, from, to)]).toEqual([
            to,
            (MATRIX[cause][letter(from)] ?? "").includes(letter(to)),
          ]);
      });
    }
  }
  it("[G-2.1] the vocabulary is exactly the seed's", () => {
    expect(BOT_STATES).toEqual([
      "CREATED",
      "IDLE",
      "RUNNING_PAPER",
      "RUNNING_SHADOW",
      "RUNNING_LIVE",
      "PAUSED",
      "STOPPING",
      "ERROR",
      "QUARANTINED",
    ]);
  });
});

describe("exhaustive exploration of the real table", () => {
  const reachable = (causes: readonly TransitionCause[]): ReadonlySet<BotState> => {
    const seen = new Set<BotState>(["CREATED"]);
    for (let grown = true; grown;) {
      grown = false;
      for (const from of Array.from(seen)) {
        for (const to of BOT_STATES) {
          if (!seen.has(to) && causes.some((cause) => mayMove(cause, from, to))) {
            seen.add(to);
            grown = true;
          }
        }
      }
    }
    return seen;
  };
  it("[G-2.1a] RUNNING_LIVE is unreachable without a confirmed dangerous operation", () => {
    expect(reachable(CAUSES_IN_FORCE.filter((cause) => cause !== "dangerous")).has("RUNNING_LIVE")).toBe(false);
    expect(reachable(TRANSITION_CAUSES).has("RUNNING_LIVE")).toBe(true); // the exploration does see it
    for (const cause of TRANSITION_CAUSES) {
      for (const from of BOT_STATES) if (mayMove(cause, from, "RUNNING_LIVE")) expect(cause).toBe("dangerous");
    }
  });
  it("[G-2.1b] the system never leaves ERROR for a running state, nor QUARANTINED for anything", () => {
    for (const cause of ["initialised", "stopped", "fault", "safety"] as const) {
      for (const to of BOT_STATES) {
        if (to !== "QUARANTINED") expect(mayMove(cause, "ERROR", to)).toBe(false);
        expect(mayMove(cause, "QUARANTINED", to)).toBe(false);
      }
    }
  });
  it("stop and quarantine are legal from every state that is not at rest", () => {
    for (const from of ["RUNNING_PAPER", "RUNNING_SHADOW", "RUNNING_LIVE", "PAUSED", "ERROR"] as const)
      expect(mayMove("operator", from, "STOPPING")).toBe(true);
    for (const from of BOT_STATES)
      if (from !== "QUARANTINED") expect(mayMove("operator", from, "QUARANTINED")).toBe(true);
  });
});

it("docs/formats/bot-states.md names every state", () => {
  const page = readFileSync(new URL("../../../../docs/formats/bot-states.md", import.meta.url), "utf8");
  for (const state of BOT_STATES) expect(page).toContain(state);
});
