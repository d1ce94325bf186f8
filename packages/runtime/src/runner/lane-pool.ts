/**
 * The runner's threads: lanes for Wasm and script instances, up to `lane_instances` in each, one lane for each instance in a process, and
 * a watchdog over them.
 *
 * A lane that stops beating is terminated; its instances are told to `onLost`, who starts them again from their
 * checkpoints. Other lanes do not notice. Silence is the lane's own time, less what it waited for a processor, and each
 * look adds little: a machine that was suspended or has other things to do condemns nobody.
 */
import { err, type Failure, failure, ok } from "@rumi/kernel";
import { type CallWatch, createCallWatch, createJailWatch, type LateCall, OwnTime, watchedThread } from "@rumi/sandbox";
import { failureNote } from "../instance/host-status.ts";
import type { FailureBody, FromLane, LaneData, LaneReply, ToLane } from "../lane/messages.ts";
import type { InstanceSpec, InstanceStatus } from "../protocol.ts";
import type { PythonHome } from "../strategy/process.ts";
import type { Timers } from "@rumi/kernel";
import { Companions } from "./companions.ts";
import type { LaneThread, MakeThread } from "./threads.ts";
import { thriftyWith } from "./thrift.ts";

const COMPUTE = "compute ";
export const LANE_LIMITS = {
  lane_instances: 2_500,
  /** Threads of the Compute lane. */
  compute_threads: 2,
  stuck_ms: 5_000,
  look_ms: 250,
} as const;

type Unnumbered<T> = T extends unknown ? Omit<T, "request"> : never;

/** What lanes tell of their own accord. */
export type LaneNews =
  | { readonly type: "status"; readonly status: InstanceStatus }
  | Extract<FromLane, { type: "durable" | "segment" }>;
export type LateRun = { readonly run_id: string; readonly deadline_ms: number };

type Thread = {
  readonly name: string;
  readonly inside: LaneThread;
  readonly beat: Int32Array;
  lastBeat: number;
  /** The thread's own milliseconds since its last beat. */
  silent_ms: number;
  /** Since the last look. */
  readonly time: OwnTime;
  readonly calls: CallWatch;
  /** Runs with their slots. */
  readonly runs: Map<string, number>;
  readonly waiting: Map<number, (reply: LaneReply) => void>;
};

export type LanePoolOptions = {
  readonly makeThread: MakeThread;
  readonly timers: Timers;
  readonly fence: SharedArrayBuffer;
  readonly python: PythonHome | null;
  readonly jails: LaneData["jails"];
  readonly onMessage: (message: LaneNews) => void;
  readonly log: (line: string) => void;
  /** `late` broke through its own fence, and the lane was ended for it. */
  readonly onLost: (runIds: readonly string[], problem: Failure, late?: LateRun) => void;
  /** For tests of the dual fence (M-5.2.7). */
  readonly without?: LaneData["without"];
};

export class LanePool {
  readonly #o: LanePoolOptions;
  readonly #threads = new Map<string, Thread>();
  readonly #stopLooking: () => void;
  readonly #companions: Companions;
  #request = 0;

  constructor(options: LanePoolOptions) {
    this.#o = options;
    this.#companions = new Companions({
      begin: (spec, slot, progress) => this.#begin(spec, slot, progress),
      input: (run_id, input) => this.ask(run_id, { type: "input", run_id, input }),
      log: options.log,
      timers: options.timers,
      monotonic: () => performance.now(),
    });
    this.#stopLooking = options.timers.every(LANE_LIMITS.look_ms, () => this.#look());
  }

  async start(spec: InstanceSpec, slot: number): Promise<LaneReply> {
    const progress = this.#companions.progressOf(spec);
    const reply = await this.#begin(spec, slot, progress);
    if (reply.ok && progress !== undefined) void this.#companions.begin(spec, slot, progress);
    return reply;
  }

  #begin(
    spec: InstanceSpec,
    slot: number,
    progress?: Extract<ToLane, { type: "start" }>["progress"],
  ): Promise<LaneReply> {
    const name = this.#nameFor(spec);
    const thread = this.#threads.get(name) ?? this.#spawn(name);
    thread.runs.set(spec.run_id, slot);
    thriftyWith([...this.#threads.values()].reduce((sum, { runs }) => sum + runs.size, 0));
    return this.#ask(thread, { type: "start", spec, slot, ...(progress === undefined ? {} : { progress }) });
  }

  /** Wasm and scripts share their lane's threads; a process blocks its thread and so has one to itself. */
  #nameFor({ descriptor, run_id }: InstanceSpec): string {
    const { runtime_kind, capabilities } = descriptor;
    const compute = capabilities.lane === "compute" ? COMPUTE : "";
    if (runtime_kind === "python" || runtime_kind === "rust_native") return `${compute}process ${run_id}`;
    return compute === "" ? this.#roomyLane() : this.#computeLane();
  }

  /** The emptier thread of the Compute lane. */
  #computeLane(): string {
    const names = Array.from({ length: LANE_LIMITS.compute_threads }, (_, n) => `${COMPUTE}${n}`);
    const runs = (name: string): number => this.#threads.get(name)?.runs.size ?? 0;
    return names.reduce((least, name) => (runs(name) < runs(least) ? name : least));
  }

  ask(runId: string, message: Unnumbered<Extract<ToLane, { type: "command" | "input" }>>): Promise<LaneReply> {
    const thread = [...this.#threads.values()].find((one) => one.runs.has(runId));
    return thread === undefined
      ? Promise.resolve(err(body("RUMI-STR-035", { run_id: runId, epoch: 0 })))
      : this.#ask(thread, message);
  }

  /** The run has ended; a lane of its own goes with it. */
  async leave(runId: string): Promise<void> {
    const side = this.#companions.sideOf(runId);
    if (side !== undefined) {
      await this.ask(side, { type: "command", run_id: side, command: "suspend", reason: "its lead has ended" });
      this.#companions.forget(side);
      await this.leave(side);
    }
    for (const thread of this.#threads.values()) {
      if (!thread.runs.delete(runId) || isShared(thread.name)) continue;
      this.#forget(thread);
      await thread.inside.terminate();
    }
  }

  async close(): Promise<void> {
    this.#stopLooking();
    this.#companions.close();
    for (const thread of Array.from(this.#threads.values())) {
      this.#forget(thread);
      await thread.inside.terminate();
    }
  }

  /** The first shared lane that has room: `ll`, `ll 2`, … */
  #roomyLane(): string {
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? "ll" : `ll ${number}`;
      if ((this.#threads.get(name)?.runs.size ?? 0) < LANE_LIMITS.lane_instances) return name;
    }
  }

  #ask(thread: Thread, message: Unnumbered<ToLane>): Promise<LaneReply> {
    const request = (this.#request += 1);
    return new Promise((resolve) => {
      thread.waiting.set(request, resolve);
      thread.inside.postMessage({ ...message, request });
    });
  }

  #spawn(name: string): Thread {
    const beat = new SharedArrayBuffer(4);
    const watch = createJailWatch();
    const calls = createCallWatch();
    const { fence, python, jails, without } = this.#o;
    const lane = name.startsWith(COMPUTE) ? "compute" : "ll";
    const data: LaneData = {
      fence,
      beat,
      watch,
      calls,
      python,
      jails,
      lane,
      ...(without === undefined ? {} : { without }),
    };
    const inside = this.#o.makeThread(name, data, isShared(name), {
      onMessage: (message) => this.#heard(thread, message),
      onEnd: (problem) => this.#lose(thread, problem),
      onLate: (late) => this.#late(thread, late),
    });
    const thread: Thread = {
      name,
      inside,
      beat: new Int32Array(beat),
      lastBeat: 0,
      silent_ms: 0,
      time: new OwnTime(() => performance.now()),
      calls,
      runs: new Map(),
      waiting: new Map(),
    };
    this.#threads.set(name, thread);
    return thread;
  }

  #heard(thread: Thread, message: FromLane): void {
    if (message.type === "result") return this.#companions.heard(message);
    if (message.type === "status")
      return this.#o.onMessage({ type: "status", status: JSON.parse(message.text) as InstanceStatus });
    if (message.type !== "reply") return this.#o.onMessage(message);
    const waiting = thread.waiting.get(message.request);
    thread.waiting.delete(message.request);
    waiting?.(message.ok ? ok(message.status) : err(message.failure));
  }

  #look(): void {
    for (const thread of Array.from(this.#threads.values())) {
      const beat = Atomics.load(thread.beat, 0);
      // A process's lane sleeps while its process works; its own watchdog bounds that.
      const patience_ms = LANE_LIMITS.stuck_ms * (thread.name.startsWith("ll") ? 1 : 6);
      if (beat !== thread.lastBeat || thread.lastBeat === 0) {
        thread.lastBeat = beat;
        thread.silent_ms = 0;
      } else thread.silent_ms += Math.min(thread.time.passedMs(), LANE_LIMITS.look_ms * 2);
      thread.time.restart(watchedThread(thread.calls));
      if (thread.silent_ms > patience_ms) {
        this.#lose(thread, `no sign of life for ${Math.round(thread.silent_ms)} ms`);
        void thread.inside.terminate();
      }
    }
  }

  /** A call that no fence of its own stopped: the whole lane goes, and everybody but its owner goes on elsewhere. */
  #late(thread: Thread, { slot, deadline_ms }: LateCall): void {
    const run_id = [...thread.runs].find(([, other]) => other === slot)?.[0];
    const late = run_id === undefined ? undefined : { run_id, deadline_ms };
    this.#lose(thread, `a call of run ${run_id ?? "?"} passed ${deadline_ms} ms`, late);
    void thread.inside.terminate();
  }

  #lose(thread: Thread, problem: string, late?: LateRun): void {
    if (this.#threads.get(thread.name) !== thread) return;
    this.#forget(thread);
    const runs = [...thread.runs.keys()];
    this.#companions.lost(runs);
    for (const resolve of thread.waiting.values())
      resolve(err(body("RUMI-STR-036", { instance: thread.name, problem })));
    this.#o.onLost(
      runs,
      failure("RUMI-STR-036", { instance: thread.name, problem }, { reasonCode: "M.LANE.LOST" }),
      late,
    );
  }

  #forget(thread: Thread): void {
    this.#threads.delete(thread.name);
    thread.inside.stopWatchdog();
  }
}

const body = (code: "RUMI-STR-035" | "RUMI-STR-036", params: Readonly<Record<string, string | number>>): FailureBody =>
  failureNote(failure(code, params, { reasonCode: code === "RUMI-STR-035" ? "M.INSTANCE.UNKNOWN" : "M.LANE.LOST" }));

/** Lanes of many instances; every other lane belongs to one. */
const isShared = (name: string): boolean => !name.includes("process ");
