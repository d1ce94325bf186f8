import { describe, expect, it } from "vitest";
import { translator, wordsOf } from "./i18n.ts";

const places = (text: string): string => (text.match(/\{\w+\}/g) ?? []).toSorted().join(" ");

describe("the words", () => {
  const [english, japanese] = [wordsOf("en"), wordsOf("ja")];
  it("have the same places to fill in in both languages, and none is empty", () => {
    for (const [word, text] of Object.entries(english)) {
      const other = japanese[word as keyof typeof japanese];
      expect([word, places(other)]).toEqual([word, places(text)]);
      expect(text.trim() === "" || other.trim() === "").toBe(false);
    }
  });
  it("fill in what they are given and leave the rest visible", () => {
    expect(translator("en")("ask_safety", { mode: "SAFE" })).toBe("Set safety to SAFE?");
    expect(translator("ja")("ask_safety", { mode: "SAFE" })).toBe("セーフティを SAFE にしますか？");
    expect(translator("en")("ask_safety")).toContain("{mode}");
  });
});
