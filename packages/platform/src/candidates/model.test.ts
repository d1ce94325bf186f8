import { describe, expect, it } from "vitest";
import {
  CANDIDATE_LIMITS,
  CANDIDATE_STATES,
  failed,
  foundAgain,
  installed,
  newCandidate,
  rejectedBy,
  stateAt,
  unblocked,
  type Candidate,
} from "./model.ts";

const HOUR = CANDIDATE_LIMITS.cooldown_micros;
const fresh = newCandidate({ candidate_key: "p:s:h:0", pack_id: "p", facts: {} });
const must = <T>(
  result: { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: { code: string } },
): T => {
  if (!result.ok) throw new Error(result.error.code);
  return result.value;
};
const inState = (state: Candidate["state"]): Candidate => ({ ...fresh, state, cooldown_until: HOUR });

describe("[R-7.2] rejections", () => {
  it("the first and the second rest for an hour each, the third blocks", () => {
    let now = 0;
    let one = must(rejectedBy(fresh, "no", now));
    expect([one.state, one.rejections, one.cooldown_until]).toEqual(["rejected", 1, HOUR]);
    expect([stateAt(one, HOUR - 1), stateAt(one, HOUR)]).toEqual(["rejected", "pending"]);
    now = HOUR;
    one = must(rejectedBy(one, "no", now));
    expect([one.state, one.rejections, one.cooldown_until]).toEqual(["rejected", 2, 2 * HOUR]);
    now = 2 * HOUR;
    one = must(rejectedBy(one, "never", now));
    expect([one.state, one.rejections, one.cooldown_until, one.note]).toEqual(["blocked", 3, null, "never"]);
    expect(stateAt(one, 1_000 * HOUR)).toBe("blocked");
  });

  it("one in its cooldown does not count", () => {
    const one = must(rejectedBy(fresh, null, 0));
    expect(rejectedBy(one, null, HOUR - 1)).toMatchObject({ ok: false, error: { code: "RUMI-CAP-003" } });
    expect(must(rejectedBy(one, null, HOUR)).rejections).toBe(2);
  });

  it("unblocking forgets them: rejected with a fresh cooldown, or pending", () => {
    const blocked = { ...inState("blocked"), rejections: 3 };
    const resting = must(unblocked(blocked, "rejected", "looked again", 7));
    expect([resting.state, resting.rejections, resting.cooldown_until]).toEqual(["rejected", 0, 7 + HOUR]);
    const waiting = must(unblocked(blocked, "pending", null, 7));
    expect([waiting.state, waiting.rejections, waiting.cooldown_until]).toEqual(["pending", 0, null]);
  });
});

describe("[R-7.1] decisions", () => {
  it("each is taken in its own state only", () => {
    const taken = CANDIDATE_STATES.map((state) => [
      state,
      installed(inState(state), null, 0).ok,
      rejectedBy(inState(state), null, 0).ok,
      unblocked(inState(state), "pending", null, 0).ok,
    ]);
    expect(taken).toEqual([
      ["pending", true, true, false],
      ["installed", false, false, false],
      ["rejected", false, false, false],
      ["blocked", false, false, true],
      ["failed", false, false, false],
    ]);
  });

  it("what failed is tried again after a scan, what rested long enough too, and nothing else moves", () => {
    expect(foundAgain(failed(fresh, "no wheel"), 0).state).toBe("pending");
    expect(foundAgain(inState("rejected"), HOUR).state).toBe("pending");
    for (const state of ["pending", "installed", "rejected", "blocked"] as const)
      expect(foundAgain(inState(state), 0)).toEqual(inState(state));
  });
});
