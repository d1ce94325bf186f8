/** The question that whatever takes two people asks: are these two? */
import type { Failure, Micros, Result } from "@rumi/kernel";
import type { Reader } from "@rumi/store";
import type { Sql } from "../shared/sql.ts";
import { judgeTwoPeople } from "./model.ts";
import { readOrigins } from "./tables.ts";

/** `requester` and whoever approves, reviews or confirms beside them. */
export type TwoPeople = (
  reader: Reader,
  pair: readonly [requester: string, other: string],
  now: Micros,
) => Promise<Result<null, Failure>>;

export const twoPeople =
  (sql: Sql, wait_seconds: number): TwoPeople =>
  async (reader, pair, now) =>
    judgeTwoPeople(pair, await readOrigins(reader, sql, pair), now, wait_seconds);
