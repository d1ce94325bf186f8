/** What reaches a machine besides feed rows: each is on the record with the cursor at which it took effect. */
import type { KillWord } from "../kill-switch/kill-word.ts";
import type { Failure, JsonObject, Result } from "@rumi/kernel";
import type { ApplyPoint, ControlMessage, InstanceStatus, JournalEntry } from "../protocol.ts";
import { type InputClass, InputQueue } from "../queue/input-queue.ts";
import type { BreakerConfig, BreakerMode, BreakerTrigger } from "../breaker/config.ts";
import type { GatewayInput } from "../gateway/reports.ts";
import type { DataQualityPolicy } from "../quality/policy.ts";
import type { StrategyFault } from "../strategy/strategy.ts";
import type { StopConditions } from "../stop-conditions/config.ts";
import type { StagingInput } from "../staging/input.ts";
import type { PressureLevel, PressureSource } from "./pressure.ts";

/** What holds an instance back, as its shell measured it or a person said it (restraints.ts). */
export type RestraintInput =
  /** Rows from the cursor to `until` are due already: the strategy hears the newest of each stream only. */
  | { readonly input: "conflate"; readonly until: number }
  | {
      readonly input: "pressure";
      readonly source: PressureSource;
      readonly level: PressureLevel;
      readonly reason_code: string;
      /** What was measured, for the record. */ readonly measured: Readonly<Record<string, number>>;
    }
  /** How flawed data is reacted to from here on. */
  | { readonly input: "data_quality"; readonly policy: DataQualityPolicy }
  /** What ends the instance from here on. */
  | { readonly input: "stop_conditions"; readonly conditions: StopConditions }
  /** What trips the breaker from here on. */
  | { readonly input: "rules"; readonly breaker: BreakerConfig }
  /** Something that the breaker counts and only a clock or a gateway can see. */
  | { readonly input: "observed"; readonly trigger: BreakerTrigger }
  | {
      readonly input: "breaker";
      readonly action: "trip";
      readonly mode: BreakerMode;
      readonly actor: string;
      readonly reason: string;
    }
  | { readonly input: "breaker"; readonly action: "reset"; readonly actor: string; readonly reason: string };

/** A word from above the instance: the safety mode, and the kill switch's rule that holds for it. */
export type AuthorityInput =
  | { readonly input: "safety"; readonly mode: "NORMAL" | "SAFE" | "EMERGENCY_STOP"; readonly generation: number }
  | ({ readonly input: "killswitch" } & KillWord);

export type MachineInput =
  | AuthorityInput
  | RestraintInput
  | GatewayInput
  | StagingInput
  | {
      readonly input: "config";
      readonly config: JsonObject;
      readonly actor: string;
      readonly generation: number;
      readonly at?: ApplyPoint;
    }
  | {
      readonly input: "signal";
      readonly signal: JsonObject;
      readonly actor: string;
      /** Event time of the data that it was made from; where it is older than allowed, the strategy never hears it. */
      readonly as_of_us?: number;
      readonly stale_after_us?: number;
    }
  /** What the run that a shadow follows had on its record at this place. */
  | { readonly input: "primary"; readonly entry: JournalEntry }
  /** Everything open is cancelled and the venue heard up to `settle_us`. */
  | { readonly input: "stop"; readonly reason: string; readonly settle_us: number }
  /** The callback that would have been `call` failed for a reason of the machine it ran on, or of its own. */
  | {
      readonly input: "fault";
      readonly call: number;
      readonly callback: string;
      readonly fault: StrategyFault["kind"];
      readonly reason_code: string;
      readonly detail: string;
      /** The tail of what the strategy said, or null. */ readonly evidence: string | null;
    };

/** A person's word, as the control plane brings it. */
export function wishInput(message: Extract<ControlMessage, { type: "breaker" | "staging" }>): MachineInput {
  return message.type === "breaker" ? { input: "breaker", ...message.wish } : { input: "staging", ...message.wish };
}

/** An input that waits for the space between two rows, and who wants to know that it was durable. */
export type Waiting = {
  readonly input: MachineInput;
  readonly done: (result: Result<InstanceStatus, Failure>) => void;
};

/** Safety interrupts (M-4.2.3); what a venue says of an order is never dropped (M-4.2.2). */
export function waitingClass({ input }: Waiting): InputClass {
  if (input.input === "venue_report") return "execution";
  return input.input === "safety" || input.input === "killswitch" ? "safety" : "other";
}

/** Made from data too old for the present of the one who would hear it. */
export function isStale(
  { as_of_us, stale_after_us }: Extract<MachineInput, { input: "signal" }>,
  clock_us: number,
): boolean {
  return as_of_us !== undefined && stale_after_us !== undefined && clock_us - as_of_us > stale_after_us;
}

/** The line of what waits for one instance. */
export const inputsOf = (other_max: number): InputQueue<Waiting> =>
  new InputQueue({ classOf: waitingClass, other_max });
