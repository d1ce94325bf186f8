import { describe, expect, it } from "vitest";
import { hrefOf, pageOf, type Page } from "./page.ts";

describe("the address", () => {
  const pages: readonly Page[] = [
    { kind: "overview" },
    { kind: "bots", bot: null },
    { kind: "bots", bot: "ema-cross" },
    { kind: "bots", bot: null, state: "ERROR" },
    { kind: "controls" },
    { kind: "approvals", id: null },
    { kind: "approvals", id: "0198c1d2-0000-7000-8000-000000000001" },
    { kind: "bulk" },
    { kind: "people" },
    { kind: "audit" },
    { kind: "settings" },
    { kind: "runs", id: null },
    { kind: "runs", id: 12 },
    { kind: "trace", id: "a/b c%" },
    { kind: "packs", name: null },
    { kind: "packs", name: "my_pack" },
    { kind: "flows", name: null, run: null },
    { kind: "flows", name: "hello.flow", run: null },
    { kind: "flows", name: "a/b", run: "0198c1d2-0000-7000-8000-000000000001" },
  ];
  it("names every page, and the page is found again", () => {
    for (const page of pages) expect(pageOf(hrefOf(page))).toEqual(page);
  });
  it("that names no page leads to the overview, whatever was typed", () => {
    for (const typed of ["", "#", "#/nowhere", "#token=x"]) expect(pageOf(typed)).toEqual({ kind: "overview" });
    expect(pageOf("#/bots/%E0%A4%A")).toEqual({ kind: "bots", bot: "%E0%A4%A" });
  });
});
