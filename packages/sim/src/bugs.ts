/**
 * Bugs that are planted to see that they are found: each wraps one port, none is reachable from the program.
 */
import type { EmergencyFile } from "@rumi/control";
import { type ClientOrderId, type Clock, micros, millis, type Random, uuidv7 } from "@rumi/kernel";
import { type Guard, type Guards, PASSES, type Pipeline } from "@rumi/operations";
import type { InstanceStatus, LaneThread, MakeThread } from "@rumi/runtime";
import type { Batch } from "@rumi/store";
import type { Asked, NewOrder, OrderSnapshot, VenueAnswer } from "@rumi/venues";
import { SimExecution } from "./venue/adapters.ts";
import type { ViolationKind } from "./checks/violation.ts";

export const BUGS = {
  skip_fence: "two_holders",
  send_twice: "order_twice",
  drop_audit: "audit_unexplained",
  edit_log: "audit_log",
  ignore_stop: "not_quiet",
  live_by_itself: "live_unconfirmed",
  forget_outcome: "command_twice",
  believe_clock: "two_holders",
  forget_holds: "risk_under_hold",
  forget_gate: "gate_ignored",
  unlock_glass: "strong_uncovered",
  approve_oneself: "one_person",
  deaf_to_kill: "not_killed",
  shrug_at_kill: "not_killed",
  lose_spool: "spool",
  spool_anew: "spool",
  widen_bulk: "bulk_outside",
  pretend_cancel: "false_proof",
} as const satisfies Readonly<Record<string, ViolationKind>>;
export type Bug = keyof typeof BUGS;

/** The lane asks a fence that never closes. */
export const skipFence =
  (make: MakeThread): MakeThread =>
  (name, data, isShared, events) => {
    const open = new SharedArrayBuffer(data.fence.byteLength);
    // The first half are the leases' ends; the kill words behind them say that nobody restrains anything.
    const words = new BigInt64Array(open);
    words.fill(2n ** 62n, 0, words.length / 2);
    return make(name, { ...data, fence: open }, isShared, events);
  };

/** The lane hears no stop, and its thread says that it stopped. */
export const ignoreStop =
  (make: MakeThread): MakeThread =>
  (name, data, isShared, events) => {
    const statuses = new Map<string, InstanceStatus>();
    const thread = make(name, data, isShared, {
      ...events,
      onMessage: (message) => {
        if (message.type === "reply" && message.ok) statuses.set(message.status.run_id, message.status);
        events.onMessage(message);
      },
    });
    const deaf: LaneThread = {
      ...thread,
      postMessage: (message) => {
        const status =
          message.type === "command" && message.command === "stop" ? statuses.get(message.run_id) : undefined;
        if (status === undefined) return thread.postMessage(message);
        events.onMessage({
          type: "reply",
          request: message.request,
          ok: true,
          status: { ...status, phase: "stopped" },
        });
      },
    };
    return deaf;
  };

/** The program has one clock only, so a step of it looks like time that passed. */
export const believeClock = (clock: Clock): Clock => ({ ...clock, monotonic: () => millis(clock.now() / 1_000) });

/** What nobody answered is sent again at once. */
export class HastyExecution extends SimExecution {
  override async place(order: NewOrder): Promise<VenueAnswer> {
    const answer = await super.place(order);
    return answer.kind === "unknown" ? super.place(order) : answer;
  }
}

/** One transition's event goes missing. */
export function dropAudit(): (batch: Batch) => Batch {
  let seen = 0;
  return (batch) => {
    if (!batch.events.some((event) => event.action === "bot.state.transition")) return batch;
    seen += 1;
    return seen === 6
      ? { ...batch, events: batch.events.filter((one) => one.action !== "bot.state.transition") }
      : batch;
  };
}

/** The outcome is acted upon, and not noted down as the command's. */
export function forgetOutcome(batch: Batch): Batch {
  return { ...batch, writes: batch.writes.filter((write) => !isFinish(write.parameters)) };
}

const isFinish = ([state]: readonly unknown[]): boolean => state === "finished";

const passing = (name: string): Guard => ({ name, check: () => Promise.resolve(PASSES) });
/** Nobody asks for holds and the kill switch before a start. */
export const forgetHolds = (guards: Guards): Guards => ({ ...guards, locks: [] });
/** That a gate is required is on the record and nowhere else. */
export function forgetGate(batch: Batch): Batch {
  if (!batch.events.some(({ action }) => action === "gate.required")) return batch;
  return { ...batch, writes: batch.writes.filter(({ sql }) => !/ "gate" /.test(sql)) };
}
/** What takes a break-glass session is let through without one. */
export const unlockGlass = (guards: Guards): Guards => ({ ...guards, breakGlass: passing("break_glass") });

/** The spool's file takes everything and keeps nothing. */
export const loseSpool = (file: EmergencyFile): EmergencyFile => ({ read: file.read, write: () => undefined });

/** What waited is carried out as a new command, under an id of its own. */
export const spoolAnew =
  (random: Random) =>
  (pipeline: Pipeline): Pipeline => ({
    ...pipeline,
    execute: (operation, request) => {
      const command_id = uuidv7(micros(0), random);
      const body = { ...(request.raw.body as object), command_id };
      return pipeline.execute(operation, { ...request, idempotencyKey: command_id, raw: { ...request.raw, body } });
    },
  });

/** As a bulk's list is frozen, other bots slip into it. */
export function widenBulk(bots: readonly string[]): (batch: Batch) => Batch {
  return (batch) => ({
    ...batch,
    writes: batch.writes.map((write) =>
      /^insert into "bulk"/i.test(write.sql)
        ? { ...write, parameters: write.parameters.map((value) => withStrangers(value, bots)) }
        : write,
    ),
  });
}
function withStrangers<T>(value: T, bots: readonly string[]): T {
  if (typeof value !== "string" || !value.startsWith('{"targets":{')) return value;
  const bulk = JSON.parse(value) as { targets: Record<string, string> };
  const strangers = Object.fromEntries(bots.map((bot_id) => [bot_id, "waiting"]));
  return JSON.stringify({ ...bulk, targets: { ...strangers, ...bulk.targets } }) as T;
}

/** A cancel is told as done before the exchange has heard of it, and asked for open orders it sees none. */
export class PretendingExecution extends SimExecution {
  override async cancel(id: ClientOrderId): Promise<VenueAnswer> {
    const asked = await this.query(id);
    if (asked.kind !== "answer" || asked.value === null) return { kind: "unknown", problem: "no answer in time" };
    return { kind: "done", order: { ...asked.value, state: "cancelled" }, time_us: asked.time_us };
  }
  override async openOrders(): Promise<Asked<readonly OrderSnapshot[]>> {
    const asked = await super.openOrders();
    return asked.kind === "answer" ? { ...asked, value: [] } : asked;
  }
}
