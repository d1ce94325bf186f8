import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LogHead, emptyHead, loadHead, planAppend, rootOf } from "./append.ts";
import { HASH_BYTES, emptyRoot } from "./hashing.ts";

const leaves = (from: number, to: number): { leaf: Uint8Array }[] =>
  Array.from({ length: to - from }, (_, i) => ({ leaf: Buffer.from(`leaf ${from + i}`) }));

describe("planAppend", () => {
  it("[L-26] any way of cutting leaves into batches gives the same head, tiles and root", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 8 }), (cuts) => {
        const total = cuts.reduce((sum, n) => sum + n, 0);
        const whole = planAppend(emptyHead(), leaves(0, total));
        const tiles = new Map<string, Uint8Array>();
        let head: LogHead = emptyHead();
        for (const count of cuts) {
          const plan = planAppend(head, leaves(head.size, head.size + count));
          expect(plan.first_index).toBe(head.size);
          for (const tile of plan.tiles) tiles.set(`${tile.level}/${tile.index}`, tile.data);
          head = plan.head;
        }
        expect(head).toEqual(whole.head);
        expect(rootOf(head)).toEqual(whole.root);
        const once = new Map(whole.tiles.map((tile) => [`${tile.level}/${tile.index}`, tile.data]));
        expect(tiles).toEqual(once);
      }),
      { numRuns: 30, seed: 11 },
    );
  });

  it("[L-26] a head reloaded from the stored partial tiles is the head that wrote them; wrong widths are refused", () => {
    for (const size of [0, 1, 2, 255, 256, 257, 513, 65_535, 65_536, 65_537 + 300]) {
      const { head } = planAppend(emptyHead(), leaves(0, size));
      const loaded = loadHead(size, head.partial);
      expect(loaded).toEqual({ ok: true, value: head });
    }
    const { head } = planAppend(emptyHead(), leaves(0, 300));
    const short = loadHead(300, [head.partial[0]?.subarray(HASH_BYTES) ?? emptyRoot()]);
    expect(short.ok ? undefined : short.error.code).toBe("RUMI-LOG-016");
    expect(loadHead(300, []).ok).toBe(false);
  });

  it("a plan changes nothing in the head it starts from, so a failed transaction costs nothing", () => {
    const { head } = planAppend(emptyHead(), leaves(0, 200));
    const before = structuredClone(head);
    planAppend(head, leaves(200, 900));
    expect(head).toEqual(before);
  });

  it("an empty log has the empty root and an empty batch plans nothing", () => {
    expect(planAppend(emptyHead(), [])).toEqual({
      head: emptyHead(),
      first_index: 0,
      tiles: [],
      root: new Uint8Array(emptyRoot()),
    });
  });

  it("a leaf beyond 65,535 bytes is a broken invariant", () => {
    expect(() => planAppend(emptyHead(), [{ leaf: new Uint8Array(65_536) }])).toThrow(/invariant/);
    expect(planAppend(emptyHead(), [{ leaf: new Uint8Array(65_535) }]).head.size).toBe(1);
  });
});
