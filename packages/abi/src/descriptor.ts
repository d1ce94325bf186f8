/** Strategy Descriptor (M-2.1.*): what a strategy says about itself inside its pack's manifest. */
import type { Digest } from "@rumi/kernel";

export const RUNTIME_KINDS = ["rust_wasm", "rust_native", "python", "typescript"] as const;
export type RuntimeKind = (typeof RUNTIME_KINDS)[number];

/** One configuration field: type, range, unit, required, default (M-2.1.4). Closed object. */
export type ConfigField = {
  readonly type: "integer" | "decimal" | "string" | "boolean" | "enum";
  readonly description?: string;
  readonly minimum?: string | number;
  readonly maximum?: string | number;
  /** E.g. `trades`, `bps`, `ms`; part of the contract, a config value may repeat it and must then match. */
  readonly unit?: string;
  readonly values?: readonly string[];
  readonly required: boolean;
  readonly default?: string | number | boolean;
  /** Never shown, logged or sampled. */
  readonly secret?: boolean;
};

export type StrategyDescriptor = {
  readonly strategy_id: string;
  /** SemVer. */
  readonly strategy_version: string;
  readonly runtime_kind: RuntimeKind;
  readonly instance_model: "single" | "sharded";
  /** File inside the pack: the .wasm, the .py, … */
  readonly entrypoint: string;
  readonly capabilities: {
    readonly subscribe: readonly ("trade" | "quote" | "bar" | "book" | "execution" | "safety" | "timer" | "signal")[];
    readonly order_types: readonly ("limit" | "market")[];
    /** `*` or ids. */
    readonly venues: readonly string[];
    readonly instruments: readonly string[];
    readonly external_services: readonly string[];
    readonly lane: "ll" | "compute";
    /** Model and signal services it may ask, by their contracts' names; Compute lane only. Absent: none. */
    readonly services?: readonly string[];
  };
  readonly resources: {
    /** Wall-clock deadline of one callback, milliseconds. */
    readonly event_timeout_ms: number;
    /** Fuel of one event for Wasm kinds; fixed here so that replay is exact on any machine. */
    readonly fuel_per_event: number;
    readonly memory_bytes: number;
    readonly threads: number;
    /** CPU share of one core, 0 < cpu ≤ 1. */
    readonly cpu: number;
    readonly queue_events: number;
    readonly intents_per_event: number;
    readonly intents_per_second: number;
    readonly log_bytes_per_second: number;
    readonly log_bytes_per_run: number;
    readonly state_bytes: number;
  };
  readonly state_schema_version: number;
  readonly config_schema: Readonly<Record<string, ConfigField>>;
  readonly io_contracts: { readonly abi: 1; readonly events: 1; readonly intents: 1 };
  /** SHA-256 of the entrypoint's bytes. */
  readonly binary_hash: Digest;
};
