/**
 * What restrains, from the events alone, and that nothing lets risk grow in its scope once it is committed.
 *
 * Risk grows where a command starts a bot, lets one out of quarantine or gives it another configuration, and where a
 * restraint of the same scope is loosened. Lifting a hold is the way out and is not judged; so is what a restraint's own
 * confirmation does.
 */
import type { LedgerEvent } from "@rumi/ledger";
import { type KillLevel, type KillRule, type KillScope, matchesKill } from "@rumi/runtime";
import { groupOf, VENUE } from "../parts/operator.ts";
import { DESCRIPTOR } from "../strategy.ts";
import { Violation, type ViolationKind } from "./violation.ts";

type Details = Readonly<Record<string, unknown>>;
type Scoped = Pick<KillRule, "scope" | "id">;
type Rule = KillRule & { readonly since_us: number };

const HELD: Readonly<Record<string, string>> = {
  "freeze.set": "freeze",
  "incident.enabled": "incident",
  "lock.set": "lock",
};
const LIFTED: ReadonlySet<string> = new Set(["freeze.lifted", "incident.disabled", "lock.lifted"]);

export const killTargetOf = (bot_id: string): Parameters<typeof matchesKill>[1] => ({
  bot_id,
  strategy_id: DESCRIPTOR.strategy_id,
  venue: VENUE,
  group_id: groupOf(bot_id),
});

export class RestraintChecks {
  readonly #now: () => number;
  readonly #twoPeople: boolean;
  readonly #fail: (violation: Violation) => void;
  readonly #holds = new Map<string, Scoped & { readonly kind: string }>();
  readonly #kills = new Map<string, Rule>();
  readonly #required = new Set<string>();
  readonly #reported = new Map<string, string>();
  /** Who approved a challenge, beside whoever asked for it. */
  readonly #approved = new Map<string, string>();
  #session: { readonly holder: string; readonly verbs: readonly unknown[] } | undefined;
  #safety = "NORMAL";
  #safetySince = 0;

  constructor(now: () => number, twoPeople: boolean, fail: (violation: Violation) => void) {
    this.#now = now;
    this.#twoPeople = twoPeople;
    this.#fail = fail;
  }

  /** Since when a bot may place nothing at all; undefined where it may. */
  blockedSince(bot_id: string): number | undefined {
    const target = killTargetOf(bot_id);
    const since = [...this.#kills.values()]
      .filter((rule) => rule.level === "BLOCK" && matchesKill(rule, target))
      .map(({ since_us }) => since_us);
    if (this.#safety !== "NORMAL") since.push(this.#safetySince);
    return since.length === 0 ? undefined : Math.min(...since);
  }

  hear(events: readonly LedgerEvent[]): void {
    for (const { action, actor, details } of events)
      if (action === "dangerous_op.approve") this.#approved.set(String((details as Details)["challenge_id"]), actor);
    for (const event of events) this.#judge(event);
    for (const event of events) this.#believe(event);
  }

  #judge({ action, actor, resource_id, details }: LedgerEvent): void {
    const { from, to, command_id, operation, challenge_id, requires } = details as Details;
    switch (action) {
      case "bot.state.transition": {
        const isRising = typeof command_id === "string" && (String(to).startsWith("RUNNING") || from === "QUARANTINED");
        if (isRising && from !== to)
          this.#rises(resource_id, `${resource_id} goes from ${String(from)} to ${String(to)}`, true);
        return;
      }
      case "controlplane.command.applied":
        if (operation === "bots.config_apply") this.#rises(resource_id, `${resource_id} is configured anew`, false);
        return;
      case "dangerous_op.confirm":
        return this.#people(String(challenge_id), actor, requires as readonly unknown[]);
      case "gate.disabled":
        if (this.#session?.verbs.includes("gates.disable") !== true)
          this.#say("strong_uncovered", `${resource_id} was disabled with no break-glass session open`);
        return;
      default:
    }
  }

  #rises(bot_id: string, what: string, isMove: boolean): void {
    const target = killTargetOf(bot_id);
    for (const hold of this.#holds.values())
      if (matchesKill(hold, target))
        this.#say("risk_under_hold", `${what} under a ${hold.kind} for ${hold.scope} ${hold.id}`);
    for (const kill of this.#kills.values())
      if (matchesKill(kill, target))
        this.#say("risk_under_hold", `${what} under ${kill.level} for ${kill.scope} ${kill.id}`);
    if (this.#safety !== "NORMAL") this.#say("risk_under_hold", `${what} while safety is ${this.#safety}`);
    for (const gate of this.#required) {
      const state = this.#reported.get(gate) ?? "UNKNOWN";
      if (isMove && state !== "PASS") this.#say("gate_ignored", `${what} while the gate ${gate} is ${state}`);
    }
  }

  #people(challenge_id: string, confirmed_by: string, requires: readonly unknown[]): void {
    if (!this.#twoPeople && !requires.includes("second_person")) return;
    const approver = this.#approved.get(challenge_id);
    if (approver === undefined || approver === confirmed_by)
      this.#say(
        "one_person",
        `${confirmed_by} confirmed ${challenge_id} with ${approver ?? "nobody"} as the second person`,
      );
  }

  #believe({ action, actor, resource_id, details }: LedgerEvent): void {
    const { to, hold_id, scope, gate, state, verbs } = details as Details;
    const kind = HELD[action];
    if (kind !== undefined) this.#holds.set(String(hold_id), { kind, ...scopeOf(scope as Details) });
    if (LIFTED.has(action)) this.#holds.delete(String(hold_id));
    if (action === "execution.killswitch.set") this.#setKill(resource_id, scopeOf(scope as Details), String(to));
    if (action === "safety.transition") {
      if (this.#safety === "NORMAL") this.#safetySince = this.#now();
      this.#safety = String(to);
    }
    if (action === "gate.required") this.#required.add(String(gate));
    if (action === "gate.disabled") this.#required.delete(String(gate));
    if (action === "gate.reported") this.#reported.set(String(gate), String(state));
    if (action === "break_glass.opened") this.#session = { holder: actor, verbs: verbs as readonly unknown[] };
    if (action === "break_glass.ended") this.#session = undefined;
  }

  #setKill(key: string, of: Scoped, level: string): void {
    const before = this.#kills.get(key);
    if (level === "ALLOW") return void this.#kills.delete(key);
    const since_us = before?.level === level ? before.since_us : this.#now();
    this.#kills.set(key, { ...of, level: level as KillLevel, since_us });
  }

  #say(kind: ViolationKind, what: string): void {
    this.#fail(new Violation(kind, what));
  }
}

function scopeOf(scope: Details): Scoped {
  const [name = "all", id] = Object.entries(scope)[0] ?? [];
  return { scope: name as KillScope, id: name === "all" ? "" : String(id) };
}
