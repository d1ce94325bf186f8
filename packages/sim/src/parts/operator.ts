/**
 * A person with a shaky connection: wishes at random, sends each until it is answered, sometimes twice at once.
 *
 * Requests and answers get lost and overtake each other; a command that got no answer is sent again under its own id, as a
 * good client does. Two answers to one id must be one answer.
 */
import { uuidv7 } from "@rumi/kernel";
import type { Answer } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { Violation } from "../checks/violation.ts";
import { between, happens, oneOf } from "../world/chance.ts";
import type { SimProcess } from "../world/process.ts";
import type { SimControl } from "./control.ts";
import { DESCRIPTOR } from "../strategy.ts";
import { PACK_DIGEST } from "./control.ts";

type Body = Readonly<Record<string, unknown>>;
type Course = { readonly name: string; readonly body: Body; answer: string | undefined; tries: number };

export type OperatorParts = {
  readonly process: SimProcess;
  readonly control: () => SimControl | undefined;
  /** Probability that a request or an answer is lost. */
  readonly loss: () => number;
  readonly fail: (violation: Violation) => void;
};

const RETRY_MS = 1_500;
const ANSWER_MS = 10_000;
export const INSTRUMENT = {
  instrument_id: "SIMCOIN.SIM",
  price_digits: 2,
  quantity_digits: 2,
  tick_size: 1,
  lot_size: 1,
  min_quantity: 1,
  max_quantity: 100_000_000,
  base_currency: "SIMCOIN",
  quote_currency: "EUR",
} as const;

export class Operator {
  readonly #o: OperatorParts;
  #bots: readonly string[] = [];
  readonly #courses = new Map<string, Course>();

  constructor(parts: OperatorParts) {
    this.#o = parts;
  }

  /** Commands without an answer yet. */
  get waiting(): readonly string[] {
    return [...this.#courses].flatMap(([id, { name, answer }]) => (answer === undefined ? [`${name} ${id}`] : []));
  }
  get sent(): number {
    return this.#courses.size;
  }

  /** A venue and its bots. */
  begin(bots: readonly string[]): void {
    this.#bots = bots;
    this.#send("venues.register", {
      venue_id: "SIM",
      kind: "venue_sim",
      url: "http://exchange",
      key: { env: "SIM_KEY" },
      instruments: [INSTRUMENT],
    });
    this.#o.process.timers.after(3_000, () => {
      for (const bot_id of bots) this.#create(bot_id);
    });
  }

  #create(bot_id: string): void {
    this.#send("bots.create", {
      bot_id,
      strategy: {
        pack_id: "sim_pack",
        strategy_id: DESCRIPTOR.strategy_id,
        strategy_version: "1.0.0",
        digest: PACK_DIGEST,
      },
      venue: "SIM",
      instruments: [INSTRUMENT.instrument_id],
      config: {},
      capital: "1000000000",
      runbook: "docs/runbooks/README.md",
    });
  }

  /** One wish or none, from what the rows say now. */
  async wish(store: Store): Promise<void> {
    const { random } = this.#o.process;
    const bots = await store.rows<{ bot_id: string; state: string }>({
      sql: "SELECT bot_id, state FROM bot ORDER BY bot_id",
      parameters: [],
    });
    if (bots.length === 0) return this.#bots.forEach((bot_id) => this.#create(bot_id));
    const { bot_id, state } = oneOf(random, bots);
    const draw = random.unit();
    if (draw < 0.05) {
      this.#send("safety.set", { mode: oneOf(random, ["NORMAL", "NORMAL", "NORMAL", "SAFE", "EMERGENCY_STOP"]) });
      return;
    }
    if (draw < 0.16) {
      this.#send("bots.config_apply", { bot_id, config: { pace: between(random, 1, 100) }, at: "next_tick" });
      return;
    }
    const to = wished(state, random.unit());
    if (to !== undefined) this.move(bot_id, happens(random, 0.05) ? "PAUSED" : state, to);
  }

  move(bot_id: string, from: string, to: string): void {
    const { clock, random } = this.#o.process;
    this.#send("commands.submit", {
      target: { bot_id },
      requested_transition: { from, to },
      trace_id: uuidv7(clock.now(), random),
      run_id: uuidv7(clock.now(), random),
      schema_version: 1,
    });
  }

  #send(name: string, fields: Body): void {
    const { clock, random, world } = this.#o.process;
    const command_id = uuidv7(clock.now(), random);
    const course: Course = { name, body: { command_id, ...fields, reason: "simulated" }, answer: undefined, tries: 0 };
    this.#courses.set(command_id, course);
    world.note("operator", `${name} ${command_id} ${shortly(fields)}`);
    this.#try(command_id, course);
    if (happens(random, 0.1)) this.#try(command_id, course);
  }

  #try(command_id: string, course: Course): void {
    const { process, control, loss } = this.#o;
    const { timers, random } = process;
    course.tries += 1;
    timers.after(course.tries === 1 ? ANSWER_MS : RETRY_MS, () => {
      if (course.answer === undefined) this.#try(command_id, course);
    });
    if (happens(random, loss())) return;
    timers.after(between(random, 1, happens(random, 0.1) ? 3_000 : 20), () => {
      const at = control();
      if (at === undefined || !at.isReady()) return;
      void at.command(course.name, course.body).then((answer) => {
        if (happens(random, loss())) return;
        timers.after(between(random, 1, 20), () => this.#hear(command_id, course, answer));
      });
    });
  }

  /** Mostly means it; now and then too late. */
  #confirm(answer: Answer): void {
    const { random, timers } = this.#o.process;
    const challenge = answer.kind === "refused" ? answer.extras["challenge"] : undefined;
    if (challenge === undefined || happens(random, 0.1)) return;
    const { challenge_id, intent_hash, phrase } = challenge as Readonly<Record<string, unknown>>;
    const body = { challenge_id, intent_hash, ...(phrase === undefined ? {} : { phrase }) };
    timers.after(between(random, 200, happens(random, 0.05) ? 90_000 : 2_000), () =>
      this.#send("challenges.confirm", body),
    );
  }

  #hear(command_id: string, course: Course, answer: Answer): void {
    if (!isFinal(answer)) return;
    const text =
      answer.kind === "done"
        ? `${answer.status} ${JSON.stringify(answer.data)}`
        : `${answer.status} ${answer.failure.code}`;
    if (course.answer === undefined) {
      course.answer = text;
      this.#confirm(answer);
      this.#o.process.world.note("operator", `${command_id} ← ${text.slice(0, 120)}`);
    } else if (course.answer !== text)
      this.#o.fail(
        new Violation(
          "command_twice",
          `${command_id} was answered ${course.answer.slice(0, 200)} and then ${text.slice(0, 200)}`,
        ),
      );
  }
}

/** Not "it still runs", "try again", nor a fault inside: those say nothing of the outcome. */
function isFinal(answer: Answer): boolean {
  if (answer.kind === "done") return true;
  return answer.status < 500 && answer.retry_after_seconds === undefined;
}

function wished(state: string, draw: number): string | undefined {
  switch (state) {
    case "IDLE":
    case "ERROR":
      return draw < 0.9 ? "RUNNING_LIVE" : "RUNNING_SHADOW";
    case "RUNNING_LIVE":
      return draw < 0.3 ? "PAUSED" : draw < 0.6 ? "STOPPING" : undefined;
    case "RUNNING_SHADOW":
      return "STOPPING";
    case "PAUSED":
      return draw < 0.6 ? "RUNNING_LIVE" : "STOPPING";
    default:
      return undefined;
  }
}

const shortly = (fields: Body): string => {
  const { requested_transition, target, mode, bot_id } = fields;
  return JSON.stringify({ requested_transition, target, mode, bot_id });
};
