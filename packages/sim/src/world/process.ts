/**
 * A process and the machine it runs on, as faults see them: it may be killed, stand still, and its machine's wall clock may jump.
 *
 * Killing takes everything that is only in memory: its timers never ring, and what it awaits never comes ({@link gone}).
 */
import { micros, millis, type Clock, type Random, type Timers } from "@rumi/kernel";
import type { World } from "./world.ts";

/** 2026-01-15T08:00:00Z. */
const EPOCH_US = 1_768_464_000_000_000;

export type Machine = { readonly name: string; /** How far its wall clock is off. */ off_us: number };

export class SimProcess {
  readonly name: string;
  readonly machine: Machine;
  readonly world: World;
  readonly random: Random;
  readonly timers: Timers;
  readonly clock: Clock;
  alive = true;
  readonly #held: (() => void)[] = [];
  #still = false;

  constructor(world: World, name: string, machine: Machine) {
    this.world = world;
    this.name = name;
    this.machine = machine;
    this.random = world.random.stream(name);
    this.timers = {
      // Whole milliseconds and at least one, as Node's.
      after: (duration_ms, act) => world.schedule(Math.max(1, Math.trunc(duration_ms)) * 1_000, this, act),
      every: (period_ms, act) => {
        let cancel = (): void => undefined;
        const again = (): void => {
          cancel = world.schedule(period_ms * 1_000, this, () => {
            again();
            act();
          });
        };
        again();
        return () => cancel();
      },
      soon: (act) => void world.schedule(0, this, act),
    };
    this.clock = {
      now: () => micros(this.wall_us()),
      monotonic: () => millis(world.now_us / 1_000),
      sleep: (duration, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted === true) return resolve();
          const cancel = this.timers.after(duration, resolve);
          signal?.addEventListener("abort", () => {
            cancel();
            resolve();
          });
        }),
    };
  }

  wall_us(): number {
    return EPOCH_US + Math.floor(this.world.now_us) + this.machine.off_us;
  }

  get isStill(): boolean {
    return this.#still;
  }

  /** As after SIGSTOP: time passes, nothing of it happens. */
  standStill(): void {
    this.#still = true;
  }

  goOn(): void {
    this.#still = false;
    for (const act of this.#held.splice(0)) act();
  }

  /** As after SIGKILL. */
  kill(): void {
    this.alive = false;
    this.#held.length = 0;
  }

  hold(act: () => void): boolean {
    if (this.#still) this.#held.push(act);
    return this.#still;
  }

  /** What a process gets that does not live any more: nothing, for ever. */
  async unlessGone<T>(work: Promise<T>): Promise<T> {
    if (!this.alive) return gone();
    const value = await work;
    return this.alive ? value : gone();
  }
}

export function gone<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
