/** What an operator may do with the records of packs' scripts; flows ask the same as `kernel:lib.list_records` and `kernel:lib.clear_record`. */
import { err, failure, ID_PATTERNS, isoFromMicros, micros, ok } from "@rumi/kernel";
import { defineOperation, defineQuery, type Declaration } from "@rumi/operations";
import { Type, type TNull, type TSchema, type TUnion } from "@sinclair/typebox";
import { LIB_STATES, LIBS, type LibRecord } from "./model.ts";
import { readLibRecords, removeLibRecord } from "./tables.ts";

const OPEN = { additionalProperties: true } as const;
const closed = { additionalProperties: false } as const;
const nullable = <T extends TSchema>(of: T): TUnion<[T, TNull]> => Type.Union([of, Type.Null()]);
const PackField = Type.String({ pattern: ID_PATTERNS.pack });
const LibField = Type.Union(LIBS.map((lib) => Type.Literal(lib)));

const RecordAnswer = Type.Object(
  {
    pack_id: Type.String(),
    lib: LibField,
    file: Type.String(),
    sha256: Type.String(),
    state: Type.Union(LIB_STATES.map((state) => Type.Literal(state))),
    error: nullable(Type.String()),
    duration_ms: Type.Number({ minimum: 0 }),
    executed_at: Type.String(),
  },
  OPEN,
);
const RecordsAnswer = Type.Object({ records: Type.Array(RecordAnswer), count: Type.Integer({ minimum: 0 }) }, OPEN);

export function libRecordView({ duration_us, executed_at, ...rest }: LibRecord) {
  return { ...rest, duration_ms: duration_us / 1_000, executed_at: isoFromMicros(micros(executed_at)) };
}

export function libDeclarations(): readonly Declaration[] {
  return [listRecords(), clearRecord()];
}

const listRecords = (): Declaration =>
  defineQuery({
    name: "lib.records",
    summary: "Which install and update scripts of packs ran, and what came of them",
    http: { method: "GET", path: "/api/lib/records" },
    input: Type.Object({ pack_id: Type.Optional(PackField) }, closed),
    output: RecordsAnswer,
    permission: ["view_only", "operator", "admin"],
    read: async (reader, { pack_id }, { store }) => {
      const all = await readLibRecords(reader, store);
      const records = all.filter((one) => pack_id === undefined || one.pack_id === pack_id).map(libRecordView);
      return ok({ records, count: records.length });
    },
  });

const clearRecord = (): Declaration =>
  defineOperation({
    name: "lib.clear",
    summary: "Forget that a pack's script ran, so that it runs again",
    http: { method: "POST", path: "/api/lib/records/clear" },
    input: Type.Object(
      {
        pack_id: PackField,
        lib: Type.Optional(LibField),
        reason: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })),
      },
      closed,
    ),
    output: Type.Object({ cleared: Type.Array(RecordAnswer), count: Type.Integer({ minimum: 0 }) }, OPEN),
    key: "header",
    permission: ["operator", "admin"],
    risk: () => "neutral",
    danger: () => ({ kind: "none" }),
    target: ({ pack_id }) => ({ resource_type: "pack", resource_id: pack_id }),
    gates: [],
    load: async (reader, { pack_id, lib }, { store }) =>
      (await readLibRecords(reader, store)).filter(
        (one) => one.pack_id === pack_id && (lib === undefined || one.lib === lib),
      ),
    decide: (records, { pack_id, lib }, context) => {
      if (records.length === 0)
        return err(failure("RUMI-SYS-011", { what: "lib record", id: `${pack_id}:${lib ?? "*"}` }));
      return ok({
        writes: records.map((one) => removeLibRecord(context.store, one)),
        events: records.map((one) => ({
          action: "lib.record_cleared",
          resource_type: "pack",
          resource_id: pack_id,
          outcome: "SUCCESS" as const,
          details: { owner_pack: pack_id, lib: one.lib },
        })),
        outbox: [],
        data: { cleared: records.map(libRecordView), count: records.length },
      });
    },
  });
