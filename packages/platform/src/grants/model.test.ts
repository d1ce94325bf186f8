import { describe, expect, it } from "vitest";
import { boundOf, effectiveGrant, GRANT_LIMITS, lineOf, listAllows } from "./model.ts";
import { CONFIG_LIMITS, parseGrantConfig, VALUE_BYTES_MAX, type GrantConfig } from "./permissions.ts";

const effective = (principal_id: string, held: Readonly<Record<string, GrantConfig>>) =>
  effectiveGrant(principal_id, (one) => held[one]);

describe("[R-8.1] a line of principals", () => {
  it("goes from the pack downwards", () => {
    expect(lineOf("pack")).toEqual(["pack"]);
    expect(lineOf("pack__flow__step")).toEqual(["pack", "pack__flow", "pack__flow__step"]);
  });

  it("every one of it must hold the permission", () => {
    expect(effective("a__b__c", { a: {}, a__b: {}, a__b__c: {} })).toEqual({ held: true, config: {} });
    expect(effective("a__b__c", { a: {}, a__b__c: {} })).toEqual({ held: false, missing: "a__b" });
    expect(effective("a__b", { a__b: {} })).toEqual({ held: false, missing: "a" });
    expect(effective("a", {})).toEqual({ held: false, missing: "a" });
    const deep = Array.from({ length: GRANT_LIMITS.depth + 1 }, () => "a").join("__");
    const all = Object.fromEntries(lineOf(deep).map((one) => [one, {}]));
    expect(effective(deep, all).held).toBe(false);
    expect(effective(deep.slice(3), all).held).toBe(true);
  });

  const rows: readonly [string, GrantConfig, GrantConfig, GrantConfig][] = [
    ["lists keep what both name", { l: ["x", "y"] }, { l: ["y", "z"] }, { l: ["y"] }],
    ["a list that one is silent of is empty", { l: ["x"] }, {}, { l: [] }],
    ["booleans are true where both are", { a: true, b: true }, { a: true, b: false }, { a: true, b: false }],
    ["a boolean that one is silent of is false", {}, { a: true }, { a: false }],
    ["numbers are the smaller", { n: 3 }, { n: 2 }, { n: 2 }],
    ["a bound that only one sets binds", { n: 3 }, {}, { n: 3 }],
    ["what is of two kinds allows nothing", { v: ["x"] }, { v: true }, { v: [] }],
    ["a number against a list allows nothing", { v: 1 }, { v: ["x"] }, { v: [] }],
  ];
  for (const [name, above, below, left] of rows)
    it(name, () => {
      expect(effective("a__b", { a: above, a__b: below })).toEqual({ held: true, config: left });
      expect(effective("a__b", { a: below, a__b: above })).toEqual({ held: true, config: left });
    });

  it("a config that is silent allows nothing of a list, and of a bound no more than the most", () => {
    expect([listAllows({}, "allowed_keys", "A"), listAllows({ allowed_keys: ["A"] }, "allowed_keys", "A")]).toEqual([
      false,
      true,
    ]);
    expect([listAllows({}, "constructor", "A"), listAllows({ allowed_keys: true }, "allowed_keys", "A")]).toEqual([
      false,
      false,
    ]);
    const bounds = [{}, { n: 5 }, { n: 50 }, { n: ["5"] }].map((config) => boundOf(config, "n", 10));
    expect(bounds).toEqual([10, 5, 10, 0]);
  });
});

describe("[R-8.1] a config", () => {
  const problem = (permission_id: string, config: Readonly<Record<string, unknown>>): string => {
    const parsed = parseGrantConfig(permission_id, config);
    return parsed.ok ? "fine" : parsed.error;
  };
  it("is judged by its permission: what it does not know is refused, not ignored", () => {
    expect(problem("secrets.get", { allowed_keys: ["API_KEY"] })).toBe("fine");
    expect(problem("secrets.get", { allowed_keys: ["api_key"] })).toContain("does not match");
    expect(problem("secrets.get", { allowed_key: ["API_KEY"] })).toContain("no member");
    expect(problem("secrets.get", { allowed_keys: "API_KEY" })).toContain("must be");
    expect(problem("store.set", { allowed_store_ids: ["s"], max_value_bytes: VALUE_BYTES_MAX })).toBe("fine");
    expect(problem("store.set", { max_value_bytes: VALUE_BYTES_MAX + 1 })).toContain("whole number");
    expect(problem("store.get", { max_value_bytes: 1 })).toContain("no member");
    expect(problem("docker.list", { anything: true })).toContain("no member");
    expect(problem("fs.read", { roots: ["/data"], recursive: true, max_bytes: 5 })).toBe("fine");
    for (const value of [{}, null, "x", -1, Number.NaN, [1], [""]])
      expect(problem("fs.read", { v: value })).not.toBe("fine");
    expect(problem("fs.read", JSON.parse('{"__proto__": true}') as Record<string, unknown>)).toContain("no member");
  });
  it("has its limits", () => {
    const items = (count: number): string[] => Array.from({ length: count }, (_, at) => `k${at}`);
    const members = (count: number) => Object.fromEntries(items(count).map((name) => [name, true]));
    expect([problem("x", { l: items(CONFIG_LIMITS.items) }), problem("x", members(CONFIG_LIMITS.keys))]).toEqual([
      "fine",
      "fine",
    ]);
    expect(problem("x", { l: items(CONFIG_LIMITS.items + 1) })).toContain("items");
    expect(problem("x", members(CONFIG_LIMITS.keys + 1))).toContain("members");
    expect(problem("x", { l: ["a".repeat(CONFIG_LIMITS.item_characters + 1)] })).toContain("characters");
    expect(problem("x", { l: items(200).map((one) => one.padEnd(200, "x")) })).toContain("bytes");
  });
});
