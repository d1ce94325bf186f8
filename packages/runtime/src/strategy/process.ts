/**
 * A Python strategy in a jailed process, called from a lane's own thread that blocks for the answer.
 *
 * One frame per request over the jail's framing: {u8 callback, 3 zero bytes, u32 zero} and the ABI frame out,
 * {i32 status, u32 zero} and the output records back. The deadline is watched by another thread (JailWatch).
 * After a fault `reset` starts a new process; nothing of the old one is left.
 */
import { frameViews, type FrameViews, type StrategyDescriptor } from "@rumi/abi";
import { err, type Failure, ok, type Result } from "@rumi/kernel";
import {
  type JailMechanism,
  type JailSpec,
  type JailWatch,
  type PythonFacts,
  SANDBOX_LIMITS,
  spawnSyncJail,
  type SyncJailedProcess,
} from "@rumi/sandbox";
import { evidenceOf, refusalOf } from "./evidence.ts";
import { type CallbackNumber, FAULTED, type IsolationInForce, type Strategy, type StrategyFault } from "./strategy.ts";

export type PythonHome = {
  readonly python: PythonFacts;
  readonly mechanism: JailMechanism;
  /** Folder that holds `rumi_sdk`, shown read-only. */
  readonly sdk_dir: string;
  /** Folder that holds `jail_runner.py`, shown read-only. */
  readonly runner_dir: string;
};

export type ProcessStrategyOptions = {
  readonly descriptor: StrategyDescriptor;
  readonly script: string;
  readonly pack_dir: string;
  readonly isolation: "any" | "strict";
  readonly home: PythonHome;
  readonly watch: JailWatch;
  readonly now_ms: () => number;
};

const START_DEADLINE_MS = 10_000;
/** Init, saved state and shutdown may take longer than an event. */
const RARE_DEADLINE_FACTOR = 20;
const HEAD = 8;

export function openProcessStrategy(options: ProcessStrategyOptions): Result<ProcessStrategy, Failure> {
  const started = spawnSyncJail({ spec: jailSpec(options), watch: options.watch, now_ms: options.now_ms });
  return started.ok ? ok(new ProcessStrategy(options, started.value)) : err(started.error);
}

function jailSpec({ descriptor, script, pack_dir, isolation, home }: ProcessStrategyOptions): JailSpec {
  const { resources } = descriptor;
  return {
    mechanism: home.mechanism,
    isolation,
    program: { kind: "python", python: home.python, script: `${home.runner_dir}/jail_runner.py` },
    args: [home.sdk_dir, script],
    read_only_binds: [...new Set([pack_dir, home.sdk_dir, home.runner_dir])],
    memory_bytes: resources.memory_bytes,
    nofile: 32,
    fsize_bytes: 1_048_576,
    tmp_bytes: 16_777_216,
    threads: resources.threads,
    log_bytes_per_second: resources.log_bytes_per_second,
    log_bytes_per_run: resources.log_bytes_per_run,
    start_deadline_ms: START_DEADLINE_MS,
  };
}

export class ProcessStrategy implements Strategy {
  readonly isolation: IsolationInForce;
  readonly views: FrameViews;
  readonly #options: ProcessStrategyOptions;
  readonly #request: Uint8Array;
  readonly #output: number;
  #process: SyncJailedProcess;
  #closed = false;
  /** What the strategy said with its newest status below zero. */
  #refusal: StrategyFault | null = null;

  constructor(options: ProcessStrategyOptions, process: SyncJailedProcess) {
    this.#options = options;
    this.#process = process;
    this.isolation = {
      level: process.level,
      mechanism:
        process.weaker.length === 0 ? process.mechanism : `${process.mechanism} (weaker: ${process.weaker.join("; ")})`,
    };
    const room = SANDBOX_LIMITS.frame_bytes;
    const buffer = new ArrayBuffer(room * 2 + HEAD);
    this.views = frameViews(buffer, 0, buffer.byteLength);
    this.#request = new Uint8Array(buffer, 0, room);
    this.#output = room;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** What the process wrote to its standard error, bounded by the jail. */
  logText(): string {
    return this.#process.logText();
  }

  room(bytes: number): number {
    return this.#process.lastFault() !== null || bytes + HEAD > this.#request.length ? FAULTED : HEAD;
  }

  invoke(callback: CallbackNumber, length: number): number {
    this.#refusal = null;
    this.views.u32[0] = callback;
    this.views.u32[1] = 0;
    const deadline =
      this.#options.descriptor.resources.event_timeout_ms *
      (callback === 2 || callback === 3 ? 1 : RARE_DEADLINE_FACTOR);
    const answer = this.#process.request(this.#request.subarray(0, HEAD + length), deadline);
    if (!answer.ok) return FAULTED;
    const { value } = answer;
    if (value.length < HEAD || value.length % 8 !== 0) {
      this.#process.kill();
      return FAULTED;
    }
    const status = new DataView(value.buffer, value.byteOffset, value.byteLength).getInt32(0, true);
    this.views.u8.set(value.subarray(HEAD), this.#output);
    if (status < 0) {
      this.#refusal = refusalOf(status, this.views, this.#output, value.length - HEAD);
      return status;
    }
    return value.length - HEAD;
  }

  outputAt(_length: number): number {
    return this.#output;
  }

  fault(): StrategyFault | null {
    const fault = this.#process.lastFault();
    if (fault === null) return this.#refusal;
    const evidence = evidenceOf(this.logText());
    return {
      kind: fault.kind,
      reason_code: fault.reason_code,
      detail: fault.detail,
      ...(evidence === "" ? {} : { evidence }),
    };
  }

  reset(): StrategyFault | null {
    this.#process.kill();
    this.#refusal = null;
    const again = spawnSyncJail({
      spec: jailSpec(this.#options),
      watch: this.#options.watch,
      now_ms: this.#options.now_ms,
    });
    if (!again.ok)
      return {
        kind: "exit",
        reason_code: again.error.reasonCode ?? "M.SANDBOX.SPAWN",
        detail: "the process could not be started again",
      };
    this.#process = again.value;
    return null;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#process.kill();
  }
}
