/**
 * Refuses nothing itself: the preflight does. It has a start or an update judged anew where a report, a policy, a key or an
 * exception was committed between its judgement and its commit (commit-fences.test.ts).
 */
import { PASSES, type Guard } from "@rumi/operations";
import type { Sql } from "../shared/sql.ts";
import { supplyFence } from "./tables.ts";

export function supplyGuard(sql: Sql): Guard {
  return {
    name: "supply_chain",
    check: async (reader, { fence }) => {
      fence(await supplyFence(reader, sql));
      return PASSES;
    },
  };
}
