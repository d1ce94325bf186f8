import { seededRandom } from "@rumi/kernel";
import { describe, expect, it } from "vitest";
import { keptRows, type RowStream } from "./conflation.ts";

const rows = (text: string): ((row: number) => RowStream) => {
  // "A" newest of stream A; "a" an increment of stream A.
  const streams = text.split("").map((letter): RowStream => ({
    stream: letter.toUpperCase().charCodeAt(0),
    kind: letter === letter.toUpperCase() ? "newest" : "increment",
  }));
  return (row) => streams[row] ?? { stream: -1, kind: "newest" };
};
const check = (text: string, expected: string): void => {
  const kept = keptRows(rows(text), 0, text.length);
  expect(
    text
      .split("")
      .map((letter, row) => (kept.has(row) ? letter : "."))
      .join(""),
  ).toBe(expected);
};

describe("newest first", () => {
  it("[M-3.1.1] [M-4.2.1] of each stream the newest row of the range is told, older ones are passed over", () => {
    check("AAAA", "...A");
    check("ABAB", "..AB");
    check("BAAA", "B..A");
    check("", "");
  });
  it("[M-4.2.1] an increment is left out only when a later snapshot of its book makes it void", () => {
    check("aaa", "aaa");
    check("aAaa", ".Aaa");
    check("aAaAab", "...Aab");
    check("abAab", ".bAab");
  });
  it("[M-0.7] a range begun anew in its middle keeps the same rows from there on", () => {
    const random = seededRandom("conflation");
    for (let round = 0; round < 200; round += 1) {
      const text = Array.from({ length: 40 }, () => "ABCabc"[random.below(6)] ?? "A").join("");
      const from = random.below(40);
      const whole = keptRows(rows(text), 0, 40);
      const late = keptRows(rows(text), from, 40);
      expect([...late].toSorted((a, b) => a - b)).toEqual(
        [...whole].filter((row) => row >= from).toSorted((a, b) => a - b),
      );
    }
  });
});
