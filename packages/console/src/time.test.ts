import { describe, expect, it } from "vitest";
import { clockText, dayText, sinceText } from "./time.ts";

describe("instants as a person reads them", () => {
  const noon = Date.parse("2026-11-20T12:00:00Z");
  it("today is a clock, another day is a day", () => {
    expect(sinceText(new Date(noon).toISOString(), noon)).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(sinceText("2026-11-10T12:00:00Z", noon)).toMatch(/^2026-11-\d\d \d\d:\d\d$/);
  });
  it("what is no instant stays visible", () => {
    expect([clockText(Number.NaN), dayText("soon")]).toEqual(["?", "soon"]);
  });
});
