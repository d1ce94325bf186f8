/**
 * The permissions that exist without a pack's handler, and what a grant of each may say. Pure.
 *
 * A grant's config only ever narrows: what a list does not name is not allowed, and a config that says nothing of a list
 * that its permission asks for allows nothing of it.
 */
import { err, ok, type Result } from "@rumi/kernel";

export const PERMISSION_PATTERN = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$";
/** Bytes of one value of a store, and what a grant that says nothing allows. */
export const VALUE_BYTES_MAX = 1_048_576;

export type GrantConfig = Readonly<Record<string, readonly string[] | boolean | number>>;
/** What a built-in permission's config holds. */
type ConfigForm = Readonly<
  Record<string, { readonly kind: "list"; readonly item: RegExp } | { readonly kind: "number"; readonly most: number }>
>;

const KEYS: ConfigForm = { allowed_keys: { kind: "list", item: /^[A-Z0-9_]{1,64}$/ } };
const STORES: ConfigForm = { allowed_store_ids: { kind: "list", item: /^[A-Za-z0-9_-]{1,128}$/ } };
const WRITES: ConfigForm = { ...STORES, max_value_bytes: { kind: "number", most: VALUE_BYTES_MAX } };

export const BUILTIN_PERMISSIONS: Readonly<Record<string, ConfigForm>> = {
  "secrets.get": KEYS,
  "store.get": STORES,
  "store.set": WRITES,
  "store.delete": STORES,
  "store.list": STORES,
  "store.batch_get": STORES,
  "store.cas": WRITES,
  "flow.run": { allowed_flow_ids: { kind: "list", item: /^[A-Za-z0-9_.-]{1,128}$/ } },
  "pack.inbox.send": { allowed_packs: { kind: "list", item: /^[A-Za-z0-9_-]{1,64}$/ } },
  "pack.update.propose_patch": { allowed_packs: { kind: "list", item: /^[A-Za-z0-9_-]{1,64}$/ } },
  "docker.run": { allowed_images: { kind: "list", item: /^[a-z0-9][a-z0-9._:/-]{0,190}@sha256:[0-9a-f]{64}$/ } },
  "docker.exec": {},
  "docker.stop": {},
  "docker.logs": {},
  "docker.list": {},
};

export const CONFIG_LIMITS = { keys: 32, items: 256, item_characters: 256, bytes: 32_768 } as const;
const CONFIG_KEY = /^[a-z][a-z0-9_]{0,63}$/;

export function isBuiltinPermission(permission_id: string): boolean {
  return Object.hasOwn(BUILTIN_PERMISSIONS, permission_id);
}

/** A config as a person wrote it, or why it is none. A handler's own permission takes lists, numbers, true and false. */
export function parseGrantConfig(
  permission_id: string,
  config: Readonly<Record<string, unknown>>,
): Result<GrantConfig, string> {
  const form = isBuiltinPermission(permission_id) ? BUILTIN_PERMISSIONS[permission_id] : undefined;
  const entries = Object.entries(config);
  if (entries.length > CONFIG_LIMITS.keys) return err(`it has more than ${CONFIG_LIMITS.keys} members`);
  if (Buffer.byteLength(JSON.stringify(config)) > CONFIG_LIMITS.bytes)
    return err(`it has more than ${CONFIG_LIMITS.bytes} bytes`);
  const parsed: Record<string, readonly string[] | boolean | number> = {};
  for (const [name, value] of entries) {
    const known = form?.[name];
    if (!CONFIG_KEY.test(name) || (form !== undefined && known === undefined))
      return err(`${JSON.stringify(name.slice(0, 64))} is no member of it`);
    const problem = plainProblem(value) ?? (known === undefined ? undefined : formProblem(value, known));
    if (problem !== undefined) return err(`${name} ${problem}`);
    parsed[name] = Array.isArray(value)
      ? [...new Set(value as readonly string[])].toSorted()
      : (value as boolean | number);
  }
  return ok(parsed);
}

function plainProblem(value: unknown): string | undefined {
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value) && value >= 0))
    return undefined;
  if (!Array.isArray(value)) return "must be a list of texts, a number from 0, true or false";
  if (value.length > CONFIG_LIMITS.items) return `has more than ${CONFIG_LIMITS.items} items`;
  const isItem = (item: unknown): boolean =>
    typeof item === "string" && item !== "" && item.length <= CONFIG_LIMITS.item_characters;
  return value.every(isItem) ? undefined : `must hold texts of 1 to ${CONFIG_LIMITS.item_characters} characters`;
}

function formProblem(value: unknown, known: ConfigForm[string]): string | undefined {
  if (known.kind === "number")
    return typeof value === "number" && Number.isSafeInteger(value) && value <= known.most
      ? undefined
      : `must be a whole number up to ${known.most}`;
  if (!Array.isArray(value)) return "must be a list";
  const odd = (value as readonly string[]).find((item) => !known.item.test(item));
  return odd === undefined
    ? undefined
    : `holds ${JSON.stringify(odd.slice(0, 64))}, which does not match ${known.item.source}`;
}
