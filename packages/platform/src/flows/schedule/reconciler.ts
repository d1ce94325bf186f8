/**
 * Runs flows when they are due, as commands like any other.
 *
 * How to think: a row says when its flow is due next. A flow that is due and does not run is run, once however many moments
 * went by, and only when that run has ended is the row moved to the next moment after then. The key of the wish names flow
 * and moment, so a program that dies in between asks for the same run again.
 *
 * Invariants (schedule.test.ts): no flow runs beside itself because of its schedule; each moment that is run is run once,
 * whenever the program dies; a file that changes its schedule or is gone changes what is due at once.
 */
import { isoFromMicros, micros, type Clock, type Failure, type Json, type Result } from "@rumi/kernel";
import { causeChain, type Logger } from "@rumi/operations";
import type { Store, Write } from "@rumi/store";
import type { Reconciler } from "../../packs/reconciler.ts";
import type { FlowEngine } from "../engine.ts";
import type { FlowSources } from "../sources.ts";
import { countRunning } from "../tables.ts";
import { nextAfter, scheduleText, type Schedule } from "./cron.ts";
import { beginSchedule, endSchedule, isUnderWay, moveSchedule, readSchedules, type ScheduleRow } from "./tables.ts";

/** Asks for a run and answers with what came of it. */
export type RunDue = (due: {
  readonly flow_id: string;
  readonly reason: string;
  readonly key: string;
}) => Promise<Result<Json, Failure>>;
export type ScheduleDeps = {
  readonly store: Store;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly sources: Pick<FlowSources, "recent">;
  readonly engine: Pick<FlowEngine, "isOpen">;
  readonly max_concurrent: number;
  readonly run: RunDue;
};

/** There was no place, or the program stops: it stays due. */
const LATER: ReadonlySet<string> = new Set(["RUMI-FLOW-005", "RUMI-FLOW-006"]);

export function scheduleReconciler(deps: ScheduleDeps): Reconciler {
  const { store, clock, logger, sources, engine } = deps;
  /** Flows whose run this program waits for. */
  const busy = new Set<string>();
  /** How often a due moment found no place: the refusal belongs to its key for good. */
  const tried = new Map<string, number>();

  const runDue = async (row: ScheduleRow, schedule: Schedule): Promise<void> => {
    const due = `${row.flow_id}:${row.next_at}`;
    const attempt = tried.get(due) ?? 0;
    const at = isoFromMicros(micros(row.next_at));
    const reason = `schedule ${scheduleText(schedule)}, due ${at}`;
    const came = await deps.run({ flow_id: row.flow_id, reason, key: `schedule:${due}:${attempt}` });
    if (!came.ok && LATER.has(came.error.code)) return void tried.set(due, attempt + 1);
    tried.delete(due);
    if (!came.ok)
      logger.warning("a flow that was due has failed", { flow_id: row.flow_id, due: at, error_code: came.error.code });
    await commit(deps, [moveSchedule(store, row, laterThan(schedule, row.next_at, clock.now()))]);
  };
  return {
    name: "flow schedules",
    run: async () => {
      if (!engine.isOpen()) return;
      const { entries } = await sources.recent();
      for (const row of await keptRows(deps, entries)) {
        const schedule = entries.get(row.flow_id)?.schedule ?? null;
        if (schedule === null || row.next_at > clock.now() || busy.has(row.flow_id)) continue;
        if (await isUnderWay(store, store, row.flow_id)) continue;
        if ((await countRunning(store, store)) >= deps.max_concurrent) continue;
        busy.add(row.flow_id);
        runDue(row, schedule)
          .catch((error: unknown) =>
            logger.error("a flow that is due could not be run", { flow_id: row.flow_id, causes: causeChain(error) }),
          )
          .finally(() => busy.delete(row.flow_id));
      }
    },
  };
}

type Scheduled = ReadonlyMap<string, { readonly schedule: Schedule | null }>;

/** The rows as the files are now: a new schedule counts from this moment, one that is gone is forgotten. */
async function keptRows(deps: ScheduleDeps, entries: Scheduled): Promise<readonly ScheduleRow[]> {
  const { store, clock } = deps;
  const known = new Map((await readSchedules(store, store)).map((row) => [row.flow_id, row]));
  const writes: Write[] = [];
  for (const [flow_id, { schedule }] of entries) {
    if (schedule === null || known.get(flow_id)?.schedule === scheduleText(schedule)) continue;
    const next_at = laterThan(schedule, clock.now(), clock.now());
    writes.push(beginSchedule(store, { flow_id, schedule: scheduleText(schedule), next_at }));
  }
  for (const flow_id of known.keys())
    if ((entries.get(flow_id)?.schedule ?? null) === null) writes.push(endSchedule(store, flow_id));
  if (writes.length === 0) return [...known.values()];
  await commit(deps, writes);
  return readSchedules(store, store);
}

/** The first moment after `now`; an interval's are counted from the one before. In microseconds. */
function laterThan(schedule: Schedule, due: number, now: number): number {
  if (schedule.kind === "cron")
    return (nextAfter(schedule, Math.ceil(now / 1_000)) ?? Number.MAX_SAFE_INTEGER / 1_000) * 1_000;
  const step = schedule.seconds * 1_000_000;
  return due + Math.max(1, Math.floor((now - due) / step) + 1) * step;
}

async function commit({ store, logger }: ScheduleDeps, writes: readonly Write[]): Promise<void> {
  const committed = await store.commit({ writes, events: [] });
  // A conflict: another process, or the file, was quicker; the next round sees what is so.
  if (!committed.ok && committed.error.kind === "failed")
    logger.warning("when flows are due could not be written", { error_code: committed.error.failure.code });
}
