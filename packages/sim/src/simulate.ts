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
import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seededRandom } from "@rumi/kernel";
import { encodeVerifier, signerFromPem } from "@rumi/ledger";
import { ROOT } from "@rumi/operations";
import type { Store } from "@rumi/store";
import type { EmergencyFile } from "@rumi/control";
import * as bugs from "./bugs.ts";
import type { Bug } from "./bugs.ts";
import { BulkChecks } from "./checks/bulks.ts";
import { OrderChecks } from "./checks/orders.ts";
import { RestraintChecks } from "./checks/restraints.ts";
import { SpoolChecks } from "./checks/spool.ts";
import { StateChecks } from "./checks/state.ts";
import { type Proof, Told } from "./checks/told.ts";
import { Violation, type ViolationKind } from "./checks/violation.ts";
import { clockStepUs, FAULT_KINDS, type FaultKind, lastsMs, type Temper, temperOf } from "./faults.ts";
import { demandsRest, isResting, ROUGH_PART } from "./rest.ts";
import { openStore, type SignerOf, type SimControl, startControl } from "./parts/control.ts";
import type { Client } from "./parts/client.ts";
import { Guardian, SecondPerson } from "./parts/guardian.ts";
import { Operator } from "./parts/operator.ts";
import { type SimRunner, startRunner } from "./parts/runner.ts";
import { SimExecution, type VenueFaults } from "./venue/adapters.ts";
import { Exchange } from "./venue/exchange.ts";
import { plantLate, plantOf } from "./plant.ts";
import { between, happens, oneOf } from "./world/chance.ts";
import { closeLeft } from "./world/close-left.ts";
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
/** Made in the middle of a run, after lists were frozen. */
const LATE_BOT = "bot-d";
const LATE_BOT_TICK = 25;
/** Bots get a chance to trade before they are restrained. */
const TIGHTEN_TICK = 14;
const RUNNERS = 2;
const PLANT_TICK = 20;
/** With the disk full, the place that was set apart for tightenings mostly still takes them. */
const SPOOL_GONE = 0.3;
/** What people do where nothing is logged any more. */
const ALARMS = ["kill", "safety"] as const;
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
  readonly #restraints: RestraintChecks;
  readonly #bulks: BulkChecks;
  readonly #spool: SpoolChecks;
  readonly #operator: Operator;
  readonly #guardian: Guardian;
  readonly #second: SecondPerson;
  readonly #runners: (SimRunner | undefined)[] = Array.from({ length: RUNNERS });
  readonly #parted = new Set<SimProcess>();
  readonly #severed = new Set<SimProcess>();
  readonly #cutOff = new Set<SimProcess>();
  readonly #counts: Record<string, number> = {};
  readonly #plant: ReturnType<typeof bugs.dropAudit> | undefined;
  /** What the emergency spool's file holds. */
  #spooled: string | null = null;
  #isSpoolGone = false;
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
    const now = (): number => this.#world.now_us;
    this.#told = new Told(fail, (proof) => this.#judgeProof(proof));
    this.#restraints = new RestraintChecks(now, this.#temper.environment === "prod", fail);
    this.#bulks = new BulkChecks(this.#told, fail);
    this.#spool = new SpoolChecks(() => this.#control?.process.name ?? "", fail);
    this.#orders = new OrderChecks(this.#told, this.#restraints, now, fail);
    this.#state = new StateChecks(this.#told, fail);
    const client = (name: string): ConstructorParameters<typeof Client>[0] => ({
      process: new SimProcess(this.#world, name, { name: "desk", off_us: 0 }),
      control: () => this.#control,
      loss: () => (this.#isCalm ? 0 : this.#temper.operator_loss),
      spool: this.#spool,
      fail,
    });
    this.#operator = new Operator(client("operator"));
    this.#second = new SecondPerson(client("second"));
    this.#guardian = new Guardian(client("guardian"), this.#bulks, this.#second);
    this.#plant = plantOf(options.bug, BOTS);
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
    this.#guardian.join(this.#operator, "guardian", ["operator"]);
    this.#second.join(this.#operator, "second", ["admin", "break_glass"]);
    let tick = 0;
    let violation: SimulationReport["violation"] = null;
    try {
      for (tick = 1; tick <= ticks && this.#violation === undefined; tick += 1) {
        await this.#world.runUntil(tick * TICK_US, () => this.#throwIfFailed());
        await this.#tick(tick, signer);
        const real = this.#control?.real;
        if (real !== undefined) {
          await this.#state.rows(real, this.#world.now_us);
          await this.#promisesHold();
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
      commands: this.#people().reduce((sum, { sent }) => sum + sent, 0),
      spooled: this.#spool.promises,
      bulks: this.#bulks.began,
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
      attestation_pem: generateKeyPairSync("ec", { namedCurve: "P-256" })
        .privateKey.export({ type: "pkcs8", format: "pem" })
        .toString(),
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
      clock: bug === "believe_clock" ? bugs.believeClock(process.clock) : process.clock,
      file: join(this.#folder, "store.db"),
      signer,
      runDir: (bot_id, run_id) => join(this.#folder, "runs", bot_id, run_id),
      store: {
        isFull: () => this.#isDiskFull,
        onCommitted: ({ events }) => {
          this.#bulks.hear(events);
          this.#restraints.hear(events);
          this.#told.hear(events);
          this.#spool.hear(events);
        },
        ...(this.#plant === undefined ? {} : { alter: this.#plant }),
      },
      environment: bug === "approve_oneself" ? "dev" : this.#temper.environment,
      emergency_file: bug === "lose_spool" ? bugs.loseSpool(this.#spoolFile()) : this.#spoolFile(),
      bug: {
        ...(bug === "forget_holds" ? { guards: bugs.forgetHolds } : {}),
        ...(bug === "unlock_glass" ? { guards: bugs.unlockGlass } : {}),
        ...(bug === "spool_anew" ? { emergency: bugs.spoolAnew(process.random.stream("planted")) } : {}),
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
      heard: (runner, message) => {
        if (message.type !== "killswitch") return true;
        if (bug === "deaf_to_kill") return false;
        this.#orders.killHeard(runner.name, message);
        return bug !== "shrug_at_kill";
      },
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
        ...(bug === "skip_fence" ? { thread: bugs.skipFence } : {}),
        ...(bug === "ignore_stop" ? { thread: (make) => bugs.ignoreStop(bugs.skipFence(make)) } : {}),
        execution: (...way) => {
          if (bug === "send_twice") return new bugs.HastyExecution(...way);
          return bug === "pretend_cancel" ? new bugs.PretendingExecution(...way) : new SimExecution(...way);
        },
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
    if (real !== undefined && tick > 5 && tick < this.#o.ticks * (ROUGH_PART + 0.1)) await this.#wishes(tick, real);
    else if (real !== undefined && !isResting(tick, this.#o.ticks) && happens(this.#random, this.#temper.loosens))
      await this.#operator.loosen(real);
    this.#second.look();
    await this.#plantLate(tick);
  }

  async #wishes(tick: number, real: Store): Promise<void> {
    const { wishes, loosens } = this.#temper;
    const tightens = tick < TIGHTEN_TICK ? 0 : this.#temper.tightens;
    if (tick === LATE_BOT_TICK) this.#operator.create(LATE_BOT);
    if (happens(this.#random, wishes)) await this.#operator.wish(real);
    if (happens(this.#random, tightens))
      await this.#guardian.act(oneOf(this.#random, this.#temper.acts), real, this.#operator);
    if (tightens > 0 && this.#isDiskFull) await this.#guardian.act(oneOf(this.#random, ALARMS), real, this.#operator);
    if (happens(this.#random, loosens)) await this.#operator.loosen(real);
    // Mostly it is reported well before the last report ends.
    if (tightens > 0 && happens(this.#random, loosens)) this.#guardian.report("PASS");
  }

  #people(): readonly Client[] {
    return [this.#operator, this.#guardian, this.#second];
  }

  /** On the disk that every life of the control plane has. */
  #spoolFile(): EmergencyFile {
    return {
      read: () => this.#spooled,
      write: (text) => {
        if (this.#isSpoolGone) throw new Error("no space left on device");
        this.#spooled = text;
      },
    };
  }

  /** What was promised without the log is in force until the rows say it. */
  async #promisesHold(): Promise<void> {
    const [first] = this.#spool.open();
    const control = this.#control;
    if (first === undefined || control?.isReady() !== true) return;
    const [rules, safety] = await Promise.all([
      control.query("killswitch.show", {}, ROOT),
      control.query("safety.show", {}, ROOT),
    ]);
    if (rules.kind === "done" && safety.kind === "done")
      this.#spool.inForce(rules.data as Record<string, unknown>, safety.data as Record<string, unknown>);
  }

  /**
   * The exchange knows better than anybody what is open. A run's proof is of its own orders, the bot's word of those of
   * all its runs; a newer epoch's are no part of either.
   */
  #judgeProof({ bot_id, epoch, run_id }: Proof): void {
    for (const { client_order_id: id } of this.#exchange.open(bot_id)) {
      const sender = this.#orders.sender(id);
      if (sender.epoch <= epoch && (run_id ?? sender.run_id) === sender.run_id)
        this.#violation ??= new Violation(
          "false_proof",
          `the stop of ${run_id === null ? "all runs of " : ""}${bot_id}'s epoch ${epoch} is proven, and its order ${id} is open`,
        );
    }
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
        this.#isSpoolGone = happens(this.#random, SPOOL_GONE);
        return void world.schedule(lasts_us, FOREVER, () => this.#mendDisk());
      case "clock_jump":
        this.#machine.off_us += clockStepUs(this.#random);
    }
  }

  #mendDisk(): void {
    this.#isDiskFull = false;
    this.#isSpoolGone = false;
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
    this.#mendDisk();
    this.#parted.clear();
    this.#severed.clear();
    this.#cutOff.clear();
    this.#control?.process.goOn();
    for (const runner of this.#runners) runner?.process.goOn();
    this.#world.note("fault", "none from here on");
  }

  async #plantLate(tick: number): Promise<void> {
    const control = this.#control;
    if (this.#isPlanted || tick < PLANT_TICK || control?.isReady() !== true) return;
    this.#isPlanted = true;
    await plantLate(this.#o.bug, control, oneOf(this.#random, BOTS));
  }

  /** Nothing waits any more. */
  async #atRest(): Promise<void> {
    if (!demandsRest(this.#o.ticks)) return;
    const [open] = this.#people().flatMap(({ waiting }) => waiting);
    if (open !== undefined) throw new Violation("not_settled", `no answer to ${open}`);
    const rows = await this.#control?.real.rows<{ bot_id: string; state: string }>({
      sql: "SELECT bot_id, state FROM bot WHERE state = 'STOPPING'",
      parameters: [],
    });
    for (const { bot_id } of rows ?? []) throw new Violation("not_settled", `${bot_id} is still STOPPING`);
    this.#spool.settled(this.#spooled);
  }
}
