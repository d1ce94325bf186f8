/**
 * The health of one instance as others hear it: its own, or what restrains it where that is worse.
 *
 * How to think: health.ts decides, here it is kept. A change goes on the record where it happens, and only what differs
 * from what was told before; the newest fault is kept until its health is forgiven.
 */
import type { Restriction } from "../gate/gate.ts";
import {
  afterCalm,
  afterFault,
  afterViolation,
  type FaultNote,
  type Health,
  HEALTHY,
  RESTRICTION_OF,
  sameHealth,
  worse,
} from "./health.ts";
import type { MachineState } from "./state.ts";

export type HealthScene = {
  /** What the restraints say. */
  readonly overlay: () => Pick<Health, "state" | "reason_code">;
  readonly cursor: () => number;
  readonly record: (told: Health) => void;
};

export class HealthBook {
  readonly #scene: HealthScene;
  #own: Health = HEALTHY;
  #told: Health = HEALTHY;
  #lastFault: FaultNote | null = null;

  constructor(scene: HealthScene) {
    this.#scene = scene;
  }

  get told(): Health {
    return this.#told;
  }
  get lastFault(): FaultNote | null {
    return this.#lastFault;
  }
  get isHalted(): boolean {
    return this.#told.state === "halted";
  }
  /** Faults since the last forgiveness. */
  get faults(): number {
    return this.#own.faults;
  }
  /** What its own health lets out. */
  get restriction(): Restriction {
    return RESTRICTION_OF[this.#own.state];
  }

  /** The restraints changed. */
  look(): void {
    this.#change(this.#own);
  }
  calm(row: number): void {
    this.#change(afterCalm(this.#own, row));
  }
  violation(reason: string): void {
    this.#change(afterViolation(this.#own, reason, this.#scene.cursor()));
  }
  fault(note: FaultNote): void {
    this.#lastFault = note;
    this.#change(afterFault(this.#own, note.reason_code, this.#scene.cursor()));
  }
  halt(reason_code: string): void {
    this.#change({ ...this.#own, state: "halted", reason_code });
  }

  #change(health: Health): void {
    const told = worse(health, this.#scene.overlay());
    const differs = !sameHealth(told, this.#told);
    this.#own = health;
    this.#told = told;
    if (health.faults === 0 && health.state !== "halted") this.#lastFault = null;
    if (differs) this.#scene.record(told);
  }

  save(): Pick<MachineState, "health" | "last_fault"> {
    return { health: this.#own, last_fault: this.#lastFault };
  }

  /** What it told before is on the record already. */
  restore({ health, last_fault }: Pick<MachineState, "health" | "last_fault">): void {
    this.#own = health;
    this.#lastFault = last_fault;
    this.#told = worse(health, this.#scene.overlay());
  }
}
