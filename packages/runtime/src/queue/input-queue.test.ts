import { describe, expect, it } from "vitest";
import { type InputClass, InputQueue } from "./input-queue.ts";

type Item = { readonly of: InputClass; readonly n: number };
const queue = (other_max = 1_000): InputQueue<Item> => new InputQueue({ classOf: ({ of }) => of, other_max });

describe("input queue", () => {
  it("[M-4.2.3] safety overtakes full lines and is taken before anything that waited", () => {
    const of = queue(10);
    for (let n = 0; n < 10; n += 1) expect(of.put({ of: "other", n })).toBe(true);
    expect(of.put({ of: "other", n: 10 }), "the bounded line is full").toBe(false);
    for (let n = 0; n < 50_000; n += 1) of.put({ of: "execution", n });
    expect(of.put({ of: "safety", n: 1 }), "never refused").toBe(true);
    expect(of.put({ of: "safety", n: 2 })).toBe(true);
    expect([of.take(), of.take(), of.take()]).toEqual([
      { of: "safety", n: 1 },
      { of: "safety", n: 2 },
      { of: "execution", n: 0 },
    ]);
    of.put({ of: "safety", n: 3 });
    expect(of.take()).toEqual({ of: "safety", n: 3 });
    expect(
      of
        .takeAll()
        .slice(-10)
        .map(({ n }) => n),
    ).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(of.length).toBe(0);
    expect(of.take()).toBeUndefined();
  });

  it(
    "[M-4.2.2] 1e6 execution events while a flood is refused beside them: none lost, none out of order",
    { timeout: 180_000 },
    () => {
      const of = queue(64);
      let next = 0;
      let refused = 0;
      let wrong = 0;
      let taken = 0;
      const takeSome = (count: number): void => {
        for (let i = 0; i < count; i += 1) {
          const item = of.take();
          if (item?.of !== "execution") continue;
          if (item.n !== taken) wrong += 1;
          taken += 1;
        }
      };
      while (next < 1_000_000) {
        for (let i = 0; i < 1_000; i += 1) {
          of.put({ of: "execution", n: next });
          next += 1;
          if (!of.put({ of: "other", n: i })) refused += 1;
        }
        takeSome(next % 7_000 === 0 ? 5_000 : 300);
      }
      takeSome(2_000_000);
      expect({ taken, wrong, left: of.length }).toEqual({ taken: 1_000_000, wrong: 0, left: 0 });
      expect(refused).toBeGreaterThan(900_000);
    },
  );
});
