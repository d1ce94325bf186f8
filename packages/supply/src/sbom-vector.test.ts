import { readFileSync } from "node:fs";
import { sha256Hex } from "@rumi/kernel";
import { expect, it } from "vitest";
import type { LockFile } from "./locks/component.ts";
import { componentsOf } from "./locks/lock.ts";
import { sbomOf, type SbomSubject } from "./sbom.ts";

type Vector = {
  readonly subject: SbomSubject;
  readonly locks: readonly LockFile[];
  readonly sbom: unknown;
  readonly sha256: string;
};

it("[L-51.1] the golden vector: these lock files give these bytes, today as ever", () => {
  const path = new URL("../../../docs/formats/sbom.v1.json", import.meta.url);
  const { subject, locks, sbom, sha256 } = JSON.parse(readFileSync(path, "utf8")) as Vector;
  const components = componentsOf(locks);
  if (!components.ok) throw new Error(JSON.stringify(components.error));
  const text = sbomOf(subject, components.value);
  expect(JSON.parse(text)).toEqual(sbom);
  expect(sha256Hex(text)).toBe(sha256);
});
