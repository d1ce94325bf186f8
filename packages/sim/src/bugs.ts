/**
 * Bugs that are planted to see that they are found: each wraps one port, none is reachable from the program.
 */
import { type Clock, millis } from "@rumi/kernel";
import type { InstanceStatus, LaneThread, MakeThread } from "@rumi/runtime";
import type { Batch } from "@rumi/store";
import type { NewOrder, VenueAnswer } from "@rumi/venues";
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
