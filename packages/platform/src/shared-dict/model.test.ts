import { describe, expect, it } from "vitest";
import { proposed, resolve, SHARED_DICT_LIMITS, type Meanings } from "./model.ts";

const of = (...pairs: readonly (readonly [string, string])[]): Meanings => new Map(pairs);
const chain = (length: number): Meanings => of(...Array.from({ length }, (_, n) => [`t${n}`, `t${n + 1}`] as const));

describe("[R-17.1] the shared dictionary", () => {
  const rows: readonly (readonly [string, Meanings, string, string, string])[] = [
    ["a new token is taken", of(), "a", "b", "accepted"],
    ["the same again is taken and changes nothing", of(["a", "b"]), "a", "b", "accepted"],
    ["a token that stands for something else is a conflict", of(["a", "b"]), "a", "c", "conflict"],
    ["a token that stands for itself goes round", of(), "a", "a", "cycle_detected"],
    ["two that stand for each other go round", of(["a", "b"]), "b", "a", "cycle_detected"],
    ["a longer way round is found", of(["a", "b"], ["b", "c"], ["c", "d"]), "d", "a", "cycle_detected"],
    ["ten hops are allowed", chain(9), "t9", "end", "accepted"],
    ["eleven are not, counted from below", chain(10), "t10", "end", "rejected"],
    ["nor counted from above", chain(10), "start", "t0", "rejected"],
    [
      "nor where two ways are joined",
      of(...chain(5), ["x0", "x1"], ["x1", "x2"], ["x2", "x3"], ["x3", "x4"], ["x4", "x5"]),
      "t5",
      "x0",
      "rejected",
    ],
  ];
  for (const [name, meanings, token, value, result] of rows)
    it(name, () => expect(proposed(meanings, { token, value }, meanings.size).result).toBe(result));

  it("is full at its limit", () => {
    expect(proposed(of(), { token: "a", value: "b" }, SHARED_DICT_LIMITS.entries).result).toBe("rejected");
    expect(proposed(of(), { token: "a", value: "b" }, SHARED_DICT_LIMITS.entries - 1).result).toBe("accepted");
  });

  it("follows a token to what it stands for", () => {
    expect(resolve(of(["a", "b"], ["b", "c"]), "a")).toEqual({ value: "c", path: ["a", "b", "c"] });
    expect(resolve(of(), "a")).toBeUndefined();
    expect(resolve(chain(10), "t0")?.path).toHaveLength(11);
  });
});
