/** What an operator may do with units: see those of a store, publish one from a pack, execute one as a principal. */
import { join } from "node:path";
import { err, failure, isoFromMicros, micros, ok, type Failure, type Json, type Result } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import type { Reader, Store } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { packOfPrincipal, PRINCIPAL_PATTERN } from "../grants/model.ts";
import { permit } from "../grants/permit.ts";
import { readPlain, writeTree } from "../packs/files.ts";
import type { SlidingWindow } from "../sliding-window.ts";
import { mayUse, STORE_ID_PATTERN, type DataStore } from "../stores/model.ts";
import { readDataStore, readShare } from "../stores/tables.ts";
import { isOf, unitExecutor, unitFolder, type ExecuteDeps } from "./execute.ts";
import {
  EXECUTION_MODES,
  mayExecute,
  UNIT_ID_PATTERN,
  UNIT_LIMITS,
  UNIT_NAME_PATTERN,
  UNIT_VERSION_PATTERN,
  type Unit,
} from "./model.ts";
import { seeUnit, type PublishDeps, type SeenUnit } from "./publish.ts";
import { insertUnit, insertUnitRun, readUnits, type UnitRun } from "./tables.ts";

export type UnitDeps = ExecuteDeps & PublishDeps & { readonly rate: SlidingWindow };

const DAY_US = 86_400_000_000;
const closed = { additionalProperties: false } as const;
const OPEN = { additionalProperties: true } as const;
const NO_DANGER = () => ({ kind: "none" }) as const;
const StoreIdField = Type.String({ pattern: STORE_ID_PATTERN });
const NameField = Type.String({ pattern: UNIT_NAME_PATTERN });
const VersionField = Type.String({ pattern: UNIT_VERSION_PATTERN, maxLength: 64 });
const UnitIdField = Type.String({ pattern: UNIT_ID_PATTERN });
const ReasonField = Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 }));
const Mode = Type.Union(EXECUTION_MODES.map((mode) => Type.Literal(mode)));

const UnitAnswer = Type.Object(
  {
    store_id: Type.String(),
    unit_id: Type.String(),
    version: Type.String(),
    namespace: Type.String(),
    name: Type.String(),
    kind: Type.String(),
    declared_by_pack_id: Type.String(),
    exec_modes_allowed: Type.Array(Type.String()),
    permission_id: Type.String(),
    digest: Type.String(),
    published_by: Type.String(),
    published_at: Type.String({ description: "RFC 3339, UTC." }),
    path: Type.String({ description: "Below the home." }),
  },
  OPEN,
);
const UnitsAnswer = Type.Object({ units: Type.Array(UnitAnswer), count: Type.Integer({ minimum: 0 }) }, OPEN);
const ExecutedAnswer = Type.Object(
  {
    unit_ref: Type.Object({ store_id: Type.String(), unit_id: Type.String(), version: Type.String() }, OPEN),
    principal_id: Type.String(),
    mode: Type.String(),
    output: Type.Unknown(),
    execution_time: Type.Number({ minimum: 0, description: "Seconds." }),
  },
  OPEN,
);

export function unitDeclarations(deps: UnitDeps): readonly Declaration[] {
  return [listUnits(), publishUnit(deps), executeUnit(deps)];
}

function unitView({ published_at, ...unit }: Unit) {
  const path = unitFolder("user_data/stores", unit);
  return { ...unit, published_at: isoFromMicros(micros(published_at)), path };
}

const listUnits = (): Declaration =>
  defineQuery({
    name: "units.list",
    summary: "Units, those of one store or all",
    http: { method: "GET", path: "/api/units" },
    input: Type.Object({ store_id: Type.Optional(StoreIdField) }, closed),
    output: UnitsAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, { store_id }, { store }) => {
      if (store_id !== undefined && (await readDataStore(reader, store, store_id)) === undefined)
        return err(failure("RUMI-DATA-001", { store_id }));
      const units = (await readUnits(reader, store))
        .filter((unit) => store_id === undefined || unit.store_id === store_id)
        .map(unitView);
      return ok({ units, count: units.length });
    },
  });

type PublishFacts = {
  readonly found: DataStore | undefined;
  readonly seen: Result<SeenUnit, Failure>;
  readonly units: readonly Unit[];
};

const publishUnit = (deps: UnitDeps): Declaration =>
  defineOperation({
    name: "units.publish",
    summary: "Put a unit that an approved pack brings into a store of that pack",
    http: { method: "POST", path: "/api/units/publish" },
    input: Type.Object(
      {
        store_id: StoreIdField,
        source_dir: Type.String({
          minLength: 1,
          maxLength: 1_024,
          description: "ecosystem/<pack>/<folder of the unit>",
        }),
        namespace: NameField,
        name: NameField,
        version: VersionField,
        reason: ReasonField,
      },
      closed,
    ),
    output: UnitAnswer,
    key: "header",
    permission: ["admin"],
    risk: () => "increase",
    danger: NO_DANGER,
    target: ({ store_id }) => ({ resource_type: "store", resource_id: store_id }),
    gates: [],
    load: async (reader, { store_id, source_dir }, { store }): Promise<PublishFacts> => ({
      found: await readDataStore(reader, store, store_id),
      seen: await seeUnit(reader, store, source_dir, deps),
      units: (await readUnits(reader, store)).filter((unit) => unit.store_id === store_id),
    }),
    decide: ({ found, seen, units }: PublishFacts, input, context) => {
      const { store_id, namespace, name, version } = input;
      if (found === undefined) return err(failure("RUMI-DATA-001", { store_id }));
      if (!seen.ok) return seen;
      const { pack_id, manifest, tree, directory } = seen.value;
      const wrong = (field: string, problem: string): Result<never, Failure> =>
        err(failure("RUMI-UNIT-001", { path: "unit.json", field, problem }));
      if (manifest.declared_by_pack_id !== pack_id) return wrong("declared_by_pack_id", `the folder is of ${pack_id}`);
      if (manifest.version !== version)
        return wrong("version", `it is ${manifest.version}, and ${version} was asked for`);
      if (found.owner_pack !== pack_id)
        return err(failure("RUMI-DATA-003", { store_id, pack_id, act: "write", problem: "it is another pack's" }));
      const unit: Unit = {
        ...manifest,
        store_id,
        namespace,
        name,
        digest: tree.digest,
        published_by: context.principal.id,
        published_at: context.now,
      };
      const before = units.find((one) => isOf(unit)(one) || unitFolder("", one) === unitFolder("", unit));
      if (before?.digest === unit.digest && isOf(unit)(before) && unitFolder("", before) === unitFolder("", unit))
        return ok({ writes: [], events: [], outbox: [], data: unitView(before) });
      if (before !== undefined)
        return err(failure("RUMI-UNIT-003", { store_id, unit_id: before.unit_id, version: before.version }));
      if (units.length >= UNIT_LIMITS.per_store)
        return err(failure("RUMI-DATA-010", { limit: UNIT_LIMITS.per_store, what: "units of this store" }));
      const event = {
        action: "unit.published",
        resource_type: "unit",
        resource_id: `${store_id}/${unit.unit_id}/${version}`,
        outcome: "SUCCESS" as const,
        details: { owner_pack: pack_id, digest: unit.digest },
      };
      return ok({
        writes: [insertUnit(context.store, unit)],
        events: [event],
        outbox: [],
        durable_first: () =>
          writeTree(unitFolder(deps.folder, unit), tree.entries, (path) => readPlain(join(directory, path))),
        data: unitView(unit),
      });
    },
  });

type Granted = Result<Unit, Failure>;

const executeUnit = (deps: UnitDeps): Declaration => {
  const execute = unitExecutor(deps);
  return defineOperation({
    name: "units.execute",
    summary: "Execute a unit as a principal that was granted its permission, and wait for what comes of it",
    http: { method: "POST", path: "/api/units/execute" },
    input: Type.Object(
      {
        principal_id: Type.String({ pattern: PRINCIPAL_PATTERN }),
        unit_ref: Type.Object({ store_id: StoreIdField, unit_id: UnitIdField, version: VersionField }, closed),
        mode: Mode,
        args: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        timeout: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: UNIT_LIMITS.timeout_seconds,
            description: "Seconds; 60 where nothing is said.",
          }),
        ),
        reason: ReasonField,
      },
      closed,
    ),
    output: ExecutedAnswer,
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: NO_DANGER,
    target: ({ unit_ref: { store_id, unit_id, version } }) => ({
      resource_type: "unit",
      resource_id: `${store_id}/${unit_id}/${version}`,
    }),
    turns: "none",
    gates: [],
    load: (reader, { principal_id, unit_ref, mode }, { store }): Promise<Granted> =>
      grantedUnit({ reader, store, principal_id, unit_ref, mode, deps }),
    decide: (granted: Granted, input, context) => {
      if (!granted.ok) return granted;
      const { principal_id, unit_ref, mode, args = {}, timeout = UNIT_LIMITS.default_timeout_seconds } = input;
      const run: UnitRun = {
        run_id: context.newId(),
        ...unit_ref,
        principal_id,
        mode,
        args: args as Json,
        timeout_seconds: timeout,
        actor: context.principal.id,
        trace_id: context.trace_id,
      };
      const forget_before = context.now - UNIT_LIMITS.kept_days * DAY_US;
      return ok({
        writes: insertUnitRun(context.store, run, context.now, forget_before),
        events: [],
        outbox: [],
        data: { run_id: run.run_id, unit_ref, principal_id, mode, output: null, execution_time: 0 },
      });
    },
    settle: (data) => execute((data as { readonly run_id: string }).run_id),
  });
};

/** The unit, if this principal may execute it now, and not too often. */
async function grantedUnit(of: {
  readonly reader: Reader;
  readonly store: Pick<Store, "builder">;
  readonly principal_id: string;
  readonly unit_ref: Pick<Unit, "store_id" | "unit_id" | "version">;
  readonly mode: (typeof EXECUTION_MODES)[number];
  readonly deps: UnitDeps;
}): Promise<Granted> {
  const { reader, store, principal_id, unit_ref, mode, deps } = of;
  const { store_id, unit_id, version } = unit_ref;
  const unit = (await readUnits(reader, store)).find(isOf(unit_ref));
  if (unit === undefined) return err(failure("RUMI-UNIT-002", { store_id, unit_id, version }));
  const granted = await permit(reader, store, { principal_id, permission_id: unit.permission_id });
  if (!granted.ok) return granted;
  const pack_id = packOfPrincipal(principal_id);
  const is_shared = (await readShare(reader, store, store_id, pack_id)) !== undefined;
  const seen = mayUse(await readDataStore(reader, store, store_id), { store_id, pack_id, act: "read", is_shared });
  if (!seen.ok) return seen;
  const may = mayExecute(unit, mode);
  if (!may.ok) return may;
  const declared = await deps.library.verify(unit.declared_by_pack_id);
  if (!declared.ok) return declared;
  if (deps.rate.recent(pack_id) >= UNIT_LIMITS.per_minute)
    return err(failure("RUMI-UNIT-006", { pack_id, limit: UNIT_LIMITS.per_minute, seconds: 60 }));
  deps.rate.count(pack_id);
  return ok(unit);
}
