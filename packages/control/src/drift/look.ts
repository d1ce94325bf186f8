/**
 * One look at everything that may differ from what was decided: rows beside versions, runners' words beside rows, bytes on
 * disk beside digests, clocks beside the program's.
 *
 * It runs every few moments over all that is open, so what was parsed once is kept as long as its text stays the same.
 */
import type { Clock } from "@rumi/kernel";
import { PACK_LIMITS, readTree } from "@rumi/platform";
import type { Reader, Store } from "@rumi/store";
import type { BotSpec } from "../bots/model.ts";
import type { BotRow, BotTables, BotVersionRow } from "../bots/tables.ts";
import { shardsOf } from "../instances/shards.ts";
import { keyText, readInstance, readOpenInstances, type InstanceRow, type StartSpec } from "../instances/tables.ts";
import type { RunnerHub } from "../runners/hub.ts";
import { jsonOf } from "../shared/sql.ts";
import { DRIFT_LIMITS, extraInstance, findDrift, findingOf, hashOf, type Finding } from "./model.ts";

export type LookDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly hub: Pick<RunnerHub, "ready" | "hosted" | "clockErrors">;
  readonly read_packs_every_ms?: number;
};

/** Bots whose rows one statement reads. */
const CHUNK = 400;
/** Bots that one statement compares with their versions: all of a large fleet would hold the thread. */
export const COMPARED_AT_ONCE = 1_000;

export function driftLook({
  store,
  clock,
  hub,
  ...times
}: LookDeps): (adopting: boolean) => Promise<readonly Finding[]> {
  const parsed = new Map<string, { readonly text: string; readonly start: StartSpec }>();
  let read_at = Number.NEGATIVE_INFINITY;
  let altered: ReadonlySet<string> = new Set();

  const started = (instance: InstanceRow): StartSpec => {
    const key = keyText(instance);
    const known = parsed.get(key);
    if (known?.text === instance.spec) return known.start;
    const start = jsonOf<StartSpec>(instance.spec);
    parsed.set(key, { text: instance.spec, start });
    return start;
  };

  /** Of the packs that something runs from: those whose bytes are not those of their digest any more. */
  const readPacks = async (open: readonly InstanceRow[]): Promise<void> => {
    const every = times.read_packs_every_ms ?? DRIFT_LIMITS.read_packs_every_ms;
    if (clock.monotonic() - read_at < every) return;
    read_at = clock.monotonic();
    const packs = new Map(open.map((one) => [started(one).pack_dir, started(one).pack_digest]));
    const found = new Set<string>();
    for (const [directory, digest] of packs) {
      const tree = await readTree(directory, PACK_LIMITS);
      if (!tree.ok || tree.value.digest !== digest) found.add(directory);
    }
    altered = found;
  };

  return async (adopting) => {
    const open = (await readOpenInstances(store, store)).filter(({ desired }) => desired !== "stopped");
    for (const key of parsed.keys()) if (!open.some((one) => keyText(one) === key)) parsed.delete(key);
    const ready = new Set(hub.ready());
    const isThere = (runner_id: string): boolean => adopting || ready.has(runner_id);
    const hosted = hub.hosted();
    const told = new Map(hosted.map(({ runner_id, status }) => [`${runner_id} ${keyText(status)}`, status]));
    const reported = (instance: InstanceRow) => told.get(`${instance.holder ?? ""} ${keyText(instance)}`);
    const found: Finding[] = [...(await editedBots(store, new Set(open.map(({ bot_id }) => bot_id))))];
    for (const { bot, version } of await readBots(store, [...new Set(open.map(({ bot_id }) => bot_id))])) {
      const instances = open.filter(({ bot_id }) => bot_id === bot.bot_id);
      found.push(...findDrift({ bot, version, instances, started, reported, isThere }));
    }
    await readPacks(open);
    for (const instance of open) {
      const { pack_dir, pack_digest } = started(instance);
      const of = { ...findingOf(instance), beyond_repair: true };
      if (altered.has(pack_dir))
        found.push({ ...of, drift_class: "digest", place: "disk", expected: pack_digest, found: "altered bytes" });
      const error = instance.holder === null ? undefined : hub.clockErrors().get(instance.holder);
      if (error !== undefined && Math.abs(error) > DRIFT_LIMITS.clock_error_ms)
        found.push({
          ...of,
          drift_class: "clock",
          place: "runner",
          expected: `within ${DRIFT_LIMITS.clock_error_ms} ms`,
          found: `off by ${Math.round(error)} ms`,
        });
    }
    for (const { runner_id, status } of hosted) {
      const extra = extraInstance(runner_id, status, await readInstance(store, store, status));
      if (extra !== undefined) found.push(extra);
    }
    const real: Finding[] = [];
    for (const one of found) if (!(await isOnItsWay(store, one))) real.push(one);
    return real;
  };
}

/** Bots at rest whose row is not what their version says; of those with open instances findDrift tells. */
async function editedBots(store: Store, open: ReadonlySet<string>): Promise<readonly Finding[]> {
  const ids = (await differingBots(store)).filter((bot_id) => !open.has(bot_id));
  const none = {
    instances: [],
    started: () => jsonOf<StartSpec>("{}"),
    reported: () => undefined,
    isThere: () => true,
  };
  return (await readBots(store, ids))
    .flatMap(({ bot, version }) => findDrift({ bot, version, ...none }).map((one) => ({ one, bot })))
    .filter(({ one, bot }) => !(one.beyond_repair && bot.state === "QUARANTINED"))
    .map(({ one }) => one);
}

/** A part of the fleet after the other, in the order of their ids. */
async function differingBots(store: Store): Promise<readonly string[]> {
  const db = store.builder<BotTables>();
  const found: string[] = [];
  for (let after = ""; ;) {
    const [last] = await store.rows<{ bot_id: string }>(
      db
        .selectFrom("bot")
        .select("bot_id")
        .where("bot_id", ">", after)
        .orderBy("bot_id")
        .offset(COMPARED_AT_ONCE - 1)
        .limit(1),
    );
    const differing = db
      .selectFrom("bot")
      .leftJoin("bot_version", (join) =>
        join.onRef("bot_version.bot_id", "=", "bot.bot_id").onRef("bot_version.generation", "=", "bot.generation"),
      )
      .select("bot.bot_id")
      .where((of) => of.or([of("bot_version.spec", "is", null), of("bot_version.spec", "!=", of.ref("bot.spec"))]))
      .where("bot.retired_at", "is", null)
      .where("bot.bot_id", ">", after)
      .limit(CHUNK - found.length);
    const rows = await store.rows<{ bot_id: string }>(
      last === undefined ? differing : differing.where("bot.bot_id", "<=", last.bot_id),
    );
    found.push(...rows.map(({ bot_id }) => bot_id));
    if (last === undefined || found.length >= CHUNK) return found;
    after = last.bot_id;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

type BotAndVersion = { readonly bot: BotRow; readonly version: BotVersionRow | undefined };

async function readBots(store: Store, bot_ids: readonly string[]): Promise<readonly BotAndVersion[]> {
  const db = store.builder<BotTables>();
  const all: BotAndVersion[] = [];
  for (let at = 0; at < bot_ids.length; at += CHUNK) {
    const ids = bot_ids.slice(at, at + CHUNK);
    // At one moment: between two reads a new version would look like a difference.
    await store.snapshot(async (reader) => {
      const bots = await reader.rows<BotRow>(db.selectFrom("bot").selectAll().where("bot_id", "in", ids));
      const versions = await reader.rows<BotVersionRow>(
        db
          .selectFrom("bot_version")
          .innerJoin("bot", (join) =>
            join.onRef("bot_version.bot_id", "=", "bot.bot_id").onRef("bot_version.generation", "=", "bot.generation"),
          )
          .selectAll("bot_version")
          .where("bot_version.bot_id", "in", ids),
      );
      const of = new Map(versions.map((version) => [version.bot_id, version]));
      for (const bot of bots) all.push({ bot, version: of.get(bot.bot_id) });
    });
  }
  return all;
}

/** A configuration that is to begin at a later bar or checkpoint: until then its runner has the one of an earlier version. */
async function isOnItsWay(
  store: Store,
  { drift_class, place, bot_id, instance_id, found, strategy_id }: Finding,
): Promise<boolean> {
  if (drift_class !== "config" || place !== "runner") return false;
  const instance = await readInstance(store, store, { bot_id, strategy_id, instance_id });
  if (instance === undefined) return false;
  const { descriptor } = jsonOf<StartSpec>(instance.spec);
  const versions = await versionsOf(store, bot_id);
  return versions.some(({ spec }) => {
    const shards = shardsOf(jsonOf<BotSpec>(spec), descriptor);
    return shards.ok && shards.value.some((one) => one.instance_id === instance_id && hashOf(one.config) === found);
  });
}

function versionsOf(reader: Reader & Pick<Store, "builder">, bot_id: string): Promise<readonly BotVersionRow[]> {
  const db = reader.builder<BotTables>();
  return reader.rows<BotVersionRow>(
    db.selectFrom("bot_version").selectAll().where("bot_id", "=", bot_id).orderBy("generation", "desc").limit(200),
  );
}
