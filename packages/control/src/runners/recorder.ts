/**
 * Writes down what was observed: reads the rows, lets a pure function decide, commits, and on a conflict
 * reads and decides again. All changes that the system itself makes to bots and instances go through here.
 */
import type { Clock, Random } from "@rumi/kernel";
import type { Logger } from "@rumi/operations";
import { systemEvent, type SystemActor } from "@rumi/platform";
import { releaseLeaseWrite, write, type Store, type Write } from "@rumi/store";
import type { EventDraft } from "@rumi/operations";
import type { InstanceStatus } from "@rumi/runtime";
import { insertBotVersion } from "../bots/operations.ts";
import { conditionWrite, readBot, readConditions, updateBot } from "../bots/tables.ts";
import {
  endRun,
  insertRun,
  keyText,
  readInstance,
  readInstances,
  updateInstance,
  type InstanceRow,
  type InstanceTables,
  type Key,
} from "../instances/tables.ts";
import type { Facts, Observation } from "../instances/observe.ts";
import { statusOf } from "../instances/view.ts";
import { readStops, seenWrites } from "../risk/stop-tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import { feed } from "../shared/sql.ts";
import type { ViewTables } from "../views/tables.ts";

export type RecorderDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Pick<Logger, "warning" | "error" | "info">;
};

export interface Recorder {
  /** Loads facts, decides, commits. `undefined` from `decide` means that there is nothing to do. */
  record(key: Key, actor: string, decide: (facts: Facts) => Observation | undefined): Promise<"recorded" | "nothing">;
  /** Commits events and writes that need no decision. True when they went in, false on a conflict. */
  commit(
    actor: string,
    writes: readonly Write[],
    events: readonly EventDraft[],
    trail?: Parameters<typeof systemEvent>[2],
  ): Promise<boolean>;
}

/** Who makes a version that no person asked for. */
const ACTOR = "system:instances";

export function createRecorder(deps: RecorderDeps): Recorder {
  const { store, clock, random } = deps;
  const commit: Recorder["commit"] = async (actor, writes, events, trail) => {
    const by: SystemActor = { clock, random, actor };
    const written = events.map((draft) => systemEvent(by, draft, trail));
    const told = written.map(({ event_id, action, resource_type, resource_id, outcome, details, occurred_at }) =>
      feed(
        store,
        action,
        resource_id,
        {
          event_id,
          actor,
          resource_type,
          resource_id,
          outcome,
          reason: details.reason,
          trace_id: details.trace_id,
          request_id: null,
        },
        occurred_at,
      ),
    );
    const committed = await store.commit({ writes: [...writes, ...told], events: written });
    if (committed.ok) return true;
    if (committed.error.kind === "conflict") return false;
    throw new Error(`an observation could not be written: ${committed.error.failure.code}`, {
      cause: committed.error.failure,
    });
  };
  return {
    commit,
    record: async (key, actor, decide) => {
      for (let attempt = 0; attempt < CONTROL_LIMITS.conflict_attempts; attempt += 1) {
        const facts = await loadFacts(store, key);
        if (facts === undefined) return "nothing";
        const observation = decide(facts);
        if (observation === undefined) return "nothing";
        const writes = observationWrites(store, facts, observation, clock.now());
        if (
          await commit(actor, writes, observation.events, {
            run_id: facts.instance.run_id,
            trace_id: facts.instance.trace_id,
          })
        )
          return "recorded";
      }
      throw new Error(`the instance ${key.bot_id}/${key.instance_id} changes too often to be recorded`);
    },
  };
}

async function loadFacts(store: Store, key: Key): Promise<Facts | undefined> {
  return store.snapshot(async (reader) => {
    const instance = await readInstance(reader, store, key);
    const bot = await readBot(reader, store, key.bot_id);
    if (instance === undefined || bot === undefined) return undefined;
    const all = await readInstances(reader, store, key.bot_id);
    const others = all.filter((one) => keyText(one) !== keyText(key));
    const stops = await readStops(reader, store, key.bot_id);
    const conditions = await readConditions(reader, store, key.bot_id);
    return { bot, instance, others, conditions, ...(stops === undefined ? {} : { stops }) };
  });
}

function observationWrites(
  store: Store,
  { bot, instance, others, stops }: Facts,
  {
    seen,
    bot: move,
    instance: change,
    conditions,
    ended,
    begun,
    siblings = [],
    version,
    version_reason = "",
  }: Observation,
  now: number,
): readonly Write[] {
  const { bot_id: _b, strategy_id: _s, instance_id: _i, row_version: _v, ...rest } = change;
  const writes: Write[] = [updateInstance(store, instance, rest, now)];
  for (const { row, change: beside } of siblings) writes.push(updateInstance(store, row, beside, now));
  if (move !== null) {
    writes.push(updateBot(store, bot, move, now));
    writes.push(
      feed(
        store,
        "bot",
        bot.bot_id,
        { bot_id: bot.bot_id, state: move.state ?? bot.state, reason: move.state_reason ?? bot.state_reason },
        now,
      ),
    );
  }
  for (const condition of conditions) writes.push(conditionWrite(store, bot.bot_id, condition, now));
  if (change.status !== undefined) writes.push(...positionWrites(store, instance, change.status, now));
  if (seen !== undefined && stops !== undefined) writes.push(...seenWrites(store, stops, seen, now));
  if (ended !== null) writes.push(endRun(store, instance.run_id, ended, now), ...others.flatMap(stillThere(store)));
  if (begun !== undefined) writes.push(insertRun(store, begun));
  if (version !== undefined) writes.push(insertBotVersion(store, version, now, ACTOR, version_reason));
  if (change.holder === null && instance.holder !== null) {
    const release = releaseLeaseWrite(store, { ...keyOf(instance), holder: instance.holder, epoch: instance.epoch });
    writes.push({ ...release, expect: "any" }); // it may have run out already
  }
  return writes;
}

/**
 * Changes nothing and fits only while a sibling is what it was judged as: of two that end at once each would leave what
 * becomes of the bot to the other, and nobody would say it.
 */
const stillThere =
  (store: Store) =>
  ({ bot_id, strategy_id, instance_id, desired, holder }: InstanceRow): readonly Write[] => {
    if (desired === "stopped" && holder === null) return [];
    const fence = store
      .builder<InstanceTables>()
      .updateTable("instance")
      .set({ desired })
      .where("bot_id", "=", bot_id)
      .where("strategy_id", "=", strategy_id)
      .where("instance_id", "=", instance_id)
      .where("desired", "=", desired)
      .where("holder", holder === null ? "is" : "=", holder);
    return [write(fence, 1)];
  };

function positionWrites(store: Store, instance: InstanceRow, status: string | null, now: number): readonly Write[] {
  const before = JSON.stringify(statusOf(instance)?.positions ?? []);
  const positions = statusOf({ status })?.positions ?? [];
  if (JSON.stringify(positions) === before) return [];
  const db = store.builder<ViewTables>();
  const { bot_id, instance_id, run_id } = instance;
  return positions.flatMap((position: InstanceStatus["positions"][number]) => {
    const change = { run_id, position: JSON.stringify(position), updated_at: now };
    return [
      write(
        db
          .insertInto("position_view")
          .values({ bot_id, instance_id, instrument_id: position.instrument_id, ...change })
          .onConflict((on) => on.columns(["bot_id", "instance_id", "instrument_id"]).doUpdateSet(change)),
        1,
      ),
      feed(store, "position", bot_id, { bot_id, instance_id, run_id, position }, now),
    ];
  });
}

export function keyOf({ bot_id, strategy_id, instance_id }: Key): Key {
  return { bot_id, strategy_id, instance_id };
}
