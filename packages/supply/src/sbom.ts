/**
 * An artifact's bill of materials as CycloneDX 1.6 JSON: the same components give the same bytes, whoever makes it and when.
 *
 * How to think: no time, no tool and no random serial number stand in it; the serial number is made of its own content,
 * so two bills with the same number are the same. The format in docs/formats/sbom.md.
 *
 * Invariants (sbom.test.ts): it fits the official schema; another order of components gives the same bytes.
 */
import { canonicalJson, sha256Buffer, type Json } from "@rumi/kernel";
import { keyOf, type Component } from "./locks/component.ts";

export type SbomSubject = {
  readonly name: string;
  readonly version: string;
  /** `sha256:…` of the artifact. */
  readonly digest: string;
};

export function sbomOf(subject: SbomSubject, components: readonly Component[]): string {
  const sorted = components
    .map((component) => ({ component, key: keyOf(component) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(({ component }) => component);
  const content = {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      lifecycles: [{ phase: "pre-build" }],
      component: {
        type: "application",
        "bom-ref": subject.digest,
        name: subject.name,
        version: subject.version,
        hashes: [{ alg: "SHA-256", content: subject.digest.replace(/^sha256:/, "") }],
      },
    },
    components: sorted.map(componentEntry),
  } satisfies Json;
  return `${canonicalJson({ ...content, serialNumber: serialNumberOf(canonicalJson(content)) })}\n`;
}

function componentEntry(component: Component): Json {
  const { ecosystem, name, version, purl, origin, hashes } = component;
  const slash = ecosystem === "npm" ? name.indexOf("/") : -1;
  return {
    type: "library",
    "bom-ref": keyOf(component),
    ...(slash === -1 ? {} : { group: name.slice(0, slash) }),
    name: name.slice(slash + 1),
    ...(version === "" ? {} : { version }),
    purl,
    ...(hashes.length === 0 ? {} : { hashes: hashes.map(({ alg, content }) => ({ alg, content })) }),
    properties: [
      { name: "rumi:ecosystem", value: ecosystem },
      { name: "rumi:origin", value: origin },
    ],
  };
}

/** A UUID of version 8 (RFC 9562): its bits are the content's SHA-256. */
function serialNumberOf(content: string): string {
  const bytes = sha256Buffer(content).subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return `urn:uuid:${parts.join("-")}`;
}
