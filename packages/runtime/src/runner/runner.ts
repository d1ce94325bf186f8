/**
 * The runner: leases, lanes, and the stream of what happened, between one control plane and many instances.
 *
 * How to think: everything the control plane asks is answered by `reply`; everything that happens is on disk first and
 * is told from there until it is acknowledged. A start waits for its first renewal: until the control plane confirmed the
 * epoch over this very line, the fence is closed and the instance does not exist.
 *
 * Invariants
 * - Nothing is emitted after an instance's own deadline, however long this process slept (runner.test.ts "[M-7.1.2]").
 * - A lost line loses and doubles no record: entries are repeated from the acknowledged seq (runner.test.ts).
 * - After `close` nothing of the runner is left running (runner.test.ts).
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { validateConfig } from "@rumi/abi";
import { type Failure, failure, pause, type Random } from "@rumi/kernel";
import { failureNote } from "../instance/host-status.ts";
import { wishInput } from "../instance/input.ts";
import type { ControlMessage, InstanceSpec, InstanceStatus, RunnerMessage } from "../protocol.ts";
import { SharedParts } from "../shared-parts.ts";
import type { PythonHome } from "../strategy/process.ts";
import { SYSTEM, type Surroundings } from "../surroundings.ts";
import { ControlConnection, type ControlLine, type LineEvents } from "./connection.ts";
import { emptyStatus, type Held, keyText, loadAck } from "./held.ts";
import { JournalTail } from "./journal-tail.ts";
import { type LaneNews, LanePool, type LateRun } from "./lane-pool.ts";
import { LEASE_TIMES, LeaseFence } from "./leases.ts";
import { StandingOrders } from "./standing-orders.ts";
import { type MakeThread, workerThreads } from "./threads.ts";

export const RUNNER_LIMITS = {
  instances: 10_000,
  /** Leases in one renewal. */
  renewal_leases: 1_000,
  pump_ms: 20,
  unacked_entries: 10_000,
  backlog_bytes: 8_388_608,
  orphan_ms: 300_000,
  lane_restarts: 3,
} as const;

export type IsolationFact = Extract<RunnerMessage, { type: "instances" }>["isolation"][number];

export type RunnerOptions = {
  readonly runner_id: string;
  readonly socket_path: string;
  readonly key: Uint8Array;
  readonly lane_url: URL;
  /** Clocks and timers of its own, lanes in this thread, a line that is no socket: for the simulator. */
  readonly simulated?: SimulatedRunner;
  readonly python: PythonHome | null;
  readonly isolation: readonly IsolationFact[];
  readonly random: Random;
  readonly wallNow: () => number;
  readonly log: (line: string) => void;
  /** Called when it has nothing to do and nobody to talk to, or was told to end. */
  readonly onEnd: () => void;
  readonly orphan_ms?: number;
  /** For tests of the dual fence (M-5.2.7): leave one fence out. */
  readonly without?: "fuel";
  /** Instances at most, instead of the limit's own. */
  readonly instances?: number;
};

export type SimulatedRunner = {
  readonly around: Pick<Surroundings, "timers" | "wallNow" | "monotonic" | "monotonicNs">;
  readonly makeThread: MakeThread;
  readonly openLine: (events: LineEvents) => ControlLine;
};

/** Renewals whose answer is still looked for; more than the leases of two rounds need. */
const RENEWALS_OPEN = 64;

const lateCall = (deadline_ms: number): Failure =>
  failure(
    "RUMI-STR-032",
    { callback: "on_event", fault: `no answer within ${deadline_ms} ms; its thread was ended` },
    { reasonCode: "M.SANDBOX.DEADLINE" },
  );

export class Runner {
  readonly #o: RunnerOptions;
  readonly #held = new Map<string, Held>();
  /** The newest holding of each bot, strategy and instance: the run that a lease is about. */
  readonly #runOf = new Map<string, string>();
  readonly #fence: LeaseFence;
  readonly #lanes: LanePool;
  readonly #line: ControlLine;
  readonly #around: SimulatedRunner["around"];
  readonly #renewals = new Map<number, bigint>();
  readonly #parts = new SharedParts();
  readonly #orders: StandingOrders;
  readonly #timers: readonly (() => void)[];
  #renewal = 0;
  #aloneSince: number;
  #closing = false;

  constructor(options: RunnerOptions) {
    this.#o = options;
    const { around, makeThread, openLine } = options.simulated ?? {
      around: SYSTEM,
      makeThread: workerThreads(options.lane_url),
      openLine: undefined,
    };
    this.#around = around;
    this.#aloneSince = around.monotonic();
    this.#fence = new LeaseFence(options.instances ?? RUNNER_LIMITS.instances, around.monotonicNs);
    this.#lanes = new LanePool({
      makeThread,
      timers: around.timers,
      fence: this.#fence.shared,
      python: options.python,
      jails: options.isolation,
      log: options.log,
      onMessage: (message) => this.#fromLane(message),
      onLost: (runs, problem, late) => this.#laneLost(runs, problem, late),
      ...(options.without === undefined ? {} : { without: options.without }),
    });
    this.#orders = new StandingOrders({
      held: () => this.#held.values(),
      fence: this.#fence,
      lanes: this.#lanes,
      send: (message) => this.#line.send(message),
      log: options.log,
    });
    const events: LineEvents = {
      onReady: () => this.#greet(),
      onMessage: (message) => void this.#take(message),
      onLost: () => (this.#aloneSince = around.monotonic()),
    };
    this.#line = openLine?.(events) ?? new ControlConnection({ ...options, started_at: options.wallNow(), ...events });
    this.#timers = [
      around.timers.every(LEASE_TIMES.renew_every_ms, () => this.#renew()),
      around.timers.every(RUNNER_LIMITS.pump_ms, () => this.#pump()),
      around.timers.every(1_000, () => this.#lookAround()),
    ];
  }

  /** Orderly end: every instance checkpointed and flushed, what can still be told is told, threads and line closed. */
  async close(graceMs: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const { timers, monotonic } = this.#around;
    const until = monotonic() + graceMs;
    const hosted = [...this.#held.values()].filter((held) => held.state === "hosted");
    await Promise.race([
      Promise.all(
        hosted.map((held) =>
          this.#lanes.ask(held.spec.run_id, {
            type: "command",
            run_id: held.spec.run_id,
            command: "suspend",
            reason: "shutdown",
          }),
        ),
      ),
      pause(timers, graceMs),
    ]);
    while (
      this.#line.ready &&
      monotonic() < until &&
      [...this.#held.values()].some((held) => held.acked < held.durable)
    ) {
      this.#pump();
      await pause(timers, RUNNER_LIMITS.pump_ms);
    }
    for (const cancel of this.#timers) cancel();
    for (const held of this.#held.values()) this.#saveAck(held);
    await this.#line.close();
    await this.#lanes.close();
    this.#o.onEnd();
  }

  #greet(): void {
    this.#line.send({
      type: "instances",
      instances: [...this.#held.values()].map((held) => held.status),
      isolation: this.#o.isolation,
    });
    for (const held of this.#held.values()) {
      held.sent = held.acked;
      for (const segment of held.segments.values()) this.#line.send({ type: "segment", segment });
    }
    this.#renew();
  }

  async #take(message: ControlMessage): Promise<void> {
    switch (message.type) {
      case "challenge":
      case "welcome":
        return;
      case "start":
        return this.#start(message.request, message.spec);
      case "renewed":
        return this.#renewed(message);
      case "stop":
      case "pause":
      case "continue":
      case "inspect":
      case "handover":
        return this.#command(message);
      case "config": {
        const held = this.#find(message);
        if (held === undefined) return;
        const { run_id, actor, generation, at = "next_tick" } = message;
        const config = validateConfig(held.spec.descriptor.config_schema, message.config);
        if (!config.ok)
          return void this.#line.send({
            type: "reply",
            request: message.request,
            ok: false,
            failure: failureNote(config.error),
          });
        return this.#answer(
          message.request,
          await this.#lanes.ask(run_id, {
            type: "input",
            run_id,
            input: { input: "config", config: config.value, actor, generation, at },
          }),
        );
      }
      case "breaker":
      case "staging": {
        const { run_id } = message;
        if (this.#find(message) === undefined) return;
        const input = wishInput(message);
        return this.#answer(message.request, await this.#lanes.ask(run_id, { type: "input", run_id, input }));
      }
      case "safety":
      case "killswitch":
        return this.#orders.take(message);
      case "journal_ack": {
        const held = this.#held.get(message.run_id);
        if (held !== undefined) held.acked = Math.max(held.acked, Math.min(message.seq, held.durable));
        return;
      }
      case "segment_ack":
        this.#held.get(message.run_id)?.segments.delete(message.segment);
        return;
      case "forget": {
        const held = this.#held.get(message.run_id);
        if (held?.state !== "over") return;
        this.#saveAck(held);
        this.#held.delete(message.run_id);
        if (this.#runOf.get(keyText(held.spec)) === message.run_id) this.#runOf.delete(keyText(held.spec));
        this.#fence.giveBack(held.slot);
        return;
      }
      case "shutdown":
        return this.close(message.grace_ms);
    }
  }

  #start(request: number, spec: InstanceSpec): void {
    const refuse = (of: Failure): void =>
      void this.#line.send({ type: "reply", request, ok: false, failure: failureNote(of) });
    const known = this.#held.get(spec.run_id);
    // A start that is repeated, because its reply was lost or the line doubled it, is one start with one answer.
    if (known !== undefined && known.spec.epoch === spec.epoch && known.state !== "over") {
      if (known.state === "hosted") this.#line.send({ type: "reply", request, ok: true, status: known.status });
      else known.request = request;
      return;
    }
    if (known !== undefined && known.state !== "over")
      return refuse(failure("RUMI-STR-022", { path: spec.run_dir }, { reasonCode: "M.RUN.EXISTS" }));
    const twin = this.#held.get(this.#runOf.get(keyText(spec)) ?? "");
    if (twin !== undefined && twin.state !== "over")
      return refuse(failure("RUMI-STR-022", { path: twin.spec.run_dir }, { reasonCode: "M.INSTANCE.RUNS_ALREADY" }));
    if (known !== undefined) this.#fence.giveBack(known.slot);
    const slot = this.#fence.take();
    if (slot === undefined)
      return refuse(
        failure(
          "RUMI-STR-038",
          { limit: this.#o.instances ?? RUNNER_LIMITS.instances },
          { reasonCode: "M.RUNNER.FULL" },
        ),
      );
    const acked = loadAck(spec.run_dir);
    const held: Held = {
      spec: this.#parts.shared(spec),
      slot,
      tail: new JournalTail(spec.run_dir),
      status: emptyStatus(spec, "starting"),
      state: "leasing",
      request,
      durable: 0,
      sent: acked,
      acked,
      savedAck: acked,
      restarts: 0,
      segments: new Map(),
    };
    this.#held.set(spec.run_id, held);
    this.#runOf.set(keyText(spec), spec.run_id);
    this.#renew([held]);
  }

  /** Asks for what is due: everything held, or one that is to start. */
  #renew(asked: readonly Held[] = [...this.#held.values()]): void {
    const leases = asked
      .filter((held) => held.state === "leasing" || (held.state !== "over" && this.#fence.isOpen(held.slot)))
      .map(({ spec }) => ({
        bot_id: spec.bot_id,
        strategy_id: spec.strategy_id,
        instance_id: spec.instance_id,
        epoch: spec.epoch,
      }));
    for (let at = 0; at < leases.length; at += RUNNER_LIMITS.renewal_leases) {
      const request = (this.#renewal += 1);
      const sent = this.#around.monotonicNs();
      const part = { wall_us: this.#around.wallNow(), leases: leases.slice(at, at + RUNNER_LIMITS.renewal_leases) };
      if (this.#line.send({ type: "renew", request, ...part })) this.#renewals.set(request, sent);
      for (const old of this.#renewals.keys()) if (old < request - RENEWALS_OPEN) this.#renewals.delete(old);
    }
  }

  #renewed(message: Extract<ControlMessage, { type: "renewed" }>): void {
    const sent = this.#renewals.get(message.request);
    if (sent === undefined) return;
    this.#renewals.delete(message.request);
    for (const lease of message.leases) {
      const held = this.#held.get(this.#runOf.get(keyText(lease)) ?? "");
      if (held === undefined || held.spec.epoch !== lease.epoch || held.state === "over") continue;
      if (held.state === "leasing") {
        if (lease.granted) void this.#host(held, sent);
        else
          this.#refuseStart(
            held,
            failure(
              "RUMI-STR-029",
              { instance: held.spec.instance_id, epoch: held.spec.epoch },
              { reasonCode: "M.LEASE.LOST" },
            ),
          );
      } else if (!lease.granted || !this.#fence.renew(held.slot, sent, held.spec.lease.ttl_ms)) {
        this.#fence.close(held.slot);
        void this.#lanes.ask(held.spec.run_id, {
          type: "command",
          run_id: held.spec.run_id,
          command: "stop",
          reason: "M.LEASE.LOST",
        });
      }
    }
  }

  async #host(held: Held, sent: bigint): Promise<void> {
    held.state = "starting";
    this.#fence.open(held.slot, sent, held.spec.lease.ttl_ms);
    this.#orders.begins(held);
    const reply = await this.#lanes.start(held.spec, held.slot);
    if (!reply.ok) return this.#refuseStart(held, reply.error);
    held.state = "hosted";
    held.status = reply.value;
    this.#orders.begun(held);
    if (held.request !== null) this.#line.send({ type: "reply", request: held.request, ok: true, status: held.status });
    held.request = null;
  }

  #refuseStart(held: Held, of: Failure | NonNullable<InstanceStatus["failure"]>): void {
    const body = "code" in of ? failureNote(of) : of;
    this.#fence.close(held.slot);
    held.state = "over";
    held.status = {
      ...held.status,
      phase: "failed",
      health_state: "halted",
      reason_code: body.reason_code,
      failure: body,
    };
    void this.#lanes.leave(held.spec.run_id);
    if (held.request !== null) this.#line.send({ type: "reply", request: held.request, ok: false, failure: body });
    else this.#line.send({ type: "status", status: held.status });
    held.request = null;
  }

  async #command(
    message: Extract<ControlMessage, { type: "stop" | "pause" | "continue" | "handover" | "inspect" }>,
  ): Promise<void> {
    const held = this.#find(message);
    if (held === undefined) return;
    if (held.state === "over")
      return void this.#line.send({ type: "reply", request: message.request, ok: true, status: held.status });
    const reply = await this.#lanes.ask(message.run_id, {
      type: "command",
      run_id: message.run_id,
      command: message.type,
      reason: message.reason,
    });
    if (reply.ok && this.#held.get(message.run_id) === held) this.#heard(held, reply.value);
    this.#answer(message.request, reply);
  }

  /** The run at that epoch; otherwise the request is refused. */
  #find(message: { readonly request: number; readonly run_id: string; readonly epoch: number }): Held | undefined {
    const held = this.#held.get(message.run_id);
    if (held !== undefined && held.spec.epoch === message.epoch && (held.state === "hosted" || held.state === "over"))
      return held;
    this.#line.send({
      type: "reply",
      request: message.request,
      ok: false,
      failure: failureNote(
        failure("RUMI-STR-035", { run_id: message.run_id, epoch: message.epoch }, { reasonCode: "M.INSTANCE.UNKNOWN" }),
      ),
    });
    return undefined;
  }

  #answer(request: number, reply: Awaited<ReturnType<LanePool["ask"]>>): void {
    if (reply.ok) this.#line.send({ type: "reply", request, ok: true, status: reply.value });
    else this.#line.send({ type: "reply", request, ok: false, failure: reply.error });
  }

  #fromLane(message: LaneNews): void {
    const held = this.#held.get(
      message.type === "durable"
        ? message.run_id
        : message.type === "status"
          ? message.status.run_id
          : message.segment.run_id,
    );
    if (held === undefined) return;
    if (message.type === "durable") held.durable = message.seq;
    else if (message.type === "segment") {
      held.segments.set(message.segment.segment, message.segment);
      this.#line.send(message);
    } else {
      this.#heard(held, message.status);
      this.#line.send(message);
    }
  }

  /** What an instance says of itself; one that ended is over at once, so that its successor may begin. */
  #heard(held: Held, status: InstanceStatus): void {
    held.status = status;
    if ((status.phase !== "stopped" && status.phase !== "failed") || held.state === "over") return;
    held.state = "over";
    this.#fence.close(held.slot);
    void this.#lanes.leave(held.spec.run_id);
  }

  /** A thread died or hung: its instances go on from their checkpoints on a new one, a few times. */
  #laneLost(runs: readonly string[], problem: Failure, late?: LateRun): void {
    if (this.#closing) return;
    for (const runId of runs) {
      const held = this.#held.get(runId);
      if (held === undefined || held.state !== "hosted") continue;
      if (runId === late?.run_id) {
        this.#refuseStart(held, lateCall(late.deadline_ms));
        continue;
      }
      // Where another one is to blame, an instance goes on however often that happens.
      if (late === undefined) held.restarts += 1;
      this.#o.log(`run ${runId}: ${problem.code} ${String(problem.params["problem"])}`);
      if (held.restarts > RUNNER_LIMITS.lane_restarts || !this.#fence.isOpen(held.slot)) {
        this.#refuseStart(held, problem);
        continue;
      }
      const begin = held.status.phase === "paused" ? "paused" : "running";
      const again: Held = { ...held, spec: { ...held.spec, start: "resume", begin }, state: "starting" };
      this.#held.set(runId, again);
      void this.#lanes.start(again.spec, again.slot).then((reply) => {
        if (!reply.ok) return this.#refuseStart(again, reply.error);
        again.state = "hosted";
        again.status = reply.value;
        this.#orders.begun(again);
      });
    }
  }

  #pump(): void {
    if (!this.#line.ready || this.#line.backlog > RUNNER_LIMITS.backlog_bytes) return;
    for (const held of this.#held.values()) {
      if (held.sent >= held.durable || held.sent - held.acked >= RUNNER_LIMITS.unacked_entries) continue;
      const entries = held.tail.read(held.sent, held.durable);
      const last = entries.at(-1);
      if (last !== undefined && this.#line.send({ type: "journal", run_id: held.spec.run_id, entries }))
        held.sent = last.seq;
    }
  }

  #lookAround(): void {
    for (const held of this.#held.values()) if (held.acked > held.savedAck) this.#saveAck(held);
    const now = this.#around.monotonic();
    if (this.#line.ready) return void (this.#aloneSince = now);
    const holding = [...this.#held.values()].some((held) => held.state !== "over" && this.#fence.isOpen(held.slot));
    if (!holding && now - this.#aloneSince > (this.#o.orphan_ms ?? RUNNER_LIMITS.orphan_ms)) void this.close(1_000);
  }

  /** A hint only: too old means that entries are told twice, which their seq makes harmless. */
  #saveAck(held: Held): void {
    if (held.acked === held.savedAck || !existsSync(held.spec.run_dir)) return;
    writeFileSync(join(held.spec.run_dir, "acknowledged.json"), JSON.stringify({ seq: held.acked }));
    held.savedAck = held.acked;
  }
}
