/** Who made which account and minted which token, followed as far as it goes. It reads the tables of people and tokens. */
import { ROOT } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";
import type { UserTables } from "../users/tables.ts";
import { TWO_PEOPLE_LIMITS, type Origin, type Origins } from "./model.ts";

/** Of these principals, their makers, and theirs; a token that was revoked or has run out may have made others. */
export async function readOrigins(reader: Reader, sql: Sql, subjects: readonly string[]): Promise<Origins> {
  const db = sql.builder<UserTables>();
  const found = new Map<string, Origin[]>(subjects.map((id) => [id, []]));
  let next: readonly string[] = [...found.keys()];
  while (next.length > 0 && found.size <= TWO_PEOPLE_LIMITS.hands) {
    const accounts = await reader.rows<Origin>(
      db
        .selectFrom("operator")
        .select(["user_id as subject_id", "created_by as by", "created_at as at"])
        .where("user_id", "in", next),
    );
    const tokens = await reader.rows<Origin>(
      db
        .selectFrom("operator_token")
        .select((of) => ["user_id as subject_id", "created_by as by", of.fn.max("created_at").as("at")])
        .where("user_id", "in", next)
        .groupBy(["user_id", "created_by"]),
    );
    const behind = new Set<string>();
    for (const origin of [...accounts, ...tokens]) {
      found.get(origin.subject_id)?.push(origin);
      if (origin.by !== ROOT.id && !found.has(origin.by)) behind.add(origin.by);
    }
    for (const id of behind) found.set(id, []);
    next = [...behind];
  }
  return found;
}
