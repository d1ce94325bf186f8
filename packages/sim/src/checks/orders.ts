/**
 * What leaves the runners: only under the newest epoch, no order twice, nothing from a bot that is stopped or was never live.
 *
 * An order may leave again only after somebody learnt from the exchange that it had not arrived.
 */
import { Violation } from "./violation.ts";
import type { Sender, VenueEvents } from "../venue/adapters.ts";
import type { Told } from "./told.ts";

type Course = { sent: boolean; mayLeave: boolean; exists: boolean };

export class OrderChecks implements VenueEvents {
  readonly #told: Told;
  readonly #fail: (violation: Violation) => void;
  readonly #orders = new Map<string, Course>();
  sent = 0;

  constructor(told: Told, fail: (violation: Violation) => void) {
    this.#told = told;
    this.#fail = fail;
  }

  leaves(of: Sender, action: "place" | "cancel" | "amend" | "query", id: string): void {
    if (action === "query") return;
    const newest = this.#told.epochOf(of);
    if (of.epoch < newest)
      this.#fail(
        new Violation(
          "two_holders",
          `${of.runner.name} sends ${action} ${id} for ${of.bot_id} under epoch ${of.epoch}; epoch ${newest} was given away`,
        ),
      );
    if (action !== "place") return;
    this.sent += 1;
    this.#once(of, id);
    const bot = this.#told.bot(of.bot_id);
    if (bot.state === "IDLE" || bot.state === "CREATED")
      this.#fail(new Violation("not_quiet", `${of.bot_id} is ${bot.state}, and ${of.runner.name} sends order ${id}`));
    if (bot.live_command === null)
      this.#fail(new Violation("live_unconfirmed", `${of.bot_id} sends order ${id} and no command made it live`));
  }

  learns(_of: Sender, id: string, word: "exists" | "nothing_done" | "unknown_id"): void {
    const course = this.#course(id);
    if (word === "exists") course.exists = true;
    else course.mayLeave = true;
  }

  #once(of: Sender, id: string): void {
    const course = this.#course(id);
    if (course.sent && (!course.mayLeave || course.exists))
      this.#fail(
        new Violation(
          "order_twice",
          `${of.runner.name} sends order ${id} of ${of.bot_id} again; ${course.exists ? "the exchange has it" : "nobody knows what became of it"}`,
        ),
      );
    course.sent = true;
    course.mayLeave = false;
  }

  #course(id: string): Course {
    const known = this.#orders.get(id) ?? { sent: false, mayLeave: false, exists: false };
    this.#orders.set(id, known);
    return known;
  }
}
