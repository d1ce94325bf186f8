import { describe, expect, it } from "vitest";
import { eventOf, sampleEvent } from "../test/support.ts";
import { COMMON_DETAILS, EVENT_AREAS, EVENT_CATALOGUE, classify, eventProblem, makeEvent } from "./catalogue.ts";
import { AUDIT_CATEGORIES } from "./catalogue/kind.ts";
import { FIELD_LIMITS, checkShape, facts, listOf, text } from "./catalogue/schema.ts";

describe("event catalogue", () => {
  it("[G-7.1] holds every name of the specification, spelled exactly", () => {
    const names = [
      "controlplane.command.requested",
      "dangerous_op.challenge",
      "dangerous_op.confirm",
      "dangerous_op.reject",
      "controlplane.command.applied",
      "controlplane.command.denied",
      "bot.state.transition",
      "support_bundle.created",
      "safety.transition",
      "execution.killswitch.set",
    ];
    expect(Object.keys(EVENT_CATALOGUE)).toEqual(expect.arrayContaining(names));
  });

  it("names are unique across areas and no kind redefines a common detail", () => {
    const names = EVENT_AREAS.flatMap((area) => Object.keys(area));
    expect(new Set(names).size).toBe(names.length);
    for (const [name, kind] of Object.entries(EVENT_CATALOGUE)) {
      for (const common of Object.keys(COMMON_DETAILS)) expect(Object.keys(kind.details), name).not.toContain(common);
      expect(AUDIT_CATEGORIES, name).toContain(kind.category);
    }
  });

  it("[R-17.1] each of the eight categories has a kind", () => {
    const used = new Set(Object.values(EVENT_CATALOGUE).map((kind) => kind.category));
    expect([...used].toSorted()).toEqual([...AUDIT_CATEGORIES].toSorted());
  });

  it("[L-N1] an event without one of who, when, what, why, approval, expiry, trace is refused", () => {
    const event = sampleEvent(0);
    for (const name of Object.keys(COMMON_DETAILS)) {
      const { [name]: _, ...rest } = event.details;
      expect(eventProblem({ ...event, details: rest as typeof event.details }), name).toContain(`.${name} is missing`);
    }
    expect(eventProblem(event)).toBeUndefined();
  });

  it("the compiler checks details", () => {
    // @ts-expect-error a transition needs `to`
    expect(eventProblem(eventOf(1, "bot.state.transition", { from: null }))).toContain("to is missing");
    // @ts-expect-error no such state
    expect(eventProblem(eventOf(1, "bot.state.transition", { from: null, to: "GONE" }))).toContain("must be one of");
    expect(makeEvent).toBeTypeOf("function");
  });

  it("the limits of details are reached", () => {
    const check = (value: Parameters<typeof facts.check>[0]): string | undefined =>
      checkShape({ x: facts }, { x: value });
    expect(check({ a: "b".repeat(FIELD_LIMITS.facts_bytes - 8) })).toBeUndefined();
    expect(check({ a: "b".repeat(FIELD_LIMITS.facts_bytes) })).toContain("bytes");
    let deep: Parameters<typeof facts.check>[0] = {};
    for (let i = 1; i < FIELD_LIMITS.facts_depth; i += 1) deep = { deep };
    expect(check(deep)).toBeUndefined();
    expect(check({ deep })).toContain("levels");
    expect(text(3).check("abcd")).toContain("3 characters");
    expect(listOf(text(3), 2).check(["a", "b", "c"])).toContain("2 items");
  });

  it("a kind of a newer program is still filed", () => {
    expect(classify({ action: "future.kind", outcome: "SUCCESS" })).toEqual({
      category: "system",
      severity: "warning",
    });
    expect(classify({ action: "pack.approved", outcome: "FAILURE" })).toEqual({
      category: "approval",
      severity: "error",
    });
  });
});
