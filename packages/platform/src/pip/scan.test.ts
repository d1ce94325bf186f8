import { failure } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { CANDIDATE_LIMITS, rejectedBy, unblocked } from "../candidates/model.ts";
import { pipKey, planPipScan, type LookedLocks, type PipCandidate } from "./scan.ts";

const lock = (sha256 = "aa") => ({ path: "requirements.lock", sha256, packages: [{ name: "x", version: "1" }] });
const looked = (sha256: string | null): LookedLocks => ({
  pack_id: "p",
  found: sha256 === null ? [] : [lock(sha256)],
  skipped: [],
});
const plan = (known: readonly PipCandidate[], of: readonly LookedLocks[], broken: readonly string[] = []) =>
  planPipScan({ known, looked: of, broken: new Set(broken) }, 0);
const first = (): PipCandidate => {
  const [one] = plan([], [looked("aa")]).listed;
  if (one === undefined) throw new Error("nothing was found");
  return one;
};

describe("[R-9.1] scanning for locks", () => {
  it("a lock is a candidate under its pack, its path and its hash", () => {
    expect(first()).toMatchObject({ candidate_key: pipKey("p", lock()), state: "pending" });
    expect(pipKey("p", lock())).toBe("p:requirements.lock:aa");
  });
  it("what waited and is gone is forgotten, but not while its pack cannot be read", () => {
    expect(plan([first()], [looked("bb")]).gone).toHaveLength(1);
    const unread: LookedLocks = {
      pack_id: "p",
      found: [],
      skipped: [{ path: null, failure: failure("RUMI-PACK-007") }],
    };
    expect(plan([first()], [unread]).gone).toEqual([]);
  });
  it("an installed one whose environment is another waits for a decision again", () => {
    const installed = { index_url: "https://example.com", allow_sdist: false, environment: "sha256:e" };
    const one: PipCandidate = { ...first(), state: "installed", facts: { ...first().facts, installed } };
    expect(plan([one], [looked("aa")]).saved).toEqual([]);
    expect(plan([one], [looked("aa")], ["sha256:e"]).saved.map(({ next }) => next.state)).toEqual(["pending"]);
  });
  it("[R-7.2] the third rejection blocks, whatever time lies between; unblocked it is pending at once", () => {
    let one = first();
    for (let n = 0; n < CANDIDATE_LIMITS.rejections; n += 1) {
      const next = rejectedBy(one, "no", n * CANDIDATE_LIMITS.cooldown_micros);
      if (!next.ok) throw new Error(next.error.code);
      one = next.value;
    }
    expect(one.state).toBe("blocked");
    const lifted = unblocked(one, "pending", "looked again", 0);
    expect(lifted.ok && lifted.value.state).toBe("pending");
  });
});
