import { describe, expect, it } from "vitest";
import { clockText, dayText, remainingText, sinceText } from "./time.ts";

describe("instants as a person reads them", () => {
  const noon = Date.parse("2026-11-20T12:00:00Z");
  it("today is a clock, another day is a day", () => {
    expect(sinceText(new Date(noon).toISOString(), noon)).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(sinceText("2026-11-10T12:00:00Z", noon)).toMatch(/^2026-11-\d\d \d\d:\d\d$/);
  });
  it("what is left is said in two units at most, and never less than nothing", () => {
    const left = [-5, 0, 59_000, 60_000, 725_000, 3_600_000, 12_000_000, 187_200_000].map(remainingText);
    expect(left).toEqual(["0 s", "0 s", "59 s", "1:00", "12:05", "1 h 00", "3 h 20", "2 d 4 h"]);
  });
  it("what is no instant stays visible", () => {
    expect([clockText(Number.NaN), dayText("soon")]).toEqual(["?", "soon"]);
  });
});
