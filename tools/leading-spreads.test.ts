/** The build's change to object literals changes nothing that a program can see. */
import { runInThisContext } from "node:vm";
import { expect, it } from "vitest";
import { quickenSpreads } from "./leading-spreads.mjs";

const SAMPLES: readonly (readonly [string, unknown])[] = [
  ["({ ...a, b: 1 })", { x: 1, y: 2, b: 1 }],
  ["({ ...a, x: 9, ...{ y: [{ ...a, z: 3 }] } })", { x: 9, y: [{ x: 1, y: 2, z: 3 }] }],
  ["({ ...(a.x > 5 ? { big: true } : {}), /* { ...a, } */ b: '{ ...a, }' })", { b: "{ ...a, }" }],
  ["({ ...a })", { x: 1, y: 2 }],
  ["({ b: 0, ...a, c: 1 })", { b: 0, x: 1, y: 2, c: 1 }],
  ["(({ x, ...rest }) => ({ ...rest, x }))(a)", { y: 2, x: 1 }],
  ["((list) => [...list, 3])([1])", [1, 3]],
];

it("a literal that begins with a spread is the same object, made quickly", async () => {
  for (const [code, expected] of SAMPLES) {
    const quick = await quickenSpreads(code);
    const value = (runInThisContext(`(a) => (${quick.code})`) as (a: object) => unknown)({ x: 1, y: 2 });
    expect(value, code).toEqual(expected);
    expect(Object.keys(value as object), code).toEqual(Object.keys(expected as object));
  }
});

it("only literals that begin with a spread and go on are touched", async () => {
  const counts = await Promise.all(SAMPLES.map(async ([code]) => (await quickenSpreads(code)).count));
  expect(counts).toEqual([1, 2, 1, 0, 0, 1, 0]);
});
