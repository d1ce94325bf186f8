import { readFileSync } from "node:fs";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { componentsOf } from "./locks/lock.ts";
import type { Component } from "./locks/component.ts";
import { sbomOf } from "./sbom.ts";

const SUBJECT = { name: "a-pack", version: "1.2.3", digest: `sha256:${"ab".repeat(32)}` };
const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);

function repository(): readonly Component[] {
  const text = readFileSync(new URL("../../../package-lock.json", import.meta.url), "utf8");
  const read = componentsOf([
    { kind: "package-lock", name: "package-lock.json", text },
    { kind: "requirements", name: "requirements.lock", text: `a==1!1.0 --hash=sha256:${"0".repeat(64)}\nb==2` },
    {
      kind: "cargo-lock",
      name: "Cargo.lock",
      text: 'version = 4\n[[package]]\nname = "member"\nversion = "0.1.0"',
    },
  ]);
  if (!read.ok) throw new Error(JSON.stringify(read.error));
  return read.value;
}

describe("[L-51.1] the bill of materials", () => {
  it("[L-51.1] fits the official CycloneDX 1.6 schema, strictly, for this repository's own lock and for none", async () => {
    for (const components of [repository(), []])
      expect(await validator.validate(sbomOf(SUBJECT, components))).toBe(null);
    const broken = sbomOf(SUBJECT, repository()).replace('"alg":"SHA-512"', '"alg":"SHA-9"');
    expect(await validator.validate(broken)).not.toBe(null);
  });

  it("[L-51.1] names every component once, with scope, package URL and hashes", () => {
    const components = repository();
    const bom = JSON.parse(sbomOf(SUBJECT, components)) as {
      components: { purl: string; group?: string; name: string; hashes?: unknown }[];
      metadata: { component: unknown };
    };
    expect(bom.components.map(({ purl }) => purl)).toEqual(components.map(({ purl }) => purl));
    expect(bom.components.find(({ purl }) => purl.startsWith("pkg:npm/%40rumi/kernel@"))).toMatchObject({
      group: "@rumi",
      name: "kernel",
    });
    expect(bom.metadata.component).toMatchObject({
      name: "a-pack",
      hashes: [{ alg: "SHA-256", content: "ab".repeat(32) }],
    });
  });

  it("[L-51.1] the same components in any order give the same bytes; any change gives another serial number", () => {
    const components = repository().slice(0, 40);
    const whole = sbomOf(SUBJECT, components);
    const serial = (text: string): string => (JSON.parse(text) as { serialNumber: string }).serialNumber;
    fc.assert(
      fc.property(fc.shuffledSubarray([...components], { minLength: components.length }), (shuffled) => {
        expect(sbomOf(SUBJECT, shuffled)).toBe(whole);
      }),
      { numRuns: 20 },
    );
    expect(serial(sbomOf(SUBJECT, components.slice(1)))).not.toBe(serial(whole));
    expect(serial(sbomOf({ ...SUBJECT, version: "1.2.4" }, components))).not.toBe(serial(whole));
    expect(serial(whole)).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});
