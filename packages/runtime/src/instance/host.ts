/**
 * One instance with its journal, checkpoints, pace and fence: the shell around the deterministic machine.
 *
 * How to think: `earlier-life` reads what there is, `replay` regenerates it, and then `turn` runs the machine in short
 * slices. Between two slices, and only there, queued inputs take effect, checkpoints are written and pending orders are
 * sent, each after its journal entries are durable. The fence is asked right before anything leaves.
 *
 * Invariants
 * - No order is dispatched before its entry is durable, or after the lease's own deadline (recovery.test.ts, runner.test.ts).
 * - Without its lease it writes no checkpoint (recovery.test.ts "[M-7.1.2]").
 * - `open` of an earlier life replays until the journal's end and continues there (kill.test.ts "[M-8.2.2]").
 */
import { canonicalJson, err, type Failure, failure, type JsonObject, ok, type Result } from "@rumi/kernel";
import { logCause } from "../cause-text.ts";
import type { CheckpointSlots, Restored } from "../checkpoint/slots.ts";
import type { JournalWriter } from "../journal/writer.ts";
import type { InstanceStatus } from "../protocol.ts";
import { beginLife, type EarlierLife, type Life, readEarlierLife } from "./earlier-life.ts";
import { DeferredConfig } from "./deferred-config.ts";
import { leadOf, machineOf, reachOf } from "./host-machine.ts";
import { type LiveHands, settleOutside, takeFromOutside } from "./host-live.ts";
import { HOST_LIMITS, type HostOptions } from "./host-options.ts";
import { CAUGHT, guarded } from "./guarded.ts";
import { beginMachine, restoreMachine } from "./host-begin.ts";
import { checkpointDue, checkpointRows, recordRolledBack, writeCheckpoint } from "./host-checkpoint.ts";
import { failureNote, type HostFacts, inspectedOf, statusOf } from "./host-status.ts";
import { inputsOf, type MachineInput, type Waiting } from "./input.ts";
import type { InstanceMachine } from "./machine.ts";
import type { InputQueue } from "../queue/input-queue.ts";
import { FeedPace } from "./pace.ts";
import { takeable } from "../staging/takeable.ts";
import { DivergenceError, RunRecorder } from "./recorder.ts";
import { divergenceRefusal, replayLife } from "./replay.ts";
import type { MachineState } from "./state.ts";
import { Watch } from "./watch.ts";

type Phase = InstanceStatus["phase"];

export class InstanceHost {
  readonly #o: HostOptions;
  readonly #machine: InstanceMachine;
  readonly #recorder: RunRecorder;
  readonly #writer: JournalWriter;
  readonly #slots: CheckpointSlots;
  readonly #inputs: InputQueue<Waiting> = inputsOf(HOST_LIMITS.inputs_queued);
  readonly #watch: Watch;
  readonly #pace: FeedPace;
  readonly #deferred: DeferredConfig;
  #phase: Phase = "starting";
  #failure: InstanceStatus["failure"] = null;
  #reason: string | null = null;
  #halted = false;
  #lastCheckpoint: InstanceStatus["last_checkpoint"] = null;
  #checkpointCursor = 0;
  #checkpointAt: number;
  #syncedAt = 0;
  readonly #hands: LiveHands = {
    cursor: () => this.#machine.cursor,
    mayEmit: () => this.#o.mayEmit(),
    take: (input) => this.#takeInput(input),
    flush: () => this.#flushPending(),
  };

  private constructor(options: HostOptions, life: Life) {
    const { spec } = options;
    this.#o = options;
    this.#writer = life.writer;
    this.#slots = life.slots;
    this.#recorder = new RunRecorder({
      writer: life.writer,
      wallNow: options.wallNow,
      epoch: spec.epoch,
      expected: life.expected,
      epochBefore: life.epochBefore,
      began: life.began,
    });
    const reach = reachOf(options, this.#recorder, (input) => this.input(input));
    this.#machine = machineOf(options, this.#recorder, life.config, life.tellsRefused, reach);
    this.#pace = new FeedPace(options.feed, spec.venue.pace, options.monotonic, leadOf(options));
    this.#watch = new Watch({ ...options, pace: this.#pace });
    this.#deferred = new DeferredConfig(options.feed);
    this.#checkpointAt = options.monotonic();
  }

  static async open(options: HostOptions): Promise<Result<InstanceHost, Failure>> {
    const started = options.monotonic();
    if (options.spec.start === "fresh") {
      const life = beginLife(options);
      return life.ok ? new InstanceHost(options, life.value).#begin(life.value) : life;
    }
    const life = readEarlierLife(options);
    return life.ok ? new InstanceHost(options, life.value).#resume(life.value, started) : life;
  }

  /** The first breath of a fresh run: init or another run's state, and a checkpoint so that there is always one. */
  async #begin({ origin }: Life): Promise<Result<InstanceHost, Failure>> {
    if (origin === null) this.#recorder.goLiveIfDone(this.#where(), "run_started");
    const broken = beginMachine(this.#machine, this.#o, origin);
    if (origin !== null) this.#recorder.goLiveIfDone(this.#where(), "run_started");
    if (broken !== null) {
      this.#writer.finish();
      return err(broken);
    }
    for (const input of this.#watch.rules(this.#machine)) this.#takeInput(input);
    await this.#sync();
    await this.#flushPending();
    const written = await this.checkpoint("start");
    if (!written.ok) return written;
    this.#o.live?.begin();
    this.#pace.startAt(this.#machine.cursor);
    this.#beginPhase();
    return ok(this);
  }

  /** Paused from its first breath on where that is wished: nothing runs even for a moment. */
  #beginPhase(): void {
    const paused = this.#o.spec.begin === "paused";
    this.#phase = paused ? "paused" : this.#machine.feedEnded ? "feed_ended" : "running";
    if (paused) this.#reason = "M.RUN.PAUSED";
  }

  /** Goes on where the earlier life ended: its checkpoint, then its journal once more, then new rows. */
  async #resume(life: EarlierLife, started: number): Promise<Result<InstanceHost, Failure>> {
    const { restored, expected } = life;
    const broken = this.#restore(restored) ?? (await this.#replay(expected, life));
    if (broken !== null) {
      this.#writer.release();
      return err(broken);
    }
    recordRolledBack(this.#recorder, restored.damaged, this.#where());
    if (canonicalJson(this.#machine.config) !== canonicalJson(this.#o.spec.config))
      this.#takeInput({
        input: "config",
        config: this.#o.spec.config,
        actor: "resume",
        generation: this.#o.spec.generation,
      });
    for (const input of this.#watch.rules(this.#machine)) this.#takeInput(input);
    this.#takeInput(this.#watch.heed(this.#machine));
    this.#watch.observatory.restoreMs = this.#o.monotonic() - started;
    await this.#sync();
    this.#o.live?.begin();
    this.#pace.startAt(this.#machine.cursor);
    this.#beginPhase();
    this.#halted = this.#machine.health.state === "halted";
    return ok(this);
  }

  /** `null`, or why the checkpoint cannot be continued from. */
  #restore({ checkpoint, bytes }: Restored): Failure | null {
    if (checkpoint === null) return null;
    const { header } = checkpoint;
    const broken = restoreMachine(this.#machine, this.#o, checkpoint, header.machine as unknown as MachineState);
    if (broken !== null) return broken;
    this.#checkpointCursor = header.last_event_cursor;
    this.#lastCheckpoint = { cursor: header.last_event_cursor, bytes, at: this.#o.wallNow() };
    return null;
  }

  /** `null`, or why the journal could not be regenerated; a divergence leaves both records beside the journal. */
  async #replay(expected: EarlierLife["expected"], { restored, origin, config }: EarlierLife): Promise<Failure | null> {
    const { spec, venue } = this.#o;
    try {
      return await replayLife({
        machine: this.#machine,
        recorder: this.#recorder,
        expected,
        feed: this.#o.feed,
        begin:
          restored.checkpoint === null
            ? () => beginMachine(this.#machine, { venue, spec: { ...spec, config } }, origin)
            : null,
        venueState: () => this.#o.venue.save(),
        mayEmit: this.#o.mayEmit,
        sync: () => this.#sync(),
      });
    } catch (error) {
      if (!(error instanceof DivergenceError)) throw error;
      return divergenceRefusal(this.#o.spec, error);
    }
  }

  get phase(): Phase {
    return this.#phase;
  }
  /** Milliseconds until a row is due; `undefined` where only a look can tell, infinite where no row is taken. */
  get dueIn(): number | undefined {
    if (this.#phase !== "running" || this.#halted) return Number.POSITIVE_INFINITY;
    const due = this.#o.live === undefined ? this.#pace.dueIn(this.#machine.cursor) : undefined;
    const unsynced = this.#writer.durableSeq < this.#writer.seq;
    return due !== undefined && unsynced ? Math.min(due, HOST_LIMITS.sync_every_ms) : due;
  }

  /**
   * Queues an input; it takes effect between two rows, is recorded with its cursor, and answers once that is durable.
   * A configuration for a later boundary is answered when it waits for it.
   */
  input(input: MachineInput): Promise<Result<InstanceStatus, Failure>> {
    return new Promise((resolve) => {
      if (!this.#inputs.put({ input, done: resolve }))
        resolve(err(failure("RUMI-STR-030", { problem: "too many inputs wait" })));
    });
  }

  /** One turn of at most a slice; `idle` when there is nothing to do before another input or later time. */
  async turn(): Promise<"busy" | "idle"> {
    if (this.#phase === "stopped" || this.#phase === "failed") return "idle";
    return (await guarded(() => this.#turn(), this.#break)) ?? "idle";
  }
  /** Carries out a command as carefully as a turn. */
  async carryOut(command: () => Promise<Result<InstanceStatus, Failure>>): Promise<Result<InstanceStatus, Failure>> {
    return (await guarded(command, this.#break)) ?? ok(this.status());
  }
  readonly #break = (cause: unknown): void =>
    this.#fail(failure("RUMI-SYS-001", { trace_id: this.#o.spec.trace_id }, { cause }));

  async #turn(): Promise<"busy" | "idle"> {
    await this.#takeInputs();
    if (!this.#o.mayEmit()) return this.#loseLease();
    if (this.#phase !== "running" || this.#halted) return this.#idle();
    const began = this.#o.monotonic();
    const { feed } = this.#o;
    let worked = false;
    for (;;) {
      const cursor = this.#machine.cursor;
      for (const input of this.#watch.look(this.#machine)) this.#takeInput(input);
      this.#takeInput(this.#deferred.takeAtRow(cursor));
      if (!(await this.#flushPending())) return this.#loseLease();
      const until = Math.min(
        this.#deferred.limit(cursor, this.#pace.limit(cursor, cursor + this.#watch.sliceRows)),
        this.#checkpointCursor + checkpointRows(this.#o, cursor),
      );
      if (until > cursor) worked = this.#watch.observatory.run(this.#machine, until) > 0 || worked;
      this.#watch.ran(cursor, this.#machine.cursor);
      if (!(await this.#flushPending())) return this.#loseLease();
      if (this.#machine.health.state === "halted") return this.#halt();
      const wished = this.#machine.takeCheckpointWish();
      const since = { cursor: this.#machine.cursor, rows: this.#machine.cursor - this.#checkpointCursor };
      const due = checkpointDue({ ...since, ms: this.#o.monotonic() - this.#checkpointAt }, this.#o);
      if (wished || due)
        await this.checkpoint(wished ? "wished" : "periodic").finally(() => this.#o.turns?.done(this.#o));
      if (this.#machine.cursor >= feed.length && this.#o.live?.ended !== false && (await this.#flushPending())) {
        await this.#endFeed();
        break;
      }
      if (
        this.#inputs.length > 0 ||
        this.#machine.cursor === cursor ||
        this.#o.monotonic() - began >= HOST_LIMITS.slice_ms
      )
        break;
    }
    if (this.#o.monotonic() - this.#syncedAt >= HOST_LIMITS.sync_every_ms) await this.#sync();
    return worked ? "busy" : "idle";
  }

  async pause(reason: string): Promise<Result<InstanceStatus, Failure>> {
    if (this.#phase === "running" || this.#phase === "feed_ended") {
      this.#phase = "paused";
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
      this.#pace.startAt(this.#machine.cursor);
      this.#phase = this.#machine.feedEnded ? "feed_ended" : "running";
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
      this.#takeInput({
        input: "stop",
        reason,
        settle_us: this.#machine.clock + latency_us + latency_jitter_us + HOST_LIMITS.settle_us,
      });
      if (this.#o.live !== undefined) await settleOutside(this.#o.live, this.#hands, this.#o);
    }
    await this.checkpoint("stop");
    this.#end(leased ? "stop" : "lease_lost");
    return ok(this.status());
  }

  /** Ends with its orders open and everything in the checkpoint: another run goes on from there (update in place). */
  async handover(): Promise<Result<InstanceStatus, Failure>> {
    if (this.#phase === "stopped" || this.#phase === "failed") return ok(this.status());
    const problem = this.#o.mayEmit()
      ? this.#machine.pending > 0
        ? "orders wait to be sent"
        : null
      : "its lease is over";
    if (problem !== null)
      return err(
        failure("RUMI-STR-071", { run_id: this.#o.spec.run_id, problem }, { reasonCode: "M.RUN.NOT_HANDED_OVER" }),
      );
    const written = await this.checkpoint("handover");
    if (!written.ok) return written;
    this.#reason = "M.RUN.HANDED_OVER";
    this.#end("upgrade");
    return ok(this.status());
  }

  #end(reason: "stop" | "lease_lost" | "upgrade"): void {
    this.#machine.shutdown(reason);
    this.#recorder.append({ kind: "run_stopped", ...this.#where() });
    this.#writer.finish();
    this.#tell();
    this.#close();
    this.#phase = "stopped";
    for (const waiting of this.#inputs.takeAll()) waiting.done(ok(this.status()));
  }

  /** Ends without a word in the journal: another life will continue it (orderly shutdown of the runner). */
  async suspend(): Promise<void> {
    if (this.#phase === "stopped" || this.#phase === "failed") return;
    await this.checkpoint("suspend");
    this.#writer.release();
    this.#tell();
    this.#close();
    this.#phase = "stopped";
  }

  async checkpoint(why: string): Promise<Result<number, Failure>> {
    // The slots are files by name: once the lease is over they are the successor's, and what it wrote is not to be
    // replaced by an older state. The journal brings back whatever no checkpoint holds.
    if (!this.#o.mayEmit()) return ok(0);
    // Orders that wait to be sent belong to a row that is not over; the journal alone brings them back.
    if (this.#machine.pending > 0) {
      await this.#sync();
      return ok(0);
    }
    const saved = this.#machine.saveStrategy();
    if (saved === null) {
      await this.#sync();
      if (this.#machine.health.state === "halted") await this.#halt();
      return err(
        failure(
          "RUMI-STR-032",
          { callback: "save_state", fault: this.#machine.health.reason_code ?? "" },
          { reasonCode: this.#machine.health.reason_code ?? "M.STATE.NOT_SAVED" },
        ),
      );
    }
    const machine = this.#machine.save();
    const written = await writeCheckpoint({
      spec: this.#o.spec,
      why,
      machine,
      saved,
      venue: this.#o.venue.save(),
      nextIntentKey: this.#machine.nextIntentKey,
      where: this.#where(),
      recorder: this.#recorder,
      writer: this.#writer,
      slots: this.#slots,
      sync: () => this.#sync(),
    });
    this.#checkpointAt = this.#o.monotonic();
    if (!written.ok) {
      this.#fail(written.error);
      throw CAUGHT;
    }
    this.#checkpointCursor = machine.cursor;
    this.#watch.observatory.checkpoints += 1;
    this.#lastCheckpoint = { cursor: machine.cursor, bytes: written.value, at: this.#o.wallNow(), why };
    if (this.#phase === "running") this.#takeInput(this.#deferred.takeAtCheckpoint());
    return written;
  }

  status(): InstanceStatus {
    return statusOf(this.#facts());
  }
  /** The status, and with it what a person may see of the inside (M-14.2). */
  inspect(): InstanceStatus {
    return inspectedOf(this.#facts());
  }
  #facts(): HostFacts {
    return {
      options: this.#o,
      machine: this.#machine,
      phase: this.#phase,
      isHalted: this.#halted,
      reason: this.#reason,
      failure: this.#failure,
      lastCheckpoint: this.#lastCheckpoint,
      inputs: this.#inputs.length,
      pace: this.#pace,
      watch: this.#watch,
    };
  }

  /** Sends what is pending once it is durable; false when the fence holds it back. */
  async #flushPending(): Promise<boolean> {
    if (this.#machine.pending === 0) return true;
    do await this.#sync();
    while (this.#takeInput(this.#watch.heed(this.#machine)));
    if (!this.#o.mayEmit()) return false;
    this.#machine.dispatch();
    return true;
  }

  async #takeInputs(): Promise<void> {
    if (this.#takeInput(this.#watch.heed(this.#machine))) await this.#sync().then(() => this.#flushPending());
    if (this.#o.live !== undefined) await takeFromOutside(this.#o.live, this.#hands);
    const taken = takeable(this.#watch.stagingDue(this.#machine), this.#inputs.takeAll(), this.#facts());
    if (taken.length === 0) return;
    for (const { input } of taken) {
      if (input.input !== "config" || this.#phase === "feed_ended" || !this.#deferred.put(input, this.#machine.cursor))
        this.#takeInput(input);
      if (input.input === "staging") await this.#flushPending();
    }
    await this.#sync();
    for (const { done } of taken) done(ok(this.status()));
  }

  #takeInput(input: MachineInput | null): boolean {
    if (input === null) return false;
    const held = this.#machine.pending > 0 ? { held: true } : {};
    this.#recorder.append({ kind: "input", ...this.#where(), input: { ...(input as unknown as JsonObject), ...held } });
    this.#machine.apply(input);
    return true;
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
    this.#takeInput(this.#deferred.takeAtEnd());
    if (!(await this.#flushPending())) return;
    if (!this.#machine.feedEnded) this.#machine.recordFeedEnded();
    this.#phase = "feed_ended";
    await this.checkpoint("feed_ended");
  }

  #fail(problem: Failure): void {
    this.#failure = failureNote(problem);
    this.#phase = "failed";
    this.#halted = true;
    this.#close();
    logCause(problem, this.#o.log);
  }

  #close(): void {
    this.#o.live?.close();
    this.#o.strategy.close();
  }

  async #sync(): Promise<void> {
    this.#writer.rollIfOld();
    await this.#o.live?.sync();
    await this.#writer.sync();
    this.#syncedAt = this.#o.monotonic();
    this.#tell();
  }

  #tell(): void {
    this.#o.onDurable(this.#writer.durableSeq);
    for (const segment of this.#writer.takeClosed()) this.#o.onSegment(segment);
  }

  #where(): { readonly event_time_us: number; readonly cursor: number; readonly trace_id: string } {
    return this.#machine.where();
  }
}
