/** What an instance's host is given, and the limits it works within. */
import type { Log } from "../cause-text.ts";
import type { Timers } from "@rumi/kernel";
import type { SimulatedVenue, MarketFeed } from "@rumi/venues";
import type { ComputeResult, Progress } from "../compute/side.ts";
import type { CheckpointTurns } from "../checkpoint/turns.ts";
import type { KillWord } from "../kill-switch/kill-word.ts";
import type { MachineInput } from "./input.ts";
import type { InstanceSpec, SegmentClosed, ShadowComparison } from "../protocol.ts";
import type { ServicePort } from "../service/port.ts";
import type { ThreadAccount } from "../slo/cpu-time.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { Datasync } from "../journal/datasync.ts";

export const HOST_LIMITS = {
  checkpoint_every_events: 50_000,
  /** Where rows from outside come faster than they are taken. */
  checkpoint_in_burst_events: 200_000,
  checkpoint_every_ms: 10_000,
  /** Feed rows between two looks at the clock. */
  slice_rows: 128,
  slice_rows_process: 16,
  /** What comes from a venue, and whoever shares the lane, waits about so long at most. */
  slice_ms: 0.1,
  inputs_queued: 1_024,
  /** The venue is heard this long beyond its own latency at a stop, microseconds. */
  settle_us: 1_000,
  sync_every_ms: 50,
} as const;

/** Where inputs come from that are no operator's: a venue outside, or the run that a shadow follows. */
export interface Outside {
  /** No row will follow. */
  readonly ended: boolean;
  /** Nothing is open or in doubt there. */
  readonly isSettled: boolean;
  readonly settle_ms: number;
  /** Of a venue outside: asks it how many orders of ours it holds; `null`: it did not say. The answer stays in `openThere`. */
  askOpen?(): Promise<number | null>;
  readonly openThere?: number | null | undefined;
  /** Opens the doors: the replay is over. */
  begin(): void;
  /** The next input, if one is due before row `cursor`. */
  take(cursor: number): MachineInput | undefined;
  counters(): Readonly<Record<string, number>>;
  /** How the wishes of a shadow and its primary compare. */
  shadow?(): ShadowComparison;
  sync(): Promise<void>;
  close(): void;
}

export type HostOptions = {
  readonly spec: InstanceSpec;
  readonly feed: MarketFeed;
  readonly strategy: Strategy;
  readonly venue: SimulatedVenue;
  /** The outside of a live instance or a shadow, whose feed and venue the two above are. */
  readonly live?: Outside;
  readonly wallNow: () => number;
  readonly monotonic: () => number;
  /** What the lane's thread spent on processors; where nobody tells, all time counts. */
  readonly account?: ThreadAccount;
  /** Standard error where it is not given. */
  readonly log?: Log;
  /** The system's timers and fdatasync where none are given. */
  readonly timers?: Timers;
  readonly datasync?: Datasync;
  /** Whether this instance's lease still lets anything out. */
  readonly mayEmit: () => boolean;
  /** What the kill switch says of this instance at this moment; asked again right before anything leaves. */
  readonly killWord?: () => KillWord;
  /** Records up to this seq are durable and may be told. */
  readonly onDurable: (seq: number) => void;
  readonly onSegment: (segment: SegmentClosed) => void;
  /** Spreads the periodic checkpoints of a lane; absent takes one whenever it is due. */
  readonly turns?: CheckpointTurns;
  /** Of an instance with a Compute side, and of that side. */
  readonly progress?: Progress;
  /** Models and signals that a Compute strategy may ask. */
  readonly services?: Pick<ServicePort, "ask">;
  /** What a Compute side found; never called for what a replay repeats. */
  readonly onResult?: (result: ComputeResult) => void;
};
