/**
 * A jailed process that answers frames: u32 little-endian length, then that many bytes, both ways.
 *
 * One request at a time. A request that passes its deadline, or announces a frame above the cap, ends the process:
 * a strategy that is late once cannot be trusted to answer the right question next time.
 *
 * Invariants
 * - A late process is dead within the deadline + 50 ms (attack.test.ts "[M-5.2.1]").
 * - No jailed process outlives its host (attack.test.ts "no jailed process outlives its host", end-tree.test.ts).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { type Failure, type Result, err, failure, invariant, ok } from "@rumi/kernel";
import { type BoxFault, boxFault } from "../fault.ts";
import { SANDBOX_LIMITS } from "../limits.ts";
import { ENGINE_REFUSED } from "../docker/bridge.ts";
import { BoundedLog, type LogCounts } from "./log.ts";
import { type OciBundle, writeBundle } from "./oci.ts";
import { lives } from "./end-tree.ts";
import { endJail, type Ending, endingBefore, endingOnceReady } from "./ending.ts";
import { GATE_OPEN, GATE_READY, JAIL_ENVIRONMENT, type JailPlan, planJail, unavailable } from "./plan.ts";
import { PRELUDE_TOO_WEAK, type PreludeReport } from "./prelude.ts";
import { JAIL_LEVELS, type JailLevel, type JailMechanism, type JailSpec } from "./spec.ts";
import { weaknesses } from "./weakness.ts";

export type JailExit = { readonly exit_code: number | null; readonly signal: string | null };

/** Starts the process and waits until it reports that it is confined. */
export async function spawnJail(spec: JailSpec): Promise<Result<JailedProcess, Failure>> {
  return spawnJailRunning(spec, undefined);
}

/** As `spawnJail`, with Python code in place of the script's file: what the probes of `detectJails` use. */
export async function spawnJailRunning(
  spec: JailSpec,
  source: string | undefined,
): Promise<Result<JailedProcess, Failure>> {
  const plan = planJail(spec, {
    architecture: process.arch,
    pid: process.pid,
    is_root: process.getuid?.() === 0,
    ...(source === undefined ? {} : { source }),
  });
  if (!plan.ok) return plan;
  const child = startChild(plan.value, "pipe", "pipe", "pipe");
  const { stdin, stdout, stderr } = child;
  invariant(stdin !== null && stdout !== null && stderr !== null, "pipes were asked for");
  const jailed = new JailedProcess(spec, { child, stdin, stdout, stderr });
  const report = await (plan.value.reports
    ? jailed.confined(spec.start_deadline_ms)
    : jailed.throughGate(spec.start_deadline_ms));
  if (report.ok) {
    jailed.tie();
    return ok(jailed);
  }
  jailed.kill();
  await jailed.exited;
  return err(startFailure(spec, report.error, jailed.logText()));
}

export function startFailure(spec: JailSpec, fault: BoxFault, log: string): Failure {
  const said = log.trim().split("\n").at(-1)?.slice(0, 200) ?? "";
  const problem = said === "" ? fault.detail : said;
  if (fault.exit_code === PRELUDE_TOO_WEAK) {
    return failure(
      "RUMI-STR-064",
      { mechanism: spec.mechanism, problem },
      { reasonCode: "M.SANDBOX.ISOLATION_TOO_WEAK" },
    );
  }
  if (spec.mechanism === "docker" && fault.exit_code === ENGINE_REFUSED) return unavailable(spec, problem);
  return failure("RUMI-STR-062", { problem }, { reasonCode: "M.SANDBOX.SPAWN", details: { fault } });
}

type Stdio = "pipe" | number;

/** Starts what the plan says with nothing of our environment and the filter as file descriptor 3. */
export function startChild(plan: JailPlan, stdin: Stdio, stdout: Stdio, stderr: Stdio): ChildProcess {
  const filter = plan.filter === null ? null : asDescriptor(plan.filter);
  const bundle = plan.container === undefined ? undefined : writeBundle(plan.args.at(-1) ?? "", plan.container);
  try {
    const child = spawn(plan.file, [...plan.args, ...(bundle?.args ?? [])], {
      env: { ...JAIL_ENVIRONMENT },
      cwd: "/",
      stdio: filter === null ? [stdin, stdout, stderr] : [stdin, stdout, stderr, filter],
      ...(plan.uid === null ? {} : { uid: plan.uid, gid: plan.uid }),
    });
    if (bundle !== undefined) {
      bundles.set(child, bundle);
      child.once("close", () => takeAway(child));
    }
    return child;
  } finally {
    if (filter !== null) closeSync(filter);
  }
}

const bundles = new WeakMap<ChildProcess, OciBundle>();

/** What an ended container leaves in the file system and among the cgroups, once. */
export function takeAway(child: ChildProcess): void {
  bundles.get(child)?.remove();
  bundles.delete(child);
}

/** The bytes behind a read descriptor of a file that has no name any more. */
function asDescriptor(bytes: Uint8Array): number {
  const folder = mkdtempSync(join(tmpdir(), "rumi-filter-"));
  try {
    const path = join(folder, "filter");
    writeFileSync(path, bytes);
    return openSync(path, "r");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Pipes = {
  readonly child: ChildProcess;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
};
type Waiting = { readonly resolve: (answer: Result<Uint8Array, BoxFault>) => void; readonly timer: NodeJS.Timeout };

export class JailedProcess {
  readonly level: JailLevel;
  readonly mechanism: JailMechanism;
  /** What is weaker here than the mechanism at its best; empty is good. */
  weaker: readonly string[] = [];
  readonly exited: Promise<JailExit>;
  private readonly child: ChildProcess;
  private readonly stdin: Writable;
  private readonly log: BoundedLog;
  private waiting: Waiting | undefined;
  private fault: BoxFault | null = null;
  private ending: Ending;
  private received: Buffer = Buffer.alloc(0);

  constructor(spec: JailSpec, { child, stdin, stdout, stderr }: Pipes) {
    this.mechanism = spec.mechanism;
    this.level = JAIL_LEVELS[spec.mechanism];
    this.ending = endingBefore(spec.mechanism);
    this.child = child;
    this.stdin = stdin;
    this.log = new BoundedLog({
      bytes_per_second: spec.log_bytes_per_second,
      bytes_per_run: spec.log_bytes_per_run,
      now_ms: () => performance.now(),
    });
    this.exited = new Promise((resolve) => {
      // `close` comes after the pipes ended, so that an answer written before the exit still counts.
      child.once("close", (exit_code, signal) => {
        this.end(
          boxFault("exit", signal === null ? `exit code ${exit_code}` : `signal ${signal}`, { exit_code, signal }),
        );
        resolve({ exit_code, signal });
      });
      child.once("error", (error) => {
        this.end(boxFault("exit", error.message, { exit_code: null, signal: null }));
        if (child.pid === undefined) resolve({ exit_code: null, signal: null });
      });
    });
    stdout.on("data", (chunk: Buffer) => this.receive(chunk));
    stderr.on("data", (chunk: Buffer) => this.log.take(chunk));
    // A dead reader shows as EPIPE; `close` tells the reason.
    stdin.on("error", () => undefined);
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Sends one frame and waits for one frame. */
  request(frame: Uint8Array, deadline_ms: number): Promise<Result<Uint8Array, BoxFault>> {
    invariant(frame.length <= SANDBOX_LIMITS.frame_bytes, "the host's own frames fit the cap");
    const answer = this.expect(deadline_ms);
    if (this.fault !== null) return answer;
    const message = Buffer.allocUnsafe(frame.length + 4);
    message.writeUInt32LE(frame.length, 0);
    message.set(frame, 4);
    this.stdin.write(message);
    return answer;
  }

  /** Waits for the prelude's report. */
  async confined(deadline_ms: number): Promise<Result<PreludeReport, BoxFault>> {
    const frame = await this.expect(deadline_ms);
    if (!frame.ok) return frame;
    const report = JSON.parse(Buffer.from(frame.value).toString("utf8")) as PreludeReport;
    this.weaker = weaknesses(this.mechanism, report);
    return ok(report);
  }

  /** Lets an executable begin, when everything around it stands. */
  async throughGate(deadline_ms: number): Promise<Result<null, BoxFault>> {
    const frame = await this.expect(deadline_ms);
    if (!frame.ok) return frame;
    if (Buffer.from(frame.value).toString() !== GATE_READY || !lives(this.child.pid))
      return err(boxFault("exit", "it ended while it was set up", { exit_code: null, signal: null }));
    this.stdin.write(GATE_OPEN);
    return ok(null);
  }

  /** It stands: what was started dies with what started it, unless it is a container. */
  tie(): void {
    this.ending = endingOnceReady(this.mechanism);
  }

  /** Whatever state it is in, nothing of it is left. */
  kill(): void {
    const { pid, exitCode, signalCode } = this.child;
    if (pid !== undefined && exitCode === null && signalCode === null) endJail(pid, this.ending);
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

  private expect(deadline_ms: number): Promise<Result<Uint8Array, BoxFault>> {
    invariant(this.waiting === undefined, "one request at a time");
    if (this.fault !== null) return Promise.resolve(err(this.fault));
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => this.violate(boxFault("deadline", `no answer within ${deadline_ms} ms`)),
        deadline_ms,
      );
      this.waiting = { resolve, timer };
    });
  }

  private receive(chunk: Buffer): void {
    if (this.fault !== null) return;
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    if (this.received.length < 4) return;
    const length = this.received.readUInt32LE(0);
    if (length > SANDBOX_LIMITS.frame_bytes)
      return this.violate(boxFault("frame", `announced ${length} bytes; the cap is ${SANDBOX_LIMITS.frame_bytes}`));
    if (this.received.length > length + 4 || this.waiting === undefined)
      return this.violate(boxFault("frame", "sent more than the one frame it was asked for"));
    if (this.received.length < length + 4) return;
    const answer = this.received.subarray(4);
    this.received = Buffer.alloc(0);
    this.settle(ok(answer));
  }

  private violate(fault: BoxFault): void {
    this.kill();
    this.end(fault);
  }

  private end(fault: BoxFault): void {
    this.fault ??= fault;
    this.settle(err(this.fault));
  }

  private settle(answer: Result<Uint8Array, BoxFault>): void {
    if (this.waiting === undefined) return;
    const { resolve, timer } = this.waiting;
    this.waiting = undefined;
    clearTimeout(timer);
    resolve(answer);
  }
}
