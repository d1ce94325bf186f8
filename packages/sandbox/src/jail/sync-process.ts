/**
 * A jailed process for a thread of its own: blocking reads and writes on named pipes, no event loop per request.
 *
 * The thread that calls `request` sleeps in the kernel until the answer is there, so it cannot watch its own deadline.
 * A watchdog in another thread does (`startJailWatchdog`): it reads pid and deadline from shared memory and kills a late
 * process; the blocked read then ends with end-of-file. Without a watchdog there is no deadline: `spawnSyncJail` wants
 * the shared words to exist, the runtime's lane starts the watchdog before it starts the thread. Late is who had the time
 * for himself (own-time.ts): a process that waits for a processor is not, nor one whose answer waits for our thread. Who
 * keeps our thread reading, byte by byte, is; and after {@link STARVED_DEADLINES} deadlines everybody is.
 *
 * Invariants: as in process.ts; sync-process.test.ts runs them over real threads.
 */
import type { ChildProcess } from "node:child_process";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Failure, type Result, err, failure, invariant, ok } from "@rumi/kernel";
import { type BoxFault, boxFault } from "../fault.ts";
import { SANDBOX_LIMITS } from "../limits.ts";
import { OwnTime, ownThread, threadTimes, type TimesOf, treeTimes } from "../own-time.ts";
import { lives } from "./end-tree.ts";
import { endJail, type Ending, endingBefore, endingOnceReady } from "./ending.ts";
import type { LogCounts } from "./log.ts";
import { LogPipe } from "./log-pipe.ts";
import { GATE_OPEN, GATE_READY, planJail } from "./plan.ts";
import type { PreludeReport } from "./prelude.ts";
import { startChild, startFailure, takeAway } from "./process.ts";
import { JAIL_LEVELS, type JailLevel, type JailMechanism, type JailSpec } from "./spec.ts";
import { weaknesses } from "./weakness.ts";

/** Shared words between the lane's thread and its watchdog. `call` is odd while an answer is awaited, another one each time. */
const WORD = { pid: 0, call: 1, killed: 2, deadline_ms: 3, ending: 4, thread: 5 } as const;
const WORDS = 6;
/** What the watchdog makes of the call that it ends; even, so that nobody sees a call in it. */
const CONDEMNED = 0;
/** So many deadlines by the clock are enough, however little of them the machine gave: nobody waits for an answer for ever. */
export const STARVED_DEADLINES = 20;
/** So much of our own thread's time an answer that is there may still cost: a frame of the largest size, read in pieces. */
const READING_MS = 5;

export type JailWatch = Int32Array<SharedArrayBuffer>;

export function createJailWatch(): JailWatch {
  return new Int32Array(new SharedArrayBuffer(WORDS * 4));
}

export type JailWatchdogOptions = {
  readonly now_ms: () => number;
  readonly every_ms: number;
  /** The kernel's word about the jailed processes, and about our own thread, unless a test has another. */
  readonly timesOf?: TimesOf;
  readonly threadTimesOf?: TimesOf;
};

/**
 * Kills the process behind `watch` when a call had its deadline for itself; told within a few looks. Returns the stop
 * function.
 */
export function startJailWatchdog(watch: JailWatch, options: JailWatchdogOptions): () => void {
  const { timesOf = treeTimes, threadTimesOf = threadTimes } = options;
  const time = new OwnTime(options.now_ms, timesOf);
  let seen: number = CONDEMNED;
  let timed: number = CONDEMNED;
  let lookedAt = 0;
  let watched_ms = 0;
  let readFrom: number | null = null;
  /** Our thread waits for a processor, perhaps with the answer before it. One that goes on reading is being fed. */
  const isAnswerWaiting = (): boolean => {
    const ours = threadTimesOf(Atomics.load(watch, WORD.thread));
    if (ours?.canRun !== true) return false;
    readFrom ??= ours.ran_ms;
    return ours.ran_ms - readFrom < READING_MS;
  };
  const timer = setInterval(() => {
    const call = Atomics.load(watch, WORD.call);
    const pid = Atomics.load(watch, WORD.pid);
    if ((call & 1) === 0 || pid <= 0) return;
    // Most calls are over at the second look: only one that is not is worth asking the kernel about.
    if (call !== seen) return void (seen = call);
    if (call !== timed) {
      timed = call;
      lookedAt = options.now_ms();
      watched_ms = 0;
      readFrom = null;
      return time.restart(pid);
    }
    // Two looks lie farther apart where our own thread stood still: that is nobody's time.
    const now = options.now_ms();
    watched_ms += Math.min(now - lookedAt, 2 * options.every_ms);
    lookedAt = now;
    const deadline_ms = Atomics.load(watch, WORD.deadline_ms);
    const isOver = watched_ms >= deadline_ms * STARVED_DEADLINES;
    if (!isOver && (time.passedMs() < deadline_ms || isAnswerWaiting())) return;
    // The lane leaves the call before it reaps, so the pid of a call under way is still this process.
    if (Atomics.compareExchange(watch, WORD.call, call, CONDEMNED) !== call) return;
    Atomics.store(watch, WORD.killed, 1);
    endJail(pid, Atomics.load(watch, WORD.ending));
  }, options.every_ms);
  timer.unref();
  return () => clearInterval(timer);
}

export type SyncJailOptions = { readonly spec: JailSpec; readonly watch: JailWatch; readonly now_ms: () => number };

/** Starts the process and blocks until it is ready. */
export function spawnSyncJail(options: SyncJailOptions): Result<SyncJailedProcess, Failure> {
  const launched = launchSyncJail(options);
  return launched.ok ? launched.value.takeOver() : launched;
}

/** A process that gets ready by itself; nobody waits for it, and nobody watches it before it is taken over. */
export type StandbyJail = {
  readonly pid: number | undefined;
  /**
   * Blocks for its first frame: a Python program's report that it is confined, an executable's empty frame that says it
   * runs. From here on the watch is about this process.
   */
  readonly takeOver: () => Result<SyncJailedProcess, Failure>;
  readonly kill: () => void;
};

/** As `spawnSyncJail`, without waiting: a standby for a process that may be ended at any time. */
export function launchSyncJail({ spec, watch, now_ms }: SyncJailOptions): Result<StandbyJail, Failure> {
  const plan = planJail(spec, { architecture: process.arch, pid: process.pid, is_root: process.getuid?.() === 0 });
  if (!plan.ok) return plan;
  const pipes = openPipes();
  if (!pipes.ok) return pipes;
  const { input, output, log } = pipes.value;
  const child = startChild(plan.value, input.child, output.child, log.child);
  for (const { child: end } of [input, output, log]) closeSync(end);
  const jailed = new SyncJailedProcess({
    spec,
    watch,
    now_ms,
    child,
    ends: { input: input.host, output: output.host, log: log.host },
  });
  const { reports } = plan.value;
  const takeOver = (): Result<SyncJailedProcess, Failure> => {
    jailed.watched();
    const report = reports ? jailed.confined(spec.start_deadline_ms) : jailed.throughGate(spec.start_deadline_ms);
    // What it wrote may outlive it: a standby that was ended leaves its report in the pipe.
    const ended = report.ok && !lives(child.pid);
    if (report.ok && !ended) {
      jailed.tie();
      return ok(jailed);
    }
    const said = jailed.logText();
    jailed.kill();
    const fault = report.ok
      ? boxFault("exit", "it ended while it waited", { exit_code: null, signal: null })
      : report.error;
    return err(startFailure(spec, fault, said));
  };
  return ok({ pid: child.pid, takeOver, kill: () => jailed.kill() });
}

type Ends = { readonly host: number; readonly child: number };

/** Three named pipes, opened at both ends and without a name afterwards; the log's host end does not block. */
function openPipes(): Result<{ readonly input: Ends; readonly output: Ends; readonly log: Ends }, Failure> {
  const folder = mkdtempSync(join(tmpdir(), "rumi-pipes-"));
  try {
    const [input, output, log] = ["input", "output", "log"].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    execFileSync("/usr/bin/mkfifo", ["-m", "600", input, output, log], { env: {} });
    // Opening both ways at once never blocks; it goes away so that the end of one side shows on the other.
    const open = (path: string, host: number, child: number): Ends => {
      const both = openSync(path, constants.O_RDWR);
      const ends = { host: openSync(path, host), child: openSync(path, child) };
      closeSync(both);
      return ends;
    };
    return ok({
      input: open(input, constants.O_WRONLY, constants.O_RDONLY),
      output: open(output, constants.O_RDONLY, constants.O_WRONLY),
      log: open(log, constants.O_RDONLY | constants.O_NONBLOCK, constants.O_WRONLY),
    });
  } catch (cause) {
    return err(
      failure("RUMI-STR-062", { problem: "named pipes could not be made" }, { reasonCode: "M.SANDBOX.SPAWN", cause }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Parts = SyncJailOptions & {
  readonly child: ChildProcess;
  readonly ends: { readonly input: number; readonly output: number; readonly log: number };
};

/** Number of this thread's newest call; odd. A watch is one thread's, whatever process it is about. */
let calls = -1;

export class SyncJailedProcess {
  readonly level: JailLevel;
  readonly mechanism: JailMechanism;
  weaker: readonly string[] = [];
  private readonly parts: Parts;
  private readonly log: LogPipe;
  private readonly buffer = Buffer.alloc(SANDBOX_LIMITS.frame_bytes + 4);
  private readonly message = Buffer.alloc(SANDBOX_LIMITS.frame_bytes + 4);
  private fault: BoxFault | null = null;
  private closed = false;
  private ending: Ending;

  constructor(parts: Parts) {
    this.parts = parts;
    this.mechanism = parts.spec.mechanism;
    this.level = JAIL_LEVELS[parts.spec.mechanism];
    this.ending = endingBefore(parts.spec.mechanism);
    this.log = new LogPipe(parts.ends.log, {
      bytes_per_second: parts.spec.log_bytes_per_second,
      bytes_per_run: parts.spec.log_bytes_per_run,
      now_ms: parts.now_ms,
    });
    // A failed start shows as end-of-file on the pipes; without a listener Node would end the thread.
    parts.child.on("error", () => undefined);
    // Its end may be told after the next process of the same watch was started: that one's pid must stay, or nobody could
    // ever end it (packages/runtime/test/faults.test.ts "late at two events").
    const { pid } = parts.child;
    if (pid !== undefined) parts.child.once("exit", () => Atomics.compareExchange(parts.watch, WORD.pid, pid, 0));
  }

  get pid(): number | undefined {
    return this.parts.child.pid;
  }

  /** The watch is about this process from now on. */
  watched(): void {
    const { watch, child } = this.parts;
    Atomics.store(watch, WORD.killed, 0);
    Atomics.store(watch, WORD.ending, this.ending);
    Atomics.store(watch, WORD.thread, ownThread());
    Atomics.store(watch, WORD.pid, child.pid ?? 0);
  }

  /** Sends one frame and blocks for one frame. The answer is a view that the next request overwrites. */
  request(frame: Uint8Array, deadline_ms: number): Result<Uint8Array, BoxFault> {
    invariant(frame.length <= SANDBOX_LIMITS.frame_bytes, "the host's own frames fit the cap");
    if (this.fault !== null) return err(this.fault);
    this.message.writeUInt32LE(frame.length, 0);
    this.message.set(frame, 4);
    return this.guarded(deadline_ms, frame.length + 4);
  }

  /** Waits for the prelude's report. */
  confined(deadline_ms: number): Result<PreludeReport, BoxFault> {
    const frame = this.guarded(deadline_ms, 0);
    if (!frame.ok) return frame;
    const report = JSON.parse(Buffer.from(frame.value).toString("utf8")) as PreludeReport;
    this.weaker = weaknesses(this.mechanism, report);
    return ok(report);
  }

  /**
   * Lets an executable begin, when everything around it stands, and waits for its empty frame: it confines nothing by
   * itself.
   */
  throughGate(deadline_ms: number): Result<null, BoxFault> {
    const ready = this.guarded(deadline_ms, 0);
    if (!ready.ok) return ready;
    if (Buffer.from(ready.value).toString() !== GATE_READY || !lives(this.pid))
      return err(boxFault("exit", "it ended while it was set up", { exit_code: null, signal: null }));
    const frame = this.guarded(deadline_ms, this.message.write(GATE_OPEN));
    if (!frame.ok) return frame;
    if (frame.value.length > 0) return err(boxFault("frame", "its first frame was not the empty one"));
    this.weaker = ["its filter lets it become another program of /usr, in the same jail"];
    return ok(null);
  }

  /** Whatever state it is in, nothing of it is left. */
  kill(): void {
    this.end();
    this.fault ??= boxFault("exit", "killed by the host", { exit_code: null, signal: "SIGKILL" });
    this.close();
  }

  lastFault(): BoxFault | null {
    return this.fault;
  }

  logText(): string {
    return this.log.text();
  }

  logCounts(): LogCounts {
    return this.log.counts();
  }

  /** It stands: what was started dies with what started it, unless it is a container. */
  tie(): void {
    this.ending = endingOnceReady(this.mechanism);
    Atomics.store(this.parts.watch, WORD.ending, this.ending);
  }

  private end(): void {
    const { pid, exitCode, signalCode } = this.parts.child;
    if (pid !== undefined && exitCode === null && signalCode === null) endJail(pid, this.ending);
    takeAway(this.parts.child);
  }

  private guarded(deadline_ms: number, bytes: number): Result<Uint8Array, BoxFault> {
    const { watch } = this.parts;
    calls = (calls + 2) | 0;
    Atomics.store(watch, WORD.deadline_ms, Math.ceil(deadline_ms));
    Atomics.store(watch, WORD.call, calls);
    const answer = this.exchange(bytes, deadline_ms);
    Atomics.store(watch, WORD.call, CONDEMNED);
    this.log.look();
    if (answer.ok) return answer;
    this.end();
    this.fault = answer.error;
    this.close();
    return answer;
  }

  private exchange(bytes: number, deadline_ms: number): Result<Uint8Array, BoxFault> {
    try {
      for (let sent = 0; sent < bytes;) sent += writeSync(this.parts.ends.input, this.message, sent, bytes - sent);
    } catch (error) {
      if (!isCode(error, "EPIPE")) throw error;
      return err(this.ended(deadline_ms));
    }
    let received = 0;
    let wanted = 4;
    while (received < wanted) {
      // Reads what is there, so that bytes behind the frame show as a violation.
      const count = readSync(this.parts.ends.output, this.buffer, received, this.buffer.length - received, null);
      if (count === 0) return err(this.ended(deadline_ms));
      received += count;
      if (received < 4) continue;
      const length = this.buffer.readUInt32LE(0);
      if (length > SANDBOX_LIMITS.frame_bytes)
        return err(boxFault("frame", `announced ${length} bytes; the cap is ${SANDBOX_LIMITS.frame_bytes}`));
      wanted = length + 4;
    }
    if (received > wanted) return err(boxFault("frame", "sent more than the one frame it was asked for"));
    return ok(this.buffer.subarray(4, wanted));
  }

  private ended(deadline_ms: number): BoxFault {
    if (Atomics.load(this.parts.watch, WORD.killed) === 1)
      return boxFault("deadline", `no answer within ${deadline_ms} ms`);
    const { exitCode, signalCode } = this.parts.child;
    return boxFault("exit", "the process ended", { exit_code: exitCode, signal: signalCode });
  }

  private close(): void {
    if (this.closed) return;
    this.closed = true;
    this.log.close();
    closeSync(this.parts.ends.input);
    closeSync(this.parts.ends.output);
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
