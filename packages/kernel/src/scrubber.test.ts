import { describe, expect, it } from "vitest";
import { createScrubber, formsOf, mapTexts, NO_SECRETS, SCRUB_LIMITS } from "./scrubber.ts";

const VALUE = 'sesame "open" / planted?';
const ONE = "planted-and-long-enough";
const knowing = (...values: readonly string[]) => {
  const scrubber = createScrubber();
  for (const [at, value] of values.entries()) scrubber.know(`KEY_${at}`, value);
  return scrubber;
};

describe("[R-10.1] a known value", () => {
  it.each([
    ["as it is", VALUE],
    ["within JSON", JSON.stringify({ error: VALUE })],
    ["percent-encoded", `/api/packs/${encodeURIComponent(VALUE)}/status`],
    ["in Base64", `Basic ${Buffer.from(VALUE).toString("base64")}`],
    ["in Base64 for addresses", Buffer.from(VALUE).toString("base64url")],
    ["twice", `${VALUE}, ${VALUE}`],
  ])("is found %s", (_, text) => {
    const clean = knowing(VALUE).text(text);
    expect(clean).toContain("[secret KEY_0]");
    for (const form of formsOf(VALUE)) expect(clean).not.toContain(form);
  });

  it("is found line by line, and without the line end that a file gave it", () => {
    const key = ["-----BEGIN THING-----", "c2VzYW1lLW9wZW4tcGxhbnRlZA", "short", "-----END THING-----"].join("\n");
    expect(knowing(key).text("broke at c2VzYW1lLW9wZW4tcGxhbnRlZA")).toBe("broke at [secret KEY_0]");
    expect(knowing(`${ONE}\n`).text(`it was ${ONE}.`)).toBe("it was [secret KEY_0].");
    expect(knowing(key).text("-----BEGIN THING-----")).toBe("-----BEGIN THING-----");
  });

  it("of which another is a part leaves nothing of either", () => {
    expect(knowing("planted-and-long", ONE).text(`x ${ONE} planted-and-long`)).toBe("x [secret KEY_1] [secret KEY_0]");
  });

  it("is found in every text of a value; its numbers, names and the rest stay the same", () => {
    const scrubber = knowing("123456");
    const of = { count: 123456, list: ["a 123456", { deep: "123456" }], none: null, at: true };
    expect(scrubber.value(of)).toEqual({
      count: 123456,
      list: ["a ******", { deep: "******" }],
      none: null,
      at: true,
    });
    const other = { a: ["b"] };
    expect(scrubber.value(other)).toBe(other);
  });

  it("with signs that mean something elsewhere is a text like any other", () => {
    const scrubber = knowing("$&.*(planted)[^");
    expect(scrubber.text("a $&.*(planted)[^ b")).toBe("a [secret KEY_0] b");
  });
});

it("[R-10.1] a value below the least length is left, one of that length is not", () => {
  const least = "p".repeat(SCRUB_LIMITS.characters_min);
  expect(knowing(least.slice(1)).text(`a ${least.slice(1)} b`)).toBe(`a ${least.slice(1)} b`);
  expect(knowing(least).text(`a ${least} b`)).toBe("a ****** b");
});

it("[R-10.1] no text grows: the name where it fits, else the word, else stars", () => {
  for (const value of ["p".repeat(6), "p".repeat(8), "p".repeat(14), "p".repeat(40)]) {
    const clean = knowing(value).text(value);
    expect(clean.length).toBeLessThanOrEqual(value.length);
    expect(clean).toMatch(/^(\[secret( KEY_0)?\]|\*+)$/);
  }
});

it("[R-10.1] short hexadecimal within an identifier leaves the identifier whole, and is found alone", () => {
  const scrubber = knowing("0193a4");
  expect(scrubber.text("0193a4f2-0000-7000-8000-000000000001")).toBe("0193a4f2-0000-7000-8000-000000000001");
  expect(scrubber.text("pin=0193a4, x")).toBe("pin=******, x");
});

it("says whether one is in a text, and nobody's secrets change nothing", () => {
  const scrubber = knowing(ONE);
  expect([scrubber.isIn(`a ${ONE}`), scrubber.isIn("a"), scrubber.values()]).toEqual([true, false, [ONE]]);
  const of = { a: ONE };
  expect(NO_SECRETS.value(of)).toBe(of);
  expect(mapTexts(of, (text) => text.toUpperCase())).toEqual({ a: ONE.toUpperCase() });
});
