/** Bytes that a strategy logs, against its two caps: per second of event time, and per run. */
import type { Counters } from "./state.ts";

export class LogMeter {
  readonly #perSecond: number;
  readonly #perRun: number;
  #second = 0;
  #inSecond = 0;

  constructor(caps: { readonly logBytesPerSecond: number; readonly logBytesPerRun: number }) {
    this.#perSecond = caps.logBytesPerSecond;
    this.#perRun = caps.logBytesPerRun;
  }

  /** False when the line is cut. */
  take(bytes: number, clock_us: number, counters: Counters): boolean {
    const second = Math.floor(clock_us / 1_000_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    if (this.#inSecond + bytes > this.#perSecond || counters.log_bytes + bytes > this.#perRun) {
      counters.log_bytes_cut += bytes;
      return false;
    }
    this.#inSecond += bytes;
    counters.log_bytes += bytes;
    return true;
  }

  save(): { readonly log_second: number; readonly log_in_second: number } {
    return { log_second: this.#second, log_in_second: this.#inSecond };
  }

  restore(saved: { readonly log_second: number; readonly log_in_second: number }): void {
    this.#second = saved.log_second;
    this.#inSecond = saved.log_in_second;
  }
}
