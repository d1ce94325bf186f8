/**
 * Finds drift, writes it down, and does what its rule says: a queue in the store, tried again with growing waits.
 *
 * Level-triggered: each look finds anew what differs; a row of the queue is opened when a difference has stood for a moment,
 * is acted upon when its time has come, and is settled when the difference is gone. What is missing is started again by the
 * instances' own reconciler, which waits as long as the row here says.
 *
 * Invariants (drift.test.ts)
 * - What nobody wants is stopped at once, whatever else waits and whatever the brake says.
 * - Nothing else changes more bots at once than the brake allows; those wait for a person, over restarts too.
 * - A row outlives the program with its attempts and its waiting time.
 */
import type { Clock } from "@rumi/kernel";
import type { EventDraft, Logger } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";
import type { InstanceSpec } from "@rumi/runtime";
import type { Store, Write } from "@rumi/store";
import type { BotSpec } from "../bots/model.ts";
import { botResource } from "../bots/operations.ts";
import { readBot, updateBot, type BotRow, type BotTables, type BotVersionRow } from "../bots/tables.ts";
import { readInstance, readInstances, updateInstance, type InstanceRow, type StartSpec } from "../instances/tables.ts";
import { statusOf } from "../instances/view.ts";
import { quarantineWrites } from "../lifecycle/quarantine.ts";
import { mayMove } from "../lifecycle/states.ts";
import type { RunnerHub } from "../runners/hub.ts";
import { first, jsonOf } from "../shared/sql.ts";
import { driftLook, type LookDeps } from "./look.ts";
import {
  backoff,
  takeoverBackoff,
  brakeAt,
  DRIFT_LIMITS,
  DRIFT_RULES,
  findingKey,
  hashOf,
  shardOf,
  type DriftAction,
  type Finding,
} from "./model.ts";
import { putDrift, readDrift, readRules, readWaiting, type DriftRow, type DriftTables } from "./tables.ts";

export type DriftDeps = Omit<LookDeps, "hub"> & {
  readonly clock: Clock;
  readonly hub: RunnerHub;
  readonly logger: Pick<Logger, "warning" | "error">;
  /** After the program's start living runners may still dial in; nothing is missing until then. */
  readonly adoption_window_ms: number;
  readonly look_every_ms?: number;
  readonly stands_for_ms?: number;
};

const SYSTEM = "system:drift";
const QUARANTINED_BY_DRIFT = "DRIFT";

export function driftReconciler(deps: DriftDeps): Reconciler {
  const { clock, hub, logger } = deps;
  const look = driftLook(deps);
  const since = new Map<string, number>();
  const asked = new Map<string, Promise<void>>();
  const started_at = clock.monotonic();
  let looked_at = Number.NEGATIVE_INFINITY;
  let runners = "";

  return {
    name: "drift",
    run: async () => {
      const now = clock.monotonic();
      const here = hub.ready().toSorted().join();
      if (here === runners && now - looked_at < (deps.look_every_ms ?? DRIFT_LIMITS.look_every_ms)) return;
      looked_at = now;
      runners = here;
      const found = new Map(
        (await look(now - started_at < deps.adoption_window_ms)).map((one) => [findingKey(one), one]),
      );
      for (const key of since.keys()) if (!found.has(key)) since.delete(key);
      for (const key of found.keys()) if (!since.has(key)) since.set(key, now);
      for (const [key, finding] of found) {
        const stands = now - (since.get(key) ?? now);
        // That a runner is gone is no matter of two words that cross, and another may take over before the next look.
        const isGone = finding.drift_class === "missing_instance" && !hub.ready().includes(finding.runner_id ?? "");
        if (isGone || stands >= (deps.stands_for_ms ?? DRIFT_LIMITS.stands_for_ms)) await note(deps, key, finding);
      }
      await settleGone(deps, found);
      await act(deps, (row) => {
        if (asked.has(row.drift_key)) return;
        const work = stopExtra(deps, row)
          .catch((error: unknown) => logger.error("what should not run could not be told to stop", { error }))
          .finally(() => asked.delete(row.drift_key));
        asked.set(row.drift_key, work);
      });
    },
  };
}

/** A new row, or one that was settled and is there again; who comes back soon has waited before. */
async function note({ store, clock, hub }: DriftDeps, key: string, finding: Finding): Promise<void> {
  const before = await readDrift(store, store, key);
  if (before !== undefined && before.state !== "settled") return;
  const now = clock.now();
  const isSoon = before?.settled_at != null && now - before.settled_at < DRIFT_LIMITS.calm_ms * 1_000;
  const isGone = finding.drift_class === "missing_instance";
  const attempts = (isSoon ? before.attempts : 0) + (isGone ? 1 : 0);
  const rule = (await readRules(store, store)).find(({ drift_class }) => drift_class === finding.drift_class);
  const { beyond_repair, ...rest } = finding;
  const row: DriftRow = {
    drift_key: key,
    ...rest,
    action: beyond_repair ? "quarantine" : (rule?.action ?? DRIFT_RULES[finding.drift_class].usual),
    state: "open",
    released: 0,
    detected_at: now,
    attempts,
    not_before: now + (isGone ? takeoverBackoff : backoff)(attempts),
    settled_at: null,
    outcome: null,
    row_version: (before?.row_version ?? 0) + 1,
  };
  await hub.recorder.commit(SYSTEM, [putDrift(store, before, row)], [driftEvent("drift.detected", row)]);
}

/** What is not there any more, by what was done or by itself. */
async function settleGone({ store, clock, hub }: DriftDeps, found: ReadonlyMap<string, Finding>): Promise<void> {
  for (const row of await readWaiting(store, store)) {
    if (found.has(row.drift_key)) continue;
    const outcome = row.attempts > 0 ? ("repaired" as const) : ("cleared" as const);
    const next = { ...row, state: "settled" as const, settled_at: clock.now(), outcome };
    await hub.recorder.commit(SYSTEM, [putDrift(store, row, next)], [driftEvent(`drift.${outcome}`, next)]);
  }
}

async function act(deps: DriftDeps, stopSoon: (row: DriftRow) => void): Promise<void> {
  const { store, clock, hub } = deps;
  const now = clock.now();
  const due = (await readWaiting(store, store)).filter(
    ({ state, not_before }) => state === "open" && not_before <= now,
  );
  for (const row of due) if (row.drift_class === "extra_instance") stopSoon(row);
  const changing = due.filter((row) => actionOf(row) !== "none");
  const unasked = changing.filter(({ released }) => released === 0);
  const bots = new Set(unasked.map(({ bot_id }) => bot_id)).size;
  const fleet = await countMoving(store);
  if (bots > brakeAt(fleet)) {
    const braked = unasked.map((row) => putDrift(store, row, { ...row, state: "braked" }));
    const engaged = {
      action: "drift.brake.engaged",
      resource_type: "drift",
      resource_id: "fleet",
      outcome: "FAILURE" as const,
      details: { bots, fleet, most: brakeAt(fleet), classes: [...new Set(unasked.map((row) => row.drift_class))] },
    };
    await hub.recorder.commit(SYSTEM, braked, [engaged]);
  }
  const meant = bots > brakeAt(fleet) ? changing.filter(({ released }) => released === 1) : changing;
  for (const row of meant) await carryOut(deps, row, actionOf(row) === "quarantine" ? "quarantine" : "repair");
}

/** What is missing is started by whoever starts, and what is too much is told to stop apart from this; both may end otherwise. */
function actionOf({ action, drift_class, attempts }: DriftRow): DriftAction | "none" {
  if (action === "quarantine" || attempts >= DRIFT_LIMITS.attempts) return "quarantine";
  return drift_class === "missing_instance" || drift_class === "extra_instance" ? "none" : "repair";
}

async function carryOut({ store, clock, hub }: DriftDeps, row: DriftRow, action: DriftAction): Promise<void> {
  const now = clock.now();
  const bot = await readBot(store, store, row.bot_id);
  const instances = await readInstances(store, store, row.bot_id);
  if (bot === undefined) return;
  const back = await putBack(store, bot, row, now);
  const ends = action === "quarantine" && mayMove("safety", bot.state, "QUARANTINED");
  // A bot's row is put back before it is quarantined: whoever releases it shall find what was decided.
  const own = ends
    ? quarantineWrites(
        store,
        { ...bot, row_version: bot.row_version + (back.bot ? 1 : 0) },
        instances,
        QUARANTINED_BY_DRIFT,
        now,
      )
    : { writes: [], events: [] };
  const isSettled = ends || back.settles;
  const outcome = ends ? ("quarantined" as const) : ("repaired" as const);
  const attempts = row.attempts + 1;
  const next: DriftRow = isSettled
    ? { ...row, attempts, state: "settled", settled_at: now, outcome }
    : { ...row, attempts, not_before: now + backoff(attempts + 1) };
  const writes = [...(ends && !back.bot ? [] : back.writes), ...own.writes, putDrift(store, row, next)];
  const events = [...own.events, ...(isSettled ? [driftEvent(`drift.${outcome}`, next)] : [])];
  // A conflict means that somebody changed it meanwhile: the next look tells whether it is still so.
  await hub.recorder.commit(SYSTEM, writes, events, {
    reason: `drift: ${row.drift_class} of ${row.bot_id}`,
    run_id: row.run_id,
  });
}

type Back = { readonly writes: readonly Write[]; readonly settles: boolean; readonly bot: boolean };
const NOTHING: Back = { writes: [], settles: false, bot: false };

/** What was decided, in the place of what is there. */
async function putBack(store: Store, bot: BotRow, row: DriftRow, now: number): Promise<Back> {
  const version = await first<BotVersionRow>(
    store,
    store
      .builder<BotTables>()
      .selectFrom("bot_version")
      .selectAll()
      .where("bot_id", "=", bot.bot_id)
      .where("generation", "=", bot.generation),
  );
  if (version === undefined) return NOTHING;
  const decided = jsonOf<BotSpec>(version.spec);
  if (row.place === "bot") {
    const change = { spec: version.spec, pack_id: decided.strategy.pack_id };
    return { writes: [updateBot(store, bot, change, now)], settles: true, bot: true };
  }
  const instance = await readInstance(store, store, row);
  if (instance === undefined || row.place === "disk" || row.drift_class === "clock") return NOTHING;
  const start = jsonOf<StartSpec>(instance.spec);
  const shard = shardOf(instance, start, decided, bot.generation);
  if (shard === undefined) return NOTHING;
  const { config } = shard;
  const limits = { ...start.limits, capital: shard.capital };
  const change = {
    ...(row.place === "instance" ? { spec: JSON.stringify({ ...start, config, limits }) } : {}),
    ...resend(instance, config),
  };
  return { writes: [updateInstance(store, instance, change, now)], settles: row.place === "instance", bot: false };
}

/** The configuration is sent again only where its runner has another one. */
function resend(instance: InstanceRow, config: StartSpec["config"]): Partial<InstanceRow> {
  const there = statusOf(instance)?.in_force?.config_hash;
  if (there === undefined || there === hashOf(config)) return {};
  return { config: JSON.stringify(config), config_actor: SYSTEM, config_at: "next_tick" };
}

/** In its own turn and waited for by nobody: the runner may be slow to answer. */
async function stopExtra({ store, clock, hub }: DriftDeps, row: DriftRow): Promise<void> {
  const { runner_id, run_id, epoch } = row;
  if (runner_id === null || run_id === null) return;
  await hub.ask(runner_id, { type: "stop", run_id: run_id as InstanceSpec["run_id"], epoch, reason: "DRIFT_EXTRA" });
  const now = await readDrift(store, store, row.drift_key);
  if (now === undefined || now.state === "settled") return;
  const attempts = now.attempts + 1;
  const next = { ...now, attempts, not_before: clock.now() + backoff(attempts + 1) };
  await hub.recorder.commit(SYSTEM, [putDrift(store, now, next)], []);
}

async function countMoving(store: Store): Promise<number> {
  const row = await first<{ many: number }>(
    store,
    store
      .builder<BotTables & DriftTables>()
      .selectFrom("bot")
      .select((of) => of.fn.countAll<number>().as("many"))
      .where("state", "not in", ["CREATED", "IDLE"]),
  );
  return row?.many ?? 0;
}

function driftEvent(action: string, row: DriftRow): EventDraft {
  return {
    action,
    ...botResource(row.bot_id),
    outcome: action === "drift.detected" ? "FAILURE" : "SUCCESS",
    details: {
      drift_class: row.drift_class,
      place: row.place,
      instance_id: row.instance_id,
      runner_id: row.runner_id,
      epoch: row.epoch,
      expected: row.expected,
      found: row.found,
      action: row.action,
      attempts: row.attempts,
    },
  };
}
