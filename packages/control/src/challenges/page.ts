/** A page of challenges or of changes, newest first: one table, two kinds. */
import { ok, type Failure, type Result } from "@rumi/kernel";
import type { Reader } from "@rumi/store";
import type { SelectQueryBuilder } from "kysely";
import { pageOf } from "../shared/paging.ts";
import { decodeCursor, type Sql } from "../shared/sql.ts";
import type { ChallengeKind } from "./states.ts";
import type { ChallengeRow, ChallengeTables } from "./tables.ts";

export type ChallengeQuery = SelectQueryBuilder<ChallengeTables, "challenge", ChallengeRow>;
export type ChallengeAsked = {
  readonly cursor?: string | undefined;
  readonly limit?: number | undefined;
  readonly requester?: string | undefined;
};
export type ChallengePage = { readonly page: readonly ChallengeRow[]; readonly next_cursor: string | null };

export async function readChallengePage(
  reader: Reader,
  sql: Sql,
  kind: ChallengeKind,
  { cursor, limit = 50, requester }: ChallengeAsked,
  narrow: (query: ChallengeQuery) => ChallengeQuery,
): Promise<Result<ChallengePage, Failure>> {
  const after = decodeCursor(cursor, ["number", "string"]);
  if (!after.ok) return after;
  let query = narrow(
    sql
      .builder<ChallengeTables>()
      .selectFrom("challenge")
      .selectAll()
      .where("kind", "=", kind)
      .orderBy("created_at", "desc")
      .orderBy("challenge_id", "desc")
      .limit(limit + 1),
  );
  if (requester !== undefined) query = query.where("requester", "=", requester);
  if (after.value !== undefined) {
    const [at, id] = after.value as [number, string];
    query = query.where((of) =>
      of.or([of("created_at", "<", at), of.and([of("created_at", "=", at), of("challenge_id", "<", id)])]),
    );
  }
  return ok(pageOf(await reader.rows<ChallengeRow>(query), limit, (row) => [row.created_at, row.challenge_id]));
}
