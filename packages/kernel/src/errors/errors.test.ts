import { describe, expect, it } from "vitest";
import { ERROR_CATALOGUE, failure, failureText, RETIRED_CODES } from "./catalogue.ts";

const names = (text: string): string[] => [...text.matchAll(/\{([a-z_]+)\}/g)].map((m) => m[1] ?? "").sort();

describe("error catalogue", () => {
  for (const [code, entry] of Object.entries(ERROR_CATALOGUE)) {
    it(`[R-25.1] ${code} has one form, two languages and a next step`, () => {
      expect(code).toMatch(/^RUMI-[A-Z]{2,4}-\d{3}$/);
      expect(entry.key).toMatch(/^[a-z]+(\.[a-z0-9_]+)+$/);
      expect(entry.en.next.length).toBeGreaterThan(10);
      expect(entry.ja.next.length).toBeGreaterThan(4);
      const used = (words: { text: string; next: string }): string[] => [...new Set(names(words.text + words.next))];
      expect(used(entry.ja)).toEqual(used(entry.en));
    });
  }
  it("keys are unique", () => {
    const keys = Object.values(ERROR_CATALOGUE).map((entry) => entry.key);
    expect(new Set(keys).size).toBe(keys.length);
  });
  it("a retired code does not come back with another meaning", () => {
    expect(RETIRED_CODES.filter((code) => code in ERROR_CATALOGUE)).toEqual([]);
  });
  it("fills parameters", () => {
    expect(failureText(failure("RUMI-VAL-001", { field: "reason" }), "en").text).toBe(
      "reason is required and is missing or empty.",
    );
  });
});
