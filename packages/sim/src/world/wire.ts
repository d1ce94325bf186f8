/**
 * The line between a runner and the control plane, message by message, in place of the socket.
 *
 * A line keeps order and loses nothing while it stands, as a stream does; what is on its way when it breaks is lost. While
 * the two are parted it holds what it has. Where a run is `rough`, single messages are lost, doubled and overtake each other.
 */
import type { ControlMessage, RunnerMessage, ControlLine, LineEvents } from "@rumi/runtime";
import type { RunnerConnection } from "@rumi/control";
import { between, happens } from "./chance.ts";
import type { SimProcess } from "./process.ts";

export type WireFaults = {
  readonly isParted: (runner: SimProcess) => boolean;
  /** Both ends notice: what stands breaks. */
  readonly isSevered: (runner: SimProcess) => boolean;
  /** Probability that one message is lost, doubled, or overtaken. */
  readonly rough: () => number;
  /** Told of each message that reached a runner, before it acts; `false` for a seeded bug: it is not heard. */
  readonly heard: (runner: SimProcess, message: ControlMessage) => boolean;
};

/** Where runners dial: the control plane that listens now. */
export type Listener = { readonly process: SimProcess; readonly accept: (connection: RunnerConnection) => void };

const BACKOFF_MS = [100, 200, 400, 800, 1_600, 3_200, 5_000] as const;

export function dialing(
  runner: SimProcess,
  of: { readonly runner_id: string; readonly pid: number },
  listener: () => Listener | undefined,
  faults: WireFaults,
): (events: LineEvents) => ControlLine {
  return (events) => {
    let wire: Wire | undefined;
    let isClosed = false;
    let attempt = 0;
    const dialLater = (): void => {
      const wait_ms = BACKOFF_MS[Math.min(attempt, BACKOFF_MS.length - 1)] ?? 0;
      attempt += 1;
      runner.timers.after(wait_ms / 2 + (wait_ms / 2) * runner.random.unit(), dial);
    };
    const dial = (): void => {
      if (isClosed) return;
      const to = listener();
      if (
        to === undefined ||
        !to.process.alive ||
        to.process.isStill ||
        faults.isParted(runner) ||
        faults.isSevered(runner)
      )
        return dialLater();
      attempt = 0;
      wire = new Wire(runner, to.process, faults, events, () => {
        wire = undefined;
        events.onLost();
        if (!isClosed) dialLater();
      });
      to.accept(wire.controlSide({ ...of, started_at: runner.wall_us() }));
      events.onReady();
    };
    runner.timers.after(1, dial);
    return {
      get ready() {
        return wire !== undefined;
      },
      get backlog() {
        return 0;
      },
      send: (message) => wire?.toControl(message) ?? false,
      close: () => {
        isClosed = true;
        wire?.cut();
        return Promise.resolve();
      },
    };
  };
}

type Carried = { readonly at_us: number; readonly type: string; readonly act: () => void };
const PARTED_LOOK_US = 100_000;
/** They come by the hundred and say little. */
const QUIET: ReadonlySet<string> = new Set(["journal", "journal_ack", "renew", "renewed"]);

class Wire {
  readonly #runner: SimProcess;
  readonly #control: SimProcess;
  readonly #faults: WireFaults;
  readonly #events: LineEvents;
  readonly #onRunnerLost: () => void;
  #isCut = false;
  readonly #toRunnerQueue: Carried[] = [];
  readonly #toControlQueue: Carried[] = [];
  #hear: ((message: RunnerMessage) => void) | undefined;
  #onClose: (() => void)[] = [];

  constructor(
    runner: SimProcess,
    control: SimProcess,
    faults: WireFaults,
    events: LineEvents,
    onRunnerLost: () => void,
  ) {
    this.#runner = runner;
    this.#control = control;
    this.#faults = faults;
    this.#events = events;
    this.#onRunnerLost = onRunnerLost;
    this.#watch();
  }

  controlSide(hello: RunnerConnection["hello"]): RunnerConnection {
    return {
      hello,
      send: (message) => this.#toRunner(message),
      onMessage: (listener) => void (this.#hear = listener),
      onClose: (listener) => void (this.#isCut ? listener() : this.#onClose.push(listener)),
      close: () => this.cut(),
    };
  }

  /** Both sides learn of it on their own time. */
  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#runner.world.note("wire", `${this.#runner.name} – ${this.#control.name} cut`);
    this.#runner.timers.after(1, () => this.#onRunnerLost());
    this.#control.timers.after(1, () => {
      for (const listener of this.#onClose.splice(0)) listener();
    });
  }

  toControl(message: RunnerMessage): boolean {
    if (this.#isCut) return false;
    const copy = structuredClone(message);
    this.#carry(this.#control, message.type, () => this.#hear?.(copy), this.#toControlQueue);
    return true;
  }

  #toRunner(message: ControlMessage): boolean {
    if (this.#isCut) return false;
    const copy = structuredClone(message);
    const act = (): void => {
      if (this.#faults.heard(this.#runner, copy)) this.#events.onMessage(copy);
    };
    this.#carry(this.#runner, message.type, act, this.#toRunnerQueue);
    return true;
  }

  #carry(to: SimProcess, type: string, act: () => void, queue: Carried[]): void {
    const { random } = this.#runner;
    const rough = this.#faults.rough();
    if (rough > 0 && happens(random, rough)) return to.world.note("wire", `lost ${type} to ${to.name}`);
    const copies = rough > 0 && happens(random, rough) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const early_us = to.world.now_us + between(random, 50, 3_000);
      const overtakes = rough > 0 && happens(random, rough);
      const at_us = overtakes ? early_us : Math.max(early_us, queue.at(-1)?.at_us ?? 0);
      const place = overtakes ? queue.findIndex((one) => one.at_us > at_us) : -1;
      queue.splice(place === -1 ? queue.length : place, 0, { at_us, type, act });
      to.world.schedule(at_us - to.world.now_us, to, () => this.#deliver(to, queue));
    }
  }

  /** One message that is due; a stream between parted ends holds what it has, and keeps its order. */
  #deliver(to: SimProcess, queue: Carried[]): void {
    const [head] = queue;
    if (this.#isCut || head === undefined || head.at_us > to.world.now_us) return;
    if (this.#faults.isParted(this.#runner))
      return void to.world.schedule(PARTED_LOOK_US, to, () => this.#deliver(to, queue));
    queue.shift();
    if (!QUIET.has(head.type)) to.world.note(to.name, `hears ${head.type}`);
    head.act();
  }

  /** A stream to a process that is dead breaks. */
  #watch(): void {
    const end = { alive: true };
    const look = (): void => {
      if (this.#isCut) return;
      if (!this.#runner.alive || !this.#control.alive || this.#faults.isSevered(this.#runner)) return this.cut();
      this.#runner.world.schedule(20_000, end, look);
    };
    look();
  }
}
