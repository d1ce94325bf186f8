/** That somebody has a copy of the home is on the record (packages/rumi/src/recovery makes it). */
import { ID_PATTERNS, ok } from "@rumi/kernel";
import { defineOperation, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { CLOSED, CommandIdField, noDanger, ReasonField } from "../shared/fields.ts";
import { BackupAnswer } from "./answers.ts";

const COUNT = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const recoveryDeclarations = (): readonly Declaration[] => [recordBackup];

const recordBackup: Declaration = defineOperation({
  name: "backups.record",
  summary: "Put on the record that a backup of the home was made, and where its log ends",
  http: { method: "POST", path: "/api/backups" },
  success: [201],
  input: Type.Object(
    {
      command_id: CommandIdField,
      backup_id: Type.String({ pattern: ID_PATTERNS.uuid }),
      log_size: COUNT,
      files: COUNT,
      reason: ReasonField,
    },
    CLOSED,
  ),
  output: BackupAnswer,
  key: "command_id",
  permission: ["admin"],
  safety: ["NORMAL", "SAFE", "EMERGENCY_STOP"],
  risk: () => "neutral",
  danger: noDanger,
  target: ({ backup_id }) => ({ resource_type: "backup", resource_id: backup_id }),
  gates: [],
  load: () => Promise.resolve(null),
  decide: (_facts, { backup_id, log_size, files }) =>
    ok({
      writes: [],
      events: [
        {
          action: "home.backed_up",
          resource_type: "backup",
          resource_id: backup_id,
          outcome: "SUCCESS",
          details: { backup_id, log_size, files },
        },
      ],
      outbox: [],
      status: 201,
      data: { backup_id, log_size, files },
    }),
});
