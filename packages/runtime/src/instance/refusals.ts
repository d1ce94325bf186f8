/**
 * Refused intents on their way back to their strategy (gate/refused.ts says what it hears of each).
 *
 * How to think: they stand among the venue's reports and are delivered with them, after the callback that put them out.
 * What is refused in answer to one of them waits for the next row, or the next input, so a strategy that wishes the same
 * again and again goes at the pace of its events, and the caps and its health end it like any other flood.
 *
 * Invariants (refusals.test.ts)
 * - What waits is part of every checkpoint: killed or handed over in between, it is told once.
 * - A run that was begun before refusals were told is replayed as it was: nothing comes back.
 */
import type { ExecutionReport } from "@rumi/venues";
import { REFUSALS_BEYOND_CAP_MAX, refusedIntent, type RefusedIntent, refusedReport } from "../gate/refused.ts";
import type { MachineOptions } from "./machine-options.ts";

export class Refusals {
  readonly #options: Pick<MachineOptions, "gate" | "instruments" | "tellsRefused">;
  readonly #reports: ExecutionReport[];
  readonly #waiting = new Map<ExecutionReport, RefusedIntent>();
  #ofEvent = 0;

  /** `reports` is the desk's own list: what is put there is delivered. */
  constructor(options: Pick<MachineOptions, "gate" | "instruments" | "tellsRefused">, reports: ExecutionReport[]) {
    this.#options = options;
    this.#reports = reports;
  }

  /** Whether this run tells its strategy what the gate made of its intents. */
  get areTold(): boolean {
    return this.#options.tellsRefused;
  }

  nextEvent(): void {
    this.#ofEvent = 0;
  }

  add(...of: Parameters<typeof refusedIntent>): void {
    const { gate, tellsRefused } = this.#options;
    if (!tellsRefused || this.#ofEvent >= gate.intents_per_event + REFUSALS_BEYOND_CAP_MAX) return;
    const refused = refusedIntent(...of);
    if (refused === undefined) return;
    this.#ofEvent += 1;
    this.#wait(refused);
  }

  /** The refused intent that this report tells of; it waits no more. */
  take(report: ExecutionReport): RefusedIntent | undefined {
    const refused = this.#waiting.get(report);
    if (refused !== undefined) this.#waiting.delete(report);
    return refused;
  }

  /** Absent where nothing waits. */
  save(): { readonly refused?: readonly RefusedIntent[] } {
    return this.#waiting.size === 0 ? {} : { refused: [...this.#waiting.values()] };
  }
  restore(saved: readonly RefusedIntent[] = []): void {
    this.#waiting.clear();
    for (const refused of saved) this.#wait(refused);
  }

  #wait(refused: RefusedIntent): void {
    const report = refusedReport(refused, this.#options.instruments.length);
    this.#waiting.set(report, refused);
    this.#reports.push(report);
  }
}
