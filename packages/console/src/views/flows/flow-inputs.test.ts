import { describe, expect, it } from "vitest";
import type { FlowInput } from "../../answers/flows.ts";
import { readInputs } from "./flow-inputs.ts";

const of = (type: FlowInput["type"], required = false): FlowInput => ({ type, required, default: null });

describe("[R-14.1] inputs of a flow as they are typed", () => {
  it("each has its type, and nothing is coerced", () => {
    const declared = {
      s: of("string"),
      n: of("number"),
      i: of("integer"),
      b: of("boolean"),
      o: of("object"),
      l: of("array"),
      a: of("any"),
    };
    expect(
      readInputs(declared, { s: "12", n: "-1.5e3", i: "7", b: "false", o: '{"x": 1}', l: "[1]", a: "null" }),
    ).toEqual({ inputs: { s: "12", n: -1500, i: 7, b: false, o: { x: 1 }, l: [1], a: null }, problems: {} });
    expect(readInputs(declared, { n: "1,5", i: "7.0", b: "yes", o: "[1]", l: '{"x": 1}', a: "{" })).toEqual({
      inputs: {},
      problems: {
        n: "input_number",
        i: "input_integer",
        b: "input_boolean",
        o: "input_object",
        l: "input_array",
        a: "input_json",
      },
    });
    expect(readInputs(declared, { i: "9007199254740993" }).problems).toEqual({ i: "input_integer" });
  });
  it("what is required and not given is said; what is not required is left out", () => {
    expect(readInputs({ must: of("string", true), may: of("integer") }, {})).toEqual({
      inputs: {},
      problems: { must: "input_required" },
    });
  });
});
