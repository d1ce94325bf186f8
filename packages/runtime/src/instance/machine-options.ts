/** What a machine is made of; everything it may use comes from here. */
import type { InstrumentSpec } from "@rumi/abi";
import type { ClientOrderId } from "@rumi/kernel";
import type { SimulatedVenue, MarketFeed } from "@rumi/venues";
import type { ExternalVenue } from "../gateway/external-venue.ts";
import type { GateContext } from "../gate/gate.ts";
import type { InstanceMode } from "../protocol.ts";
import type { ServiceRequest } from "../service/port.ts";
import type { ShadowVenue } from "../shadow/shadow-venue.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { StagingOptions } from "../staging/policy.ts";
import type { Identity, MachineEntry } from "./entry.ts";

export type MachineOptions = {
  readonly identity: Identity;
  readonly traceId: string;
  readonly mode: InstanceMode | "backtest";
  readonly seed: string;
  readonly instruments: readonly InstrumentSpec[];
  /** What the descriptor subscribes to; nothing else is delivered (M-2.1.2). Configuration always is. */
  readonly subscribe: readonly string[];
  readonly feed: MarketFeed;
  readonly strategy: Strategy;
  /** Trades may be handed over several at a time (trade-batch.ts); nobody may ask for state in the middle of `run` then. */
  readonly batch?: boolean;
  /** A venue outside is told of by recorded reports; `take` brings them in. */
  readonly venue: SimulatedVenue &
    Partial<Pick<ExternalVenue, "take">> &
    Partial<Pick<ShadowVenue, "follow" | "keyOf" | "isBetweenRows">>;
  readonly gate: GateContext;
  /**
   * The strategy hears what the gate refused or changed, and a break forgets neither orders nor reports; not in a run that
   * began before that was so.
   */
  readonly tellsRefused: boolean;
  readonly stateBytesMax: number;
  readonly stateSchemaVersion: number;
  readonly logBytesPerSecond: number;
  readonly logBytesPerRun: number;
  /** Takes what happened, in order. `fault` inputs too; all other inputs are recorded by the shell. */
  readonly record: (entry: MachineEntry) => void;
  /** Where it runs and which services it may ask; absent: none at all. */
  readonly lane?: "ll" | "compute";
  readonly services?: readonly string[];
  readonly onService?: (request: ServiceRequest) => void;
  /** A hint was put out, at this event time. */
  readonly onHint?: (tag: string, score: number, as_of_us: number) => void;
  /** Intents that add risk wait for approval; absent: none does. */
  readonly staging?: StagingOptions;
  /** Client order id of an intent under the epoch in force. */
  readonly orderId: (key: number) => ClientOrderId;
};
