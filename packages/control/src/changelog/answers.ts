/** What changelogs answer. */
import { Type } from "@sinclair/typebox";
import { CountField, nullable, OPEN } from "../shared/answers.ts";

const changelog = {
  version: Type.String(),
  generation: CountField,
  changelog: Type.String(),
  added_by: Type.String(),
  passes: Type.Boolean({ description: "Whether it says enough to go live." }),
} as const;
export const ChangelogAnswer = Type.Object({ bot_id: Type.String(), ...changelog }, OPEN);
export const ChangelogsAnswer = Type.Object(
  {
    bot_id: Type.String(),
    changelogs: Type.Array(Type.Object({ ...changelog, problem: nullable(Type.String()) }, OPEN)),
    count: CountField,
  },
  OPEN,
);
