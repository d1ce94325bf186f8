/**
 * Who holds which permission, and what is left of it. Pure.
 *
 * A principal is a pack, or something that a pack runs: `parent__child`, to any depth. A child holds a permission only where
 * it and every one of its ancestors do, and then what all of their configs allow.
 *
 * Invariants (model.test.ts): a child never has more than any of its ancestors; a config that is silent allows nothing.
 */
import type { EventDraft } from "@rumi/operations";
import type { GrantConfig } from "./permissions.ts";

export const GRANT_LIMITS = { batch: 50, principal_characters: 256, depth: 16 } as const;
export const PRINCIPAL_PATTERN = "^[A-Za-z0-9_-]{1,256}$";

export type CapabilityGrant = {
  readonly principal_id: string;
  readonly permission_id: string;
  readonly config: GrantConfig;
  readonly granted_by: string;
  readonly granted_at: number;
  readonly generation: number;
};

/** A principal and all above it, the pack first. */
export function lineOf(principal_id: string): readonly string[] {
  const parts = principal_id.split("__");
  return parts.map((_, at) => parts.slice(0, at + 1).join("__"));
}

/** The pack that a principal belongs to. */
export function packOfPrincipal(principal_id: string): string {
  return lineOf(principal_id)[0] ?? principal_id;
}

export type Effective =
  | { readonly held: true; readonly config: GrantConfig }
  /** The first of the line that does not hold it. */
  | { readonly held: false; readonly missing: string };

/** What a principal may do with a permission, given what each of its line was granted. */
export function effectiveGrant(
  principal_id: string,
  configOf: (principal_id: string) => GrantConfig | undefined,
): Effective {
  const line = lineOf(principal_id);
  if (line.length > GRANT_LIMITS.depth) return { held: false, missing: principal_id };
  let effective: GrantConfig | undefined;
  for (const one of line) {
    const config = configOf(one);
    if (config === undefined) return { held: false, missing: one };
    effective = effective === undefined ? config : intersection(effective, config);
  }
  return effective === undefined ? { held: false, missing: principal_id } : { held: true, config: effective };
}

/** Lists keep what both name, booleans are true where both are, numbers are the smaller; one that is silent allows nothing. */
function intersection(above: GrantConfig, below: GrantConfig): GrantConfig {
  const names = [...new Set([...Object.keys(above), ...Object.keys(below)])].toSorted();
  return Object.fromEntries(names.map((name) => [name, narrower(valueOf(above, name), valueOf(below, name))]));
}

type Value = GrantConfig[string];

function narrower(a: Value | undefined, b: Value | undefined): Value {
  // A bound that only one of them sets binds; any other member needs both.
  if (typeof a === "number" && b === undefined) return a;
  if (typeof b === "number" && a === undefined) return b;
  if (typeof a === "number" && typeof b === "number") return Math.min(a, b);
  if (isList(a) && isList(b)) return a.filter((item) => b.includes(item));
  if (typeof a === "boolean" && typeof b === "boolean") return a && b;
  return typeof (a ?? b) === "boolean" && (a === undefined || b === undefined) ? false : [];
}

function isList(value: Value | undefined): value is readonly string[] {
  return Array.isArray(value);
}

/** Whether a config's list names an item; a config without the list names none. */
export function listAllows(config: GrantConfig, name: string, item: string): boolean {
  const value = valueOf(config, name);
  return isList(value) && value.includes(item);
}

/** The bound that a config sets, or `most` where it is silent. */
export function boundOf(config: GrantConfig, name: string, most: number): number {
  const value = valueOf(config, name);
  return value === undefined ? most : typeof value === "number" ? Math.min(value, most) : 0;
}

function valueOf(config: GrantConfig, name: string): Value | undefined {
  return Object.hasOwn(config, name) ? config[name] : undefined;
}

export function grantEvent(action: "permission.granted" | "permission.revoked", grant: CapabilityGrant): EventDraft {
  const { principal_id, permission_id, config } = grant;
  return {
    action,
    resource_type: "capability_grant",
    resource_id: `${principal_id}:${permission_id}`,
    outcome: "SUCCESS",
    details: {
      permission_type: "capability_grant",
      principal_id,
      permission_id,
      config,
      owner_pack: packOfPrincipal(principal_id).slice(0, 64),
    },
  };
}
