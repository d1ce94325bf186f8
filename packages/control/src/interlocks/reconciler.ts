/**
 * Takes a sample every second, and sets the safety mode that the tripped rules ask for as an operator called
 * `system:interlocks`, through the same operation as anybody.
 *
 * Level-triggered: while a rule is tripped, or one of the latched ones has not been cleared, the mode is at least what it
 * asks for, whoever loosened it. The commit that makes it stricter records the latches (safety/operations.ts), so that no
 * crash leaves one without the other; where the mode is as strict already, a latch is recorded by itself.
 */
import { uuidv7, type Clock, type Random } from "@rumi/kernel";
import type { Pipeline, Principal, SafetyMode } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";
import type { Store } from "@rumi/store";
import { readBot, specOf } from "../bots/tables.ts";
import { keyText, readOpenInstances, type InstanceRow } from "../instances/tables.ts";
import { statusOf } from "../instances/view.ts";
import type { RunnerHub } from "../runners/hub.ts";
import { strictness } from "../safety/model.ts";
import { readSafety } from "../safety/tables.ts";
import { INTERLOCK_LIMITS, INTERLOCKS, trippedBy, wordOf, type InterlockRule, type Readings } from "./model.ts";
import { InterlockMonitor, type RunTotals, type Sample } from "./monitor.ts";
import type { InterlocksNow } from "./operations.ts";
import { insertLatch, INTERLOCKS_ID, readLatches, trippedEvent, type LatchRow, type OwedLatches } from "./tables.ts";

const SYSTEM: Principal = { id: INTERLOCKS_ID, roles: ["operator"] };

export type InterlockDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly hub: Pick<RunnerHub, "reported" | "standingStill" | "recorder">;
  /** What the row says of the safety mode, tightened by what the log could not take yet. */
  readonly modeNow: (row: SafetyMode) => SafetyMode;
  /** Shared with whoever sets the safety mode. */
  readonly owed: OwedLatches;
};
/** What of the machine is looked at; each throws where it cannot be read. */
export type HostFacts = {
  readonly diskFreePercent: () => number;
  /** How far the machine's clock is from the one that the program goes by. */
  readonly clockErrorMs: () => number;
};

export function interlockReconciler(
  deps: InterlockDeps & { readonly now: InterlocksNow; readonly tell: (readings: Readings) => void },
  host: HostFacts,
  pipeline: Pipeline,
): Reconciler {
  const { store, clock, random, now, owed } = deps;
  const monitor = new InterlockMonitor();
  let next_ms = Number.NEGATIVE_INFINITY;

  const tighten = async (mode: SafetyMode, reason: string): Promise<void> => {
    const row = await readSafety(store, store);
    if (strictness(deps.modeNow(row.mode as SafetyMode)) >= strictness(mode)) return;
    const operation = pipeline.settings.registry.operations.get("safety.set");
    if (operation === undefined) throw new Error("there is no operation that sets the safety mode");
    const command_id = uuidv7(clock.now(), random);
    const answer = await pipeline.execute(operation, {
      raw: { params: {}, query: {}, body: { command_id, mode, reason: reason.slice(0, 1_024) } },
      principal: SYSTEM,
      idempotencyKey: command_id,
      trace_id: command_id,
      remote: "interlocks",
      continues: true,
    });
    if (answer.kind === "refused") throw new Error(`an interlock could not tighten: ${answer.failure.code}`);
  };

  return {
    name: "interlocks",
    run: async () => {
      const at_ms = clock.monotonic();
      if (at_ms < next_ms) return;
      next_ms = at_ms + INTERLOCK_LIMITS.sample_every_ms;
      const readings = monitor.take(await sampleOf(deps, host, at_ms));
      deps.tell(readings);
      const held = await readLatches(store, store);
      const words = new Map<InterlockRule, string>();
      for (const rule of trippedBy(readings, now.thresholds)) {
        const reading = readings[rule] ?? 0;
        const reason = wordOf(rule, reading, now.thresholds);
        words.set(rule, reason);
        if (!INTERLOCKS[rule].latched || owed.has(rule) || held.some(({ rule_id }) => rule_id === rule)) continue;
        const tripped_at = clock.now();
        const latch_id = uuidv7(tripped_at, random);
        const threshold = String(now.thresholds[rule]);
        owed.set(rule, {
          latch_id,
          rule_id: rule,
          reading: reading.toFixed(2),
          threshold,
          reason,
          tripped_at,
          cleared_at: null,
          cleared_by: null,
        });
      }
      const stops = [...owed.values(), ...held].map(({ reason }) => reason);
      const all = [...words.values()];
      if (stops.length > 0) await tighten("EMERGENCY_STOP", stops.join("; "));
      else if (all.length > 0) await tighten("SAFE", all.join("; "));
      for (const { rule_id } of await readLatches(store, store)) owed.delete(rule_id);
      for (const [rule, row] of owed) if (await recorded(deps, row)) owed.delete(rule);
    },
  };
}

function recorded({ store, hub }: InterlockDeps, row: LatchRow): Promise<boolean> {
  return hub.recorder.commit(SYSTEM.id, [insertLatch(store, row)], [trippedEvent(row)], { reason: row.reason });
}

async function sampleOf({ store, hub }: InterlockDeps, host: HostFacts, at_ms: number): Promise<Sample> {
  const rows = (await readOpenInstances(store, store)).filter(({ desired }) => desired === "running");
  const still = hub.standingStill();
  const silent = rows.filter((row) => {
    const told = hub.reported(row);
    return told === undefined || still.includes(told.runner_id);
  });
  const live = rows.filter(({ mode }) => mode === "live");
  return {
    at_ms,
    live: new Map(live.map((row) => [`${row.run_id} ${row.epoch}`, totalsOf(row)])),
    exposure: live.reduce((sum, row) => sum + exposureOf(row), 0),
    capital: await capitalOf(store, new Set(live.map(({ bot_id }) => bot_id))),
    running: rows.map(keyText),
    silent: silent.map(keyText),
    disk_free_percent: readable(host.diskFreePercent),
    clock_error_ms: readable(host.clockErrorMs),
  };
}

function totalsOf(row: InstanceRow): RunTotals {
  const counters = statusOf(row)?.counters ?? {};
  const cancels = counters['intent_emitted_total{type="cancel"}'] ?? 0;
  return {
    orders: Math.max(0, (statusOf(row)?.intents_total ?? 0) - cancels),
    cancels,
    unknown_outcomes: counters["outcome_unknown"] ?? 0,
    foreign_orders: counters["foreign_order"] ?? 0,
  };
}

/** In quote money; only ever a share of the capital is taken of it, so binary fractions do. */
function exposureOf(row: InstanceRow): number {
  const positions = statusOf(row)?.positions ?? [];
  return positions.reduce((sum, { quantity, last_price }) => sum + Math.abs(Number(quantity) * Number(last_price)), 0);
}

async function capitalOf(store: Store, bots: ReadonlySet<string>): Promise<number> {
  let sum = 0;
  for (const bot_id of bots) {
    const bot = await readBot(store, store, bot_id);
    sum += bot === undefined ? 0 : Number(specOf(bot).capital);
  }
  return sum;
}

function readable(read: () => number): number | null {
  try {
    return read();
  } catch {
    // It is told as what cannot be observed (observation_unknown).
    return null;
  }
}
