/** Registered venues; a row is written once and never changed. */
import type { Migrations, Reader } from "@rumi/store";
import { first, jsonOf, type Sql } from "../shared/sql.ts";
import type { VenueSpec } from "./model.ts";

export type VenueRow = { venue_id: string; kind: string; spec: string; created_at: number; created_by: string };
export type VenueTables = { venue: VenueRow };

const statements = (integer: string): readonly string[] => [
  `CREATE TABLE venue (venue_id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, spec TEXT NOT NULL, created_at ${integer} NOT NULL, created_by TEXT NOT NULL)`,
];

export const VENUE_MIGRATIONS: Migrations = {
  owner: "control.venues",
  steps: [{ name: "001-venues", sqlite: statements("INTEGER"), postgres: statements("BIGINT") }],
};

export async function readVenue(reader: Reader, sql: Sql, venue_id: string): Promise<VenueSpec | undefined> {
  const row = await first<VenueRow>(
    reader,
    sql.builder<VenueTables>().selectFrom("venue").selectAll().where("venue_id", "=", venue_id),
  );
  return row === undefined ? undefined : jsonOf<VenueSpec>(row.spec);
}
