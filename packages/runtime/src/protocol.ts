/**
 * Runner protocol v1: what control plane and runner say to each other over a Unix socket.
 *
 * Each message is a 32-bit little-endian length and one JSON object. The runner dials the control plane's
 * socket; both prove that they know the runner key before anything else. A restarted control plane is
 * dialled again and adopts what runs by lease epoch. Everything a runner reports is repeated until it is
 * acknowledged, and is applied by (run_id, seq), so that a lost connection loses and doubles nothing.
 */
import type { KillRule } from "./kill-switch/rules.ts";
import type { InstrumentSpec, StrategyDescriptor } from "@rumi/abi";
import type { BotId, Digest, JsonObject, Uuid } from "@rumi/kernel";
import type { RecordingFile } from "@rumi/venues";
import type { DataQuality } from "./quality/policy.ts";
import type { BreakerConfig, BreakerMode, BreakerTrigger } from "./breaker/config.ts";
import type { IsolationLevel } from "./isolation/choice.ts";
import type { ComputeSide } from "./compute/policy.ts";
import type { ServiceSpec } from "./service/spec.ts";
import type { Slo, SloLevel } from "./slo/slo.ts";
import type { StagingWish } from "./staging/input.ts";
import type { StagingPolicy, StagingState } from "./staging/policy.ts";
import type { StopConditions, StopTrip } from "./stop-conditions/config.ts";
import type { Inspection } from "./instance/inspection.ts";

export const RUNNER_PROTOCOL_VERSION = 1;

export type InstanceMode = "paper" | "shadow" | "live";

/** When a configuration takes effect: before the next event, the first of another event-time minute, or after the next state checkpoint. */
export type ApplyPoint = "next_tick" | "next_bar" | "next_checkpoint";

/** Where a secret lies; never the secret itself. */
export type KeyReference = { readonly file: string } | { readonly env: string };

export type LiveVenueSpec = {
  readonly kind: "venue_sim";
  readonly url: string;
  readonly key: KeyReference;
  /** A row received later than this after its event is stale. */
  readonly stale_after_ms: number;
  readonly requests_per_second: number;
  /** Of what a run received so much is kept at least (MiB); older rows go once no state checkpoint needs them. Absent: all. */
  readonly tape_keep_mib?: number;
};

/** The key of a lease and of an instance: bot, strategy, instance. */
export type InstanceKey = { readonly bot_id: BotId; readonly strategy_id: string; readonly instance_id: string };

export type Pace =
  /** As fast as it goes. */
  | { readonly kind: "max" }
  /** Recorded time × factor; 1 is real time. */
  | { readonly kind: "multiple"; readonly factor: number };

/** Another run of this machine, and where its journal and checkpoints lie. */
export type EarlierRun = { readonly run_id: Uuid; readonly run_dir: string };

export type InstanceSpec = InstanceKey & {
  /** The group that its bot belongs to, for the kill switch; absent: none. */
  readonly group_id?: string;
  readonly strategy_version: string;
  readonly run_id: Uuid;
  readonly trace_id: string;
  /** Fencing token: the lease's epoch. */
  readonly epoch: number;
  /** Generation of the bot's confirmed specification. */
  readonly generation: number;
  readonly mode: InstanceMode;
  readonly descriptor: StrategyDescriptor;
  /** Directory of the approved, content-addressed pack. */
  readonly pack_dir: string;
  readonly pack_digest: Digest;
  readonly config: JsonObject;
  readonly seed: string;
  readonly environment: string;
  readonly instruments: readonly InstrumentSpec[];
  readonly venue: {
    readonly venue_id: string;
    readonly files: readonly (RecordingFile & { readonly sha256: Digest })[];
    readonly pace: Pace;
    readonly maker_fee_ppm: number;
    readonly taker_fee_ppm: number;
    readonly latency_us: number;
    readonly latency_jitter_us: number;
    readonly seed: string;
    /** A venue outside this process; `files` is empty then, and the numbers above mean nothing. */
    readonly live?: LiveVenueSpec;
  };
  readonly limits: {
    /** Quote currency, decimal string: largest gross exposure of this instance. */
    readonly capital: string;
    readonly intents_per_second: number;
    readonly max_open_orders: number;
  };
  /** When it trips, what it does, how it comes back; absent: BREAKER_DEFAULT. */
  readonly breaker?: BreakerConfig;
  /** What ends it by itself; absent: nothing does. */
  readonly stop_conditions?: StopConditions;
  /** How flawed market data is reacted to; what is absent is DATA_QUALITY_DEFAULT's. */
  readonly data_quality?: DataQuality;
  /** Its intents that add risk wait for approval; absent: none does. */
  readonly staging?: StagingPolicy;
  /** What is promised of it; absent: nothing is. */
  readonly slo?: Slo;
  /** A second strategy of the pack that thinks slowly beside it; absent: none does. */
  readonly compute?: ComputeSide;
  /** Models and signals that its Compute strategies may ask; absent: none. */
  readonly services?: readonly ServiceSpec[];
  /** `any` may fall back to a weaker level and says so; `strict` refuses instead. */
  readonly isolation: "any" | "strict";
  /** Level that is asked for; absent: the kind's own (isolation/choice.ts). */
  readonly isolation_level?: IsolationLevel;
  /** The admission report that the control plane keeps about this start; its key spares the runner the smoke (M-12.1). */
  readonly admission?: { readonly report_id: string; readonly key: Digest };
  /** Where checkpoints and journal of this run live; the runner makes it. */
  readonly run_dir: string;
  /** `fresh` refuses an existing run directory; `resume` restores the newest valid checkpoint and replays. */
  readonly start: "fresh" | "resume";
  /** `paused`: it is brought to where it was and takes no event until it is told to continue. `running` when absent. */
  readonly begin?: "running" | "paused";
  /** A fresh run that begins with the state of an earlier one, at its cursor (update in place, shadow). */
  readonly from?: EarlierRun;
  /** A shadow: it takes the events of this run's journal and hands nothing to a venue. */
  readonly follows?: EarlierRun;
  readonly lease: { readonly ttl_ms: number };
};

export type HealthState = "healthy" | "degraded" | "halted";

/** How the wishes of a shadow and its primary compare, row by row. */
export type ShadowComparison = {
  readonly primary_run_id: string;
  /** Rows that both have seen since the shadow began. */
  readonly compared_until: number;
  readonly matched: number;
  readonly only_primary: number;
  readonly only_shadow: number;
  readonly first_difference: {
    readonly cursor: number;
    readonly primary: readonly string[];
    readonly shadow: readonly string[];
  } | null;
};

export type InstanceStatus = InstanceKey & {
  readonly run_id: Uuid;
  readonly epoch: number;
  readonly phase: "starting" | "running" | "paused" | "feed_ended" | "stopping" | "stopped" | "failed";
  readonly health_state: HealthState;
  readonly reason_code: string | null;
  /** Coded failure of a refused start or a halt, as an error answer's body. */
  readonly failure: {
    readonly error_code: string;
    readonly reason_code: string | null;
    readonly error: string;
    readonly suggestion: string;
  } | null;
  /** Level in force: L1 jail, L2 Wasm, L3 container; and which mechanism. */
  readonly isolation: { readonly level: IsolationLevel; readonly mechanism: string } | null;
  readonly cursor: number;
  readonly events_total: number;
  readonly intents_total: number;
  readonly orders_open: number;
  readonly last_checkpoint: {
    readonly cursor: number;
    readonly bytes: number;
    readonly at: number;
    /** `start`, `periodic`, `wished`, `pause`, `handover`, `suspend`, `stop`, `feed_ended`. */
    readonly why?: string;
  } | null;
  readonly positions: readonly {
    readonly instrument_id: string;
    readonly quantity: string;
    readonly average_price: string;
    readonly realised_profit: string;
    readonly unrealised_profit: string;
    readonly fees: string;
    readonly last_price: string;
  }[];
  readonly counters: Readonly<Record<string, number>>;
  /** What it runs with, so that it can be compared with what is wanted; absent: its runner is older than this field. */
  readonly in_force?: {
    readonly pack_digest: Digest;
    /** Of the configuration's canonical JSON. */
    readonly config_hash: Digest;
    readonly capital: string;
  };
  /** Of a shadow: how its wishes and its primary's compare. */
  readonly shadow?: ShadowComparison;
  /** What was promised beside what the newest window measured, and which step is in force. */
  readonly slo?: {
    readonly level: SloLevel;
    readonly reason_code: string | null;
    readonly promised: Slo;
    readonly measured: Readonly<Record<keyof Slo, number>>;
  };
  readonly breaker?: {
    readonly state: "open" | "closed";
    readonly mode: BreakerMode | null;
    readonly trigger: BreakerTrigger | "operator" | null;
    /** Why it is open, or why it closed the last time. */
    readonly reason_code: string | null;
    /** Event time. */ readonly since_us: number | null;
    readonly trips: number;
  };
  /** Of a live run that stops: orders of its own that the venue held when it was last asked; `null`: it did not say. */
  readonly venue_open?: number | null;
  /** The stop condition that ended it. */
  readonly stop_condition?: StopTrip;
  /** Only in the answer to `inspect`. */
  readonly inspection?: Inspection;
};

/** One record of a run's journal as it travels; `seq` is its place in that run's journal, from 1. */
export type JournalEntry = {
  readonly seq: number;
  readonly at_us: number;
  readonly event_time_us: number;
  readonly cursor: number;
  readonly trace_id: string;
} & (
  | {
      readonly kind: "run_started" | "run_resumed";
      readonly epoch: number;
      /** Digest of the run's record, `run.json`. */ readonly run?: Digest;
      /** Generation of the checkpoint that this life was restored from. */ readonly checkpoint?: number;
    }
  | {
      readonly kind: "intent";
      readonly intent: JsonObject;
      readonly verdict: "forwarded" | "degraded" | "discarded" | "recorded" | "staged";
      readonly reason_code: string | null;
      readonly client_order_id: string | null;
      readonly idempotency_key: string;
    }
  /** What became of a staged intent. */
  | {
      readonly kind: "staging";
      readonly staging: {
        readonly idempotency_key: string;
        readonly state: StagingState;
        /** Who approved or rejected it; `policy` where its bot's policy did. */ readonly by: string | null;
        readonly reason_code: string | null;
      };
    }
  | { readonly kind: "order"; readonly report: JsonObject }
  | { readonly kind: "fill"; readonly fill: JsonObject }
  | { readonly kind: "health"; readonly health_state: HealthState; readonly reason_code: string | null }
  /** The circuit breaker opened, became stricter or closed. */
  | {
      readonly kind: "breaker";
      readonly breaker: {
        readonly state: "open" | "closed";
        readonly mode: BreakerMode | null;
        readonly trigger: BreakerTrigger | "operator" | null;
        readonly reason_code: string;
      };
    }
  | { readonly kind: "checkpoint"; readonly checkpoint: JsonObject }
  | { readonly kind: "input"; readonly input: JsonObject }
  | { readonly kind: "run_paused" | "run_continued" | "feed_ended" | "run_stopped" }
);

/** A closed journal segment: becomes one leaf of the audit log. */
export type SegmentClosed = {
  readonly run_id: Uuid;
  readonly segment: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly root: string;
  readonly records: number;
};

export type RunnerMessage =
  | {
      readonly type: "hello";
      readonly protocol: number;
      readonly runner_id: string;
      readonly pid: number;
      readonly nonce: string;
      readonly started_at: number;
    }
  | { readonly type: "proof"; readonly mac: string }
  | {
      readonly type: "instances";
      readonly instances: readonly InstanceStatus[];
      readonly isolation: readonly {
        readonly level: string;
        readonly mechanism: string;
        readonly available: boolean;
        /** Whether `strict` takes it there; absent: it does. */
        readonly strict?: boolean;
        readonly reason: string | null;
      }[];
    }
  | {
      readonly type: "renew";
      readonly request: number;
      /** Microseconds since the epoch by the runner's own clock, as it was sent. */ readonly wall_us?: number;
      readonly leases: readonly (InstanceKey & { readonly epoch: number })[];
    }
  | { readonly type: "status"; readonly status: InstanceStatus }
  | { readonly type: "journal"; readonly run_id: Uuid; readonly entries: readonly JournalEntry[] }
  | { readonly type: "segment"; readonly segment: SegmentClosed }
  | { readonly type: "reply"; readonly request: number; readonly ok: true; readonly status: InstanceStatus }
  | {
      readonly type: "reply";
      readonly request: number;
      readonly ok: false;
      readonly failure: NonNullable<InstanceStatus["failure"]>;
    }
  /** So many instances here whose word changed with the kill switch's rules of this generation have it on their durable record. */
  | { readonly type: "killswitch_followed"; readonly generation: number; readonly instances: number };

export type ControlMessage =
  | {
      readonly type: "challenge";
      readonly protocol: number;
      readonly home_id: string;
      readonly nonce: string;
      readonly mac: string;
    }
  | { readonly type: "welcome" }
  | {
      readonly type: "renewed";
      readonly request: number;
      readonly leases: readonly (InstanceKey & { readonly epoch: number; readonly granted: boolean })[];
    }
  | { readonly type: "start"; readonly request: number; readonly spec: InstanceSpec }
  | {
      /** `handover` ends a run with everything in its checkpoint and its orders open: another run goes on from there. */
      readonly type: "stop" | "pause" | "continue" | "handover" | "inspect";
      readonly request: number;
      readonly run_id: Uuid;
      readonly epoch: number;
      readonly reason: string;
    }
  | {
      readonly type: "config";
      readonly request: number;
      readonly run_id: Uuid;
      readonly epoch: number;
      readonly config: JsonObject;
      /** Of the version that holds it. */
      readonly generation: number;
      readonly actor: string;
      /** `next_tick` when absent. Later points are answered at once; the effect is the journal's `input` record. */ readonly at?: ApplyPoint;
    }
  /** A person's word to the circuit breaker. */
  | {
      readonly type: "breaker";
      readonly request: number;
      readonly run_id: Uuid;
      readonly epoch: number;
      readonly wish:
        | {
            readonly action: "trip";
            readonly mode: BreakerMode;
            readonly actor: string;
            readonly reason: string;
          }
        | { readonly action: "reset"; readonly actor: string; readonly reason: string };
    }
  /** A person's word on a staged intent; what comes of it is the journal's `staging` record. */
  | {
      readonly type: "staging";
      readonly request: number;
      readonly run_id: Uuid;
      readonly epoch: number;
      readonly wish: StagingWish;
    }
  | { readonly type: "safety"; readonly mode: "NORMAL" | "SAFE" | "EMERGENCY_STOP"; readonly generation: number }
  /** All rules of the kill switch that are in force; a runner keeps the newest generation. */
  | { readonly type: "killswitch"; readonly generation: number; readonly rules: readonly KillRule[] }
  | { readonly type: "journal_ack"; readonly run_id: Uuid; readonly seq: number }
  | { readonly type: "segment_ack"; readonly run_id: Uuid; readonly segment: number }
  /** Forget an instance that is stopped and fully acknowledged. */
  | { readonly type: "forget"; readonly run_id: Uuid }
  | { readonly type: "shutdown"; readonly request: number; readonly grace_ms: number };
