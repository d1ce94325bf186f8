/** What comes next for one instance where two runners told of it: the former life's word is not this one's. */
import { describe, expect, it } from "vitest";
import { planInstance, type PlanFacts } from "./plan.ts";

const RUN = "01a20000-0000-7000-8000-000000000001";
const former = { run_id: RUN, epoch: 1, phase: "stopped" } as unknown as NonNullable<PlanFacts["reported"]>["status"];
const facts = (over: Partial<PlanFacts> = {}, instance: object = {}): PlanFacts => ({
  instance: {
    run_id: RUN,
    epoch: 2,
    holder: "gone",
    desired: "stopped",
    next: null,
    ...instance,
  } as unknown as PlanFacts["instance"],
  reported: { runner_id: "former", status: former },
  runners: ["former"],
  adopting: false,
  inherited: false,
  lease_over: true,
  owes_word: false,
  ...over,
});

describe("[L-N4] [G-2.1] a former holder says that its life is over, and the newest holder is dead", () => {
  it("an instance that is to stop is wound up where its venue owes a word, else it is gone: nobody waits for ever", () => {
    expect(planInstance(facts({ owes_word: true }))).toEqual({ kind: "wind_up", runner_id: "former" });
    expect(planInstance(facts())).toEqual({ kind: "gone", why: "RUNNER_GONE" });
  });
  it("while the newest holder's lease runs nothing is done, since it may still act", () => {
    expect(planInstance(facts({ lease_over: false })).kind).toBe("none");
  });
  it("nobody holds it: what is owed is asked for, and otherwise it is stopped", () => {
    expect(planInstance(facts({ owes_word: true }, { holder: null })).kind).toBe("wind_up");
    expect(planInstance(facts({}, { holder: null }))).toEqual({ kind: "none", why: "it is stopped" });
  });
  it("a former life that is not over is stopped first", () => {
    const reported = { runner_id: "former", status: { ...former, phase: "running" as const } };
    expect(planInstance(facts({ reported }))).toMatchObject({ kind: "stop", epoch: 1, why: "SUPERSEDED" });
  });
});
