import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { sha256, sha256Buffer, sha256Hex } from "./hash.ts";

describe("sha256", () => {
  const long = "x".repeat(4_000);
  it.each<[string, readonly (Uint8Array | string)[]]>([
    ["nothing", []],
    ["one empty part", [""]],
    ["bytes and text", [new Uint8Array([0, 255]), "äß€😀", Buffer.from("end")]],
    ["half a character", ["\ud800", "\udc00a"]],
    ["parts that just fit together", [long, "y".repeat(32)]],
    ["parts that are too long together", [long, "€".repeat(33), new Uint8Array(4_096).fill(7)]],
    ["one long part", ["z".repeat(100_000)]],
  ])("of %s is what the parts one by one come to", (_, parts) => {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(part);
    const expected = hash.digest("hex");
    expect(sha256Hex(...parts)).toBe(expected);
    expect(Buffer.from(sha256(...parts)).toString("hex")).toBe(expected);
    expect(sha256Buffer(...parts).toString("hex")).toBe(expected);
  });

  it("answers bytes that stay what they are when the next is asked for", () => {
    const first = sha256Buffer("a", "b");
    const before = first.toString("hex");
    sha256Buffer("c", "d");
    expect(first.toString("hex")).toBe(before);
  });
});
