/**
 * What holds one instance back besides its health: its circuit breaker, the shell's pressures, and conflation.
 *
 * How to think: the machine tells what happened (a fault, a discarded intent, a venue's word, a flagged row); the shell
 * tells, as recorded inputs, what only a clock can know (a backlog, a breached SLO, a late Compute side). Everything in
 * here is arithmetic on those two, so a replay makes the same decisions. What follows is a restriction for the gate, an
 * overlay on the health, and orders of the runtime itself where the breaker hedges.
 *
 * Invariants (restraints.test.ts)
 * - The same rows and inputs open and close the breaker at the same rows, with the same records (M-9.*, M-0.7).
 * - In HedgeToFlat the instance's own orders are cancelled and reduce-only orders of the runtime follow until it is flat.
 * - The runtime's own orders wait as well while nothing at all may be placed (authority.test.ts).
 */
import { canonicalJson } from "@rumi/kernel";
import type { GatewayNote } from "../gateway/reports.ts";
import { type ExecutionReport, isBookSnapshot } from "@rumi/venues";
import {
  answered,
  BREAKER_CLOSED,
  type BreakerOpen,
  type BreakerState,
  looked,
  nextLook,
  occurred,
  resetByHand,
  trippedByHand,
} from "../breaker/breaker.ts";
import { BREAKER_DEFAULT, type BreakerConfig, type BreakerMode, type BreakerTrigger } from "../breaker/config.ts";
import { planHedge, RUNTIME_KEYS_FROM } from "../breaker/hedge.ts";
import type { Restriction } from "../gate/gate.ts";
import type { InstanceStatus } from "../protocol.ts";
import { strictest } from "../gate/restriction.ts";
import { Conflation, feedStreams } from "../queue/conflation.ts";
import { DATA_QUALITY_DEFAULT, type DataQuality } from "../quality/policy.ts";
import { QualityReactions } from "../quality/reactions.ts";
import type { StopConditions } from "../stop-conditions/config.ts";
import { StopWatch } from "../stop-conditions/stop-watch.ts";
import type { OrderDesk } from "./desk.ts";
import type { MachineEntry } from "./entry.ts";
import type { RestraintInput } from "./input.ts";
import type { MachineOptions } from "./machine-options.ts";
import { type Pressure, PRESSURE_SOURCES, type PressureSource, restrictionOf } from "./pressure.ts";
import type { RestraintState } from "./restraint-state.ts";

/** Health as it looks from here; the machine shows the worse of this and its own. */
export type Overlay = { readonly state: "healthy" | "degraded" | "halted"; readonly reason_code: string | null };
const NOTHING: Overlay = { state: "healthy", reason_code: null };

export type RestraintScene = {
  readonly options: MachineOptions;
  readonly desk: OrderDesk;
  readonly clock: () => number;
  readonly lastPrices: ArrayLike<number>;
  readonly where: () => { readonly event_time_us: number; readonly cursor: number; readonly trace_id: string };
  /** The overlay may be another one. */
  readonly changed: () => void;
  /** Whether anybody may place an order now, the runtime itself among them. */
  readonly mayPlace: () => boolean;
};

const OF_MODE: Readonly<Record<BreakerMode, Restriction>> = {
  reduce_only: "reduce_only",
  no_trade: "no_trade",
  cancel_all: "no_trade",
  hedge_to_flat: "no_trade",
};
const TOO_MANY: ReadonlySet<string> = new Set(["M.INTENT.CAP_EVENT", "M.INTENT.CAP_SECOND", "M.INTENT.CAP_INSTANCE"]);
const RATE_LIMITED: ReadonlySet<string> = new Set(["M.VENUE.RATE_LIMITED"]);

export class Restraints {
  readonly conflation: Conflation;
  readonly quality: QualityReactions;
  readonly stops: StopWatch;
  /** When time alone changes something; the row loop compares it and nothing else. */
  nextLook: number = Number.POSITIVE_INFINITY;
  restriction: Restriction = "none";
  overlay: Overlay = NOTHING;
  /** The kill switch has everything closed, by orders of the runtime itself. */
  wantsFlat = false;
  readonly #scene: RestraintScene;
  #config: BreakerConfig = BREAKER_DEFAULT;
  #breaker: BreakerState = BREAKER_CLOSED;
  #pressures: Readonly<Partial<Record<PressureSource, Pressure>>> = {};
  #ownOrders = 0;
  #hedges = 0;

  constructor(scene: RestraintScene) {
    this.#scene = scene;
    this.conflation = new Conflation(feedStreams(scene.options.feed));
    this.quality = new QualityReactions(scene.options.instruments.length);
    const { instruments, venue } = scene.options;
    const holdings = () => {
      const positions = venue.positions();
      return instruments.map((_, at) => positions.find((one) => one.instrument === at) ?? { quantity: 0, cash: 0n });
    };
    this.stops = new StopWatch({ instruments, lastPrices: scene.lastPrices, holdings });
  }

  get open(): BreakerOpen | null {
    return this.#breaker.open;
  }
  /** Whether this trigger has a rule. */
  counts(trigger: BreakerTrigger): boolean {
    return this.#config.rules[trigger] !== undefined;
  }
  status(): NonNullable<InstanceStatus["breaker"]> {
    const { open, trips, back_reason } = this.#breaker;
    return open === null
      ? { state: "closed", mode: null, trigger: null, reason_code: back_reason, since_us: null, trips }
      : { state: "open", ...open, trips };
  }
  /** The inputs that bring the wished rules and reactions, where others are in force. */
  rulesInput(
    wished: BreakerConfig = BREAKER_DEFAULT,
    dataQuality: DataQuality = {},
    conditions: StopConditions = {},
  ): readonly RestraintInput[] {
    const policy = { ...DATA_QUALITY_DEFAULT, ...dataQuality };
    const differs = <T extends BreakerConfig | DataQuality | StopConditions>(a: T, b: T): boolean =>
      canonicalJson(a) !== canonicalJson(b);
    return [
      ...(differs(wished, this.#config) ? [{ input: "rules", breaker: wished } as const] : []),
      ...(differs(policy, this.quality.policy) ? [{ input: "data_quality", policy } as const] : []),
      ...(differs(conditions, this.stops.conditions) ? [{ input: "stop_conditions", conditions } as const] : []),
    ];
  }
  get pressures(): Readonly<Partial<Record<PressureSource, Pressure>>> {
    return this.#pressures;
  }

  /** Something that the breaker counts happened in the machine. */
  occurred(trigger: BreakerTrigger): void {
    this.#become(occurred(this.#breaker, this.#config, trigger, this.#scene.clock()));
  }

  /** A row with flags came, or one while a reaction is in force. */
  judgeRow(row: number): void {
    const { flags, instrument, mixed } = this.#scene.options.feed;
    const flagged = flags[row] ?? 0;
    if (flagged !== 0) this.occurred("input_quality");
    if (this.quality.row(instrument[row] ?? 0, flagged, isBookSnapshot(mixed, row))) this.#reacted();
  }

  /** A violation of the gate: discarded for its volume. */
  violation(reason: string): void {
    if (TOO_MANY.has(reason)) this.occurred("excess_intents");
  }

  /** The venue said something of an order. */
  answered({ kind, reason_code }: ExecutionReport): void {
    // A staged intent that never was an order: no venue said anything.
    if (reason_code?.startsWith("M.STAGING.") === true) return;
    if (kind === "rejected" && reason_code !== null && RATE_LIMITED.has(reason_code)) this.occurred("rate_limited");
    if (kind === "rejected") this.stops.rejected(this.#scene.clock());
    if (kind === "accepted" || kind === "rejected")
      this.#become(answered(this.#breaker, this.#config, kind === "rejected", this.#scene.clock()));
  }

  /** After the venue's reports were delivered: is there still something to hedge? */
  reported(): void {
    this.stops.reported();
    if (this.wantsFlat || this.#breaker.open?.mode === "hedge_to_flat") this.#hedge();
  }

  /** The end of a row or of an input: what happened since the last one may have tripped a stop condition. */
  lookAtStops(): void {
    if (this.stops.look(this.#scene.clock()) === null) return;
    this.#scene.desk.cancelAll();
    this.#derive();
    this.#scene.changed();
  }

  /** Time passed the moment of `nextLook`. */
  look(): void {
    this.#become(looked(this.#breaker, this.#config, this.#scene.clock()));
  }

  apply(input: RestraintInput | GatewayNote): void {
    switch (input.input) {
      case "gateway":
        if (input.condition === "rate_limited") this.occurred("rate_limited");
        // An answer that did not come is a timeout, whoever was asked.
        if (input.condition === "outcome_unknown") this.occurred("timeouts");
        return;
      case "conflate":
        return this.conflation.begin(this.#scene.where().cursor, input.until);
      case "data_quality":
        if (this.quality.become(input.policy)) this.#reacted();
        return;
      case "stop_conditions":
        return this.stops.become(input.conditions);
      case "rules":
        this.#config = input.breaker;
        return this.#derive();
      case "observed":
        return this.occurred(input.trigger);
      case "breaker":
        return this.#become(
          input.action === "reset"
            ? resetByHand(this.#breaker)
            : trippedByHand(this.#breaker, input.mode, this.#scene.clock()),
        );
      case "pressure":
        this.#pressures = {
          ...this.#pressures,
          [input.source]: { level: input.level, reason_code: input.reason_code },
        };
        if (input.source === "queue" && input.level !== "none") this.occurred("queue");
        if (input.level === "cancel" || input.level === "halt") this.#scene.desk.cancelAll();
        this.#derive();
        return this.#scene.changed();
    }
  }

  save(): RestraintState {
    return {
      rules: this.#config,
      breaker: this.#breaker,
      pressures: this.#pressures,
      conflate_until: this.conflation.until,
      own_orders: this.#ownOrders,
      hedges: this.#hedges,
      quality: this.quality.save(),
      ...this.stops.save(),
    };
  }

  /** `undefined`: of a checkpoint that was written before there were restraints. */
  restore(saved: RestraintState | undefined, cursor: number): void {
    if (saved === undefined) return;
    this.#config = saved.rules;
    this.#breaker = saved.breaker;
    this.#pressures = saved.pressures;
    this.#ownOrders = saved.own_orders;
    this.#hedges = saved.hedges;
    this.conflation.begin(cursor, saved.conflate_until);
    this.quality.restore(saved.quality);
    this.stops.restore(saved.stops);
    this.#derive();
  }

  /** The kill switch's FLATTEN: begins to close what is held, and goes on with every report. */
  flatten(): void {
    this.wantsFlat = true;
    this.#hedges = 0;
    this.#hedge();
  }

  #reacted(): void {
    this.#derive();
    this.#scene.changed();
  }

  #become(next: BreakerState): void {
    const before = this.#breaker;
    this.#breaker = next;
    this.nextLook = nextLook(next, this.#config);
    if (before.open === next.open) return;
    const { open } = next;
    this.#record(
      open === null
        ? { state: "closed", mode: null, trigger: null, reason_code: next.back_reason ?? "" }
        : { state: "open", mode: open.mode, trigger: open.trigger, reason_code: open.reason_code },
    );
    this.#hedges = 0;
    this.#derive();
    this.#scene.changed();
    if (open?.mode === "cancel_all" || open?.mode === "hedge_to_flat") this.#scene.desk.cancelAll();
    if (open?.mode === "hedge_to_flat") this.#hedge();
  }

  #record(breaker: Extract<MachineEntry, { kind: "breaker" }>["breaker"]): void {
    this.#scene.options.record({ kind: "breaker", ...this.#scene.where(), breaker });
  }

  #hedge(): void {
    const { options, desk, mayPlace } = this.#scene;
    if (options.gate.shadow || !mayPlace()) return;
    const positions = options.venue.positions();
    const plan = planHedge({
      instruments: options.instruments,
      positions: options.instruments.map((_, at) => positions.find((one) => one.instrument === at)?.quantity ?? 0),
      underway: desk.instrumentsWithKeysFrom(RUNTIME_KEYS_FROM),
      attempts: this.#hedges,
    });
    const reason_code = this.wantsFlat ? "M.KILLSWITCH.FLATTEN" : "M.BREAKER.HEDGE";
    for (const { instrument, side, quantity } of plan.orders) {
      const key = RUNTIME_KEYS_FROM + this.#ownOrders;
      this.#ownOrders += 1;
      this.#hedges += 1;
      desk.sendOwn({ key, instrument, side, quantity, reason_code });
    }
  }

  /** Restriction, overlay and next look, from what is in force. */
  #derive(): void {
    const { open } = this.#breaker;
    this.nextLook = nextLook(this.#breaker, this.#config);
    let restriction: Restriction = open === null ? "none" : OF_MODE[open.mode];
    let overlay: Overlay = open === null ? NOTHING : { state: "degraded", reason_code: open.reason_code };
    for (const source of PRESSURE_SOURCES) {
      const pressure = this.#pressures[source];
      if (pressure === undefined || pressure.level === "none") continue;
      restriction = strictest(restriction, restrictionOf(pressure.level));
      if (pressure.level === "halt") overlay = { state: "halted", reason_code: pressure.reason_code };
      else if (overlay.state === "healthy" && pressure.level !== "adjust" && pressure.level !== "noop")
        overlay = { state: "degraded", reason_code: pressure.reason_code };
    }
    const { tripped } = this.stops;
    if (tripped !== null) [restriction, overlay] = ["no_trade", { state: "halted", reason_code: tripped.reason_code }];
    const { reason } = this.quality;
    if (overlay.state === "healthy" && reason !== null) overlay = { state: "degraded", reason_code: reason };
    this.restriction = restriction;
    this.overlay = overlay;
  }
}
