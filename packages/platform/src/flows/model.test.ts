import { describe, expect, it } from "vitest";
import { catalogueOf, findFlow, type FlowText } from "./catalogue.ts";
import { cutTo, inputsOf, nextOf, resultOf } from "./evaluate.ts";
import { holds, parseCondition, resolved } from "./expression.ts";
import { FLOW_LIMITS } from "./limits.ts";
import { parseFlow, type Flow } from "./model.ts";
import { readYaml } from "./yaml.ts";

const HEAD = "flow_id: f\nphases: [one, two]\n";
const ORIGIN = { path: "flows/f.flow.yaml", owner_pack: null };
const STEP = "{id: a, phase: one, type: set, input: {x: 1}}";
const codeOf = (text: string, origin = ORIGIN): string => {
  const read = parseFlow(text, origin);
  if (read.ok) return "ok";
  const { code, params } = read.error.failure;
  return `${code} ${String(params["field"] ?? params["steps"] ?? params["problem"])}`;
};
const flowOf = (text: string): Flow => {
  const read = parseFlow(text, ORIGIN);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value.flow;
};

describe("[R-14.1] YAML that nobody trusts", () => {
  it.each([
    ["an alias", "a: &x [1]\nb: *x", "anchor"],
    ["a bomb of aliases", "a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "anchor"],
    ["an alias alone", "b: *x", "alias"],
    ["a tag", "a: !!binary aGVsbG8=", "tag"],
    ["an own tag", "a: !x {b: 1}", "tag"],
    ["a repeated key", "a: 1\na: 2", "unique"],
    ["a key that is no text", "1: x", "quote"],
    ["two documents", "a: 1\n---\nb: 2", "document"],
    ["brackets without end", "[".repeat(100_000), "nested"],
    ["dashes without end", "- ".repeat(100_000), "nested"],
    ["21 levels", `a: ${"[".repeat(20)}${"]".repeat(20)}`, "nested"],
    ["a file beyond 1 MB", `a: "${"x".repeat(FLOW_LIMITS.file_bytes)}"`, "larger"],
    ["10,001 nodes", `[${"1,".repeat(FLOW_LIMITS.yaml_nodes)}]`, "nodes"],
    ["a number beyond 2^53", "a: 9007199254740993", "exactly"],
    ["no number", "a: .nan", "exactly"],
  ])("%s is refused", (_, text, word) => {
    const read = readYaml(text);
    expect(read.ok ? "taken" : read.error).toContain(word);
  });
  it("19 levels and 9,999 nodes are taken; yes, no, on and off stay texts and are warned of", () => {
    expect(readYaml(`a: ${"[".repeat(18)}${"]".repeat(18)}`).ok).toBe(true);
    expect(readYaml(`[${"1,".repeat(FLOW_LIMITS.yaml_nodes - 2)}]`).ok).toBe(true);
    const read = readYaml('a: yes\nb: "no"\nc: On\nd: true');
    if (!read.ok) throw new Error(read.error);
    expect(read.value.value).toEqual({ a: "yes", b: "no", c: "On", d: true });
    expect(read.value.warnings.map((text) => text.split(" ")[2])).toEqual(["yes", "On"]);
  });
});

describe("[R-14.1] a flow file is a closed form", () => {
  it.each([
    ["no list", "[]", "RUMI-FLOW-007 (file)"],
    ["no steps", HEAD, "RUMI-FLOW-007 steps"],
    ["no phases", "flow_id: f\nphases: []\nsteps: []", "RUMI-FLOW-007 phases"],
    ["an unknown field", `${HEAD}steps: []\nstepz: []`, "RUMI-FLOW-007 stepz"],
    [
      "an unknown field of a step",
      `${HEAD}steps: [{id: a, phase: one, type: set, input: {}, x: 1}]`,
      "RUMI-FLOW-007 steps.0.x",
    ],
    ["a bad id", "flow_id: 'a b'\nphases: [one]\nsteps: []", "RUMI-FLOW-007 flow_id"],
    ["a step twice", `${HEAD}steps: [${STEP}, ${STEP}]`, "RUMI-FLOW-007 steps.1.id"],
    ["an unknown phase", `${HEAD}steps: [{id: a, phase: x, type: set, input: {}}]`, "RUMI-FLOW-007 steps.0.phase"],
    [
      "a broken condition",
      `${HEAD}steps: [{id: a, phase: one, type: set, input: {}, when: 'a = b'}]`,
      "RUMI-FLOW-007 steps.0.when",
    ],
    ["a set of nothing", `${HEAD}steps: [{id: a, phase: one, type: set}]`, "RUMI-FLOW-007 steps.0.input"],
    [
      "a file of a set",
      `${HEAD}steps: [{id: a, phase: one, type: set, input: {}, file: x.py}]`,
      "RUMI-FLOW-007 steps.0.file",
    ],
    [
      "the run's own variable",
      `${HEAD}steps: [{id: a, phase: one, type: set, input: 1, output: inputs}]`,
      "RUMI-FLOW-007 steps.0.output",
    ],
    [
      "a block without a pack",
      `${HEAD}steps: [{id: a, phase: one, type: python_file_call, file: x.py}]`,
      "RUMI-FLOW-007 steps.0.owner_pack",
    ],
    [
      "a file outside its pack",
      `${HEAD}steps: [{id: a, phase: one, type: python_file_call, owner_pack: p, file: ../x.py}]`,
      "RUMI-FLOW-007 steps.0.file",
    ],
    [
      "another principal",
      `${HEAD}steps: [{id: a, phase: one, type: python_file_call, owner_pack: p, file: x.py, principal_id: q}]`,
      "RUMI-FLOW-007 steps.0.principal_id",
    ],
    [
      "a later phase before",
      `${HEAD}steps: [{id: a, phase: one, type: set, input: {}, depends_on: [b]}, {id: b, phase: two, type: set, input: {}}]`,
      "RUMI-FLOW-007 steps.0.depends_on",
    ],
    [
      "a sub-flow by variable",
      `${HEAD}steps: [{id: a, phase: one, type: flow, input: {flow_id: '\${ctx.x}'}}]`,
      "RUMI-FLOW-007 steps.0.input.flow_id",
    ],
    ["an approval of nothing", `${HEAD}steps: [{id: a, phase: one, type: approval}]`, "RUMI-FLOW-007 steps.0.input"],
    [
      "a handler that names none",
      `${HEAD}steps: [{id: a, phase: one, type: handler, owner_pack: p, input: {args: {}}}]`,
      "RUMI-FLOW-007 steps.0.input",
    ],
    [
      "a handler that names both",
      `${HEAD}steps: [{id: a, phase: one, type: handler, owner_pack: p, input: {permission_id: fs.read, handler: 'kernel:lib.list_records'}}]`,
      "RUMI-FLOW-007 steps.0.input",
    ],
    [
      "an unknown handler of the kernel",
      `${HEAD}steps: [{id: a, phase: one, type: handler, input: {handler: 'kernel:no.such'}}]`,
      "RUMI-FLOW-007 steps.0.input.handler",
    ],
    [
      "a handler of the kernel as a pack",
      `${HEAD}steps: [{id: a, phase: one, type: handler, owner_pack: p, input: {handler: 'kernel:lib.list_records'}}]`,
      "RUMI-FLOW-007 steps.0.owner_pack",
    ],
    [
      "a secret that a step would keep",
      `${HEAD}steps: [{id: a, phase: one, type: handler, owner_pack: p, input: {permission_id: secrets.get, args: {key: K}}}]`,
      "RUMI-FLOW-007 steps.0.input.permission_id",
    ],
    [
      "a permission by variable",
      `${HEAD}steps: [{id: a, phase: one, type: handler, owner_pack: p, input: {permission_id: '$ctx.x'}}]`,
      "RUMI-FLOW-007 steps.0.input.permission_id",
    ],
    [
      "args that are no mapping",
      `${HEAD}steps: [{id: a, phase: one, type: handler, owner_pack: p, input: {permission_id: fs.read, args: [1]}}]`,
      "RUMI-FLOW-007 steps.0.input.args",
    ],
    [
      "a handler without a pack",
      `${HEAD}steps: [{id: a, phase: one, type: handler, input: {permission_id: fs.read}}]`,
      "RUMI-FLOW-007 steps.0.owner_pack",
    ],
    [
      "a handler as another pack's child",
      `${HEAD}steps: [{id: a, phase: one, type: handler, owner_pack: p, principal_id: q__p, input: {permission_id: fs.read}}]`,
      "RUMI-FLOW-007 steps.0.principal_id",
    ],
    [
      "a file of a handler",
      `${HEAD}steps: [{id: a, phase: one, type: handler, owner_pack: p, file: x.py, input: {permission_id: fs.read}}]`,
      "RUMI-FLOW-007 steps.0.file",
    ],
    [
      "a function without a name",
      `${HEAD}steps: [{id: a, phase: one, type: function, owner_pack: p, input: {args: 1}}]`,
      "RUMI-FLOW-007 steps.0.input.function",
    ],
    [
      "a member that a function has not",
      `${HEAD}steps: [{id: a, phase: one, type: function, owner_pack: p, input: {function: f, arguments: 1}}]`,
      "RUMI-FLOW-007 steps.0.input",
    ],
    [
      "a script of Python",
      `${HEAD}steps: [{id: a, phase: one, type: script, owner_pack: p, file: x.py}]`,
      "RUMI-FLOW-007 steps.0.file",
    ],
    [
      "a script outside its pack",
      `${HEAD}steps: [{id: a, phase: one, type: script, owner_pack: p, file: ../x.ts}]`,
      "RUMI-FLOW-007 steps.0.file",
    ],
    [
      "disable_target of a step that calls nothing",
      `${HEAD}steps: [{id: a, phase: one, type: set, input: {}, on_error: {action: disable_target}}]`,
      "RUMI-FLOW-007 steps.0.on_error.action",
    ],
    ["a schedule that is none", `${HEAD}steps: []\nschedule: {cron: '* * * *'}`, "RUMI-FLOW-007 schedule.cron"],
    ["YAML that is none", "a: [", "RUMI-FLOW-008"],
  ])("%s is refused by its name", (_, text, expected) => {
    expect(codeOf(text)).toContain(expected);
  });
  it("a pack's flow calls files of that pack only", () => {
    const text = `${HEAD}steps: [{id: a, phase: one, type: python_file_call, owner_pack: q, file: x.py}]`;
    expect(codeOf(text, { path: "p/flows/f", owner_pack: "p" } as never)).toContain("steps.0.owner_pack");
  });
  it("a pack's flow asks no handler of the kernel, and acts as its pack or a child of it", () => {
    const pack = { path: "p/flows/f", owner_pack: "p" } as never;
    const step = (more: string): string => `${HEAD}steps: [{id: a, phase: one, type: handler, ${more}}]`;
    expect(codeOf(step("input: {handler: 'kernel:lib.list_records'}"), pack)).toContain("steps.0.input.handler");
    expect(codeOf(step("input: {permission_id: fs.read}, principal_id: q"), pack)).toContain("steps.0.principal_id");
    const read = parseFlow(step("input: {permission_id: fs.read}, principal_id: p__child"), pack);
    expect(read.ok && read.value.flow.steps[0]).toMatchObject({ owner_pack: "p", principal_id: "p__child", input: {} });
  });
});

describe("[R-14.1] the order of steps", () => {
  const order = (...steps: string[]): readonly string[] =>
    flowOf(`${HEAD}steps:\n${steps.map((step) => `  - {type: set, input: {}, ${step}}\n`).join("")}`).steps.map(
      ({ id }) => id,
    );
  it("phase, then priority, then id, wherever they stand in the file", () => {
    const steps = [
      "id: d, phase: two",
      "id: c, phase: one",
      "id: b, phase: one",
      "id: a, phase: one, priority: 200",
      "id: z, phase: one, priority: 1",
    ];
    expect(order(...steps)).toEqual(["z", "b", "c", "a", "d"]);
    expect(order(...steps.toReversed())).toEqual(["z", "b", "c", "a", "d"]);
  });
  it("inside a phase nothing before what it depends on", () => {
    expect(
      order("id: a, phase: one, depends_on: [c]", "id: b, phase: one", "id: c, phase: one, depends_on: [b]"),
    ).toEqual(["b", "c", "a"]);
  });
  it("a cycle is named with its steps", () => {
    const text = `${HEAD}steps: [{id: a, phase: one, type: set, input: {}, depends_on: [b]}, {id: b, phase: one, type: set, input: {}, depends_on: [a]}]`;
    expect(codeOf(text)).toBe("RUMI-FLOW-009 a → b → a");
  });
  it("a dependency that is not there is passed over with a warning, or refused where the flow says so", () => {
    const steps = "steps: [{id: a, phase: one, type: set, input: {}, depends_on: [x]}]";
    const read = parseFlow(`${HEAD}${steps}`, ORIGIN);
    expect(read.ok && read.value.warnings).toEqual(["a depends on x, which is not there"]);
    expect(codeOf(`${HEAD}defaults: {on_missing_step: error}\n${steps}`)).toBe("RUMI-FLOW-007 steps.0.depends_on");
  });
});

describe("[R-14.1] variables and conditions", () => {
  const ctx = { name: "World", n: 3, list: [1, { a: true }], none: null, o: { b: "x" } };
  it.each([
    ["$ctx.n", 3],
    ["${ctx.list}", [1, { a: true }]],
    ["${ctx.list.1.a}", true],
    ["$ctx.missing.deep", null],
    ["Hello, ${ctx.name}!", "Hello, World!"],
    ["$ctx.name and ${ctx.o} and ${ctx.missing}.", 'World and {"b":"x"} and .'],
    ["${ctx.constructor}", null],
    ["${ctx.list.length}", null],
    ["costs $5", "costs $5"],
  ])("%s", (text, expected) => {
    expect(resolved(text, ctx, 1_000)).toEqual(expected);
  });
  it("what would be too large is not made", () => {
    const big = { x: "x".repeat(600) };
    expect(resolved("${ctx.x}${ctx.x}", big, 1_000)).toBeUndefined();
    expect(resolved(["${ctx.x}", "${ctx.x}"], big, 1_000)).toBeUndefined();
  });
  it.each([
    ["$ctx.n == 3", true],
    ['$ctx.n == "3"', false],
    ["${ctx.n} >= 3", true],
    ["$ctx.n > 3", false],
    ["$ctx.name != 'World'", false],
    ['$ctx.name < "Z"', true],
    ["$ctx.name > 1", false],
    ["$ctx.missing == null", true],
    ["$ctx.missing >= 0", false],
    ["$ctx.list", true],
    ["$ctx.none", false],
    [false, false],
  ])("%s is %s", (text, expected) => {
    const condition = parseCondition(text);
    if (!condition.ok) throw new Error(condition.error);
    expect(holds(condition.value, ctx)).toBe(expected);
  });
  it.each(["n == 3", "$ctx.n = 3", "$ctx.n == 3 == 3", "", "$ctx.n ==", "ctx.n", 5, null])(
    "%s is no condition",
    (text) => {
      expect(parseCondition(text).ok).toBe(false);
    },
  );
  it("if chooses; a step whose condition does not hold is skipped", () => {
    const flow = flowOf(`${HEAD}steps:
  - {id: a, phase: one, type: if, output: r, input: {condition: '$ctx.n > 2', then: '\${ctx.name}', else: 0}}
  - {id: b, phase: two, type: set, when: '$ctx.n > 5', input: {x: 1}}`);
    expect(flow.steps.map((step) => nextOf(step, ctx))).toEqual([
      { kind: "write", values: { r: "World" } },
      { kind: "skip" },
    ]);
  });
});

describe("[R-14.1] inputs and outputs", () => {
  const flow = flowOf(
    `${HEAD}inputs: {name: string, n: {type: integer, required: true}, d: {type: array, default: [1]}}\nsteps: []`,
  );
  it.each([
    [{ n: 1 }, "ok"],
    [{ n: 1, name: "x" }, "ok"],
    [{}, "n"],
    [{ n: 1.5 }, "n"],
    [{ n: "1" }, "n"],
    [{ n: 1, name: null }, "name"],
    [{ n: 1, other: 1 }, "other"],
  ])("%j: %s", (given, expected) => {
    const taken = inputsOf(flow, given);
    expect(taken.ok ? "ok" : taken.error.params["field"]).toBe(expected);
    if (taken.ok) expect(taken.value["d"]).toEqual([1]);
  });
  it("a result never shows a name that begins with _, and nothing that no step wrote; nested names are left alone", () => {
    const ctx = { _kernel_step_status: 1, greeting: { _own: 1 }, name: "x" };
    const result = resultOf(flow, ctx, new Set(["_kernel_step_status", "greeting"]));
    expect(result).toEqual({ ok: true, value: { greeting: { _own: 1 } } });
  });
  it("[R-14.3] what does not fit is cut, in the order of the outputs", () => {
    expect(cutTo({ a: 1 }, 100)).toEqual({ result: { a: 1 }, truncated: false });
    const { result, truncated } = cutTo({ a: 1, b: "é".repeat(500), c: [1, 2, 3], d: 4 }, 100);
    expect(truncated).toBe(true);
    expect(Object.keys(result)).toEqual(["a", "b"]);
    expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThanOrEqual(100);
    expect(Buffer.byteLength(JSON.stringify(result))).toBeGreaterThan(95);
    expect(cutTo({ c: Array.from({ length: 100 }, () => 1), d: 4 }, 50)).toEqual({ result: { d: 4 }, truncated: true });
    expect(JSON.stringify(cutTo({ b: "😀".repeat(100) }, 60).result).isWellFormed()).toBe(true);
  });
});

describe("[R-14.1] sources", () => {
  const text = (flow_id: string, steps = "[]"): string => `flow_id: ${flow_id}\nphases: [p]\nsteps: ${steps}`;
  const file = (source: FlowText["source"], path: string, content: string): FlowText => ({
    source,
    path,
    owner_pack: source === "pack" ? "p" : null,
    text: { ok: true, value: content },
  });
  const calls = (flow_id: string): string => `[{id: s, phase: p, type: flow, input: {flow_id: ${flow_id}}}]`;
  const codeFor = (files: readonly FlowText[], flow_id: string): string => {
    const found = findFlow(catalogueOf(files), flow_id);
    return found.ok ? found.value.path : found.error.code;
  };
  it("a weaker source never replaces an id of a stronger one, not even of a file there that is refused", () => {
    expect(codeFor([file("flows", "strong", text("a")), file("pack", "weak", text("a"))], "a")).toBe("strong");
    expect(codeFor([file("flows", "strong", `${text("a")}\nx: 1`), file("pack", "weak", text("a"))], "a")).toBe(
      "RUMI-FLOW-007",
    );
  });
  it("of two in one source the second is refused by name", () => {
    const { entries, problems } = catalogueOf([file("flows", "first", text("a")), file("flows", "second", text("a"))]);
    expect([entries.get("a")?.path, problems.map((one) => one.failure.code)]).toEqual(["first", ["RUMI-FLOW-013"]]);
  });
  it("recursion, by whatever way, what is missing, and more than ten levels are refused", () => {
    expect(codeFor([file("flows", "a", text("a", calls("a")))], "a")).toBe("RUMI-FLOW-011");
    expect(codeFor([file("flows", "a", text("a", calls("b"))), file("flows", "b", text("b", calls("a")))], "b")).toBe(
      "RUMI-FLOW-011",
    );
    expect(codeFor([file("flows", "a", text("a", calls("b")))], "a")).toBe("RUMI-FLOW-007");
    const chain = (levels: number): readonly FlowText[] =>
      Array.from({ length: levels + 1 }, (_, at) =>
        file("flows", `f${at}`, text(`f${at}`, at === levels ? "[]" : calls(`f${at + 1}`))),
      );
    expect(codeFor(chain(10), "f0")).toBe("f0");
    expect(codeFor(chain(11), "f0")).toBe("RUMI-FLOW-011");
    const twice = `[{id: s, phase: p, type: flow, input: {flow_id: f1}}, {id: t, phase: p, type: flow, input: {flow_id: y}}]`;
    const beside = [file("flows", "top", text("top", twice)), file("flows", "y", text("y", calls("f1")))];
    expect(codeFor([...chain(9), ...beside], "top")).toBe("top");
    expect(codeFor([...chain(10), ...beside], "top")).toBe("RUMI-FLOW-011");
    const itself = findFlow(catalogueOf([file("flows", "a", text("a", calls("a")))]), "a");
    expect(itself.ok ? "ok" : itself.error.params["problem"]).toBe("it calls itself: a → a");
  });
  it("an unknown flow is the guide's sentence", () => {
    expect(findFlow(catalogueOf([]), "nonexistent_flow")).toEqual({
      ok: false,
      error: { code: "RUMI-FLOW-001", params: { flow_id: "nonexistent_flow" } },
    });
  });
});
