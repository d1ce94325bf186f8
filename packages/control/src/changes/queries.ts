/** Reading changes: a page of them, or one in full, which is also how a second person is shown what they approve. */
import { err, failure, ok } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import { Type } from "@sinclair/typebox";
import { iso } from "../challenges/model.ts";
import { readChallengePage } from "../challenges/page.ts";
import { leavesServed, wholeOf } from "../challenges/queries.ts";
import { OPEN_STATES } from "../challenges/states.ts";
import { readChallenge, type ChallengeRow } from "../challenges/tables.ts";
import { CLOSED, CommandIdField, EVERYONE } from "../shared/fields.ts";
import { PAGE_FIELDS } from "../shared/paging.ts";
import { jsonOf } from "../shared/sql.ts";
import { ChangesAnswer, WholeChangeAnswer } from "./answers.ts";
import { changeNote, changeStateAt } from "./model.ts";

export const listChanges: Declaration = defineQuery({
  name: "changes.list",
  summary: "Changes, newest first: who proposed what, and how far it has come",
  http: { method: "GET", path: "/api/changes" },
  input: Type.Object(
    {
      state: Type.Optional(Type.Union([Type.Literal("OPEN"), Type.Literal("SETTLED")])),
      proposed_by: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
      ...PAGE_FIELDS,
    },
    CLOSED,
  ),
  output: ChangesAnswer,
  permission: EVERYONE,
  read: async (reader, { state, proposed_by, cursor, limit }, { store, now }) => {
    const asked = { cursor, limit, requester: proposed_by };
    const found = await readChallengePage(reader, store, "change", asked, (query) => {
      if (state === "OPEN") return query.where("state", "in", [...OPEN_STATES]).where("deadline", ">", now);
      if (state === "SETTLED")
        return query.where((of) => of.or([of("state", "not in", [...OPEN_STATES]), of("deadline", "<=", now)]));
      return query;
    });
    if (!found.ok) return found;
    const { page, next_cursor } = found.value;
    return ok({ changes: page.map((row) => summaryOf(row, now)), count: page.length, next_cursor });
  },
});

/** Without the hash: nobody approves from a list. */
function summaryOf(row: ChallengeRow, now: Parameters<typeof changeStateAt>[1]) {
  const { intent_hash: _, ...note } = changeNote(row);
  return {
    ...note,
    state: changeStateAt(row, now),
    proposed_by: row.requester,
    proposed_at: iso(row.created_at),
    /** Whose second person may approve it. */
    approver_roles: jsonOf<readonly string[]>(row.roles),
    command_id: row.command_id,
    reason: row.reason,
    settled_by: row.settled_by,
  };
}

export const showChange: Declaration = defineQuery({
  name: "changes.show",
  summary: "One change: the exact command, its diff, what it would do, what stands in its way now, who approved it",
  http: { method: "GET", path: "/api/changes/{change_id}" },
  input: Type.Object({ change_id: CommandIdField }, CLOSED),
  output: WholeChangeAnswer,
  permission: EVERYONE,
  read: async (reader, { change_id }, context) => {
    const row = await readChallenge(reader, context.store, change_id, "change");
    if (row === undefined) return err(failure("RUMI-CMD-020", { what: "change", challenge_id: change_id }));
    const { diff } = jsonOf<{ readonly diff: readonly unknown[] }>(row.outlook);
    return ok({ ...summaryOf(row, context.now), diff, ...(await wholeOf(reader, row, context)) });
  },
  leaves: leavesServed("changes.show"),
});
