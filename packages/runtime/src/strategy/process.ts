/**
 * A strategy in a jailed process, Python or a native binary, called from a lane's own thread that blocks for the answer.
 *
 * One message per request over the jail's framing: {u8 callback, u8 0, u16 frames, u32 0} and the ABI frame out,
 * {i32 status, u32 frames taken} and the output records back (docs/formats/abi.md, "Jail"). The deadline is watched by
 * another thread (JailWatch). After a fault `reset` takes the standby, or starts a new process; nothing of the old one is left.
 *
 * A warm standby is a second process that waits in its jail: confined, interpreter started, nothing of the strategy read.
 * There is at most one per instance, only where it is asked for, and never for native binaries, whose own code would run
 * in it unwatched. It is started a moment after an instance began, and after the former one was taken.
 */
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { frameViews, type FrameViews, type StrategyDescriptor } from "@rumi/abi";
import { type Digest, err, type Failure, ok, type Result } from "@rumi/kernel";
import {
  type JailMechanism,
  type JailSpec,
  type JailWatch,
  launchSyncJail,
  type PythonFacts,
  SANDBOX_LIMITS,
  spawnSyncJail,
  type StandbyJail,
  type SyncJailedProcess,
  treeCpuMs,
} from "@rumi/sandbox";
import { evidenceOf, refusalOf } from "./evidence.ts";
import type { IsolationLevel } from "../isolation/choice.ts";
import { readablePack } from "./readable-pack.ts";
import {
  type CallbackNumber,
  FAULTED,
  inForce,
  type IsolationInForce,
  type Strategy,
  type StrategyFault,
} from "./strategy.ts";

export type PythonHome = {
  readonly python: PythonFacts;
  readonly mechanism: JailMechanism;
  /** Folder that holds `rumi_sdk`, shown read-only. */
  readonly sdk_dir: string;
  /** Folder that holds `jail_runner.py`, shown read-only. */
  readonly runner_dir: string;
  /** Where the container engine listens; absent: its usual place. */
  readonly engine_socket?: string;
};

/** Who ends a late process, and by which clock. */
export type JailGuard = {
  readonly watch: JailWatch;
  readonly now_ms: () => number;
  /** Keep a second process ready for Python; none without. */
  readonly standby?: "warm";
  /** Hears of every process of the strategy once it runs, the one that waits included. */
  readonly onStarted?: (pid: number) => void;
};

type Common = JailGuard & {
  readonly descriptor: StrategyDescriptor;
  readonly isolation: "any" | "strict";
  /** The level that was asked for and is not to be had. */
  readonly instead_of?: IsolationLevel | null;
  /** Where the container engine listens; absent: its usual place. */
  readonly engine_socket?: string;
};
export type PythonStrategyOptions = Common & {
  readonly script: string;
  readonly pack_dir: string;
  /** Absent: modules that the script imports from the pack are held to nothing. */
  readonly pack_digest?: Digest;
  readonly home: PythonHome;
};
export type NativeStrategyOptions = Common & {
  /** The program, proven already. */
  readonly bytes: Uint8Array;
  /** Bubblewrap when absent; never the self-jail, because a stranger's binary cannot be asked to jail itself. */
  readonly mechanism?: Exclude<JailMechanism, "self-jail">;
};

const START_DEADLINE_MS = 10_000;
/** Init, saved state and shutdown may take longer than an event. */
const RARE_DEADLINE_FACTOR = 20;
const HEAD = 8;
/** Frames in one message at most, and the sum of their deadlines. */
const FRAMES_AT_ONCE = 512;
const PATIENCE_MS = 30_000;
const STANDBY_AFTER_MS = 50;
/** By then a standby is a session of its own, whose place among others can be said. */
const STANDBY_SETTLED_MS = 1_000;
/**
 * The kernel's own fence behind the deadline: the declared share of a day. A life that spends it is ended as one that
 * crashed, and the next one goes on from the checkpoint.
 */
const LIFE_S = 86_400;
const LIFE_LEAST_S = 60;

export function openPythonStrategy(options: PythonStrategyOptions): Result<ProcessStrategy, Failure> {
  const { home, descriptor } = options;
  const { script, pack_dir, remove } = readablePack(options.pack_dir, options.script, home.mechanism);
  const spec: JailSpec = {
    ...bounds(options),
    mechanism: home.mechanism,
    program: { kind: "python", python: home.python, script: `${home.runner_dir}/jail_runner.py` },
    // The file is read again in there: it is compiled only if it is still what was proven.
    args: [home.sdk_dir, script, hexOf(descriptor.binary_hash), pack_dir, hexOf(options.pack_digest)],
    read_only_binds: [...new Set([pack_dir, home.sdk_dir, home.runner_dir])],
  };
  const started = start(options, spec, remove);
  if (!started.ok) remove();
  return started;
}

/** Empty where there is none. */
export const hexOf = (digest: string | undefined): string => (digest ?? "").slice("sha256:".length);

/** The proven bytes run from a folder of their own: whoever can write the pack can no longer change them. */
export function openNativeStrategy(options: NativeStrategyOptions): Result<ProcessStrategy, Failure> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "rumi-native-")));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const path = join(folder, "strategy");
  writeFileSync(path, options.bytes);
  chmodSync(path, 0o555);
  chmodSync(folder, 0o755);
  const spec: JailSpec = {
    ...bounds(options),
    mechanism: options.mechanism ?? "bubblewrap",
    program: { kind: "executable", path },
    args: [],
    read_only_binds: [folder],
  };
  const started = start(options, spec, remove);
  if (!started.ok) remove();
  return started;
}

function start(of: Common, wanted: JailSpec, afterwards: () => void): Result<ProcessStrategy, Failure> {
  const { watch, now_ms, descriptor, instead_of = null, onStarted, engine_socket } = of;
  const spec = engine_socket === undefined ? wanted : { ...wanted, engine_socket };
  const started = spawnSyncJail({ spec, watch, now_ms });
  return started.ok
    ? ok(
        new ProcessStrategy(
          {
            watch,
            now_ms,
            descriptor,
            instead_of,
            spec,
            afterwards,
            ...(onStarted === undefined ? {} : { onStarted }),
            ...standbyOf(of, spec),
          },
          started.value,
        ),
      )
    : err(started.error);
}

function standbyOf({ standby }: Common, { program }: JailSpec): Pick<Common, "standby"> {
  return standby !== undefined && program.kind === "python" ? { standby } : {};
}

function bounds({
  descriptor,
  isolation,
}: Common): Omit<JailSpec, "mechanism" | "program" | "args" | "read_only_binds"> {
  const { resources } = descriptor;
  return {
    isolation,
    memory_bytes: resources.memory_bytes,
    cpu_seconds: Math.max(LIFE_LEAST_S, Math.ceil(resources.cpu * LIFE_S)),
    nofile: 32,
    fsize_bytes: 1_048_576,
    tmp_bytes: 16_777_216,
    threads: resources.threads,
    log_bytes_per_second: resources.log_bytes_per_second,
    log_bytes_per_run: resources.log_bytes_per_run,
    start_deadline_ms: START_DEADLINE_MS,
  };
}

type Parts = JailGuard & {
  readonly instead_of: IsolationLevel | null;
  readonly descriptor: StrategyDescriptor;
  readonly spec: JailSpec;
  readonly afterwards: () => void;
};

export class ProcessStrategy implements Strategy {
  readonly isolation: IsolationInForce;
  readonly views: FrameViews;
  framesTaken = 0;
  readonly #options: Parts;
  readonly #request: Uint8Array;
  readonly #output: number;
  #process: SyncJailedProcess;
  #standby: StandbyJail | null = null;
  #closed = false;
  /** What the strategy said with its newest status below zero. */
  #refusal: StrategyFault | null = null;

  constructor(options: Parts, process: SyncJailedProcess) {
    this.#options = options;
    this.#process = process;
    const { mechanism, weaker } = process;
    const said = weaker.length === 0 ? mechanism : `${mechanism} (weaker: ${weaker.join("; ")})`;
    this.isolation = inForce(process.level, said, options.instead_of);
    const room = SANDBOX_LIMITS.frame_bytes;
    const buffer = new ArrayBuffer(room * 2 + HEAD);
    this.views = frameViews(buffer, 0, buffer.byteLength);
    this.#request = new Uint8Array(buffer, 0, room);
    this.#output = room;
    this.#tellStarted(process.pid);
    this.#prepare();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Of the process and everything below it; a standby has not begun. */
  cpu(): { readonly pid: number; readonly ms: number } | null {
    // A container is nobody's child here: what is below the process is the bridge to it.
    if (this.#process.mechanism === "docker") return null;
    const { pid } = this;
    const ms = pid === undefined ? null : treeCpuMs(pid);
    return pid === undefined || ms === null ? null : { pid, ms };
  }

  get standbyPid(): number | undefined {
    return this.#standby?.pid;
  }

  /** What the process wrote to its standard error, bounded by the jail. */
  logText(): string {
    return this.#process.logText();
  }

  room(bytes: number): number {
    return this.#process.lastFault() !== null || bytes + HEAD > this.#request.length ? FAULTED : HEAD;
  }

  invoke(callback: CallbackNumber, length: number): number {
    return this.#call(callback, 1, length, callback === 2 || callback === 3 ? 1 : RARE_DEADLINE_FACTOR);
  }

  /** As many as may take their own deadlines one after the other without anybody losing patience. */
  get framesAtOnce(): number {
    const { event_timeout_ms } = this.#options.descriptor.resources;
    return Math.max(1, Math.min(FRAMES_AT_ONCE, Math.floor(PATIENCE_MS / event_timeout_ms)));
  }

  invokeMany(frames: number, length: number): number {
    return this.#call(2, frames, length, frames);
  }

  #call(callback: CallbackNumber, frames: number, length: number, deadlines: number): number {
    this.#refusal = null;
    this.framesTaken = 0;
    this.views.u32[0] = callback | (frames << 16);
    this.views.u32[1] = 0;
    const deadline = this.#options.descriptor.resources.event_timeout_ms * deadlines;
    const answer = this.#process.request(this.#request.subarray(0, HEAD + length), deadline);
    if (!answer.ok) return FAULTED;
    const { value } = answer;
    if (value.length < HEAD || value.length % 8 !== 0) {
      this.#process.kill();
      return FAULTED;
    }
    const head = new DataView(value.buffer, value.byteOffset, HEAD);
    const status = head.getInt32(0, true);
    this.framesTaken = head.getUint32(4, true);
    // Fewer than all, and the last of them silent: then nobody could say what became of the rest.
    const silent = status === 0 && value.length === HEAD;
    if (frames > 1 && (this.framesTaken > frames || this.framesTaken < (silent ? frames : 1))) {
      this.#process.kill();
      return FAULTED;
    }
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
    const standby = this.#standby;
    this.#standby = null;
    const warm = standby?.takeOver();
    // A standby that was ended too is no reason to give up.
    const again = warm?.ok === true ? warm : spawnSyncJail(this.#options);
    if (!again.ok)
      return {
        kind: "exit",
        reason_code: again.error.reasonCode ?? "M.SANDBOX.SPAWN",
        detail: "the process could not be started again",
      };
    this.#process = again.value;
    this.#tellStarted(this.#process.pid);
    this.#prepare();
    return null;
  }

  /** Later, so that whoever was waiting for this process is served first. */
  #prepare(): void {
    if (this.#options.standby === undefined) return;
    setTimeout(() => {
      if (this.#closed || this.#standby !== null) return;
      const launched = launchSyncJail(this.#options);
      // Without one a restart only takes longer; the next restart tells what is wrong, if it still is.
      if (launched.ok) this.#standby = launched.value;
      setTimeout(() => this.#tellStarted(this.standbyPid), STANDBY_SETTLED_MS).unref();
    }, STANDBY_AFTER_MS).unref();
  }

  #tellStarted(pid: number | undefined): void {
    if (pid !== undefined && !this.#closed) this.#options.onStarted?.(pid);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#process.kill();
    this.#standby?.kill();
    this.#options.afterwards();
  }
}
