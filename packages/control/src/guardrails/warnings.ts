/** The words that stand before an action, for whoever is shown a challenge or a change of it. */
import type { Reader } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";
import { warningsOf } from "./model.ts";
import { policyOf, readGuardrails } from "./tables.ts";

export async function readWarnings(reader: Reader, sql: Sql, action: string): Promise<readonly string[]> {
  return warningsOf(policyOf(await readGuardrails(reader, sql)), action);
}
