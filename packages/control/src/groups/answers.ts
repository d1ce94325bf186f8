/** What the operations of groups answer. */
import { Type } from "@sinclair/typebox";
import { CountField, CursorField, InstantField, OPEN } from "../shared/answers.ts";
import { BOT_STATES } from "../lifecycle/states.ts";

const head = {
  group_id: Type.String(),
  display_name: Type.String(),
  generation: CountField,
  created_at: InstantField,
  created_by: Type.String(),
} as const;
export const GroupAnswer = Type.Object(
  {
    ...head,
    count: CountField,
    digest: Type.String({ description: "Of the list of bots with their generations." }),
    bots: Type.Array(
      Type.Object(
        {
          bot_id: Type.String(),
          state: Type.Union(BOT_STATES.map((state) => Type.Literal(state))),
          generation: CountField,
        },
        OPEN,
      ),
    ),
  },
  OPEN,
);
export const GroupsAnswer = Type.Object(
  { groups: Type.Array(Type.Object(head, OPEN)), count: CountField, next_cursor: CursorField },
  OPEN,
);
export const GroupChangeAnswer = Type.Object({ ...head, bot_id: Type.String(), changed: Type.Boolean() }, OPEN);
