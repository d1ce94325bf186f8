/**
 * What the simulator must not forget: every instruction it took and every stretch of market it went through, in order.
 *
 * How to think: the exchange is deterministic, so its instructions are its state. A line is written at once, so that a
 * killed process loses nothing; `sync` makes it survive a power cut, and nobody hears of an order before that.
 *
 * Invariant: an order that was answered or reported is there after kill -9 (server.test.ts "[M-8.2.2] survives").
 */
import { closeSync, existsSync, fdatasync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { failure, FailureError } from "@rumi/kernel";
import type { NewOrder } from "../types.ts";

export type LogLine =
  | { readonly k: "venue"; readonly version: 1; readonly options: string }
  /** The market went on to row `to`, at this wall time. */
  | { readonly k: "rows"; readonly to: number; readonly wall_us: number }
  | {
      readonly k: "submit";
      readonly account: string;
      readonly at_us: number;
      readonly wall_us: number;
      readonly order: NewOrder;
    }
  | {
      readonly k: "cancel";
      readonly account: string;
      readonly at_us: number;
      readonly wall_us: number;
      readonly client_order_id: string;
    }
  | {
      readonly k: "amend";
      readonly account: string;
      readonly at_us: number;
      readonly wall_us: number;
      readonly client_order_id: string;
      readonly price: number;
      readonly quantity: number;
    };

export class OrderLog {
  readonly #fd: number;
  #syncing: Promise<void> | undefined;
  #dirty = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Error RUMI-MKT-020 (thrown) when a line that is not the torn last one cannot be read. */
  static open(path: string): { readonly log: OrderLog; readonly lines: readonly LogLine[] } {
    const lines = existsSync(path) ? readLines(path) : [];
    const fd = openSync(path, "a", 0o600);
    const folder = openSync(dirname(path), "r");
    fsyncSync(folder);
    closeSync(folder);
    return { log: new OrderLog(fd), lines };
  }

  append(line: LogLine): void {
    writeSync(this.#fd, `${JSON.stringify(line)}\n`);
    this.#dirty = true;
  }

  /** Resolves when everything appended so far is on the disk; callers share a sync. */
  async sync(): Promise<void> {
    while (this.#syncing !== undefined) await this.#syncing;
    if (!this.#dirty) return;
    this.#dirty = false;
    this.#syncing = new Promise((resolve, reject) => {
      fdatasync(this.#fd, (problem) => (problem === null ? resolve() : reject(problem)));
    });
    try {
      await this.#syncing;
    } finally {
      this.#syncing = undefined;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function readLines(path: string): readonly LogLine[] {
  const text = readFileSync(path, "utf8");
  const whole = text.lastIndexOf("\n") + 1;
  // A torn last line was never answered.
  if (whole < text.length) truncateSync(path, Buffer.byteLength(text.slice(0, whole)));
  return text
    .slice(0, whole)
    .split("\n")
    .filter((line) => line !== "")
    .map((line, at) => {
      try {
        return JSON.parse(line) as LogLine;
      } catch (cause) {
        throw new FailureError(failure("RUMI-MKT-020", { path, problem: `line ${at + 1} is no JSON` }, { cause }));
      }
    });
}
