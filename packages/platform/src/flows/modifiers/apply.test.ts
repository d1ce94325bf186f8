/** Modifiers, without a folder: which change a flow, in which order, and why the others do not. */
import { ok } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { catalogueOf, findFlow, type Catalogue } from "../catalogue.ts";
import { parseModifier } from "./model.ts";
import type { ModifierText } from "./catalogue.ts";

const file = (path: string, text: string, owner_pack: string | null = null): ModifierText => ({
  source: owner_pack === null ? "flows" : "pack",
  path,
  owner_pack,
  text: ok(text),
});
const BASE = `flow_id: base
phases: [one, two, three]
steps:
  - {id: a, phase: one, priority: 1, type: set, input: {a: 1}}
  - {id: b, phase: one, priority: 2, type: set, input: {b: 1}, depends_on: [a]}
  - {id: z, phase: three, type: set, input: {z: 1}}
`;
const OTHER = "flow_id: other\nphases: [p]\nsteps: [{id: s, phase: p, type: flow, input: {flow_id: base}}]\n";
let count = 0;
/** A modifier of `base` in the phase one; a step is its id, or a whole one in braces. */
const modifier = (id: string, action: string, more: string, step?: string): ModifierText => {
  const whole = step?.startsWith("{") === true ? step : `{id: ${step}, type: set, input: {${step}: 1}}`;
  const phase = more.includes("phase:") ? "" : "phase: one\n";
  const text = `modifier_id: ${id}\ntarget_flow_id: base\n${phase}action: ${action}\n${more.replaceAll("; ", "\n")}\n`;
  count += 1;
  return file(`m/${id}-${count}`, step === undefined ? text : `${text}step: ${whole}\n`);
};
const catalogue = (
  modifiers: readonly ModifierText[],
  available: { readonly interfaces?: readonly string[]; readonly capabilities?: readonly string[] } = {},
): Catalogue =>
  catalogueOf([file("base", BASE), file("other", OTHER)], {
    files: modifiers,
    available: { interfaces: new Set(available.interfaces), capabilities: new Set(available.capabilities) },
  });
const stepsOf = (of: Catalogue, flow_id = "base"): string => {
  const found = findFlow(of, flow_id);
  return found.ok ? found.value.flow.steps.map(({ id }) => id).join(" ") : found.error.code;
};
const reasonsOf = (of: Catalogue): Readonly<Record<string, string | null>> =>
  Object.fromEntries(of.modifiers.map(({ modifier: { modifier_id }, skip_reason }) => [modifier_id, skip_reason]));

describe("[R-14.4] modifiers of a flow", () => {
  it.each([
    ["before", [modifier("m", "inject_before", "target_step_id: b", "n")], "a n b z"],
    ["after", [modifier("m", "inject_after", "target_step_id: a", "n")], "a n b z"],
    ["before the first", [modifier("m", "inject_before", "target_step_id: __first__", "n")], "n a b z"],
    ["after the last of its phase", [modifier("m", "inject_after", "target_step_id: __last__", "n")], "a b n z"],
    ["at the end of a phase", [modifier("m", "append", "", "n")], "a b n z"],
    ["in a phase where nothing is", [modifier("m", "append", "phase: two", "n")], "a b n z"],
    ["in the place of another", [modifier("m", "replace", "target_step_id: b", "n")], "a n z"],
    ["in the place of another under its id", [modifier("m", "replace", "target_step_id: b", "b")], "a b z"],
    ["nothing any more", [modifier("m", "remove", "target_step_id: a")], "b z"],
  ])("%s", (_, modifiers, steps) => {
    const made = catalogue(modifiers);
    expect([stepsOf(made), reasonsOf(made)]).toEqual([steps, { m: null }]);
  });

  it("at one point the lower priority comes first, then the step's id, then the modifier's; files in any order", () => {
    const points = ["inject_before:__first__", "inject_before:a", "inject_after:b", "inject_after:__last__"];
    const modifiers = points.flatMap((point, at) => {
      const [action = "", target = ""] = point.split(":");
      const of = (id: string, priority: number, step: string): ModifierText =>
        modifier(`${id}${at}`, action, `target_step_id: ${target}; priority: ${priority}`, `${step}${at}`);
      return [of("x", 20, "p"), of("y", 10, "r"), of("w", 10, "q")];
    });
    modifiers.push(modifier("e2", "append", "priority: 2", "e2"), modifier("e1", "append", "priority: 1", "e1"));
    const steps = "q0 q1 r0 r1 p0 p1 a b q2 q3 r2 r3 p2 p3 e1 e2 z";
    expect(stepsOf(catalogue(modifiers))).toBe(steps);
    expect(stepsOf(catalogue(modifiers.toReversed()))).toBe(steps);
  });

  it("what replaces and removes comes before what is added, whatever the priorities say", () => {
    const added = modifier("add", "inject_after", "target_step_id: a; priority: 1", "n");
    const replaced = catalogue([added, modifier("swap", "replace", "target_step_id: a; priority: 900", "c")]);
    expect(stepsOf(replaced)).toBe("c n b z");
    const removed = catalogue([added, modifier("drop", "remove", "target_step_id: a; priority: 900")]);
    expect([stepsOf(removed), reasonsOf(removed)]).toEqual(["b z", { add: "target_step_not_found:a", drop: null }]);
  });

  it.each([
    ["another phase", modifier("m", "append", "phase: four", "n"), "phase_not_found:four"],
    ["no such step", modifier("m", "remove", "target_step_id: x"), "target_step_not_found:x"],
    ["a step of another phase", modifier("m", "remove", "target_step_id: z"), "target_step_not_found:z"],
    [
      "an empty phase",
      modifier("m", "remove", "phase: two; target_step_id: __first__"),
      "target_step_not_found:__first__",
    ],
    ["an id that is taken", modifier("m", "append", "", "z"), "step_id_taken:z"],
    [
      "a dependency that comes later",
      modifier("m", "inject_before", "target_step_id: a", "{id: n, type: set, input: {n: 1}, depends_on: [b]}"),
      "depends_on_later:n on b",
    ],
    [
      "a missing interface",
      modifier("m", "append", "requires: {interfaces: [i, j]}", "n"),
      "requires_not_satisfied:interface j",
    ],
    [
      "a missing capability",
      modifier("m", "append", "requires: {interfaces: [i], capabilities: [fs.read]}", "n"),
      "requires_not_satisfied:capability fs.read",
    ],
  ])("is passed over with its reason: %s", (_, one, reason) => {
    const made = catalogue([one], { interfaces: ["i"] });
    expect([stepsOf(made), reasonsOf(made)]).toEqual(["a b z", { m: reason }]);
  });

  it("what it requires may be there", () => {
    const one = modifier("m", "append", "requires: {interfaces: [i], capabilities: [fs.read]}", "n");
    expect(stepsOf(catalogue([one], { interfaces: ["i"], capabilities: ["fs.read"] }))).toBe("a b n z");
  });

  it("two that want the same step: the first in order has it", () => {
    const made = catalogue([
      modifier("late", "replace", "target_step_id: b; priority: 2", "l"),
      modifier("soon", "replace", "target_step_id: b; priority: 1", "s"),
    ]);
    expect([stepsOf(made), reasonsOf(made)]).toEqual(["a s z", { soon: null, late: "target_step_taken:s by soon" }]);
  });

  it("a flow that is not there, and a modifier that would make a flow call itself", () => {
    const nowhere = file("m", "modifier_id: m\ntarget_flow_id: no\nphase: p\naction: remove\ntarget_step_id: a\n");
    expect(reasonsOf(catalogue([nowhere]))).toEqual({ m: "target_flow_not_found:no" });
    const made = catalogue([
      modifier("loop", "append", "", "{id: n, type: flow, input: {flow_id: other}}"),
      modifier("well", "append", "", "w"),
    ]);
    expect([stepsOf(made), reasonsOf(made)]).toEqual(["a b w z", { loop: "flow_not_callable:other", well: null }]);
  });

  it("conflicts and what nobody tried together are told of both, and stop neither", () => {
    const made = catalogue([
      modifier("m1", "append", "conflicts_with: [m2, gone]", "n1"),
      modifier("m2", "append", "compatible_with: [m1]", "n2"),
      modifier("m3", "append", "", "n3"),
    ]);
    expect(stepsOf(made)).toBe("a b n1 n2 n3 z");
    expect(made.modifiers.map((one) => [one.modifier.modifier_id, one.conflicts, one.untested_with])).toEqual([
      ["m1", ["m2"], []],
      ["m2", ["m1"], ["m3"]],
      ["m3", [], []],
    ]);
  });

  it("whoever calls the flow calls it as it is changed: its digest is another", () => {
    const plain = findFlow(catalogue([]), "other");
    const changed = findFlow(catalogue([modifier("m", "append", "", "n")]), "other");
    if (!plain.ok || !changed.ok) throw new Error("no flow");
    expect(changed.value.closure.flows["base"]?.steps.map(({ id }) => id)).toEqual(["a", "b", "n", "z"]);
    expect(changed.value.closure.digest).not.toBe(plain.value.closure.digest);
    expect(changed.value.digest, "of the file").toBe(plain.value.digest);
  });

  it("an id of a stronger source is not taken; of one source the second is refused", () => {
    const of = (path: string, step: string, owner: string | null): ModifierText => {
      const text = `modifier_id: m\ntarget_flow_id: base\nphase: one\naction: append\nstep: {id: ${step}, type: set, input: {x: 1}}\n`;
      return file(path, text, owner);
    };
    const made = catalogue([of("own", "n", null), of("twin", "t", null), of("pack", "p", "pack_a")]);
    expect(stepsOf(made)).toBe("a b n z");
    expect(made.modifier_problems.map(({ path, failure }) => [path, failure.code])).toEqual([
      ["twin", "RUMI-FLOW-013"],
    ]);
  });
});

describe("[R-14.4] a modifier's file is a closed form", () => {
  const HEAD = "modifier_id: m\ntarget_flow_id: base\nphase: one\n";
  const refused = (text: string, owner_pack: string | null = null): string => {
    const parsed = parseModifier(text, { path: "m", owner_pack });
    return parsed.ok ? "taken" : `${parsed.error.failure.code} ${parsed.error.failure.params["field"] ?? ""}`;
  };
  it.each([
    ["an unknown field", `${HEAD}action: remove\ntarget_step_id: a\nstepz: 1`, "RUMI-FLOW-007 stepz"],
    ["an unknown action", `${HEAD}action: insert`, "RUMI-FLOW-007 action"],
    ["no target", `${HEAD}action: remove`, "RUMI-FLOW-007 target_step_id"],
    [
      "a target of append",
      `${HEAD}action: append\ntarget_step_id: a\nstep: {id: n, type: set, input: {}}`,
      "RUMI-FLOW-007 target_step_id",
    ],
    ["no step", `${HEAD}action: append`, "RUMI-FLOW-007 step"],
    [
      "a step of remove",
      `${HEAD}action: remove\ntarget_step_id: a\nstep: {id: n, type: set, input: {}}`,
      "RUMI-FLOW-007 step",
    ],
    [
      "another phase",
      `${HEAD}action: append\nstep: {id: n, phase: two, type: set, input: {}}`,
      "RUMI-FLOW-007 step.phase",
    ],
    ["a wrong step", `${HEAD}action: append\nstep: {id: n, type: set}`, "RUMI-FLOW-007 step.input"],
    ["no YAML", "a: [", "RUMI-FLOW-008 "],
  ])("%s is refused by its name", (_, text, expected) => {
    expect(refused(text)).toBe(expected);
  });
  it("[R-17.2] its step acts as the modifier's own pack, whoever it says it is; another pack's file is refused", () => {
    const step = (more: string): string =>
      `${HEAD}action: append\nstep: {id: n, type: python_file_call, file: f.py, ${more}}`;
    const parsed = parseModifier(step("principal_id: other"), { path: "m", owner_pack: "own" });
    if (!parsed.ok) throw new Error(parsed.error.failure.code);
    expect(parsed.value.modifier).toMatchObject({
      claimed_principal: "other",
      step: { owner_pack: "own", principal_id: "own" },
    });
    expect(parsed.value.warnings).toHaveLength(1);
    const child = parseModifier(step("principal_id: own__child"), { path: "m", owner_pack: "own" });
    expect(child.ok && child.value.modifier).toMatchObject({
      claimed_principal: null,
      step: { principal_id: "own__child" },
    });
    expect(refused(step("owner_pack: other"), "own")).toBe("RUMI-FLOW-007 step.owner_pack");
  });
});
