/**
 * What the shell measures of its instance with a clock, and the inputs that follow from it.
 *
 * How to think: `look` is asked before each slice and `ran` told after it; what they answer are inputs which the host
 * records like any other, so that a replay obeys them without a clock. Judging is pure and elsewhere (queue/backlog,
 * slo/slo); in here are only the measured values of the newest windows.
 */
import type { MarketFeed } from "@rumi/venues";
import { behindInputs, caughtUpInputs, PROGRESS, type Progress } from "../compute/side.ts";
import type { InstanceSpec, InstanceStatus } from "../protocol.ts";
import type { KillWord } from "../kill-switch/kill-word.ts";
import { judgeBacklog } from "../queue/backlog.ts";
import { CpuMeter, type ThreadAccount } from "../slo/cpu-time.ts";
import { LatencyHistogram } from "../slo/histogram.ts";
import { afterWindow, broken, SLO_LIMITS, type SloMeasured, SLO_START, type SloState } from "../slo/slo.ts";
import { StagingClock } from "../staging/staging-clock.ts";
import { HOST_LIMITS } from "./host-options.ts";
import type { MachineInput } from "./input.ts";
import type { InstanceMachine } from "./machine.ts";
import { Observatory } from "./observatory.ts";
import type { FeedPace } from "./pace.ts";
import type { Strategy } from "../strategy/strategy.ts";

/** An adjusted instance runs in slices this much smaller and conflates this much sooner. */
const SHARPER = 4;
const MINUTE_WINDOWS = 60_000 / SLO_LIMITS.window_ms;

export class Watch {
  readonly observatory: Observatory;
  readonly #spec: InstanceSpec;
  readonly #killWord: (() => KillWord) | undefined;
  readonly #feed: MarketFeed;
  readonly #pace: FeedPace;
  readonly #monotonic: () => number;
  readonly #rows: number;
  readonly #progress: Progress | undefined;
  readonly #staging: StagingClock;
  readonly #latencies: LatencyHistogram = new LatencyHistogram();
  /** Of the last minute: processor time in each window, as a share of it. */
  readonly #work: number[] = [];
  readonly #cpu: CpuMeter;
  #windowFrom: number;
  #windowWork = 0;
  #before = { events: 0, conflated: 0 };
  #sliceFrom = 0;
  #slo: SloState = SLO_START;
  #measured: SloMeasured = { events: 0, p95_latency_us: 0, drop_rate_ppm: 0, cpu_seconds_per_minute: 0 };
  #overflown = false;
  /** Its Compute side is. */
  #behind = false;

  constructor(options: {
    readonly spec: InstanceSpec;
    readonly feed: MarketFeed;
    readonly pace: FeedPace;
    readonly monotonic: () => number;
    readonly wallNow: () => number;
    readonly strategy: Pick<Strategy, "isolation" | "cpu">;
    readonly account?: ThreadAccount;
    readonly progress?: Progress;
    readonly killWord?: () => KillWord;
  }) {
    this.observatory = new Observatory(options);
    this.#spec = options.spec;
    this.#killWord = options.killWord;
    this.#feed = options.feed;
    this.#pace = options.pace;
    this.#monotonic = options.monotonic;
    this.#rows = options.strategy.isolation.level === "L2" ? HOST_LIMITS.slice_rows : HOST_LIMITS.slice_rows_process;
    this.#progress = options.progress;
    this.#staging = new StagingClock(options.spec.staging?.expires_after_us ?? 0, options.monotonic);
    this.#cpu = new CpuMeter(options.strategy, options.account);
    this.#windowFrom = options.monotonic();
  }

  /** Rows of one slice. */
  get sliceRows(): number {
    return this.#slo.level === "none" ? this.#rows : Math.ceil(this.#rows / SHARPER);
  }

  /** The rules that the machine has to have; answered where it has others. */
  rules(machine: InstanceMachine): readonly MachineInput[] {
    // A run that goes on takes its level from the record.
    const slo = machine.restraints.pressures.slo;
    this.#behind = (machine.restraints.pressures.compute?.level ?? "none") !== "none";
    this.#overflown = (machine.restraints.pressures.queue?.level ?? "none") !== "none";
    if (slo !== undefined && slo.level !== "noop" && slo.level !== "cancel")
      this.#slo = { ...SLO_START, level: slo.level, reason_code: slo.reason_code };
    this.#before = { events: machine.counters.events_total, conflated: machine.counters.events_conflated };
    const rules: readonly MachineInput[] = machine.restraints.rulesInput(
      this.#spec.breaker,
      this.#spec.data_quality,
      this.#spec.stop_conditions,
    );
    // What waited for approval under another lease is not this one's to send.
    return machine.staged.isOutdated
      ? [...rules, { input: "staging", action: "void", reason_code: "M.STAGING.EPOCH" }]
      : rules;
  }

  /** The kill switch's word, where it is another than the machine has. */
  heed({ authority }: InstanceMachine): MachineInput | null {
    return this.#killWord === undefined ? null : authority.heed(this.#killWord());
  }

  /** Staged intents that waited too long by the clock. */
  stagingDue({ staged }: InstanceMachine): readonly MachineInput[] {
    return this.#staging.look(staged);
  }

  /** Before a slice: is it behind? And once a window: does it keep its promise? */
  look(machine: InstanceMachine): readonly MachineInput[] {
    const now = this.#monotonic();
    this.#sliceFrom = now;
    const inputs = [...this.#backlog(machine), ...this.#side(machine)];
    return now - this.#windowFrom >= SLO_LIMITS.window_ms ? [...inputs, ...this.#window(machine, now)] : inputs;
  }

  /** Rows [from, to) were taken since `look`. */
  ran(from: number, to: number): void {
    const now = this.#monotonic();
    const took = now - this.#sliceFrom;
    this.#windowWork += took;
    if (this.#progress !== undefined) Atomics.store(this.#progress.rows, PROGRESS[this.#progress.role], to);
    if (to <= from) return;
    if (!this.#pace.limited) return this.#latencies.add((took * 1_000) / (to - from), to - from);
    for (let row = from; row < to; row += 1) this.#latencies.add(this.#pace.waitedUs(row), 1);
  }

  /** What was promised and what the newest window measured, side by side. */
  status(): NonNullable<InstanceStatus["slo"]> {
    const { slo = {} } = this.#spec;
    const { p95_latency_us, drop_rate_ppm, cpu_seconds_per_minute } = this.#measured;
    return {
      level: this.#slo.level,
      reason_code: this.#slo.reason_code,
      promised: slo,
      measured: { p95_latency_us, drop_rate_ppm, cpu_seconds_per_minute },
    };
  }

  #backlog(machine: InstanceMachine): readonly MachineInput[] {
    const { cursor } = machine;
    if (!this.#pace.limited || cursor >= this.#feed.length || cursor < machine.restraints.conflation.until) return [];
    const until = this.#pace.due(cursor);
    const { lane } = this.#spec.descriptor.capabilities;
    const { queue_events } = this.#spec.descriptor.resources;
    const backlog = { due_rows: until - cursor, waited_us: this.#pace.waitedUs(cursor) };
    const sharper = this.#slo.level === "none" ? 1 : SHARPER;
    const verdict = judgeBacklog(backlog, { lane, queue_events, sharper }, this.#overflown);
    const inputs: MachineInput[] = verdict.conflate ? [{ input: "conflate", until }] : [];
    if (verdict.overflow !== null) {
      this.#overflown = verdict.overflow;
      inputs.push({
        input: "pressure",
        source: "queue",
        level: verdict.overflow ? "degrade" : "none",
        reason_code: verdict.overflow ? "M.QUEUE.OVERFLOW" : "M.QUEUE.RECOVERED",
        measured: { due_rows: backlog.due_rows, waited_us: Math.round(backlog.waited_us), cap: queue_events },
      });
    }
    return inputs;
  }

  /** How far its Compute side lags, in event time, against what the bot allows. */
  #side({ cursor }: InstanceMachine): readonly MachineInput[] {
    const side = this.#spec.compute;
    if (side === undefined || this.#progress?.role !== "lead" || cursor === 0) return [];
    const { received_time_us } = this.#feed;
    const row = Math.min(cursor, Math.max(1, Atomics.load(this.#progress.rows, PROGRESS.side)));
    const lag_us = (received_time_us[cursor - 1] ?? 0) - (received_time_us[row - 1] ?? 0);
    if (this.#behind ? lag_us > side.staleness_us / 2 : lag_us <= side.staleness_us) return [];
    this.#behind = !this.#behind;
    return this.#behind ? behindInputs(side, lag_us) : caughtUpInputs(side, lag_us);
  }

  #window(machine: InstanceMachine, now: number): readonly MachineInput[] {
    const { events_total, events_conflated } = machine.counters;
    const events = events_total - this.#before.events;
    const dropped = events_conflated - this.#before.conflated;
    this.#work.push(this.#cpu.window(this.#windowWork) / (now - this.#windowFrom));
    if (this.#work.length > MINUTE_WINDOWS) this.#work.shift();
    const share = this.#work.reduce((sum, one) => sum + one, 0) / this.#work.length;
    this.#measured = {
      events,
      p95_latency_us: Math.round(this.#latencies.percentile(0.95)),
      drop_rate_ppm: events === 0 ? 0 : Math.round((dropped / events) * 1e6),
      cpu_seconds_per_minute: Math.round(share * 60_000) / 1_000,
    };
    this.#latencies.clear();
    this.#windowFrom = now;
    this.#windowWork = 0;
    this.#before = { events: events_total, conflated: events_conflated };
    return this.#judge(machine);
  }

  #judge(machine: InstanceMachine): readonly MachineInput[] {
    const { slo } = this.#spec;
    if (slo === undefined) return [];
    const before = this.#slo;
    this.#slo = afterWindow(before, slo, this.#measured);
    const inputs: MachineInput[] = [];
    if (broken(slo, this.#measured) === "p95_latency_us" && machine.restraints.counts("latency"))
      inputs.push({ input: "observed", trigger: "latency" });
    if (this.#slo.level !== before.level)
      inputs.push({
        input: "pressure",
        source: "slo",
        level: this.#slo.level,
        reason_code: this.#slo.reason_code ?? "",
        measured: this.#measured,
      });
    return inputs;
  }
}
