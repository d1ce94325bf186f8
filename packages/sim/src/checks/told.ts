/**
 * What the audit events say is so: built from the events alone, and held against the rows by state.ts.
 *
 * Each transition must begin where the last one ended, and a bot becomes live only by a command that a person confirmed.
 */
import type { LedgerEvent } from "@rumi/ledger";
import { Violation } from "./violation.ts";

export type ToldBot = {
  readonly state: string | null;
  /** Where it was before it moved last. */
  readonly before: string | null;
  /** The command that made it live, since it last was not. */
  readonly live_command: string | null;
};
type Key = { readonly bot_id: string; readonly strategy_id: string; readonly instance_id: string };
type Details = Readonly<Record<string, unknown>>;
/** Of a run's stop up to an epoch; null: of every run that the bot had until then. */
export type Proof = { readonly bot_id: string; readonly epoch: number; readonly run_id: string | null };

const LIVE = "RUNNING_LIVE";
const NOT_LIVE: ReadonlySet<string> = new Set(["IDLE", "CREATED", "RUNNING_PAPER", "RUNNING_SHADOW"]);
const UNKNOWN: ToldBot = { state: null, before: null, live_command: null };

export class Told {
  readonly #fail: (violation: Violation) => void;
  readonly #bots = new Map<string, ToldBot>();
  readonly #epochs = new Map<string, number>();
  /** By instance, the newest epoch whose stop is attested. */
  readonly #attested = new Map<string, number>();
  readonly #onProof: (proof: Proof) => void;
  /** Challenges that were confirmed, and by whom. */
  readonly #confirmed = new Map<string, string>();
  safety = "NORMAL";
  events = 0;

  constructor(fail: (violation: Violation) => void, onProof: (proof: Proof) => void) {
    this.#fail = fail;
    this.#onProof = onProof;
  }

  attestedEpochOf(key: Key): number {
    return this.#attested.get(`${key.bot_id}/${key.instance_id}`) ?? 0;
  }
  bot(bot_id: string): ToldBot {
    return this.#bots.get(bot_id) ?? UNKNOWN;
  }
  bots(): ReadonlyMap<string, ToldBot> {
    return this.#bots;
  }
  epochOf(key: Key): number {
    return this.#epochs.get(`${key.bot_id}/${key.instance_id}`) ?? 0;
  }

  /** The events of one commit: who confirmed counts for all of them. */
  hear(events: readonly LedgerEvent[]): void {
    for (const { action, actor, details } of events)
      if (action === "dangerous_op.confirm") this.#confirmed.set(String((details as Details)["challenge_id"]), actor);
    for (const event of events) this.#hear(event);
  }

  #hear(event: LedgerEvent): void {
    const details = event.details as Details;
    this.events += 1;
    switch (event.action) {
      case "bot.state.transition":
        return this.#move(event.resource_id, details);
      case "lease.acquired":
        return this.#acquire(details, event.resource_id);
      case "safety.transition":
        return this.#safety(details);
      case "instance.stop.step":
        return this.#attest(details);
      case "bot.condition.changed":
        return this.#prove(event.resource_id, details);
      default:
    }
  }

  #move(bot_id: string, details: Details): void {
    const { from, to, command_id } = details as { from: string | null; to: string; command_id?: string | null };
    const before = this.bot(bot_id);
    if (before.state !== from)
      this.#fail(
        new Violation("audit_unexplained", `${bot_id} moves from ${from} to ${to}, and was ${String(before.state)}`),
      );
    let { live_command } = before;
    if (NOT_LIVE.has(to)) live_command = null;
    if (to === LIVE) {
      live_command = command_id ?? null;
      this.#judgeLive(bot_id, details);
    }
    this.#bots.set(bot_id, { state: to, before: before.state, live_command });
  }

  #judgeLive(bot_id: string, { command_id, approval_id }: Details): void {
    const confirmed_by = typeof approval_id === "string" ? this.#confirmed.get(approval_id) : undefined;
    if (typeof command_id !== "string" || confirmed_by?.startsWith("user:") !== true)
      this.#fail(
        new Violation(
          "live_unconfirmed",
          `${bot_id} became live by ${JSON.stringify(command_id ?? "no command")}, confirmed by ${confirmed_by ?? "nobody"}`,
        ),
      );
  }

  #acquire({ epoch }: Details, resource_id: string): void {
    const key = resource_id.split("/");
    const name = `${key[0] ?? ""}/${key.at(-1) ?? ""}`;
    const before = this.#epochs.get(name) ?? 0;
    if (typeof epoch !== "number" || epoch <= before)
      this.#fail(
        new Violation("audit_unexplained", `the lease of ${name} went from epoch ${before} to ${String(epoch)}`),
      );
    else this.#epochs.set(name, epoch);
  }

  #attest({ rung, bot_id, instance_id, epoch, run_id }: Details): void {
    if (rung !== "StopAttested" || typeof epoch !== "number") return;
    this.#attested.set(`${String(bot_id)}/${String(instance_id)}`, epoch);
    this.#onProof({ bot_id: String(bot_id), epoch, run_id: String(run_id) });
  }

  /** The bot's own word, of all its runs. */
  #prove(bot_id: string, { type, status }: Details): void {
    if (type !== "StopProven" || status !== "True") return;
    const epochs = [...this.#attested].flatMap(([key, epoch]) => (key.startsWith(`${bot_id}/`) ? [epoch] : []));
    this.#onProof({ bot_id, epoch: Math.max(0, ...epochs), run_id: null });
  }

  #safety({ from, to }: Details): void {
    if (from !== this.safety)
      this.#fail(new Violation("audit_unexplained", `safety moves from ${String(from)}, and was ${this.safety}`));
    this.safety = String(to);
  }
}
