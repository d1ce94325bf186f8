/** What a cursor may hold when it comes back. */
import { expect, it } from "vitest";
import { decodeCursor, encodeCursor } from "./sql.ts";

it("[L-01] a cursor comes back as it was given; one that no list gave is refused by name, never by the store", () => {
  expect(decodeCursor(encodeCursor([5, "b"]), ["number", "string"])).toEqual({ ok: true, value: [5, "b"] });
  const forged = [
    "",
    "AAAA",
    ...[[5], [5, 6], ["5", "b"], [1e308, "b"], [0.5, "b"], [2 ** 53, "b"], [null, "b"], [5, "\0"], [5, "\ud800"]].map(
      (parts) => encodeCursor(parts as (string | number)[]),
    ),
  ];
  for (const text of forged)
    expect(decodeCursor(text, ["number", "string"]), text).toMatchObject({
      ok: false,
      error: { code: "RUMI-VAL-002" },
    });
});
