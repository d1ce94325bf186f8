/**
 * One instance with its journal, checkpoints, pace and fence: the shell around the deterministic machine.
 *
 * How to think: `turn` runs the machine in short slices. Between two slices, and only there, queued inputs take effect,
 * checkpoints are written and pending orders are sent, each after its journal entries are durable. The fence is asked
 * right before anything leaves.
 *
 * Invariants
 * - No order is dispatched before its entry is durable, or after the lease's own deadline (recovery.test.ts, runner.test.ts).
 * - `open` of an earlier life replays until the journal's end and continues there (recovery.test.ts "[M-8.2.2]").
 */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clientOrderId } from "@rumi/abi";
import { canonicalJson, digestOf, err, type Failure, failure, failureText, formatDecimal, type JsonObject, ok, type Result } from "@rumi/kernel";
import type { SimulatedVenue, TradeColumns } from "@rumi/venues";
import { CheckpointSlots, type Restored } from "../checkpoint/slots.ts";
import { readJournal } from "../journal/reader.ts";
import { JournalWriter, SEGMENT_AGE_MS_DEFAULT, SEGMENT_BYTES_DEFAULT } from "../journal/writer.ts";
import type { HealthState, InstanceSpec, InstanceStatus, JournalEntry, SegmentClosed } from "../protocol.ts";
import type { Strategy } from "../strategy/strategy.ts";
import type { Identity } from "./entry.ts";
import { gateContextOf } from "./gate-context.ts";
import type { MachineInput } from "./input.ts";
import { InstanceMachine } from "./machine.ts";
import { DivergenceError, isFault, isReproduced, RunRecorder } from "./recorder.ts";
import type { MachineState } from "./state.ts";

export const HOST_LIMITS = {
  checkpoint_every_events: 50_000,
  checkpoint_every_ms: 10_000,
  /** Feed rows between two looks at the clock. */
  slice_rows: 256,
  slice_rows_process: 16,
  slice_ms: 4,
  inputs_queued: 1_024,
  /** The venue is heard this long beyond its own latency at a stop, microseconds. */
  settle_us: 1_000,
  sync_every_ms: 50,
} as const;

export type HostOptions = {
  readonly spec: InstanceSpec;
  readonly feed: TradeColumns;
  readonly strategy: Strategy;
  readonly venue: SimulatedVenue;
  readonly wallNow: () => number;
  readonly monotonic: () => number;
  /** Whether this instance's lease still lets anything out. */
  readonly mayEmit: () => boolean;
  /** Records up to this seq are durable and may be told. */
  readonly onDurable: (seq: number) => void;
  readonly onSegment: (segment: SegmentClosed) => void;
};

type Phase = InstanceStatus["phase"];
const CAUGHT = Symbol("halted by the host");

export class InstanceHost {
  readonly #o: HostOptions;
  readonly #machine: InstanceMachine;
  readonly #recorder: RunRecorder;
  readonly #writer: JournalWriter;
  readonly #slots: CheckpointSlots;
  readonly #inputs: { readonly input: MachineInput; readonly done: (result: Result<InstanceStatus, Failure>) => void }[] = [];
  readonly #sliceRows: number;
  #phase: Phase = "starting";
  #failure: InstanceStatus["failure"] = null;
  #reason: string | null = null;
  #halted = false;
  #lastCheckpoint: InstanceStatus["last_checkpoint"] = null;
  #checkpointCursor = 0;
  #checkpointAt: number;
  #syncedAt = 0;
  #paceFrom = { monotonic: 0, feed_us: 0 };
  #restoreMs = 0;
  #checkpointsTotal = 0;
  #busyMs = 0;

  private constructor(options: HostOptions, parts: { writer: JournalWriter; slots: CheckpointSlots; expected: readonly JournalEntry[]; epochBefore: number }) {
    const { spec } = options;
    const identity: Identity = { bot_id: spec.bot_id, strategy_id: spec.strategy_id, strategy_version: spec.strategy_version, instance_id: spec.instance_id, run_id: spec.run_id };
    this.#o = options;
    this.#writer = parts.writer;
    this.#slots = parts.slots;
    this.#recorder = new RunRecorder({ writer: parts.writer, wallNow: options.wallNow, epoch: spec.epoch, expected: parts.expected, epochBefore: parts.epochBefore });
    const { resources } = spec.descriptor;
    this.#machine = new InstanceMachine(
      {
        identity, traceId: spec.trace_id, mode: spec.mode, seed: spec.seed, instruments: spec.instruments, feed: options.feed, strategy: options.strategy, venue: options.venue, gate: gateContextOf(spec),
        subscribe: spec.descriptor.capabilities.subscribe, stateBytesMax: resources.state_bytes, stateSchemaVersion: spec.descriptor.state_schema_version, logBytesPerSecond: resources.log_bytes_per_second, logBytesPerRun: resources.log_bytes_per_run,
        record: (entry) => this.#recorder.record(entry), orderId: (key) => clientOrderId({ environment: spec.environment, ...identity, epoch: this.#recorder.epochInForce, idempotency_key: key }),
      },
      spec.config,
    );
    this.#sliceRows = options.strategy.isolation.level === "L2" ? HOST_LIMITS.slice_rows : HOST_LIMITS.slice_rows_process;
    this.#checkpointAt = options.monotonic();
  }

  static async open(options: HostOptions): Promise<Result<InstanceHost, Failure>> {
    return options.spec.start === "fresh" ? InstanceHost.#fresh(options) : InstanceHost.#resume(options);
  }

  static async #fresh(options: HostOptions): Promise<Result<InstanceHost, Failure>> {
    const { spec } = options;
    if (existsSync(spec.run_dir)) return err(failure("RUMI-STR-022", { path: spec.run_dir }, { reasonCode: "M.RUN.EXISTS" }));
    mkdirSync(spec.run_dir, { recursive: true, mode: 0o700 });
    const slots = CheckpointSlots.create(join(spec.run_dir, "checkpoints"));
    const writer = JournalWriter.create(writerOptions(options));
    const host = new InstanceHost(options, { writer, slots, expected: [], epochBefore: spec.epoch });
    return host.#begin("run_started");
  }

  static async #resume(options: HostOptions): Promise<Result<InstanceHost, Failure>> {
    const { spec } = options;
    const started = options.monotonic();
    const directory = join(spec.run_dir, "journal");
    if (!existsSync(directory)) return err(failure("RUMI-STR-021", { path: spec.run_dir }, { reasonCode: "M.JOURNAL.MISSING" }));
    const opened = CheckpointSlots.open(join(spec.run_dir, "checkpoints"));
    if (!opened.ok) return opened;
    const { slots, restored } = opened.value;
    const checkpoint = restored.checkpoint;
    const read = readJournal({ directory, runId: spec.run_id, durableSeq: checkpoint?.header.journal_seq ?? 0 });
    if (!read.ok) return read;
    const { entries } = read.value;
    if (read.value.last === null) return err(failure("RUMI-STR-021", { path: spec.run_dir }, { reasonCode: "M.JOURNAL.MISSING" }));
    const from = checkpoint?.header.journal_seq ?? 0;
    const expected = entries.slice(from);
    const mismatch = checkpoint === null ? undefined : mismatchOf(spec, checkpoint.header, expected);
    if (mismatch !== undefined) return err(failure("RUMI-STR-037", { path: spec.run_dir, field: mismatch }, { reasonCode: "M.RUN.MISMATCH" }));
    for (const segment of read.value.closed) options.onSegment(segment);
    const writer = JournalWriter.resume(writerOptions(options), read.value);
    const host = new InstanceHost(options, { writer, slots, expected, epochBefore: epochAt(entries, from) ?? spec.epoch });
    if (checkpoint !== null) {
      try {
        options.venue.restore(checkpoint.venue);
      } catch (cause) {
        writer.release();
        return err(failure("RUMI-STR-023", { path: spec.run_dir, problem: "the venue's state is refused" }, { reasonCode: "M.STATE.CORRUPT", cause }));
      }
      const refused = host.#machine.restore(checkpoint.header.machine as unknown as MachineState, checkpoint.strategy);
      if (refused !== null) {
        writer.release();
        if (refused.reason_code === "M.STATE.INCOMPATIBLE") return err(failure("RUMI-STR-024", { found: checkpoint.header.state_schema_version, wanted: spec.descriptor.state_schema_version }, { reasonCode: refused.reason_code }));
        return err(failure("RUMI-STR-032", { callback: "on_init", fault: refused.detail }, { reasonCode: refused.reason_code }));
      }
      host.#checkpointCursor = checkpoint.header.last_event_cursor;
      host.#lastCheckpoint = { cursor: checkpoint.header.last_event_cursor, bytes: 0, at: options.wallNow() };
    }
    return host.#replay(expected, checkpoint === null, restored, started);
  }

  /** The first breath of a fresh run: init, and a checkpoint so that there is always one. */
  async #begin(kind: "run_started"): Promise<Result<InstanceHost, Failure>> {
    this.#recorder.goLiveIfDone(this.#where(), kind);
    const refused = this.#machine.init();
    if (refused !== null) {
      this.#writer.finish();
      return err(failure("RUMI-STR-032", { callback: "on_init", fault: refused.detail }, { reasonCode: refused.reason_code }));
    }
    await this.#sync();
    this.#machine.dispatch();
    const written = await this.checkpoint("start");
    if (!written.ok) return written;
    this.#setPace();
    this.#phase = "running";
    return ok(this);
  }

  async #replay(expected: readonly JournalEntry[], fromNothing: boolean, restored: Restored, started: number): Promise<Result<InstanceHost, Failure>> {
    for (const entry of expected) {
      if (!isFault(entry) || entry.kind !== "input") continue;
      const { call, fault, reason_code } = entry.input as unknown as Extract<MachineInput, { input: "fault" }>;
      this.#machine.injectFault(call, fault, reason_code);
    }
    try {
      if (fromNothing) {
        const refused = this.#machine.init();
        if (refused !== null) return err(failure("RUMI-STR-032", { callback: "on_init", fault: refused.detail }, { reasonCode: refused.reason_code }));
        this.#machine.dispatch();
      }
      this.#recorder.goLiveIfDone(this.#where());
      while (!this.#recorder.live) {
        await this.#replayBoundary();
        if (this.#recorder.live) break;
        const before = this.#machine.cursor;
        const head = this.#recorder.head;
        // A row's entries carry its own cursor; what happened between rows carries the cursor after them.
        const until = head === undefined ? before : Math.min(this.#o.feed.length, isReproduced(head) ? head.cursor + 1 : head.cursor);
        this.#machine.run(Math.min(Math.max(until, before), before + 4_096));
        this.#machine.takeCheckpointWish();
        if (this.#machine.pending > 0) {
          // A row may reach beyond the journal's end: what is new there waits for the disk like anything new.
          if (this.#recorder.live) await this.#sync();
          if (this.#recorder.live && !this.#o.mayEmit()) break;
          this.#machine.dispatch();
        }
        if (this.#machine.cursor === before && this.#recorder.head === head && head !== undefined) {
          throw new DivergenceError({ seq: head.seq, journal: canonicalJson(head as unknown as JsonObject), replay: `nothing at cursor ${before}` });
        }
      }
    } catch (error) {
      if (!(error instanceof DivergenceError)) throw error;
      const { seq, journal, replay } = error.divergence;
      writeFileSync(join(this.#o.spec.run_dir, `divergence-${seq}-epoch-${this.#o.spec.epoch}.json`), JSON.stringify(error.divergence, null, 2));
      this.#writer.release();
      return err(failure("RUMI-STR-025", { seq, problem: "the regenerated record is another one" }, { reasonCode: "M.REPLAY.DIVERGED", details: { journal, replay } }));
    }
    for (const damaged of restored.damaged) this.#recorder.append({ kind: "checkpoint", ...this.#where(), checkpoint: { event: "rolled_back", reason_code: "M.STATE.ROLLED_BACK", ...damaged } });
    if (canonicalJson(this.#machine.config) !== canonicalJson(this.#o.spec.config)) this.#takeInput({ input: "config", config: this.#o.spec.config, actor: "resume", generation: this.#o.spec.generation });
    this.#restoreMs = this.#o.monotonic() - started;
    await this.#sync();
    this.#setPace();
    this.#phase = this.#machine.feedEnded ? "feed_ended" : "running";
    this.#halted = this.#machine.health.state === "halted";
    return ok(this);
  }

  /** What the earlier life did between two rows, at the row where it did it. */
  async #replayBoundary(): Promise<void> {
    for (let head = this.#recorder.head; head !== undefined; head = this.#recorder.head) {
      const saveFault = isFault(head) && head.kind === "input" && head.input["callback"] === "save_state" && head.cursor === this.#machine.cursor;
      if (saveFault) {
        this.#machine.saveStrategy();
        continue;
      }
      if (isReproduced(head) || head.cursor !== this.#machine.cursor) break;
      this.#recorder.passHead();
      if (head.kind === "checkpoint" && head.checkpoint["event"] === undefined) this.#machine.saveStrategy();
      if (head.kind === "input") this.#machine.apply(head.input as unknown as MachineInput);
      this.#machine.dispatch();
    }
    // The feed's end is told by the shell, so a replay tells it again.
    if (this.#recorder.head?.kind === "feed_ended" && this.#machine.cursor === this.#o.feed.length) this.#machine.recordFeedEnded();
    this.#recorder.goLiveIfDone(this.#where());
  }

  get phase(): Phase { return this.#phase; }
  get durableSeq(): number { return this.#writer.durableSeq; }
  get busyMs(): number { return this.#busyMs; }

  /** Queues an input; it takes effect between two rows, is recorded with its cursor, and answers once that is durable. */
  input(input: MachineInput): Promise<Result<InstanceStatus, Failure>> {
    return new Promise((resolve) => {
      if (this.#inputs.length >= HOST_LIMITS.inputs_queued) return resolve(err(failure("RUMI-STR-030", { problem: "too many inputs wait" })));
      this.#inputs.push({ input, done: resolve });
    });
  }

  /** One turn of at most a slice; `idle` when there is nothing to do before another input or later time. */
  async turn(): Promise<"busy" | "idle"> {
    if (this.#phase === "stopped" || this.#phase === "failed") return "idle";
    try {
      return await this.#turn();
    } catch (error) {
      if (error === CAUGHT) return "idle";
      this.#fail(failure("RUMI-SYS-001", { trace_id: this.#o.spec.trace_id }, { cause: error }));
      return "idle";
    }
  }

  async #turn(): Promise<"busy" | "idle"> {
    await this.#takeInputs();
    if (!this.#o.mayEmit()) return this.#loseLease();
    if (this.#phase !== "running" || this.#halted) return this.#idle();
    const began = this.#o.monotonic();
    const { feed } = this.#o;
    let worked = false;
    for (;;) {
      if (!(await this.#flushPending())) return this.#loseLease();
      const cursor = this.#machine.cursor;
      const until = Math.min(this.#paceLimit(cursor + this.#sliceRows), this.#checkpointCursor + HOST_LIMITS.checkpoint_every_events);
      if (until > cursor) worked = this.#machine.run(until) > 0 || worked;
      if (!(await this.#flushPending())) return this.#loseLease();
      if (this.#machine.health.state === "halted") return this.#halt();
      const wished = this.#machine.takeCheckpointWish();
      const due = this.#machine.cursor - this.#checkpointCursor >= HOST_LIMITS.checkpoint_every_events || (this.#o.monotonic() - this.#checkpointAt >= HOST_LIMITS.checkpoint_every_ms && this.#machine.cursor > this.#checkpointCursor);
      if (wished || due) await this.checkpoint(wished ? "wished" : "periodic");
      if (this.#machine.cursor >= feed.length && (await this.#flushPending())) {
        await this.#endFeed();
        break;
      }
      if (this.#inputs.length > 0 || this.#machine.cursor === cursor || this.#o.monotonic() - began >= HOST_LIMITS.slice_ms) break;
    }
    this.#busyMs += this.#o.monotonic() - began;
    if (this.#o.monotonic() - this.#syncedAt >= HOST_LIMITS.sync_every_ms) await this.#sync();
    return worked ? "busy" : "idle";
  }

  async pause(reason: string): Promise<Result<InstanceStatus, Failure>> {
    if (this.#phase === "running" || this.#phase === "feed_ended") {
      if (this.#phase === "running") this.#phase = "paused";
      this.#reason = reason;
      this.#recorder.append({ kind: "run_paused", ...this.#where() });
      await this.checkpoint("pause");
    }
    return ok(this.status());
  }

  async continue(): Promise<Result<InstanceStatus, Failure>> {
    if (this.#phase === "paused" && !this.#halted && this.#o.mayEmit()) {
      this.#recorder.append({ kind: "run_continued", ...this.#where() });
      await this.#sync();
      this.#reason = null;
      this.#setPace();
      this.#phase = "running";
    }
    return ok(this.status());
  }

  /** Orderly end: open orders cancelled, state saved, everything flushed, nothing left running. */
  async stop(reason: string): Promise<Result<InstanceStatus, Failure>> {
    if (this.#phase === "stopped" || this.#phase === "failed") return ok(this.status());
    const leased = this.#o.mayEmit();
    this.#phase = "stopping";
    this.#reason = reason;
    if (leased && this.#machine.pending === 0) {
      const { latency_us, latency_jitter_us } = this.#o.spec.venue;
      this.#takeInput({ input: "stop", reason, settle_us: this.#machine.clock + latency_us + latency_jitter_us + HOST_LIMITS.settle_us });
    }
    await this.checkpoint("stop");
    this.#machine.shutdown(leased ? "stop" : "lease_lost");
    this.#recorder.append({ kind: "run_stopped", ...this.#where() });
    this.#writer.finish();
    this.#tell();
    this.#o.strategy.close();
    this.#phase = "stopped";
    for (const waiting of this.#inputs.splice(0)) waiting.done(ok(this.status()));
    return ok(this.status());
  }

  /** Ends without a word in the journal: another life will continue it (orderly shutdown of the runner). */
  async suspend(): Promise<void> {
    if (this.#phase === "stopped" || this.#phase === "failed") return;
    await this.checkpoint("suspend");
    this.#writer.release();
    this.#tell();
    this.#o.strategy.close();
    this.#phase = "stopped";
  }

  async checkpoint(why: string): Promise<Result<number, Failure>> {
    // Orders that wait to be sent belong to a row that is not over; the journal alone brings them back.
    if (this.#machine.pending > 0) {
      await this.#sync();
      return ok(0);
    }
    const saved = this.#machine.saveStrategy();
    if (saved === null) {
      await this.#sync();
      if (this.#machine.health.state === "halted") await this.#halt();
      return err(failure("RUMI-STR-032", { callback: "save_state", fault: this.#machine.health.reason_code ?? "" }, { reasonCode: this.#machine.health.reason_code ?? "M.STATE.NOT_SAVED" }));
    }
    const { spec } = this.#o;
    const generation = this.#slots.nextGeneration;
    this.#recorder.append({ kind: "checkpoint", ...this.#where(), checkpoint: { generation, cursor: this.#machine.cursor, why } });
    await this.#sync();
    const machine = this.#machine.save();
    const written = this.#slots.write({
      header: {
        schema_version: 1, generation, run_id: spec.run_id, epoch: spec.epoch, pack_digest: spec.pack_digest, config_digest: digestOf(canonicalJson(this.#machine.config)), state_schema_version: saved.version,
        last_event_cursor: machine.cursor, event_time_us: machine.clock, journal_seq: this.#writer.seq, journal_chain: this.#writer.chainHex, next_intent_key: this.#machine.nextIntentKey, machine: machine as unknown as JsonObject,
      },
      strategy: saved.state,
      venue: this.#o.venue.save(),
    });
    this.#checkpointAt = this.#o.monotonic();
    if (!written.ok) {
      this.#fail(written.error);
      throw CAUGHT;
    }
    this.#checkpointCursor = machine.cursor;
    this.#checkpointsTotal += 1;
    this.#lastCheckpoint = { cursor: machine.cursor, bytes: written.value, at: this.#o.wallNow() };
    return written;
  }

  status(): InstanceStatus {
    const { spec } = this.#o;
    const { bot_id, strategy_id, instance_id, run_id, epoch } = spec;
    const counters = this.#machine.counters;
    const health: HealthState = this.#halted ? "halted" : this.#machine.health.state;
    return {
      bot_id, strategy_id, instance_id, run_id, epoch, phase: this.#phase, health_state: health, reason_code: this.#reason ?? this.#machine.health.reason_code, failure: this.#failure, isolation: this.#o.strategy.isolation,
      cursor: this.#machine.cursor, events_total: counters.events_total, intents_total: counters.intents_total, orders_open: this.#machine.ordersOpen, last_checkpoint: this.#lastCheckpoint, positions: this.#positions(), counters: this.#metrics(),
    };
  }

  #positions(): InstanceStatus["positions"] {
    return this.#o.venue.positions().flatMap((position) => {
      const of = this.#o.spec.instruments[position.instrument];
      if (of === undefined) return [];
      const digits = of.price_digits + of.quantity_digits;
      const average = position.quantity === 0 ? 0n : position.cost / BigInt(position.quantity);
      return [{
        instrument_id: of.instrument_id, quantity: formatDecimal(position.quantity, of.quantity_digits), average_price: formatDecimal(average < 0n ? -average : average, of.price_digits), realised_profit: formatDecimal(position.realised_profit, digits),
        unrealised_profit: formatDecimal(position.unrealised_profit, digits), fees: formatDecimal(position.fees, digits), last_price: formatDecimal(position.last_price, of.price_digits),
      }];
    });
  }

  /** The names of M-14.1; labels of a dimension stand in braces, the control plane adds strategy and instance. */
  #metrics(): Readonly<Record<string, number>> {
    const counters = this.#machine.counters;
    const metrics: Record<string, number> = {
      strategy_queue_depth: this.#inputs.length,
      strategy_timeout_total: (counters.faults["deadline"] ?? 0) + (counters.faults["fuel"] ?? 0),
      state_checkpoint_bytes: this.#lastCheckpoint?.bytes ?? 0,
      state_checkpoint_total: this.#checkpointsTotal,
      state_restore_time_ms: Math.round(this.#restoreMs * 1_000) / 1_000,
      strategy_event_latency_ms: counters.events_total === 0 ? 0 : this.#busyMs / counters.events_total,
      health_state: this.#halted ? 2 : { healthy: 0, degraded: 1, halted: 2 }[this.#machine.health.state],
      orders_sent_total: counters.orders_sent, fills_total: counters.fills_total, log_bytes_total: counters.log_bytes, log_bytes_cut_total: counters.log_bytes_cut,
    };
    for (const [kind, count] of Object.entries(counters.faults)) metrics[`strategy_fault_total{kind="${kind}"}`] = count;
    for (const [type, count] of Object.entries(counters.intents)) metrics[`intent_emitted_total{type="${type}"}`] = count;
    for (const [reason, count] of Object.entries(counters.discarded)) metrics[`intent_discarded_total{reason="${reason}"}`] = count;
    return metrics;
  }

  /** Sends what is pending once it is durable; false when the fence holds it back. */
  async #flushPending(): Promise<boolean> {
    if (this.#machine.pending === 0) return true;
    await this.#sync();
    if (!this.#o.mayEmit()) return false;
    this.#machine.dispatch();
    return true;
  }

  async #takeInputs(): Promise<void> {
    const taken = this.#inputs.splice(0);
    if (taken.length === 0) return;
    for (const { input } of taken) this.#takeInput(input);
    await this.#sync();
    for (const { done } of taken) done(ok(this.status()));
  }

  #takeInput(input: MachineInput): void {
    this.#recorder.append({ kind: "input", ...this.#where(), input: input as unknown as JsonObject });
    this.#machine.apply(input);
  }

  async #idle(): Promise<"idle"> {
    if (this.#writer.durableSeq < this.#writer.seq) await this.#sync();
    this.#writer.rollIfOld();
    this.#tell();
    return "idle";
  }

  async #loseLease(): Promise<"idle"> {
    if (this.#phase === "running" || this.#phase === "feed_ended") {
      this.#phase = "paused";
      this.#reason = "M.LEASE.LOST";
      this.#recorder.append({ kind: "run_paused", ...this.#where() });
      await this.checkpoint("lease_lost");
    }
    return "idle";
  }

  async #halt(): Promise<"idle"> {
    this.#halted = true;
    this.#phase = "paused";
    await this.#sync();
    if (this.#o.mayEmit()) this.#machine.dispatch();
    return "idle";
  }

  async #endFeed(): Promise<void> {
    if (!this.#machine.feedEnded) this.#machine.recordFeedEnded();
    this.#phase = "feed_ended";
    await this.checkpoint("feed_ended");
  }

  #fail(problem: Failure): void {
    const { text, next } = failureText(problem, "en");
    this.#failure = { error_code: problem.code, reason_code: problem.reasonCode ?? null, error: text, suggestion: next };
    this.#phase = "failed";
    this.#halted = true;
    this.#o.strategy.close();
    if (problem.cause !== undefined) process.stderr.write(`${text} ${problem.cause instanceof Error ? (problem.cause.stack ?? problem.cause.message) : String(problem.cause)}\n`);
  }

  async #sync(): Promise<void> {
    this.#writer.rollIfOld();
    await this.#writer.sync();
    this.#syncedAt = this.#o.monotonic();
    this.#tell();
  }

  #tell(): void {
    this.#o.onDurable(this.#writer.durableSeq);
    for (const segment of this.#writer.takeClosed()) this.#o.onSegment(segment);
  }

  #setPace(): void {
    const next = this.#o.feed.received_time_us[this.#machine.cursor] ?? 0;
    this.#paceFrom = { monotonic: this.#o.monotonic(), feed_us: next };
  }

  /** First row that may not be taken yet. */
  #paceLimit(until: number): number {
    const { pace } = this.#o.spec.venue;
    const { length, received_time_us } = this.#o.feed;
    const end = Math.min(length, until);
    if (pace.kind === "max") return end;
    const now_us = this.#paceFrom.feed_us + (this.#o.monotonic() - this.#paceFrom.monotonic) * 1_000 * pace.factor;
    let row = this.#machine.cursor;
    while (row < end && (received_time_us[row] ?? 0) <= now_us) row += 1;
    return row;
  }

  #where(): { readonly event_time_us: number; readonly cursor: number; readonly trace_id: string } {
    return { event_time_us: this.#machine.clock, cursor: this.#machine.cursor, trace_id: this.#machine.traceId };
  }
}

function writerOptions(options: HostOptions): Parameters<typeof JournalWriter.create>[0] {
  return { directory: join(options.spec.run_dir, "journal"), runId: options.spec.run_id, segmentBytes: SEGMENT_BYTES_DEFAULT, segmentAgeMs: SEGMENT_AGE_MS_DEFAULT, monotonic: options.monotonic };
}

/** Another pack may only continue where nothing is left to replay. */
function mismatchOf(spec: InstanceSpec, header: { readonly run_id: string; readonly pack_digest: string }, expected: readonly JournalEntry[]): string | undefined {
  if (header.run_id !== spec.run_id) return "run_id";
  if (header.pack_digest !== spec.pack_digest && expected.some((entry) => isReproduced(entry) || entry.kind === "input")) return "pack_digest";
  return undefined;
}

function epochAt(entries: readonly JournalEntry[], seq: number): number | undefined {
  let epoch: number | undefined;
  for (const entry of entries.slice(0, seq)) if (entry.kind === "run_started" || entry.kind === "run_resumed") epoch = entry.epoch;
  return epoch;
}
