/** Who takes what a strategy put out: intents the desk, timers and log lines their keepers, services the service port. */
import { askService } from "../service/port.ts";
import type { OrderDesk } from "./desk.ts";
import type { LogMeter } from "./log-meter.ts";
import type { MachineOptions } from "./machine-options.ts";
import type { Output } from "./output.ts";
import type { Counters } from "./state.ts";
import type { Timers } from "./timers.ts";

export type OutputTakers = {
  readonly options: MachineOptions;
  readonly desk: Pick<OrderDesk, "take">;
  readonly timers: Timers;
  readonly logs: LogMeter;
  readonly subscribes: ReadonlySet<string>;
  /** Event time. */ readonly clock: () => number;
  readonly counters: () => Counters;
  readonly violation: (reason: string) => void;
  readonly wishCheckpoint: () => void;
};

export function takeOutput(output: Output, takers: OutputTakers): void {
  const { options, clock, violation } = takers;
  switch (output.kind) {
    case "intent":
      return takers.desk.take(output.intent);
    case "checkpoint_wished":
      return takers.wishCheckpoint();
    case "timer":
      if (!takers.subscribes.has("timer")) violation("M.CAPABILITY.TIMER_NOT_SUBSCRIBED");
      else if (!takers.timers.set(output.timer_id, output.at_us)) violation("M.TIMER.TOO_MANY");
      return;
    case "log":
      if (!takers.logs.take(output.bytes, clock(), takers.counters())) violation("M.LOG.CAP");
      return;
    case "violation":
      return violation(output.reason_code);
    case "hint":
      if (output.tag === "") return;
      takers.counters().hints_total += 1;
      options.onHint?.(output.tag, output.score, clock());
      return;
    case "service": {
      const refusal = askService(options, output, clock());
      if (refusal !== "") violation(refusal);
      return;
    }
    case "health":
    case "error":
      return;
  }
}
