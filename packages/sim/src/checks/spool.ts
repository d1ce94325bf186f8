/**
 * What was answered as in force while the log was away: it is in force until the rows say so, and its command is carried
 * out once and under its own id. Where the rows came to say as much or more by another command, nothing is left of it.
 *
 * A promise that was not durable ends with the process that gave it; any other outlives every crash.
 */
import { canonicalJson, type Json } from "@rumi/kernel";
import type { LedgerEvent } from "@rumi/ledger";
import { isStricter, type KillLevel } from "@rumi/runtime";
import { Violation } from "./violation.ts";

type Body = Readonly<Record<string, unknown>>;
type Promised = {
  readonly operation: string;
  readonly wish: Body;
  readonly durable: boolean;
  readonly life: string;
  readonly added: boolean;
};

const APPLIED = "controlplane.command.applied";
const MODES: readonly string[] = ["NORMAL", "SAFE", "EMERGENCY_STOP"];
const TIGHTENINGS: ReadonlySet<unknown> = new Set(["killswitch.set", "safety.set"]);
const EFFECT_OF: Readonly<Record<string, string>> = {
  "killswitch.set": "execution.killswitch.set",
  "safety.set": "safety.transition",
};
const EFFECTS: ReadonlySet<string> = new Set(Object.values(EFFECT_OF));

export class SpoolChecks {
  readonly #life: () => string;
  readonly #fail: (violation: Violation) => void;
  /** Ids that somebody gave. */
  readonly #sent = new Set<string>();
  readonly #promised = new Map<string, Promised>();
  readonly #applied = new Set<string>();
  readonly #effects = new Set<string>();
  promises = 0;

  constructor(life: () => string, fail: (violation: Violation) => void) {
    this.#life = life;
    this.#fail = fail;
  }

  sent(command_id: string): void {
    this.#sent.add(command_id);
  }

  promised(command_id: string, operation: string, wish: Body, { durable, effect }: Body): void {
    const added = String(effect).startsWith("in force;");
    if (this.#applied.has(command_id)) return;
    const before = this.#promised.get(command_id);
    // Sent once more it is "in force already"; what was promised first stays promised.
    if (before !== undefined && (before.durable || before.life === this.#life())) return;
    this.promises += 1;
    this.#promised.set(command_id, { operation, wish, durable: durable === true, life: this.#life(), added });
  }

  hear(events: readonly LedgerEvent[]): void {
    for (const { action, details } of events) {
      const { request_id, operation } = details as Body;
      if (EFFECTS.has(action)) this.#cover(action, details);
      if (typeof request_id !== "string") continue;
      if (EFFECTS.has(action)) this.#once(this.#effects, request_id, "took effect twice");
      if (action !== APPLIED || !TIGHTENINGS.has(operation)) continue;
      this.#once(this.#applied, request_id, "was carried out twice");
      if (!this.#sent.has(request_id))
        this.#say(`${String(operation)} ${request_id} was carried out, and nobody sent it`);
      this.#promised.delete(request_id);
    }
  }

  /** Promises that still bind, with what they are about. */
  open(): readonly (Promised & { readonly command_id: string })[] {
    return [...this.#promised]
      .filter(([, { durable, life }]) => durable || life === this.#life())
      .map(([command_id, promised]) => ({ command_id, ...promised }));
  }

  /** Held against what the control plane shows as in force. */
  inForce({ rules }: Body, { mode }: Body): void {
    const shown = { mode, rules: rules as readonly Body[] };
    for (const { command_id, operation, wish } of this.open().filter((one) => one.added))
      if (!isSaid(operation, wish, shown))
        this.#say(`${operation} ${command_id} was promised, is in no log and not in force`);
  }

  /** With the log back for long, everything that was added to the spool has been carried out. */
  settled(kept: string | null): void {
    const [first] = this.open().filter(({ added }) => added);
    if (first !== undefined) this.#say(`${first.operation} ${first.command_id} was promised and never carried out`);
    if (kept !== null && kept !== "[]") this.#say(`the spool still holds ${kept.slice(0, 200)}`);
  }

  #cover(action: string, { scope, to }: Body): void {
    const rows = action === "safety.transition" ? { mode: to, rules: [] } : { rules: [{ scope, level: to }] };
    for (const [command_id, { operation, wish }] of this.#promised)
      if (EFFECT_OF[operation] === action && isSaid(operation, wish, rows)) this.#promised.delete(command_id);
  }

  #once(known: Set<string>, command_id: string, what: string): void {
    if (known.has(command_id)) this.#say(`${command_id} ${what}`);
    known.add(command_id);
  }
  #say(what: string): void {
    this.#fail(new Violation("spool", what));
  }
}

/** As much as was wished, or more. */
function isSaid(
  operation: string,
  wish: Body,
  said: { readonly mode?: unknown; readonly rules: readonly Body[] },
): boolean {
  if (operation === "safety.set") return MODES.indexOf(String(said.mode)) >= MODES.indexOf(String(wish["mode"]));
  return said.rules.some(
    ({ scope, level }) =>
      canonicalJson(scope as Json) === canonicalJson(wish["scope"] as Json) &&
      !isStricter(wish["level"] as KillLevel, level as KillLevel),
  );
}
