import { describe, expect, it } from "vitest";
import { hrefOf, pageOf, type Page } from "./page.ts";

describe("the address", () => {
  const pages: readonly Page[] = [
    { kind: "home", bot: null },
    { kind: "home", bot: "ema-cross" },
    { kind: "controls" },
    { kind: "approvals" },
    { kind: "bulk" },
    { kind: "people" },
    { kind: "runs", id: null },
    { kind: "runs", id: 12 },
    { kind: "trace", id: "a/b c%" },
  ];
  it("names every page, and the page is found again", () => {
    for (const page of pages) expect(pageOf(hrefOf(page))).toEqual(page);
  });
  it("that names no page leads home, whatever was typed", () => {
    for (const typed of ["", "#", "#/nowhere", "#token=x"]) expect(pageOf(typed)).toEqual({ kind: "home", bot: null });
    expect(pageOf("#/bots/%E0%A4%A")).toEqual({ kind: "home", bot: "%E0%A4%A" });
  });
});
