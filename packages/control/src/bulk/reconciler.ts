/**
 * Carries bulks out: each due bot gets the ordinary command, as whoever asked for the bulk, and is done when it is there.
 *
 * Level-triggered: a command's id follows from bulk, try and bot. That a target is begun is committed before its command is
 * sent, so that an abort tells of it; what became of it is read from the bot and from the command's stored answer.
 *
 * Invariants (wired.test.ts, rounds.test.ts)
 * - A command's finished answer is final: it is read, never asked for again.
 * - One round sends at most one command of each bulk that has waves; a change that somebody else made meanwhile ends the
 *   round for it. What only tightens has a lane of its own and stands behind no start (packages/rumi/src/program/start.ts).
 */
import { invariant, sha256, type Clock } from "@rumi/kernel";
import { decodeOutcome, type Outcome, type Pipeline } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";
import { findKey, type OperationKeyRow, type Store } from "@rumi/store";
import { readBot } from "../bots/tables.ts";
import { CONTROL_LIMITS } from "../limits.ts";
import type { Recorder } from "../runners/recorder.ts";
import { jsonOf } from "../shared/sql.ts";
import { rolesNow } from "../users/tables.ts";
import { due, follow, inFlight, isOver, type Bulk } from "./model.ts";
import { bulkOf, failuresOf, isStartTo } from "./begin.ts";
import { bulkEvent } from "./operations.ts";
import { progressOf, see, type Progress, type Why } from "./progress.ts";
import { runningBulks, updateBulk, type BulkRow } from "./tables.ts";

export type BulkDeps = {
  readonly store: Store;
  readonly clock: Pick<Clock, "now">;
  readonly recorder: Pick<Recorder, "commit">;
  readonly pipeline: Pipeline;
  /** Some runner takes starts. */
  readonly runnerReady: () => boolean;
};
type Failures = Readonly<Record<string, Why>>;

/** Changed since the list was frozen: another configuration, another version, another group. */
const GENERATION_MOVED: Why = { error_code: "RUMI-BOT-011", reason_code: "G.BULK.GENERATION_MOVED" };
/** Begun when an abort came, and its command was never taken: it is not sent any more. */
const NEVER_SENT: Why = { error_code: "RUMI-CMD-012", reason_code: "G.BULK.ABORTED" };

/** What only tightens never stands behind a start's command with its admission: each lane is run by itself. */
export type BulkLane = "starts" | "stops";

export function bulkReconciler(deps: BulkDeps, lanes: readonly BulkLane[] = ["stops", "starts"]): Reconciler {
  return {
    name: `bulk ${lanes.join(" and ")}`,
    run: async () => {
      const running = await runningBulks(deps.store, deps.store);
      for (const lane of lanes)
        for (const row of running) if (isStartTo(row.to_state) === (lane === "starts")) await step(deps, row);
    },
  };
}

async function step(deps: BulkDeps, before: BulkRow): Promise<void> {
  const { unsent, ...known } = await whatBecame(deps, before);
  let row = await keep(deps, before, known);
  if (row === undefined || (isStartTo(row.to_state) && !deps.runnerReady())) return;
  const left = [...unsent];
  // Waves are measured before the next command; what goes to all at once needs no measure between.
  const most = bulkOf(row).first_wave > 1 ? CONTROL_LIMITS.bulk_stops_per_round : 1;
  for (let sent = 0; sent < most && row !== undefined; sent += 1) {
    const again = left.shift();
    const target = again ?? due(bulkOf(row))[0];
    if (target === undefined) return;
    row = await begin(deps, row, target, again === undefined ? "due" : "unsent");
  }
}

/** Undefined where somebody changed the bulk meanwhile. */
async function begin(
  deps: BulkDeps,
  row: BulkRow,
  target: string,
  was: "due" | "unsent",
): Promise<BulkRow | undefined> {
  const begun = was === "due" ? await keep(deps, row, { bulk: follow(bulkOf(row), { kind: "begun", target }) }) : row;
  if (begun === undefined) return undefined;
  const why = (await movedSince(deps, begun, target)) ?? (await send(deps, begun, target));
  if (why === null) return begun;
  const failures = { ...failuresOf(begun), [target]: why };
  // Where this does not go in, the next round finds the refusal with the command.
  return keep(deps, begun, { bulk: follow(bulkOf(begun), { kind: "failed", target }), failures });
}

/** What is started is what was meant when the list was frozen; a stop is for whatever there is. */
async function movedSince({ store }: BulkDeps, row: BulkRow, bot_id: string): Promise<Why | undefined> {
  const frozen = jsonOf<Readonly<Record<string, number>>>(row.generations)[bot_id];
  if (!isStartTo(row.to_state) || frozen === undefined) return undefined;
  return (await readBot(store, store, bot_id))?.generation === frozen ? undefined : GENERATION_MOVED;
}

type Known = { readonly bulk: Bulk; readonly failures?: Failures };

/** The row as it is now; undefined where somebody changed it meanwhile (an abort): the next round looks again. */
async function keep({ store, recorder }: BulkDeps, row: BulkRow, known: Known): Promise<BulkRow | undefined> {
  const { bulk, failures = failuresOf(row) } = known;
  const text = JSON.stringify(bulk);
  if (text === row.bulk) return row;
  const state = isOver(bulk) ? ("over" as const) : ("running" as const);
  const change = { bulk: text, failures: JSON.stringify(failures), state };
  const next = { ...row, ...change, row_version: row.row_version + 1 };
  const events = state === "over" ? [bulkEvent("bulk.over", next)] : [];
  const isIn = await recorder.commit("system:bulk", [updateBulk(store, row, change)], events, {
    trace_id: row.trace_id,
  });
  return isIn ? next : undefined;
}

/** Of those under way: who arrived, who failed and why, and whose command is still to be sent. */
async function whatBecame(
  { store, clock }: BulkDeps,
  row: BulkRow,
): Promise<Known & { readonly unsent: readonly string[] }> {
  const failures: Record<string, Why> = { ...failuresOf(row) };
  const unsent: string[] = [];
  let bulk = bulkOf(row);
  const { aborted } = bulk;
  const targets = inFlight(bulk);
  const seen = await store.snapshot((reader) => see(reader, store, targets));
  for (const target of targets) {
    const became = await judge(
      store,
      row,
      target,
      progressOf(seen.get(target), row.from_state, row.to_state, clock.now()),
      aborted,
    );
    if (became === "unsent") unsent.push(target);
    else if (became === "done") bulk = follow(bulk, { kind: "done", target });
    else if (became !== "on_its_way") {
      failures[target] = became;
      bulk = follow(bulk, { kind: "failed", target });
    }
  }
  return { bulk, failures, unsent };
}

async function judge(
  store: Store,
  row: BulkRow,
  target: string,
  progress: Progress,
  aborted: boolean,
): Promise<"done" | "on_its_way" | "unsent" | Why> {
  if (!("why" in progress)) return progress.kind;
  const key = await findKey(store, store, commandOf(row, target));
  const answer = answerOf(key);
  if (answer?.kind === "refused") return whyOf(answer);
  if (progress.kind === "failed" || answer !== undefined) return progress.why;
  return key === undefined && aborted ? NEVER_SENT : "unsent";
}

/** Null where it was accepted, or where its outcome is still to come. */
async function send({ pipeline, store }: BulkDeps, row: BulkRow, bot_id: string): Promise<Why | null> {
  const operation = pipeline.settings.registry.operations.get("commands.submit");
  invariant(operation !== undefined, "a program with bulks has commands");
  // Roles may have changed since it was asked for.
  const roles = await rolesNow(store, store, row.actor);
  const command_id = commandOf(row, bot_id);
  const answer = await pipeline.execute(operation, {
    raw: {
      params: {},
      query: {},
      body: {
        command_id,
        target: { bot_id },
        requested_transition: { from: row.from_state, to: row.to_state },
        reason: row.reason,
        trace_id: row.trace_id,
        run_id: row.bulk_id,
        schema_version: 1,
      },
    },
    principal: { id: row.actor, roles },
    idempotencyKey: null,
    trace_id: row.trace_id,
    remote: "bulk",
    continues: true,
  });
  if (answer.kind === "done" || answer.failure.code === "RUMI-CMD-001") return null;
  // A fault inside, or a log that cannot be written, leaves no answer; any other refusal is what it is.
  const isOpen = answer.status >= 500 && answerOf(await findKey(store, store, command_id)) === undefined;
  return isOpen ? null : whyOf(answer);
}

const answerOf = (key: OperationKeyRow | undefined): Outcome | undefined =>
  key === undefined || key.answer === null ? undefined : decodeOutcome(key.answer);

const whyOf = ({ failure }: Extract<Outcome, { readonly kind: "refused" }>): Why => ({
  error_code: failure.code,
  reason_code: failure.reasonCode ?? null,
});

const commandOf = ({ bulk_id, tries }: BulkRow, bot_id: string): string => idFor(`${bulk_id} ${tries} ${bot_id}`);

/** A uuid of version 8 that is the same for the same text. */
function idFor(text: string): string {
  const hex = Buffer.from(sha256(text)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
