import { micros } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { judgeTwoPeople, TWO_PEOPLE_LIMITS, type Origins } from "./model.ts";

const NOW = micros(1_000_000_000_000);
/** `a<b` says that b made a, long ago; `a<b!` that it was just now. */
function made(...words: readonly string[]): Origins {
  const origins = new Map<string, { subject_id: string; by: string; at: number }[]>();
  for (const word of words) {
    const [subject_id = "", by = ""] = word.replace("!", "").split("<");
    const one = { subject_id, by: by === "root" ? "user:root" : by, at: word.endsWith("!") ? NOW : 0 };
    origins.set(subject_id, [...(origins.get(subject_id) ?? []), one]);
  }
  return origins;
}
function check(pair: readonly [string, string], origins: Origins): string {
  const words = [pair, [pair[1], pair[0]] as const].map((both) => {
    const judged = judgeTwoPeople(both, origins, NOW, 60);
    return judged.ok ? "two" : (judged.error.reasonCode ?? "");
  });
  expect(words[0], "whoever asks").toBe(words[1]);
  return words[0] ?? "";
}

describe("[L-N10] two people", () => {
  for (const [origins, pair, verdict] of [
    [["a<root", "b<root"], ["a", "b"], "two"],
    [["a<root", "b<a"], ["a", "b"], "SECOND_PERSON_SAME_HAND"],
    [["a<root", "b<a!"], ["a", "b"], "SECOND_PERSON_SAME_HAND"],
    [["a<root", "b<root", "b<a"], ["a", "b"], "SECOND_PERSON_SAME_HAND"],
    [["a<root", "c<a", "d<c", "e<root", "e<d"], ["a", "e"], "SECOND_PERSON_SAME_HAND"],
    [["a<root", "c<a", "d<a"], ["c", "d"], "SECOND_PERSON_SAME_HAND"],
    [["a<root", "b<root", "c<a", "c<b"], ["a", "b"], "two"],
    [["a<root", "b<root", "c<a"], ["c", "b"], "two"],
    [["a<root", "a<a!"], ["a", "user:root"], "two"],
    [["a<root!"], ["a", "user:root"], "SECOND_PERSON_TOO_NEW"],
    [["a<root!", "b<root!"], ["a", "b"], "SECOND_PERSON_TOO_NEW"],
    [["a<root!", "b<root"], ["a", "b"], "two"],
    [["a<b", "b<a", "c<root"], ["a", "c"], "two"],
    [["a<b", "b<a"], ["a", "b"], "SECOND_PERSON_SAME_HAND"],
    [[], ["user:root", "user:root"], "SECOND_PERSON_SAME_HAND"],
  ] as const)
    it(`${origins.join(", ")}: ${pair.join(" and ")} are ${verdict}`, () =>
      expect(check(pair, made(...origins))).toBe(verdict));

  it("a chain too long to be followed is no second person", () => {
    const chain = Array.from({ length: TWO_PEOPLE_LIMITS.hands }, (_, at) => `p${at}<p${at + 1}`);
    expect(check(["p0", "x"], made(...chain))).toBe("SECOND_PERSON_SAME_HAND");
    expect(check(["p0", "x"], made(...chain.slice(0, -2)))).toBe("two");
  });
});
