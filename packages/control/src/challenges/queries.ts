/** Reading challenges: a page of them, or one in full, which is also how a second person is shown what is approved. */
import { err, failure, ok } from "@rumi/kernel";
import { defineQuery, type Decision, type Declaration, type Passage, type ReadContext } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { mayRead } from "../access/model.ts";
import { readWarnings } from "../guardrails/warnings.ts";
import { CLOSED, CommandIdField, EVERYONE } from "../shared/fields.ts";
import { PAGE_FIELDS } from "../shared/paging.ts";
import { jsonOf } from "../shared/sql.ts";
import { intentOf, isOpen, iso, judgeOpen, requiresOf } from "./model.ts";
import { readChallengePage } from "./page.ts";
import { storedCommand } from "./port.ts";
import { CHALLENGE_STATES } from "./states.ts";
import { insertServed, readApproval, readChallenge, readServed, type ChallengeRow } from "./tables.ts";
import { challengeNote } from "./told.ts";
import { ChallengesAnswer, WholeChallengeAnswer } from "./answers.ts";

export const listChallenges: Declaration = defineQuery({
  name: "challenges.list",
  summary: "Challenges, newest first; one in full shows what it is about",
  http: { method: "GET", path: "/api/challenges" },
  input: Type.Object(
    {
      state: Type.Optional(Type.Union(CHALLENGE_STATES.map((state) => Type.Literal(state)))),
      requester: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
      ...PAGE_FIELDS,
    },
    CLOSED,
  ),
  output: ChallengesAnswer,
  permission: EVERYONE,
  read: async (reader, { state, ...asked }, { store, now }) => {
    const found = await readChallengePage(reader, store, "challenge", asked, (query) =>
      state === undefined ? query : query.where("state", "=", state),
    );
    if (!found.ok) return found;
    const { page, next_cursor } = found.value;
    return ok({ challenges: page.map((row) => summaryOf(row, now)), count: page.length, next_cursor });
  },
});

/** Without the hash: nobody approves from a list. */
function summaryOf(row: ChallengeRow, now: number) {
  const { intent_hash: _, ...note } = challengeNote(row);
  return {
    ...note,
    state: isOpen(row) && row.deadline <= now ? "EXPIRED" : row.state,
    operation: row.operation,
    target: { resource_type: row.resource_type, resource_id: row.resource_id },
    requester: row.requester,
    /** Whose second person may approve it. */
    approver_roles: jsonOf<readonly string[]>(row.roles),
    command_id: row.command_id,
    reason: row.reason,
    created_at: iso(row.created_at),
    settled_by: row.settled_by,
  };
}

/** What somebody reads before they approve: all of it, and what stands in its way now. */
export async function wholeOf(reader: Reader, row: ChallengeRow, { store, now, principal, outlook }: ReadContext) {
  const approval = await readApproval(reader, store, row.challenge_id);
  const current = judgeOpen(row, now).ok ? await outlook(storedCommand(row), passageOf(row)) : null;
  const requested = jsonOf<Readonly<Record<string, unknown>>>(row.outlook);
  return {
    intent_hash: row.intent_hash,
    intent: intentOf(row),
    impact: current?.preview ?? requested["preview"] ?? null,
    blocked_by: current?.refusals ?? null,
    warnings: await readWarnings(reader, store, row.operation),
    environment: row.environment,
    approvals:
      approval === undefined
        ? []
        : [{ approver: approval.approver, reason: approval.reason, approved_at: iso(approval.approved_at) }],
    settled_at: row.settled_at === null ? null : iso(row.settled_at),
    settled_reason: row.settled_reason,
    error_code: row.error_code,
    served_before: (await readServed(reader, store, row, principal.id)) !== undefined,
  };
}

/** As it would come with the approval that it asks for. */
const passageOf = (row: ChallengeRow): Passage => ({
  kind: row.kind,
  two_people: requiresOf(row).includes("second_person"),
});

type Shown = { readonly intent_hash: string; readonly served_before: boolean } & (
  | { readonly challenge_id: string }
  | { readonly change_id: string }
);

/** Evidence, in the log and in a row, that this person was shown this intent; without it the page is not shown. */
export const leavesServed =
  (query: string) =>
  (shown: Shown, { store, now, principal }: Omit<ReadContext, "outlook">): Pick<Decision, "writes" | "events"> => {
    const [kind, challenge_id] =
      "change_id" in shown ? (["change", shown.change_id] as const) : (["challenge", shown.challenge_id] as const);
    // Who is shown less than all of it has not been served it.
    if (shown.served_before || !mayRead(principal, "configuration")) return { writes: [], events: [] };
    return {
      writes: [
        insertServed(store, {
          challenge_id,
          subject_id: principal.id,
          intent_hash: shown.intent_hash,
          served_at: now,
        }),
      ],
      events: [
        {
          action: "query.sensitive_read",
          resource_type: kind,
          resource_id: challenge_id,
          outcome: "SUCCESS",
          details: { query, fields: ["intent", "impact", "blocked_by"], rows: 1 },
        },
      ],
    };
  };

export const showChallenge: Declaration = defineQuery({
  name: "challenges.show",
  summary: "One challenge: the exact request, what it would do, what stands in its way now",
  http: { method: "GET", path: "/api/challenges/{challenge_id}" },
  input: Type.Object({ challenge_id: CommandIdField }, CLOSED),
  output: WholeChallengeAnswer,
  permission: EVERYONE,
  read: async (reader, { challenge_id }, context) => {
    const row = await readChallenge(reader, context.store, challenge_id);
    if (row === undefined) return err(failure("RUMI-CMD-020", { what: "challenge", challenge_id }));
    return ok({ ...summaryOf(row, context.now), ...(await wholeOf(reader, row, context)) });
  },
  leaves: leavesServed("challenges.show"),
});
