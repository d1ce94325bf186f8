import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { generateAll } from "./gen/all.ts";
import { decodeGolden, encodeGolden, generateRustGolden, type Golden, sampleOf } from "./gen/golden.ts";
import { ENUMS, FRAMES } from "./schema.ts";

const ROOT = join(import.meta.dirname, "../../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");
const vectors = JSON.parse(read("docs/formats/abi.v1.json")) as Golden[];

describe("generated files", () => {
  it.each(Object.entries(generateAll()))("%s is what the schema generates", (path, text) =>
    expect(read(path)).toBe(text),
  );
  it("the Rust golden test is what the vectors generate", () =>
    expect(read("sdk/rust/tests/golden.rs")).toBe(generateRustGolden(vectors)));
  it("every frame and word has its line in the format's page", () => {
    const page = read("docs/formats/abi.md");
    for (const frame of FRAMES) expect(page).toContain(`\`${frame.name}\``);
    for (const name of Object.keys(ENUMS)) expect(page).toContain(`\`${name}\``);
  });
});

describe("golden vectors", () => {
  it("there is one for every frame", () =>
    expect(vectors.map((golden) => golden.name)).toEqual(FRAMES.map((frame) => frame.name)));
  it.each(vectors)("[M-15.2] $name is frozen", (golden) => {
    expect({
      ...sampleOf(FRAMES.find((frame) => frame.name === golden.name) ?? (FRAMES[0] as never)),
      hex: encodeGolden(golden),
    }).toEqual(golden);
    const { read: seen, expected } = decodeGolden(golden);
    expect(seen).toEqual(expected);
  });
});
