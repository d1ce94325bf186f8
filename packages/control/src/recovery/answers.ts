/** What the record of a backup answers. */
import { Type } from "@sinclair/typebox";
import { CountField, OPEN } from "../shared/answers.ts";

export const BackupAnswer = Type.Object({ backup_id: Type.String(), log_size: CountField, files: CountField }, OPEN);
