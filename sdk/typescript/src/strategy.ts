/** What a strategy is. */
import type { Context } from "./context.ts";
import type { StrategyEvent } from "./events.ts";
import type { HealthReport } from "./generated/output.ts";
import type { Config } from "./refusal.ts";

export type RestoredState = { readonly version: number; readonly bytes: Uint8Array };

/** Callbacks are synchronous: a promise's jobs are never run. */
export interface Strategy {
  /** `restored` is what `saveState` gave in an earlier life, or null. Throw Refusal to refuse. */
  onInit(context: Context, config: Config, restored: RestoredState | null): void;
  /** One trade, quote, bar, book, execution, safety, signal or config event; the object is reused by the next call. */
  onEvent(context: Context, event: StrategyEvent): void;
  /** A timer that `context.timer` asked for. */
  onTimer?(context: Context, timerId: number, dueUs: number): void;
  /** The last call; `reason` is one of SHUTDOWN_REASON. */
  onShutdown?(context: Context, reason: number): void;
  onHealthcheck?(context: Context): HealthReport;
  /** Bytes of `stateVersion`. */
  saveState(): Uint8Array;
}

export type StrategyClass = {
  new (): Strategy;
  /** Version of what `saveState` gives, at least 1; the manifest's state_schema_version. */
  readonly stateVersion: number;
  /** Turns an older version's bytes into this version's; null refuses. */
  migrateState?(fromVersion: number, bytes: Uint8Array): Uint8Array | null;
};
