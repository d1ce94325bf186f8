/**
 * Fields that many answers share. Answers are open objects: they may gain fields (docs/formats/api.md), so a schema says
 * what is always there and of which type; the published OpenAPI document is checked against living answers.
 */
import { ID_PATTERNS } from "@rumi/kernel";
import { Type, type TSchema, type TUnion, type TNull } from "@sinclair/typebox";

export const OPEN = { additionalProperties: true } as const;
export const nullable = <T extends TSchema>(of: T): TUnion<[T, TNull]> => Type.Union([of, Type.Null()]);

export const UuidField = Type.String({ pattern: ID_PATTERNS.uuid });
/** RFC 3339, UTC, with six decimals. */
export const InstantField = Type.String({ pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{6}Z$" });
export const DigestHexField = Type.String({ pattern: "^[0-9a-f]{64}$" });
export const CountField = Type.Integer({ minimum: 0 });
export const CursorField = nullable(Type.String());
export const AnythingField = Type.Object({}, OPEN);
/** A failure as it stands in rows and reports. */
export const NoteField = Type.Object(
  {
    error_code: Type.String({ pattern: "^RUMI-[A-Z]{2,4}-\\d{3}$" }),
    reason_code: nullable(Type.String()),
    error: Type.String(),
    suggestion: Type.String(),
  },
  OPEN,
);
