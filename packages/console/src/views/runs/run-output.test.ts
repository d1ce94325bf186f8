import { describe, expect, it } from "vitest";
import { KEPT_LINES, saidBy, withLines, type Line, type Output } from "./run-output.ts";

const line = (data: string): Line => ({ timestamp: "2026-01-01T00:00:00Z", stream: "stdout", data });
const block = (data: string): string => `event: line\ndata: ${data}`;

describe("what a run says", () => {
  it("comes as lines and an end; whatever else says nothing", () => {
    expect(saidBy(block(JSON.stringify(line("hello\n"))))).toEqual({ kind: "line", line: line("hello\n") });
    expect(saidBy("event: end\ndata: ended")).toEqual({ kind: "end" });
    expect(saidBy("event: end\ndata: interrupted"), "the program went away, not the run").toBeNull();
    expect(saidBy("retry: 1000")).toBeNull();
    expect(saidBy(": heartbeat")).toBeNull();
  });

  it("that does not fit is told, not dropped", () => {
    expect(() => saidBy(block("no json"))).toThrow(/JSON/);
    expect(() => saidBy(block('{"timestamp":"x","stream":"other","data":""}'))).toThrow(/stream/);
  });

  it("is kept to its end, and what is not kept is counted", () => {
    const empty: Output = { lines: [], dropped: 0, state: "live", problem: null };
    const many = Array.from({ length: KEPT_LINES + 7 }, (_, at) => line(String(at)));
    const kept = withLines(withLines(empty, many.slice(0, 5)), many.slice(5));
    expect([kept.lines.length, kept.dropped, kept.lines.at(-1)?.data]).toEqual([KEPT_LINES, 7, String(KEPT_LINES + 6)]);
  });
});
