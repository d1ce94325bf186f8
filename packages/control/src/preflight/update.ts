/**
 * The preflight of another version in a bot's place, or beside it: what a start is judged by, but for what the run that is
 * there holds for it (its runner, its lease). The version itself was verified, admitted with the state that it would begin
 * with and found to fit before this is asked (updates/operations.ts).
 */
import { err, failure, ok } from "@rumi/kernel";
import type { SafetyMode } from "@rumi/operations";
import type { Reader } from "@rumi/store";
import { lookAtDependencies } from "../dependencies/look.ts";
import { judgeGates } from "../gates/model.ts";
import { readGates } from "../gates/tables.ts";
import { inForce } from "../overrides/model.ts";
import { readOpen } from "../overrides/tables.ts";
import { judgeCapital, judgeLimits } from "../risk/capital.ts";
import { roomFor } from "../risk/room.ts";
import { readStops } from "../risk/stop-tables.ts";
import { readSafety } from "../safety/tables.ts";
import type { Sql } from "../shared/sql.ts";
import { supplyCheck } from "../supply-chain/standing.ts";
import { instrumentsOf, type VenueSpec } from "../venues/model.ts";
import { venueUnchanged } from "../venues/operations.ts";
import type { PreflightDeps, Starting } from "./gather.ts";
import type { PreflightFacts } from "./model.ts";

export type UpdateFacts = PreflightFacts;

export async function gatherUpdate(
  deps: PreflightDeps,
  reader: Reader,
  sql: Sql,
  { bot_id, spec, changelog, release, mode, now, venue }: Starting & { readonly venue: VenueSpec },
): Promise<UpdateFacts> {
  const known = instrumentsOf(venue).map((one) => String(one.instrument_id));
  const missing = spec.instruments.find((one) => !known.includes(one));
  const needs = await lookAtDependencies(deps, reader, sql, bot_id, spec);
  return {
    bot_id,
    mode,
    overrides: inForce(await readOpen(reader, sql), bot_id, now),
    safety: deps.modeNow((await readSafety(reader, sql)).mode as SafetyMode),
    runbook: spec.runbook,
    changelog,
    checks: {
      artifact_digest: ok(null),
      supply_chain: await supplyCheck(reader, sql, spec.strategy.digest, now),
      release_certificate: release,
      compatibility: ok(null),
      admission: ok(null),
      config_schema: ok(null),
      isolation: ok(null),
      lease_free: ok(null),
      runner: ok(null),
      capital: judgeCapital(bot_id, spec, await roomFor(deps, reader, sql, { ...spec, bot_id, venue })),
      limits: judgeLimits(bot_id, spec, await readStops(reader, sql, bot_id)),
      instruments:
        missing === undefined
          ? ok(null)
          : err(failure("RUMI-BOT-005", { venue_id: spec.venue, instrument_id: missing })),
      venue_files: await venueUnchanged(venue),
      dependencies: needs.judged,
      gates: judgeGates(await readGates(reader, sql), now),
    },
  };
}
