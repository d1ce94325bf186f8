/**
 * What is said to an instance from above it: the safety mode and the kill switch. Nothing inside it can answer back.
 *
 * How to think: both are recorded inputs, so a replay obeys them at the same rows. The gate asks `word` for every wish.
 * The kill switch also acts: from CLOSE_ONLY on, what is open is cancelled once, since a resting order could still make
 * the position larger; FLATTEN has the runtime close what is held; BLOCK leaves it as it is. A safety mode other than
 * NORMAL is BLOCK without exception: FLATTEN waits, and goes on with the first report after it.
 *
 * Invariants (authority.test.ts)
 * - In FLATTEN and BLOCK no wish of the strategy becomes an order.
 * - In BLOCK, SAFE and EMERGENCY_STOP the runtime sends none of its own either.
 */
import type { SafetyWord } from "../gate/context.ts";
import { type KillWord, UNTOLD } from "../kill-switch/kill-word.ts";
import type { OrderDesk } from "./desk.ts";
import type { AuthorityInput } from "./input.ts";
import type { Restraints } from "./restraints.ts";
import type { MachineState } from "./state.ts";

export class Authority {
  word: SafetyWord = { safety: "NORMAL", kill_switch: "ALLOW" };
  #kill: KillWord = UNTOLD;
  readonly #desk: Pick<OrderDesk, "cancelAll">;
  readonly #restraints: Pick<Restraints, "flatten" | "wantsFlat">;

  constructor(desk: Pick<OrderDesk, "cancelAll">, restraints: Pick<Restraints, "flatten" | "wantsFlat">) {
    this.#desk = desk;
    this.#restraints = restraints;
  }

  /** Whether any order may leave at all, the runtime's own among them. */
  get mayPlace(): boolean {
    return this.word.safety === "NORMAL" && this.word.kill_switch !== "BLOCK";
  }

  /** The input that brings this word; none where it says what is in force already. */
  heed({ level, scope, generation }: KillWord): AuthorityInput | null {
    return level === this.#kill.level && scope === this.#kill.scope
      ? null
      : { input: "killswitch", level, scope, generation };
  }

  apply(input: AuthorityInput): void {
    if (input.input === "safety") {
      this.word = { ...this.word, safety: input.mode };
      if (input.mode === "EMERGENCY_STOP") this.#desk.cancelAll();
      return;
    }
    const { level, scope, generation } = input;
    const isOther = level !== this.#kill.level;
    this.#kill = { level, scope, generation };
    this.word = { ...this.word, kill_switch: level };
    if (!isOther) return;
    this.#restraints.wantsFlat = false;
    if (level !== "ALLOW") this.#desk.cancelAll();
    if (level === "FLATTEN") this.#restraints.flatten();
  }

  /** Which rule holds, as the strategy hears it. */
  get scope(): KillWord["scope"] {
    return this.#kill.scope;
  }

  save(): Pick<MachineState, "safety" | "kill_switch"> {
    const { safety, kill_switch } = this.word;
    return kill_switch === "ALLOW" ? { safety } : { safety, kill_switch: this.#kill };
  }

  /** What it did as it began is on the record already. */
  restore({ safety, kill_switch = UNTOLD }: Pick<MachineState, "safety" | "kill_switch">): void {
    this.#kill = kill_switch;
    this.word = { safety, kill_switch: kill_switch.level };
    this.#restraints.wantsFlat = kill_switch.level === "FLATTEN";
  }
}
