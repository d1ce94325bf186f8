import { describe, expect, it } from "vitest";
import { blocksOf, spansOf } from "./markdown.ts";

describe("the runbooks' Markdown", () => {
  it("becomes headings, paragraphs, lists, tables and code", () => {
    const text = [
      "# Gates",
      "",
      "One",
      "line.",
      "- first",
      "  goes on",
      "- second",
      "",
      "| Level | Does |",
      "| --- | --- |",
      "| `A` | x \\| y |",
      "",
      "```sh",
      "rumi gates list",
      "```",
    ].join("\n");
    expect(blocksOf(text)).toEqual([
      { kind: "heading", level: 1, text: "Gates" },
      { kind: "paragraph", text: "One line." },
      { kind: "list", items: ["first goes on", "second"] },
      { kind: "table", head: ["Level", "Does"], rows: [["`A`", "x | y"]] },
      { kind: "code", text: "rumi gates list" },
    ]);
  });
  it("keeps code and strong words apart, and a link's words", () => {
    expect(spansOf("**Do.** run `x` as [said](y.md)")).toEqual([
      { kind: "strong", text: "Do." },
      { kind: "text", text: " run " },
      { kind: "code", text: "x" },
      { kind: "text", text: " as " },
      { kind: "text", text: "said" },
    ]);
  });
  it("ends, whatever it is given", () => {
    for (const odd of ["```", "|", "- ", "#", "", "| a", "1. "]) expect(blocksOf(odd).length).toBeLessThanOrEqual(1);
  });
});
