import { describe, expect, it } from "vitest";
import { layoutOf } from "./graph-layout.ts";

const step = (id: string, phase: string, ...depends_on: readonly string[]) => ({ id, phase, depends_on });

describe("where the steps of a flow stand", () => {
  it("each behind what it depends on, those of one column below each other as they run", () => {
    const { nodes, edges, columns, rows } = layoutOf(
      [step("a", "p"), step("b", "p"), step("c", "p", "a", "b"), step("d", "p", "c", "a")],
      ["p"],
    );
    expect(nodes.map(({ step: { id }, order, column, row }) => [id, order, column, row])).toEqual([
      ["a", 1, 0, 0],
      ["b", 2, 0, 1],
      ["c", 3, 1, 0],
      ["d", 4, 2, 0],
    ]);
    expect([columns, rows]).toEqual([3, 2]);
    expect(edges).toContainEqual({ from: "a", to: "d" });
  });
  it("a phase begins behind the one before it; one without steps takes no place", () => {
    const { nodes, phases } = layoutOf(
      [step("a", "one"), step("b", "one", "a"), step("z", "two")],
      ["one", "none", "two"],
    );
    expect(nodes.map(({ step: { id }, column }) => [id, column])).toEqual([
      ["a", 0],
      ["b", 1],
      ["z", 2],
    ]);
    expect(phases).toEqual([
      { phase: "one", column: 0 },
      { phase: "two", column: 2 },
    ]);
  });
  it("a dependency that is not there is passed over, and nothing is nothing", () => {
    expect(layoutOf([step("a", "p", "gone")], ["p"]).edges).toEqual([]);
    expect(layoutOf([], ["p"])).toEqual({ nodes: [], edges: [], columns: 0, rows: 0, phases: [] });
  });
});
