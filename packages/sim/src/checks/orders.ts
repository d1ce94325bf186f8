/**
 * What leaves the runners: only under the newest epoch, no order twice, nothing from a bot that is stopped or was never live.
 *
 * An order may leave again only after somebody learnt from the exchange that it had not arrived.
 */
import { strictestKill, type KillRule } from "@rumi/runtime";
import { killTargetOf, type RestraintChecks } from "./restraints.ts";
import { Violation } from "./violation.ts";
import type { Sender, VenueEvents } from "../venue/adapters.ts";
import type { Told } from "./told.ts";

type KillNews = { readonly generation: number; readonly rules: readonly KillRule[] };
type Course = { sent: boolean; mayLeave: boolean; exists: boolean; epoch: number; run_id: string };

/** A runner follows within so much of hearing it (L-N13), a lane's own look included. */
const HEARD_US = 250_000;
/** A runner that hears nothing ends with its lease. */
const UNHEARD_US = 21_000_000;

export class OrderChecks implements VenueEvents {
  readonly #told: Told;
  readonly #restraints: RestraintChecks;
  readonly #now: () => number;
  readonly #heard = new Map<string, KillNews & { readonly since_us: number }>();
  readonly #fail: (violation: Violation) => void;
  readonly #orders = new Map<string, Course>();
  sent = 0;

  constructor(told: Told, restraints: RestraintChecks, now: () => number, fail: (violation: Violation) => void) {
    this.#told = told;
    this.#restraints = restraints;
    this.#now = now;
    this.#fail = fail;
  }

  /** A runner was told these rules; an older generation tells it nothing. */
  killHeard(runner: string, { generation, rules }: KillNews): void {
    if (generation >= (this.#heard.get(runner)?.generation ?? 0))
      this.#heard.set(runner, { generation, rules, since_us: this.#now() });
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
    if (of.epoch <= this.#told.attestedEpochOf(of))
      this.#fail(
        new Violation(
          "not_quiet",
          `${of.bot_id}'s epoch ${of.epoch} is attested, and ${of.runner.name} sends order ${id}`,
        ),
      );
    this.#killed(of, id);
    if (bot.live_command === null)
      this.#fail(new Violation("live_unconfirmed", `${of.bot_id} sends order ${id} and no command made it live`));
  }

  #killed(of: Sender, id: string): void {
    const since = this.#restraints.blockedSince(of.bot_id);
    if (since !== undefined && this.#now() - since > UNHEARD_US)
      this.#fail(
        new Violation(
          "not_killed",
          `${of.bot_id} is blocked for ${(this.#now() - since) / 1_000_000} s and sends order ${id}`,
        ),
      );
    const heard = this.#heard.get(of.runner.name);
    if (heard === undefined || this.#now() - heard.since_us <= HEARD_US) return;
    if (strictestKill(heard.rules, killTargetOf(of.bot_id))?.level === "BLOCK")
      this.#fail(
        new Violation("not_killed", `${of.runner.name} heard that ${of.bot_id} is blocked and sends order ${id}`),
      );
  }

  /** Under which run and epoch it left last. */
  sender(id: string): Pick<Course, "run_id" | "epoch"> {
    return this.#course(id);
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
    course.epoch = of.epoch;
    course.run_id = of.run_id;
  }

  #course(id: string): Course {
    const known = this.#orders.get(id) ?? { sent: false, mayLeave: false, exists: false, epoch: 0, run_id: "" };
    this.#orders.set(id, known);
    return known;
  }
}
