/** What a pack asks for, and what one manifest asks for beyond another: shown before and at every approval. Pure. */
import type { PackManifest } from "./manifest.ts";

export type PermissionDiff = { readonly added: readonly string[]; readonly removed: readonly string[] };

export function permissionDiff(before: PackManifest | undefined, after: PackManifest | undefined): PermissionDiff {
  const [old, now] = [asksFor(before), asksFor(after)];
  return { added: now.filter((one) => !old.includes(one)), removed: old.filter((one) => !now.includes(one)) };
}

/** Network, secrets, services, other packs' interfaces and host execution that a manifest claims. */
export function asksFor(manifest: PackManifest | undefined): readonly string[] {
  if (manifest === undefined) return [];
  const network = (manifest.required_network ?? []).flatMap((one) => {
    if (typeof one === "string") return [`network:${one}`];
    const ports = one.ports ?? [];
    return ports.length === 0 ? [`network:${one.domain}`] : ports.map((port) => `network:${one.domain}:${port}`);
  });
  const secrets = (manifest.required_secrets ?? []).map((one) => `secret:${one}`);
  const requires = (manifest.connectivity?.requires ?? []).map((one) => `requires:${one}`);
  return [...network, ...secrets, ...requires, ...(manifest.host_execution === true ? ["host_execution"] : [])];
}
