/** What reading admission reports answers. */
import { Type } from "@sinclair/typebox";
import { AnythingField, CountField, CursorField, InstantField, nullable, OPEN } from "../shared/answers.ts";

export const AdmissionAnswer = Type.Object(
  {
    report_id: Type.String(),
    subject: nullable(Type.String({ description: "Digest of everything that was judged." })),
    bot_id: Type.String(),
    pack_id: Type.String(),
    strategy_id: Type.String(),
    strategy_version: Type.String(),
    digest: Type.String(),
    admitted: Type.Boolean(),
    error_code: nullable(Type.String()),
    reason_code: nullable(Type.String()),
    checks: Type.Array(Type.Object({ check: Type.String(), passed: Type.Boolean() }, OPEN)),
    isolation: nullable(AnythingField),
    created_at: InstantField,
  },
  OPEN,
);
export const AdmissionsAnswer = Type.Object(
  { admissions: Type.Array(AdmissionAnswer), count: CountField, next_cursor: CursorField },
  OPEN,
);
