/**
 * GET /api/leases: who alone may run an instance, under which epoch, and until when (L-15, L-N7).
 *
 * The store's clock is the only judge of a lease, so the answer says what time it had; whoever counts down counts from
 * there. `over` is a lease that somebody held and nobody renewed in time: nothing that is sent under it passes any more.
 */
import { isoFromMicros, micros, ok, type Millis } from "@rumi/kernel";
import { defineQuery, type Declaration } from "@rumi/operations";
import { databaseNow, LEASE_RENEWAL_MS, LEASE_TTL_MS, type LeaseRow, type LeaseTables, type Reader } from "@rumi/store";
import { Type } from "@sinclair/typebox";
import { CONTROL_LIMITS } from "../limits.ts";
import type { RunnerRow, RunnerTables } from "../runners/tables.ts";
import { BotIdField, CLOSED, EVERYONE } from "../shared/fields.ts";
import type { Sql } from "../shared/sql.ts";
import { LeasesAnswer } from "./answers.ts";

type Seen = LeaseRow & {
  readonly runner_state: RunnerRow["state"] | null;
  readonly last_seen_at: number | null;
  readonly now: number;
};

export function leaseDeclarations({ lease_ttl }: { readonly lease_ttl?: Millis }): readonly Declaration[] {
  return [
    defineQuery({
      name: "leases.list",
      summary: "Who holds which instance: runner, epoch (the fencing token), renewed when, until when",
      http: { method: "GET", path: "/api/leases" },
      input: Type.Object({ bot_id: Type.Optional(BotIdField) }, CLOSED),
      output: LeasesAnswer,
      permission: EVERYONE,
      read: async (reader, { bot_id }, { store, now }) => {
        const rows = await readLeases(reader, store, bot_id);
        const as_of = rows[0]?.now ?? now;
        return ok({
          leases: rows.map(leaseView),
          count: rows.length,
          as_of: isoFromMicros(micros(as_of)),
          ttl_ms: lease_ttl ?? LEASE_TTL_MS,
          renewal_ms: LEASE_RENEWAL_MS,
        });
      },
    }),
  ];
}

function readLeases(reader: Reader, sql: Sql, bot_id: string | undefined): Promise<readonly Seen[]> {
  const query = sql
    .builder<LeaseTables & RunnerTables>()
    .selectFrom("lease")
    .leftJoin("runner", "runner.runner_id", "lease.holder")
    .selectAll("lease")
    .select(["runner.state as runner_state", "runner.last_seen_at as last_seen_at", databaseNow(sql.dialect).as("now")])
    .orderBy("lease.bot_id")
    .orderBy("lease.strategy_id")
    .orderBy("lease.instance_id")
    .limit(CONTROL_LIMITS.leases_listed);
  return reader.rows<Seen>(bot_id === undefined ? query : query.where("lease.bot_id", "=", bot_id));
}

function leaseView({ now, runner_state, last_seen_at, ...lease }: Seen) {
  const { bot_id, strategy_id, instance_id, holder, epoch, acquired_at, renewed_at, expires_at } = lease;
  return {
    bot_id,
    strategy_id,
    instance_id,
    state: holder === null ? "free" : expires_at > now ? "held" : "over",
    holder,
    /** What the program last knew of that runner: connected, lost or gone. */
    holder_state: runner_state,
    holder_seen_at: holder === null ? null : iso(last_seen_at),
    epoch,
    acquired_at: iso(acquired_at),
    renewed_at: iso(renewed_at),
    expires_at: iso(expires_at),
  };
}

/** Null before the first acquisition. */
const iso = (at: number | null): string | null => (at === null || at === 0 ? null : isoFromMicros(micros(at)));
