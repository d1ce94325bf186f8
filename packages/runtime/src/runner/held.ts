/** What the runner's main thread knows of one instance, and what it begins with. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { InstanceKey, InstanceSpec, InstanceStatus, SegmentClosed } from "../protocol.ts";
import type { JournalTail } from "./journal-tail.ts";

export type Held = {
  readonly spec: InstanceSpec;
  readonly slot: number;
  readonly tail: JournalTail;
  status: InstanceStatus;
  state: "leasing" | "starting" | "hosted" | "over";
  /** Answers the `start` that is under way. */
  request: number | null;
  durable: number;
  sent: number;
  acked: number;
  savedAck: number;
  restarts: number;
  readonly segments: Map<number, SegmentClosed>;
};

/** Bot, strategy and instance: what a lease is about. */
export const keyText = ({ bot_id, strategy_id, instance_id }: InstanceKey): string =>
  `${bot_id}\n${strategy_id}\n${instance_id}`;
/** How far the control plane had acknowledged an earlier life; a hint. */
export function loadAck(runDir: string): number {
  const path = join(runDir, "acknowledged.json");
  if (!existsSync(path)) return 0;
  const match = /^\{"seq":(\d+)\}$/.exec(readFileSync(path, "utf8"));
  return match === null ? 0 : Number(match[1]);
}

export function emptyStatus(spec: InstanceSpec, phase: "starting"): InstanceStatus {
  const { bot_id, strategy_id, instance_id, run_id, epoch } = spec;
  return {
    bot_id,
    strategy_id,
    instance_id,
    run_id,
    epoch,
    phase,
    health_state: "healthy",
    reason_code: null,
    failure: null,
    isolation: null,
    cursor: 0,
    events_total: 0,
    intents_total: 0,
    orders_open: 0,
    last_checkpoint: null,
    positions: [],
    counters: {},
  };
}
