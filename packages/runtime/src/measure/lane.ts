/**
 * What the bench measures of a lane: one event through strategy, gate and venue, with the clock around each.
 *
 * The machine, gate, journal and venue are the ones of a paper bot; only the shell is smaller. Orders are dispatched at
 * once, or after their journal entry is durable where `journal` names a folder.
 */
import { rmSync } from "node:fs";
import { clientOrderId, type InstrumentSpec, type StrategyDescriptor, validateConfig } from "@rumi/abi";
import { err, type Failure, type JsonObject, ok, type Result } from "@rumi/kernel";
import { createSimulatedVenue, type MarketFeed } from "@rumi/venues";
import type { MachineEntry } from "../instance/entry.ts";
import { gateContextOf } from "../instance/gate-context.ts";
import { refusedInit } from "../instance/host-status.ts";
import { InstanceMachine } from "../instance/machine.ts";
import { JournalWriter } from "../journal/writer.ts";
import { loadStrategy } from "../strategy/load.ts";

const RUN_ID = "00000000-0000-7000-8000-000000000003";
const IDENTITY = {
  bot_id: "bench",
  strategy_id: "bench",
  strategy_version: "1.0.0",
  instance_id: "bench",
  run_id: RUN_ID,
};

export type MeasuredLaneOptions = {
  readonly descriptor: StrategyDescriptor;
  readonly pack_dir: string;
  readonly config: JsonObject;
  readonly instruments: readonly InstrumentSpec[];
  readonly feed: MarketFeed;
  readonly capital: string;
  /** A folder that does not exist yet, for the journal; absent: nothing is made durable. */
  readonly journal?: string;
};

export class MeasuredLane {
  readonly #machine: InstanceMachine;
  readonly #writer: JournalWriter | undefined;
  readonly #folder: string | undefined;
  #orders = 0;

  private constructor(machine: InstanceMachine, writer: JournalWriter | undefined, folder: string | undefined) {
    this.#machine = machine;
    this.#writer = writer;
    this.#folder = folder;
  }

  static open(options: MeasuredLaneOptions): Result<MeasuredLane, Failure> {
    const { descriptor, instruments, feed, capital, journal } = options;
    const config = validateConfig(descriptor.config_schema, options.config);
    if (!config.ok) return config;
    const strategy = loadStrategy({ descriptor, pack_dir: options.pack_dir, isolation: "any" });
    if (!strategy.ok) return strategy;
    const fees = { maker_fee_ppm: 20, taker_fee_ppm: 50 };
    const venue = createSimulatedVenue({ instruments, ...fees, latency_us: 0, latency_jitter_us: 0, seed: "bench" });
    if (!venue.ok) return venue;
    const writer = journal === undefined ? undefined : openJournal(journal);
    const record = (entry: MachineEntry): void => void writer?.append({ ...entry, at_us: 0 });
    const limits = { capital, intents_per_second: 1_000_000, max_open_orders: 1_000 };
    const { resources, capabilities } = descriptor;
    const generous = { ...descriptor, resources: { ...resources, intents_per_second: 1_000_000 } };
    const machine = new InstanceMachine(
      {
        identity: IDENTITY,
        traceId: "be000000000000010000000000000000",
        mode: "backtest",
        seed: "bench",
        instruments,
        feed,
        strategy: strategy.value,
        venue: venue.value,
        tellsRefused: true,
        gate: gateContextOf({
          descriptor: generous,
          instruments,
          mode: "backtest",
          venue: { venue_id: "SIM" },
          limits,
        }),
        subscribe: capabilities.subscribe,
        stateBytesMax: resources.state_bytes,
        stateSchemaVersion: descriptor.state_schema_version,
        logBytesPerSecond: resources.log_bytes_per_second,
        logBytesPerRun: resources.log_bytes_per_run,
        record,
        orderId: (key) => clientOrderId({ environment: "dev", ...IDENTITY, epoch: 1, idempotency_key: key }),
      },
      config.value,
    );
    const lane = new MeasuredLane(machine, writer, journal);
    const refused = machine.init();
    if (refused !== null) return err(refusedInit(refused));
    machine.dispatch();
    return ok(lane);
  }

  /** Intents that were gated so far. */
  get intents(): number {
    return this.#machine.counters.intents_total;
  }
  get cursor(): number {
    return this.#machine.cursor;
  }
  get health(): string {
    return this.#machine.health.state;
  }
  get orders(): number {
    return this.#orders;
  }

  /** One row through strategy and gate; what is pending waits, and is not on the record yet. */
  row(): void {
    this.#machine.runUntold(this.#machine.cursor + 1);
    this.#machine.takeCheckpointWish();
  }

  /** Whether something waits to be sent. */
  get pending(): boolean {
    return this.#machine.pending > 0;
  }

  /** To the venue. */
  send(): void {
    this.#orders += this.#machine.dispatch();
  }

  /** What was put out is durable afterwards. */
  async durable(): Promise<void> {
    this.#machine.tell();
    await this.#writer?.sync();
  }

  close(): void {
    this.#writer?.finish();
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }
}

function openJournal(directory: string): JournalWriter {
  return JournalWriter.create({
    directory,
    runId: RUN_ID,
    segmentBytes: 1 << 26,
    segmentAgeMs: 3_600_000,
    monotonic: () => performance.now(),
  });
}
