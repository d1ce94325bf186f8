/**
 * What the control plane last said of safety and the kill switch, and how every instance here comes to obey it.
 *
 * How to think: the kill switch is a word in shared memory, stored for all before anything else is done, so that nothing
 * passes from then on; each instance is then woken to put it on its own record, and only when all of them have answered is
 * the control plane told how many did. Who failed over it is not among them, nor whose lane was lost: the log names them.
 * The safety mode travels as a recorded input.
 *
 * Invariants
 * - An older generation changes nothing (kill-switch.test.ts).
 * - Only who has the word on its durable record is told as having followed (standing-orders.test.ts).
 * - Whoever begins, or goes on after its lane was lost, finds the word before its first breath (kill-switch.test.ts).
 */
import { packKillWord, type KillWord } from "../kill-switch/kill-word.ts";
import { type KillRule, strictestKill } from "../kill-switch/rules.ts";
import type { ControlMessage, InstanceSpec, RunnerMessage } from "../protocol.ts";
import type { Held } from "./held.ts";
import type { LanePool } from "./lane-pool.ts";
import type { LeaseFence } from "./leases.ts";

type SafetyNews = Extract<ControlMessage, { type: "safety" }>;
type KillNews = Extract<ControlMessage, { type: "killswitch" }>;

export type OrderedHere = {
  readonly held: () => Iterable<Pick<Held, "spec" | "slot" | "state">>;
  readonly fence: Pick<LeaseFence, "tell">;
  readonly lanes: Pick<LanePool, "ask">;
  readonly send: (message: RunnerMessage) => void;
  readonly log: (line: string) => void;
};

export class StandingOrders {
  readonly #here: OrderedHere;
  #safety: Pick<SafetyNews, "mode" | "generation"> = { mode: "NORMAL", generation: 0 };
  #kill: { readonly generation: number; readonly rules: readonly KillRule[] } = { generation: 0, rules: [] };

  constructor(here: OrderedHere) {
    this.#here = here;
  }

  take(message: SafetyNews | KillNews): void {
    if (message.type === "killswitch") return void this.#takeKill(message);
    const { mode, generation } = message;
    if (generation < this.#safety.generation) return;
    if (generation === this.#safety.generation && mode === this.#safety.mode) return;
    this.#changing(() => (this.#safety = { mode, generation }));
    for (const held of this.#here.held()) if (held.state === "hosted") this.#tellSafety(held);
  }

  /** Instances whose word is another one after the change; it is where they look before they do anything more. */
  #changing(change: () => void): readonly Pick<Held, "spec" | "slot" | "state">[] {
    const before = [...this.#here.held()].map((held) => ({ held, word: this.#wordFor(held.spec) }));
    change();
    const changed = before
      .filter(({ held, word }) => isAnother(word, this.#wordFor(held.spec)))
      .map(({ held }) => held);
    for (const held of changed) this.begins(held);
    return changed;
  }

  /** Its slot is open and it is about to be read for the first time. */
  begins({ spec, slot }: Pick<Held, "spec" | "slot">): void {
    this.#here.fence.tell(slot, this.#wordFor(spec));
  }

  /** It is hosted: what it cannot have heard is said to it. */
  begun(held: Pick<Held, "spec">): void {
    if (mustHearSafety(held.spec, this.#safety)) this.#tellSafety(held);
  }

  async #takeKill({ generation, rules }: KillNews): Promise<void> {
    if (generation < this.#kill.generation) return;
    const changed = this.#changing(() => (this.#kill = { generation, rules }));
    const hosted = changed.filter(({ state, spec }) => state === "hosted" && spec.follows === undefined);
    const answers = await Promise.all(hosted.map(({ spec }) => this.#heed(spec)));
    // A newer word came meanwhile: it tells for itself.
    if (this.#kill.generation !== generation) return;
    for (const { run_id, not } of answers)
      if (not !== null)
        this.#here.log(`run ${run_id}: the kill switch of generation ${generation} is not on its record: ${not}`);
    const instances = answers.filter(({ not }) => not === null).length;
    this.#here.send({ type: "killswitch_followed", generation, instances });
  }

  /** `not`: why the word is not on its durable record; `null` where it is. An instance that has ended records nothing. */
  async #heed({ run_id }: InstanceSpec): Promise<{ readonly run_id: string; readonly not: string | null }> {
    const reply = await this.#here.lanes.ask(run_id, { type: "command", run_id, command: "heed", reason: "" });
    if (!reply.ok) return { run_id, not: reply.error.error_code };
    const { phase, failure } = reply.value;
    const isOver = phase === "failed" || phase === "stopped";
    return { run_id, not: isOver ? (failure?.error_code ?? phase) : null };
  }

  /** FLATTEN places orders, and outside NORMAL nobody does: until then it is BLOCK, which is the same without them. */
  #wordFor({ bot_id, strategy_id, group_id, venue }: InstanceSpec): KillWord {
    const { generation, rules } = this.#kill;
    const holds = strictestKill(rules, { bot_id, strategy_id, group_id, venue: venue.venue_id });
    const level = holds?.level === "FLATTEN" && this.#safety.mode !== "NORMAL" ? "BLOCK" : (holds?.level ?? "ALLOW");
    return { level, scope: holds?.scope ?? null, generation };
  }

  /** A shadow hears of it from its primary's journal, at the primary's place. */
  #tellSafety({ spec: { run_id, follows } }: Pick<Held, "spec">): void {
    if (follows !== undefined) return;
    void this.#here.lanes.ask(run_id, { type: "input", run_id, input: { input: "safety", ...this.#safety } });
  }
}

const isAnother = (a: KillWord, b: KillWord): boolean =>
  packKillWord({ ...a, generation: 0 }) !== packKillWord({ ...b, generation: 0 });

/**
 * A fresh run begins in NORMAL. One that goes on, or begins with another run's state, begins in the mode of that state:
 * whatever was said meanwhile, NORMAL among it, it has not heard. Generation 0 is the first NORMAL, or no word yet.
 */
function mustHearSafety(
  { start, from }: Pick<InstanceSpec, "start" | "from">,
  { mode, generation }: Pick<SafetyNews, "mode" | "generation">,
): boolean {
  return mode !== "NORMAL" || (generation > 0 && (start === "resume" || from !== undefined));
}
