/**
 * Somebody with a shaky connection: sends each command until it is answered, sometimes twice at once.
 *
 * Requests and answers get lost and overtake each other; a command that got no answer is sent again under its own id, as a
 * good client does. Two answers to one id must be one answer, but for "it is in force, and logged later" (202, spooled).
 */
import { uuidv7 } from "@rumi/kernel";
import { ROOT, type Answer, type Principal } from "@rumi/operations";
import type { SpoolChecks } from "../checks/spool.ts";
import { Violation } from "../checks/violation.ts";
import { between, happens } from "../world/chance.ts";
import type { SimProcess } from "../world/process.ts";
import type { SimControl } from "./control.ts";

export type Body = Readonly<Record<string, unknown>>;
type Heard = (answer: Answer) => void;
type Course = {
  readonly name: string;
  readonly body: Body;
  readonly as: Principal;
  readonly heard: Heard;
  answer: string | undefined;
  tries: number;
};

export type ClientParts = {
  readonly process: SimProcess;
  readonly control: () => SimControl | undefined;
  /** Probability that a request or an answer is lost. */
  readonly loss: () => number;
  readonly spool: SpoolChecks;
  readonly fail: (violation: Violation) => void;
};

const RETRY_MS = 1_500;
const ANSWER_MS = 10_000;
const SPOOLED = "spooled";

export class Client {
  readonly process: SimProcess;
  readonly #o: ClientParts;
  readonly #courses = new Map<string, Course>();

  constructor(parts: ClientParts) {
    this.#o = parts;
    this.process = parts.process;
  }

  /** Commands without an answer yet. */
  get waiting(): readonly string[] {
    return [...this.#courses].flatMap(([id, { name, answer }]) => (answer === undefined ? [`${name} ${id}`] : []));
  }
  get sent(): number {
    return this.#courses.size;
  }

  send(name: string, fields: Body, heard: Heard = () => undefined, as: Principal = ROOT): string {
    const { clock, random, world } = this.process;
    const command_id = uuidv7(clock.now(), random);
    const body = { command_id, reason: "simulated", ...fields };
    const course: Course = { name, body, as, heard, answer: undefined, tries: 0 };
    this.#courses.set(command_id, course);
    this.#o.spool.sent(command_id);
    world.note(this.process.name, `${name} ${command_id} ${shortly(fields)}`);
    this.#try(command_id, course);
    if (happens(random, 0.1)) this.#try(command_id, course);
    return command_id;
  }

  /** A read is asked once; what gets no answer, or is refused, is nothing. */
  ask(name: string, fields: Body, as: Principal, heard: (data: Body) => void): void {
    const { process, control, loss } = this.#o;
    const { timers, random } = process;
    if (happens(random, loss())) return;
    timers.after(between(random, 1, 20), () => {
      const at = control();
      if (at === undefined || !at.isReady()) return;
      void at.query(name, fields, as).then((answer) => {
        if (answer.kind === "done" && !happens(random, loss()))
          timers.after(between(random, 1, 20), () => heard(answer.data as Body));
      });
    });
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
      void at.command(course.name, course.body, course.as).then((answer) => {
        if (answer.kind === "done" && isSpooled(answer))
          this.#o.spool.promised(command_id, course.name, course.body, answer.data as Body);
        if (happens(random, loss())) return;
        timers.after(between(random, 1, 20), () => this.#hear(command_id, course, answer));
      });
    });
  }

  #hear(command_id: string, course: Course, answer: Answer): void {
    if (!isFinal(answer)) return;
    const text = textOf(answer);
    const before = course.answer;
    if (before === undefined || before === SPOOLED) course.answer = text;
    if (before === undefined) {
      course.heard(answer);
      this.process.world.note(this.process.name, `${command_id} ← ${text.slice(0, 120)}`);
    } else if (before !== text && before !== SPOOLED && text !== SPOOLED)
      this.#o.fail(
        new Violation(
          "command_twice",
          `${command_id} was answered ${before.slice(0, 200)} and then ${text.slice(0, 200)}`,
        ),
      );
  }
}

const isSpooled = (answer: Answer): boolean => answer.kind === "done" && (answer.data as Body)["spooled"] === true;

function textOf(answer: Answer): string {
  if (isSpooled(answer)) return SPOOLED;
  return answer.kind === "done"
    ? `${answer.status} ${JSON.stringify(answer.data)}`
    : `${answer.status} ${answer.failure.code}`;
}

/** Not "it still runs", "try again", nor a fault inside: those say nothing of the outcome. */
/** A stored answer is the last word, whatever its status: who is told it again asks no more. */
function isFinal(answer: Answer): boolean {
  if (answer.kind === "done" || answer.duplicate_suppressed) return true;
  return answer.status < 500 && answer.retry_after_seconds === undefined;
}

const shortly = (fields: Body): string => {
  const { command_id: _, strategy: _strategy, instruments: _instruments, ...others } = fields;
  return JSON.stringify(others).slice(0, 240);
};
