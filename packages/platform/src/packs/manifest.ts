/**
 * The pack manifest `ecosystem.json`: a closed object, read strictly (docs: details of the platform).
 *
 * Invariants (library.test.ts): an unknown field, a wrong type or a missing field is refused by its name;
 * a strategy's binary_hash is the hash of the file that it names.
 */
import { parseDescriptor, type StrategyDescriptor } from "@rumi/abi";
import { err, failure, ID_PATTERNS, ok, type Failure, type Json, type Result } from "@rumi/kernel";
import { Type, type Static, type TObject } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { PackEntry } from "./digest.ts";

export const MANIFEST_FILE = "ecosystem.json";

const closed = <T extends Parameters<typeof Type.Object>[0]>(members: T): TObject<T> =>
  Type.Object(members, { additionalProperties: false });
const text = (maxLength: number) => Type.String({ minLength: 1, maxLength });
const texts = (maxItems: number) => Type.Array(text(256), { maxItems });
const openObject = Type.Record(Type.String({ minLength: 1, maxLength: 128 }), Type.Unknown());

const RANGE =
  "^[\\^~<>=]{0,2}\\s?\\d+(\\.(\\d+|x|\\*)){0,2}[0-9A-Za-z.+-]*(\\s(\\|\\||-)?\\s?[\\^~<>=]{0,2}\\s?\\d+(\\.(\\d+|x|\\*)){0,2}[0-9A-Za-z.+-]*)*$|^\\*$";

export const MANIFEST_SCHEMA = closed({
  pack_id: Type.String({ pattern: "^[a-z][a-z0-9_-]*$", maxLength: 64 }),
  pack_identity: Type.String({ pattern: "^[a-z]+:.+$", maxLength: 512 }),
  version: Type.String({ pattern: ID_PATTERNS.semver, maxLength: 64 }),
  vocabulary: closed({
    types: Type.Array(text(128), { minItems: 1, maxItems: 256 }),
    custom_types: Type.Optional(openObject),
  }),
  pack_uuid: Type.Optional(Type.String({ pattern: ID_PATTERNS.uuid })),
  display_name: Type.Optional(text(128)),
  description: Type.Optional(Type.String({ maxLength: 1024 })),
  author: Type.Optional(
    closed({ name: Type.Optional(text(256)), email: Type.Optional(text(256)), url: Type.Optional(text(1024)) }),
  ),
  license: Type.Optional(text(128)),
  dependencies: Type.Optional(
    Type.Record(Type.String({ pattern: "^[a-z][a-z0-9_-]{0,63}$" }), Type.String({ pattern: RANGE, maxLength: 128 }), {
      additionalProperties: false,
    }),
  ),
  metadata: Type.Optional(openObject),
  components: Type.Optional(openObject),
  load_order: Type.Optional(texts(256)),
  connectivity: Type.Optional(closed({ provides: Type.Optional(texts(256)), requires: Type.Optional(texts(256)) })),
  required_secrets: Type.Optional(Type.Array(Type.String({ pattern: "^[A-Z0-9_]{1,64}$" }), { maxItems: 64 })),
  required_network: Type.Optional(
    Type.Array(
      Type.Union([
        text(253),
        closed({
          domain: text(253),
          ports: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 65_535 }), { maxItems: 64 })),
        }),
      ]),
      { maxItems: 64 },
    ),
  ),
  host_execution: Type.Optional(Type.Boolean()),
  stores: Type.Optional(
    Type.Array(
      Type.Object({ store_id: Type.String({ pattern: "^[A-Za-z0-9_-]{1,128}$" }) }, { additionalProperties: true }),
      { maxItems: 64 },
    ),
  ),
  functions: Type.Optional(openObject),
  strategies: Type.Optional(Type.Array(Type.Unknown(), { maxItems: 64 })),
  runbook: Type.Optional(text(512)),
  changelog: Type.Optional(text(512)),
});

export type PackManifest = Omit<Static<typeof MANIFEST_SCHEMA>, "strategies"> & {
  readonly strategies: readonly StrategyDescriptor[];
};

/** Reads the manifest of a tree whose files are `entries`; refusals are RUMI-PACK-002 with the field's path. */
export function parseManifest(json: string, entries: readonly PackEntry[]): Result<PackManifest, Failure> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    return refused("(file)", "it is not JSON", cause);
  }
  const first = Value.Errors(MANIFEST_SCHEMA, value).First();
  if (first !== undefined) {
    const field = first.path === "" ? "(file)" : first.path.slice(1).replaceAll("/", ".");
    return refused(field, first.message === "Unexpected property" ? "there is no such field" : first.message);
  }
  const { strategies, ...rest } = value as Static<typeof MANIFEST_SCHEMA>;
  const parsed: StrategyDescriptor[] = [];
  for (const [index, raw] of (strategies ?? []).entries()) {
    const one = parseDescriptor(raw as Json);
    if (!one.ok) {
      const named = one.error.params["field"] ?? one.error.params["path"];
      return refused(
        `strategies.${index}${named === undefined ? "" : `.${named}`}`,
        String(one.error.params["problem"] ?? one.error.code),
        one.error,
      );
    }
    const problem =
      fileProblem(one.value, entries) ??
      (parsed.some((other) => other.strategy_id === one.value.strategy_id)
        ? { field: "strategy_id", problem: "it appears twice" }
        : undefined);
    if (problem !== undefined) return refused(`strategies.${index}.${problem.field}`, problem.problem);
    parsed.push(one.value);
  }
  for (const field of ["runbook", "changelog"] as const) {
    const path = rest[field];
    if (path !== undefined && !entries.some((entry) => entry.path === path))
      return refused(field, `the pack has no file ${path}`);
  }
  return ok({ ...rest, strategies: parsed });
}

/** [M-2.1.5] The descriptor's hash must be that of the file. */
function fileProblem(
  strategy: StrategyDescriptor,
  entries: readonly PackEntry[],
): { readonly field: string; readonly problem: string } | undefined {
  const file = entries.find((entry) => entry.path === strategy.entrypoint);
  if (file === undefined) return { field: "entrypoint", problem: `the pack has no file ${strategy.entrypoint}` };
  return strategy.binary_hash === `sha256:${file.sha256}`
    ? undefined
    : { field: "binary_hash", problem: `the file's hash is sha256:${file.sha256}` };
}

function refused(field: string, problem: string, cause?: unknown): Result<never, Failure> {
  return err(failure("RUMI-PACK-002", { path: MANIFEST_FILE, field, problem }, cause === undefined ? {} : { cause }));
}
