/**
 * A unit: a folder with a `unit.json` that a pack publishes into a store of its own, for other packs to execute. Pure.
 *
 * Invariants (packages/rumi/test/units.test.ts): what was published under a version never becomes something else; whoever
 * executes needs a grant of the unit's permission and sees the store.
 */
import { err, failure, ok, type Failure, type Result } from "@rumi/kernel";
import { parseStrictJson } from "@rumi/operations";
import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { isBuiltinPermission, PERMISSION_PATTERN } from "../grants/permissions.ts";

export const UNIT_FILE = "unit.json";
export const UNIT_LIMITS = {
  timeout_seconds: 300,
  default_timeout_seconds: 60,
  /** Of one principal's pack. */
  per_minute: 30,
  per_store: 1_000,
  manifest_bytes: 65_536,
  kept_days: 7,
} as const;
export const UNIT_KINDS = ["data", "python", "binary"] as const;
export const EXECUTION_MODES = ["pack_container", "host_capability", "sandbox"] as const;
export type ExecutionMode = (typeof EXECUTION_MODES)[number];

export const UNIT_ID_PATTERN = "^[A-Za-z0-9_.-]{1,128}$";
export const UNIT_NAME_PATTERN = "^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$";
export const UNIT_VERSION_PATTERN = "^[0-9]+(\\.[0-9]+){0,2}([-+][0-9A-Za-z.-]{1,48})?$";

const MANIFEST = Type.Object(
  {
    unit_id: Type.String({ pattern: UNIT_ID_PATTERN }),
    version: Type.String({ pattern: UNIT_VERSION_PATTERN, maxLength: 64 }),
    kind: Type.Union(UNIT_KINDS.map((kind) => Type.Literal(kind))),
    entrypoint: Type.Optional(
      Type.String({
        pattern: "^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*\\.py:[A-Za-z_][A-Za-z0-9_]*$",
        maxLength: 256,
      }),
    ),
    declared_by_pack_id: Type.String({ pattern: "^[A-Za-z0-9_-]{1,64}$" }),
    exec_modes_allowed: Type.Array(Type.Union(EXECUTION_MODES.map((mode) => Type.Literal(mode))), { maxItems: 3 }),
    permission_id: Type.String({ pattern: PERMISSION_PATTERN }),
  },
  { additionalProperties: false },
);
export type UnitManifest = Static<typeof MANIFEST>;

export type Unit = UnitManifest & {
  readonly store_id: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the whole folder. */
  readonly digest: string;
  readonly published_by: string;
  readonly published_at: number;
};

/** RUMI-UNIT-001 with the field. `files` are those of the unit's folder. */
export function parseUnit(path: string, text: string, files: readonly string[]): Result<UnitManifest, Failure> {
  const wrong = (field: string, problem: string): Result<never, Failure> =>
    err(failure("RUMI-UNIT-001", { path, field, problem }));
  const json = parseStrictJson(text);
  if (!json.ok) return wrong("(file)", String(json.error.params["problem"] ?? "it is not JSON"));
  const first = Value.Errors(MANIFEST, json.value).First();
  if (first !== undefined) {
    const field = first.path === "" ? "(file)" : first.path.slice(1).replaceAll("/", ".");
    return wrong(field, first.message === "Unexpected property" ? "there is no such field" : first.message);
  }
  const unit = json.value as UnitManifest;
  if (isBuiltinPermission(unit.permission_id)) return wrong("permission_id", "it is built in");
  if (unit.kind !== "python") return ok(unit);
  if (unit.entrypoint === undefined) return wrong("entrypoint", "it is missing: file.py:function");
  return files.includes(fileOfUnit(unit))
    ? ok(unit)
    : wrong("entrypoint", `the folder has no file ${fileOfUnit(unit)}`);
}

export function fileOfUnit({ entrypoint = "" }: Pick<UnitManifest, "entrypoint">): string {
  return entrypoint.slice(0, entrypoint.lastIndexOf(":"));
}

/** Whether this version carries the unit out in this mode; RUMI-UNIT-004. */
export function mayExecute(unit: Unit, mode: ExecutionMode): Result<void, Failure> {
  const { unit_id, version } = unit;
  const refused = (problem: string): Result<never, Failure> =>
    err(failure("RUMI-UNIT-004", { unit_id, version, mode, problem }));
  if (!unit.exec_modes_allowed.includes(mode)) return refused("its exec_modes_allowed does not name that mode");
  if (unit.kind === "data") return refused("it is data, and there is nothing to execute");
  if (unit.kind === "binary") return refused("this version executes units of the kind python only");
  return mode === "host_capability" ? refused("this version executes units in a jail only") : ok(undefined);
}
