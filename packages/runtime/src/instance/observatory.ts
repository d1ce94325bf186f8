/**
 * What is measured of one instance beside its work: latency, sampled rows, how long things took. Forgotten with the
 * process; nothing here is saved, replayed or decided upon.
 */
import type { HostOptions } from "./host-options.ts";
import { type Inspection, latencyOf, RowSamples, sampledEvents, summariseState } from "./inspection.ts";
import { LatencyMeter } from "./latency.ts";
import type { InstanceMachine } from "./machine.ts";

export class Observatory {
  readonly latency: LatencyMeter = new LatencyMeter();
  readonly #samples = new RowSamples();
  readonly #o: Pick<HostOptions, "feed" | "spec" | "wallNow" | "monotonic">;
  /** How long the last restore took. */
  restoreMs = 0;
  checkpoints = 0;

  constructor(options: Pick<HostOptions, "feed" | "spec" | "wallNow" | "monotonic">) {
    this.#o = options;
  }

  /** Runs the machine to `until`, timing its first row; answers the rows taken. */
  run(machine: InstanceMachine, until: number): number {
    const { monotonic, wallNow } = this.#o;
    const from = machine.cursor;
    const began = monotonic();
    const first = machine.run(from + 1);
    if (first === 0) return 0;
    const ended = monotonic();
    this.latency.observe(ended - began);
    this.#samples.offer(from, ended, wallNow);
    if (from + 1 >= until || mustPause(machine)) return first;
    return first + machine.run(until);
  }

  inspect(machine: InstanceMachine, queue: { readonly inputs: number; readonly events_due: number }): Inspection {
    const { feed, spec } = this.#o;
    return {
      sampled_events: sampledEvents(this.#samples, {
        feed,
        instruments: spec.instruments,
        run_id: spec.run_id,
        traceOf: (row) => machine.traceId.slice(0, 16) + row.toString(16).padStart(16, "0"),
      }),
      state: summariseState(machine.lastState),
      queue,
      latency: latencyOf(this.latency),
      verdicts: { ...machine.counters.verdicts },
    };
  }
}

/** The shell has something to do before another row may be taken. */
const mustPause = ({ pending, checkpointWished, health }: InstanceMachine): boolean =>
  pending > 0 || checkpointWished || health.state === "halted";
