/** What a machine is besides its strategy and its venue: plain JSON, exact, part of every checkpoint. */
import type { KillWord } from "../kill-switch/kill-word.ts";
import type { JsonObject } from "@rumi/kernel";
import type { GateState } from "../gate/gate.ts";
import type { FaultNote, Health } from "./health.ts";
import type { LiveOrder } from "./orders.ts";
import type { StagedIntent } from "../staging/staged-intents.ts";
import type { RefusedIntent } from "../gate/refused.ts";
import type { RestraintState } from "./restraint-state.ts";

export type Counters = {
  events_total: number;
  /** Rows that the venue saw and the strategy did not, because newer ones were due. */
  events_conflated: number;
  /** Results of Compute and answers of services that came too late to be heard. */
  results_stale: number;
  intents_total: number;
  orders_sent: number;
  fills_total: number;
  hints_total: number;
  log_bytes: number;
  log_bytes_cut: number;
  /** By intent kind. */
  intents: Record<string, number>;
  /** By the gate's verdict. */
  verdicts: Record<string, number>;
  /** By reason code. */
  discarded: Record<string, number>;
  /** By fault kind. */
  faults: Record<string, number>;
};

export const countersStart = (): Counters => ({
  events_total: 0,
  events_conflated: 0,
  results_stale: 0,
  intents_total: 0,
  orders_sent: 0,
  fills_total: 0,
  hints_total: 0,
  log_bytes: 0,
  log_bytes_cut: 0,
  intents: {},
  verdicts: {},
  discarded: {},
  faults: {},
});

/** Its own copy; a counter that an older checkpoint does not know begins at its start. */
export const copyOf = (counters: Counters): Counters => ({
  ...countersStart(),
  ...counters,
  discarded: { ...counters.discarded },
  faults: { ...counters.faults },
  intents: { ...counters.intents },
  verdicts: { ...counters.verdicts },
});

export type MachineState = {
  readonly cursor: number;
  readonly clock: number;
  readonly inputs: number;
  readonly calls: number;
  readonly gate: GateState;
  readonly health: Health;
  readonly last_fault: FaultNote | null;
  readonly safety: "NORMAL" | "SAFE" | "EMERGENCY_STOP";
  /** Absent where it allows everything. */
  readonly kill_switch?: KillWord;
  readonly config: JsonObject;
  readonly timers: readonly (readonly [number, number])[];
  readonly orders: readonly LiveOrder[];
  readonly last_prices: readonly number[];
  readonly counters: Counters;
  readonly log_second: number;
  readonly log_in_second: number;
  readonly state_version: number;
  readonly feed_ended: boolean;
  /** Absent in checkpoints of before there were any. */
  readonly restraints?: RestraintState;
  /** What waits for approval; absent where nothing does. */
  readonly staged?: readonly StagedIntent[];
  /** What the gate refused and its strategy has not heard yet; absent where there is none. */
  readonly refused?: readonly RefusedIntent[];
};
