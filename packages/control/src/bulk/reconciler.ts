/**
 * Carries bulks out: each due bot gets the ordinary command, as whoever asked for the bulk, and is done when it is there.
 *
 * Level-triggered: a command's id follows from bulk, try and bot, so that a program that dies in the middle sends the same
 * command again and it acts once; what became of it is read from the bot.
 */
import { sha256 } from "@rumi/kernel";
import type { Pipeline } from "@rumi/operations";
import type { Reconciler } from "@rumi/platform";
import type { Store } from "@rumi/store";
import { readBot } from "../bots/tables.ts";
import type { Recorder } from "../runners/recorder.ts";
import { rolesNow } from "../users/tables.ts";
import { due, follow, inFlight, isOver, type Bulk } from "./model.ts";
import { bulkEvent, bulkOf, failuresOf } from "./operations.ts";
import { runningBulks, updateBulk, type BulkRow } from "./tables.ts";

export type BulkDeps = {
  readonly store: Store;
  readonly recorder: Pick<Recorder, "commit">;
  readonly pipeline: Pipeline;
};
type Failures = Record<string, { readonly error_code: string; readonly reason_code: string | null }>;

export function bulkReconciler(deps: BulkDeps): Reconciler {
  return {
    name: "bulk",
    run: async () => {
      for (const row of await runningBulks(deps.store, deps.store)) await step(deps, row);
    },
  };
}

async function step(deps: BulkDeps, row: BulkRow): Promise<void> {
  const before = bulkOf(row);
  const failures: Failures = { ...failuresOf(row) };
  let bulk = before;
  for (const target of inFlight(bulk)) bulk = follow(bulk, await outcome(deps, row, target, failures));
  for (const target of due(bulk)) {
    const begun = follow(bulk, { kind: "begun", target });
    if (begun === bulk) break; // one before it failed: the wave is over, or all of it is
    bulk = begun;
    const answer = await send(deps, row, target);
    if (answer === null) continue; // interrupted: the same command is sent again
    failures[target] = answer;
    bulk = follow(bulk, { kind: "failed", target });
  }
  await keep(deps, row, before, bulk, failures);
}

async function keep(
  { store, recorder }: BulkDeps,
  row: BulkRow,
  before: Bulk,
  bulk: Bulk,
  failures: Failures,
): Promise<void> {
  if (bulk === before) return;
  const state = isOver(bulk) ? ("over" as const) : ("running" as const);
  const change = { bulk: JSON.stringify(bulk), failures: JSON.stringify(failures), state };
  const next = { ...row, ...change };
  const events = state === "over" ? [bulkEvent("bulk.over", next)] : [];
  // A conflict means that somebody aborted it meanwhile: what was sent is found again by its ids.
  await recorder.commit("system:bulk", [updateBulk(store, row, change)], events, { trace_id: row.trace_id });
}

/** Null where it was accepted, or where nobody knows yet. */
async function send(
  { pipeline, store }: BulkDeps,
  row: BulkRow,
  bot_id: string,
): Promise<{ readonly error_code: string; readonly reason_code: string | null } | null> {
  const operation = pipeline.settings.registry.operations.get("commands.submit");
  if (operation === undefined) return { error_code: "RUMI-SYS-011", reason_code: null };
  // Roles may have changed since it was asked for.
  const roles = await rolesNow(store, store, row.actor);
  const answer = await pipeline.execute(operation, {
    raw: {
      params: {},
      query: {},
      body: {
        command_id: idFor(`${row.bulk_id} ${row.tries} ${bot_id}`),
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
  });
  if (answer.kind === "done" || answer.status >= 500 || answer.failure.code === "RUMI-CMD-001") return null;
  return { error_code: answer.failure.code, reason_code: answer.failure.reasonCode ?? null };
}

async function outcome(deps: BulkDeps, row: BulkRow, target: string, failures: Failures) {
  const bot = await readBot(deps.store, deps.store, target);
  const state = bot?.state;
  if (state === row.to_state || (row.to_state === "STOPPING" && state === "IDLE"))
    return { kind: "done", target } as const;
  if (state === row.from_state) {
    // It was begun and nothing came of it: the program died before the command did.
    const answer = await send(deps, row, target);
    if (answer === null) return { kind: "begun", target } as const;
    failures[target] = answer;
    return { kind: "failed", target } as const;
  }
  if (state === "STOPPING" && row.to_state === "PAUSED") return { kind: "begun", target } as const;
  failures[target] = { error_code: "RUMI-BOT-011", reason_code: `G.STATE_${state ?? "GONE"}` };
  return { kind: "failed", target } as const;
}

/** A uuid of version 8 that is the same for the same text. */
function idFor(text: string): string {
  const hex = Buffer.from(sha256(text)).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
