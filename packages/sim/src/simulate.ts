/**
 * One run: a control plane, two runners, an exchange and an operator in one process, under a seed, faults and checkers.
 *
 * How to think: {@link simulate} is a function of its options; whatever it finds, the same options find again. Faults come in
 * the first part of a run, then everything is whole again and has to come to rest.
 *
 * Invariants (simulate.test.ts)
 * - The same seed gives the same digest, byte for byte.
 * - A bug of each kind that is planted is found, as its own kind.
 */
import { generateKeyPairSync } from "node:crypto";
import { closeSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "@rumi/kernel";
import { encodeVerifier, signerFromPem } from "@rumi/ledger";
import type { Store } from "@rumi/store";
import { believeClock, type Bug, dropAudit, forgetOutcome, HastyExecution, ignoreStop, skipFence } from "./bugs.ts";
import { OrderChecks } from "./checks/orders.ts";
import { StateChecks } from "./checks/state.ts";
import { Told } from "./checks/told.ts";
import { Violation, type ViolationKind } from "./checks/violation.ts";
import { clockStepUs, FAULT_KINDS, type FaultKind, lastsMs, type Temper, temperOf } from "./faults.ts";
import { openStore, type SignerOf, type SimControl, startControl } from "./parts/control.ts";
import { Operator } from "./parts/operator.ts";
import { type SimRunner, startRunner } from "./parts/runner.ts";
import { SimExecution, type VenueFaults } from "./venue/adapters.ts";
import { Exchange } from "./venue/exchange.ts";
import { between, happens, oneOf } from "./world/chance.ts";
import { type Machine, SimProcess } from "./world/process.ts";
import type { WireFaults } from "./world/wire.ts";
import { FOREVER, World } from "./world/world.ts";

export type SimulationOptions = {
  readonly seed: string;
  /** Seconds of virtual time. */
  readonly ticks: number;
  /** In place of what the seed would draw. */
  readonly temper?: Partial<Temper>;
  /** Planted on purpose, for tests of the checkers. */
  readonly bug?: Bug;
  /** Told every line of the trace. */
  readonly say?: (line: string) => void;
};
export type SimulationReport = {
  readonly seed: string;
  readonly ticks: number;
  /** Two runs of one seed have the same. */
  readonly digest: string;
  readonly violation: { readonly kind: ViolationKind; readonly what: string; readonly at_tick: number } | null;
  readonly counts: Readonly<Record<string, number>>;
  /** What happened last. */
  readonly lines: readonly string[];
};

const TICK_US = 1_000_000;
const BOTS = ["bot-a", "bot-b", "bot-c"] as const;
const RUNNERS = 2;
/** The part of a run that has faults. */
const ROUGH_PART = 0.6;
/** Wishes a second. */
const WISHES = 0.5;
const LOG_EVERY_TICKS = 30;

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const run = new Simulation(options);
  try {
    return await run.run();
  } finally {
    await run.remove();
  }
}

const SHARED: { template?: string; signer?: SignerOf } = {};

class Simulation {
  readonly #o: SimulationOptions;
  readonly #world: World;
  readonly #folder: string;
  readonly #machine: Machine = { name: "host", off_us: 0 };
  readonly #temper: Temper;
  readonly #random;
  readonly #exchange: Exchange;
  readonly #told: Told;
  readonly #orders: OrderChecks;
  readonly #state: StateChecks;
  readonly #operator: Operator;
  readonly #runners: (SimRunner | undefined)[] = Array.from({ length: RUNNERS });
  readonly #parted = new Set<SimProcess>();
  readonly #severed = new Set<SimProcess>();
  readonly #cutOff = new Set<SimProcess>();
  readonly #counts: Record<string, number> = {};
  readonly #plant: ReturnType<typeof dropAudit> | undefined;
  #control: SimControl | undefined;
  readonly #stores: Store[] = [];
  #lives = 0;
  #isDiskFull = false;
  #isCalm = false;
  #isPlanted = false;
  #violation: Violation | undefined;

  constructor(options: SimulationOptions) {
    this.#o = options;
    this.#world = new World(options.seed, options.say);
    this.#random = this.#world.random.stream("faults");
    this.#temper = { ...temperOf(this.#random), ...options.temper };
    this.#folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "rumi-sim-"));
    this.#exchange = new Exchange(this.#world);
    const fail = (violation: Violation): void => void (this.#violation ??= violation);
    this.#told = new Told(fail);
    this.#orders = new OrderChecks(this.#told, fail);
    this.#state = new StateChecks(this.#told, fail);
    this.#operator = new Operator({
      process: new SimProcess(this.#world, "operator", { name: "desk", off_us: 0 }),
      control: () => this.#control,
      loss: () => (this.#isCalm ? 0 : this.#temper.operator_loss),
      fail,
    });
    this.#plant =
      options.bug === "drop_audit" ? dropAudit() : options.bug === "forget_outcome" ? forgetOutcome : undefined;
  }

  async run(): Promise<SimulationReport> {
    const { seed, ticks } = this.#o;
    const signer = await this.#prepare();
    const verifier = signerFromPem(signer.origin, signer.private_key_pem);
    if (!verifier.ok) throw new Error("the simulator's own key is none");
    const vkey = encodeVerifier(verifier.value);
    await this.#startControl(signer);
    for (let slot = 0; slot < RUNNERS; slot += 1) this.#startRunner(slot);
    this.#operator.begin(BOTS);
    let tick = 0;
    let violation: SimulationReport["violation"] = null;
    try {
      for (tick = 1; tick <= ticks && this.#violation === undefined; tick += 1) {
        await this.#world.runUntil(tick * TICK_US, () => this.#throwIfFailed());
        await this.#tick(tick, signer);
        const real = this.#control?.real;
        if (real !== undefined) {
          await this.#state.rows(real, this.#world.now_us);
          if (tick % LOG_EVERY_TICKS === 0 || tick === ticks) await this.#state.log(real, vkey);
        }
        this.#throwIfFailed();
      }
      await this.#atRest();
      this.#throwIfFailed();
    } catch (error) {
      violation =
        error instanceof Violation
          ? { kind: error.kind, what: error.message, at_tick: tick }
          : {
              kind: "defect",
              what: error instanceof Error ? (error.stack ?? error.message) : String(error),
              at_tick: tick,
            };
      this.#world.note("VIOLATION", violation.what.split("\n")[0] ?? "");
    }
    const counts = {
      ...this.#counts,
      orders: this.#orders.sent,
      events: this.#told.events,
      commands: this.#operator.sent,
    };
    return { seed, ticks, digest: this.#world.digest(), violation, counts, lines: this.#world.lines(60) };
  }

  async remove(): Promise<void> {
    for (const store of this.#stores) await store.close(); // once more does nothing
    closeLeft(join(this.#folder, "runs")); // the database's own belong to its driver
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #throwIfFailed(): void {
    if (this.#violation !== undefined) throw this.#violation;
  }

  /** A store with all its tables is made once in a process and copied. */
  async #prepare(): Promise<SignerOf> {
    SHARED.signer ??= {
      origin: "rumi.sim/log",
      private_key_pem: generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    };
    const file = join(this.#folder, "store.db");
    if (SHARED.template === undefined) {
      const template = mkdtempSync(join(tmpdir(), "rumi-sim-template-"));
      process.once("exit", () => rmSync(template, { recursive: true, force: true }));
      const store = await openStore(join(template, "store.db"), SHARED.signer, seededRandom("template"));
      await store.close();
      SHARED.template = join(template, "store.db");
    }
    copyFileSync(SHARED.template, file);
    return SHARED.signer;
  }

  async #startControl(signer: SignerOf): Promise<void> {
    this.#lives += 1;
    const process = new SimProcess(this.#world, `control-${this.#lives}`, this.#machine);
    const { bug } = this.#o;
    this.#control = await startControl({
      process,
      clock: bug === "believe_clock" ? believeClock(process.clock) : process.clock,
      file: join(this.#folder, "store.db"),
      signer,
      runDir: (bot_id, run_id) => join(this.#folder, "runs", bot_id, run_id),
      store: {
        isFull: () => this.#isDiskFull,
        onCommitted: ({ events }) => {
          this.#told.hear(events);
        },
        ...(this.#plant === undefined ? {} : { alter: this.#plant }),
      },
    });
    this.#stores.push(this.#control.real);
    this.#world.note(process.name, `starts${bug === undefined ? "" : ` with ${bug}`}`);
  }

  #startRunner(slot: number): void {
    this.#lives += 1;
    const runner_id = `runner-${slot}-${this.#lives}`;
    const { bug } = this.#o;
    const wire: WireFaults = {
      isParted: (runner) => this.#parted.has(runner),
      isSevered: (runner) => this.#severed.has(runner),
      rough: () => (this.#isCalm ? 0 : this.#temper.rough),
    };
    const venue: VenueFaults = {
      isCutOff: (runner) => this.#cutOff.has(runner),
      loss: () => (this.#isCalm ? 0 : this.#temper.venue_loss),
    };
    this.#runners[slot] = startRunner({
      process: new SimProcess(this.#world, runner_id, this.#machine),
      runner_id,
      pid: 1_000 + this.#lives,
      listener: () => {
        const control = this.#control;
        return control?.isReady() === true
          ? { process: control.process, accept: (connection) => control.control.hub.attach(connection) }
          : undefined;
      },
      wire,
      venue,
      exchange: this.#exchange,
      venueEvents: this.#orders,
      isDiskFull: () => this.#isDiskFull,
      bug: {
        ...(bug === "skip_fence" ? { thread: skipFence } : {}),
        ...(bug === "ignore_stop" ? { thread: (make) => ignoreStop(skipFence(make)) } : {}),
        ...(bug === "send_twice"
          ? { execution: (sender, exchange, events, faults) => new HastyExecution(sender, exchange, events, faults) }
          : { execution: (sender, exchange, events, faults) => new SimExecution(sender, exchange, events, faults) }),
      },
    });
    this.#world.note(runner_id, "starts");
  }

  async #tick(tick: number, signer: SignerOf): Promise<void> {
    const isCalm = tick > this.#o.ticks * ROUGH_PART;
    if (isCalm && !this.#isCalm) this.#heal();
    if (!isCalm && tick > 5)
      for (const kind of FAULT_KINDS) if (happens(this.#random, this.#temper.rates[kind])) this.#strike(kind, signer);
    const real = this.#control?.real;
    if (real !== undefined && tick > 5 && tick < this.#o.ticks * (ROUGH_PART + 0.1) && happens(this.#random, WISHES))
      await this.#operator.wish(real);
    if (real !== undefined) await this.#plantLate(tick, real);
  }

  #strike(kind: FaultKind, signer: SignerOf): void {
    const world = this.#world;
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    const lasts_us = lastsMs(kind, this.#random) * 1_000;
    const slot = this.#random.below(RUNNERS);
    const runner = this.#runners[slot];
    world.note("fault", `${kind} ${Math.round(lasts_us / 1_000)} ms ${runner?.process.name ?? ""}`);
    switch (kind) {
      case "crash_control":
        return this.#crashControl(lasts_us, signer);
      case "crash_runner":
        return this.#crashRunner(slot, lasts_us);
      case "pause_control":
        return this.#pause(this.#control?.process, lasts_us);
      case "pause_runner":
        return this.#pause(runner?.process, lasts_us);
      case "part":
        // Either the ends notice, or what they say to each other only takes that long.
        return this.#include(happens(this.#random, 0.6) ? this.#severed : this.#parted, runner?.process, lasts_us);
      case "venue_cut":
        return this.#include(this.#cutOff, runner?.process, lasts_us);
      case "cut":
        return this.#include(this.#severed, runner?.process, 50_000);
      case "disk_full":
        this.#isDiskFull = true;
        return void world.schedule(lasts_us, FOREVER, () => void (this.#isDiskFull = false));
      case "clock_jump":
        this.#machine.off_us += clockStepUs(this.#random);
    }
  }

  /** What was in memory is gone; what was asked of the disk and not yet done is not done. */
  #crashControl(after_us: number, signer: SignerOf): void {
    const died = this.#control;
    if (died === undefined) return;
    died.process.kill();
    this.#control = undefined;
    this.#world.schedule(after_us, FOREVER, async () => {
      await died.real.close();
      await this.#startControl(signer);
    });
  }

  /** Its successor has another id. Whether somebody proves its end to the control plane is another matter. */
  #crashRunner(slot: number, after_us: number): void {
    const died = this.#runners[slot];
    if (died === undefined) return;
    died.process.kill();
    this.#runners[slot] = undefined;
    if (happens(this.#random, 0.6))
      this.#world.schedule(between(this.#random, 1_000, 80_000), FOREVER, () => {
        const control = this.#control;
        if (control?.isReady() === true)
          control.control.hub.runnerGone(died.runner_id).catch((error: unknown) => {
            this.#world.note(control.process.name, `ERROR runnerGone: ${String(error)}`);
          });
      });
    this.#world.schedule(after_us, FOREVER, () => this.#startRunner(slot));
  }

  #pause(process: SimProcess | undefined, for_us: number): void {
    if (process === undefined || process.isStill) return;
    process.standStill();
    this.#world.schedule(for_us, FOREVER, () => process.goOn());
  }

  #include(set: Set<SimProcess>, process: SimProcess | undefined, for_us: number): void {
    if (process === undefined) return;
    set.add(process);
    this.#world.schedule(for_us, FOREVER, () => set.delete(process));
  }

  /** No fault from here on; whoever is down comes back. */
  #heal(): void {
    this.#isCalm = true;
    this.#isDiskFull = false;
    this.#parted.clear();
    this.#severed.clear();
    this.#cutOff.clear();
    this.#control?.process.goOn();
    for (const runner of this.#runners) runner?.process.goOn();
    this.#world.note("fault", "none from here on");
  }

  /** Nothing waits any more. */
  async #atRest(): Promise<void> {
    if (this.#o.ticks * (1 - ROUGH_PART - 0.1) < 40) return; // too short a calm to demand anything
    const [open] = this.#operator.waiting;
    if (open !== undefined) throw new Violation("not_settled", `no answer to ${open}`);
    const rows = await this.#control?.real.rows<{ bot_id: string; state: string }>({
      sql: "SELECT bot_id, state FROM bot WHERE state = 'STOPPING'",
      parameters: [],
    });
    for (const { bot_id } of rows ?? []) throw new Violation("not_settled", `${bot_id} is still STOPPING`);
  }

  async #plantLate(tick: number, real: Store): Promise<void> {
    const { bug } = this.#o;
    if (tick < 20 || this.#isPlanted || this.#control?.isReady() !== true) return;
    this.#isPlanted = true;
    if (bug === "edit_log")
      await real.commit({
        writes: [{ sql: "UPDATE log_payload SET payload = payload || ' ' WHERE idx = 1", parameters: [], expect: 1 }],
        events: [],
      });
    if (bug === "live_by_itself") {
      const bot_id = oneOf(this.#random, BOTS);
      const [bot] = await real.rows<{ state: string; generation: number }>({
        sql: "SELECT state, generation FROM bot WHERE bot_id = ?",
        parameters: [bot_id],
      });
      const rogue = this.#control.control.hub.recorder.commit(
        "system:instances",
        [{ sql: "UPDATE bot SET state = 'RUNNING_LIVE' WHERE bot_id = ?", parameters: [bot_id], expect: 1 }],
        [
          {
            action: "bot.state.transition",
            resource_type: "bot",
            resource_id: bot_id,
            outcome: "SUCCESS",
            details: {
              from: bot?.state ?? null,
              to: "RUNNING_LIVE",
              generation: bot?.generation ?? 1,
              command_id: null,
              reason_code: "RESUMED",
            },
          },
        ],
      );
      rogue.catch((error: unknown) => this.#world.note("planted", String(error)));
    }
  }
}

/** A killed runner in this process closes no file; what it left open under the folder is closed for it. */
function closeLeft(folder: string): void {
  if (!existsSync("/proc/self/fd")) return;
  for (const name of readdirSync("/proc/self/fd"))
    try {
      if (readlinkSync(`/proc/self/fd/${name}`).startsWith(folder)) closeSync(Number(name));
    } catch {
      // It was the descriptor of this very listing.
    }
}
