/** The pipeline's gate `required`: every gate that is required passes now. Asked again when a challenge is confirmed. */
import { PASSES, type Guard } from "@rumi/operations";
import type { Sql } from "../shared/sql.ts";
import { judgeGates } from "./model.ts";
import { gateFence, readGates } from "./tables.ts";

export const REQUIRED_GATES = "required";

export function requiredGates(sql: Sql): Guard {
  return {
    name: REQUIRED_GATES,
    check: async (reader, { now, fence }) => {
      fence(await gateFence(reader, sql));
      const judged = judgeGates(await readGates(reader, sql), now);
      return judged.ok ? PASSES : judged;
    },
  };
}
