/** Looks whether what bots need is there: in the pack library, among the venues, on this machine, in the registry. */
import { access } from "node:fs/promises";
import type { Failure, Result } from "@rumi/kernel";
import type { Pack } from "@rumi/platform";
import type { Reader } from "@rumi/store";
import type { BotSpec } from "../bots/model.ts";
import { readBot } from "../bots/tables.ts";
import { isRunning } from "../lifecycle/states.ts";
import type { Sql } from "../shared/sql.ts";
import { instrumentsOf, type VenueSpec } from "../venues/model.ts";
import { venueUnchanged } from "../venues/operations.ts";
import { readVenue } from "../venues/tables.ts";
import {
  botsAmong,
  judgeDependencies,
  parseDependencies,
  type Dependency,
  type DependencyState,
  type Needs,
} from "./model.ts";
import { readNeeds } from "./tables.ts";

export type DependencyDeps = {
  readonly packOf: (reader: Reader, pack_id: string) => Promise<Pack | undefined>;
};

export type LookedAt = {
  readonly judged: Result<null, Failure>;
  readonly states: readonly DependencyState[];
};

export async function lookAtDependencies(
  deps: DependencyDeps,
  reader: Reader,
  sql: Sql,
  bot_id: string,
  spec: Pick<BotSpec, "dependencies">,
): Promise<LookedAt> {
  const parsed = parseDependencies(spec.dependencies ?? []);
  if (!parsed.ok) return { judged: parsed, states: [] };
  const bots = botsAmong(parsed.value);
  const reached = bots.length === 0 ? [] : [...(await readNeeds(reader, sql, bots))];
  const needs: Needs = new Map([...reached, [bot_id, bots]]);
  const states: DependencyState[] = [];
  for (const one of parsed.value) states.push(await stateOf(deps, reader, sql, one));
  return { judged: judgeDependencies(bot_id, { needs, states }), states };
}

export async function stateOf(
  deps: DependencyDeps,
  reader: Reader,
  sql: Sql,
  of: Dependency,
): Promise<DependencyState> {
  const problem = await problemOf(deps, reader, sql, of);
  return { dependency: of.text, kind: of.kind, state: problem === null ? "MET" : "MISSING", problem };
}

async function problemOf(deps: DependencyDeps, reader: Reader, sql: Sql, of: Dependency): Promise<string | null> {
  switch (of.kind) {
    case "strategy":
    case "pack": {
      const pack = await deps.packOf(reader, of.pack_id);
      if (pack === undefined) return "there is no such pack";
      if (pack.state !== "approved" || pack.approved === null) return `the pack is ${pack.state}, not approved`;
      const { digest, manifest } = pack.approved;
      if (of.kind === "pack")
        return of.digest === undefined || of.digest === digest ? null : `what is approved is ${digest}`;
      const offered = manifest.strategies.filter(({ strategy_id }) => strategy_id === of.strategy_id);
      if (offered.length === 0) return "the pack has no such strategy";
      return of.version === undefined || offered.some(({ strategy_version }) => strategy_version === of.version)
        ? null
        : `the pack offers ${offered.map(({ strategy_version }) => strategy_version).join(", ")}`;
    }
    case "key": {
      const venue = await readVenue(reader, sql, of.venue_id);
      if (venue === undefined) return "there is no such venue";
      return venue.live === undefined ? "the venue has no key" : keyProblem(venue.live.key);
    }
    case "data": {
      const venue = await readVenue(reader, sql, of.venue_id);
      if (venue === undefined) return "there is no such venue";
      if (of.instrument_id !== undefined && !instrumentsOf(venue).some((one) => one.instrument_id === of.instrument_id))
        return "the venue has no such instrument";
      const same = await venueUnchanged(venue);
      return same.ok ? null : "a file of the venue is not what was registered";
    }
    case "bot": {
      const bot = await readBot(reader, sql, of.bot_id);
      if (bot === undefined) return "there is no such bot";
      return isRunning(bot.state) ? null : `it is ${bot.state} and does not run`;
    }
  }
}

type Key = NonNullable<VenueSpec["live"]>["key"];

/** That it can be read, never what it says. */
async function keyProblem(key: Key): Promise<string | null> {
  if ("env" in key) return process.env[key.env] === undefined ? "the key's variable is not set" : null;
  try {
    await access(key.file);
    return null;
  } catch {
    return "the key's file cannot be read"; // which is all that a reader of this can use
  }
}
