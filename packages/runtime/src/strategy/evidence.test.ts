import { describe, expect, it } from "vitest";
import { EVIDENCE_CHARACTERS_MAX, evidenceOf } from "./evidence.ts";

describe("evidence of a fault", () => {
  const rows: readonly [said: string, kept: string][] = [
    ["ValueError: as I like\n", "ValueError: as I like"],
    ["KeyError: {'api_key': 'abc123', 'period': 3}", "KeyError: {'api_key': '[struck out]', 'period': 3}"],
    ["password=hunter2 next", "password=[struck out] next"],
    [`raise ${"A1".repeat(40)}`, "raise [struck out]"],
    ["a\u001b[31mred\u0000 \u202ebidi", "a[31mred bidi"],
  ];
  for (const [said, kept] of rows) it(`keeps ${JSON.stringify(kept)}`, () => expect(evidenceOf(said)).toBe(kept));
  it("keeps the tail and no more than its limit", () => {
    const kept = evidenceOf(`${"line of the traceback\n".repeat(10_000)}the end`);
    expect(kept).toHaveLength(EVIDENCE_CHARACTERS_MAX);
    expect(kept.endsWith("the end")).toBe(true);
  });
});
