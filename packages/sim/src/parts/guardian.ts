/**
 * The people beside the operator: one who tightens (kill switch, holds, safety, gates, bulks), and a second person, who
 * approves what others ask for and now and then breaks the glass.
 *
 * Both are principals of the home, made by commands of their own. The second reads a challenge before approving it, as the
 * console does; what the first tightens, the operator loosens again.
 */
import type { Answer, Principal, Role } from "@rumi/operations";
import type { Store } from "@rumi/store";
import type { BulkChecks } from "../checks/bulks.ts";
import { between, happens, oneOf } from "../world/chance.ts";
import { Client, type Body } from "./client.ts";
import type { Act } from "../faults.ts";
import { GROUPS, type Operator, rowsOf, VENUE } from "./operator.ts";

const GATE = "market";
const BULKS = [
  ["RUNNING_LIVE", "STOPPING"],
  ["RUNNING_LIVE", "PAUSED"],
  ["IDLE", "RUNNING_SHADOW"],
  ["RUNNING_SHADOW", "STOPPING"],
  ["PAUSED", "STOPPING"],
] as const;

/** Somebody whom the home knows once the operator has made them. */
export class Member extends Client {
  me: Principal | undefined;

  join(operator: Operator, display_name: string, roles: readonly Role[]): void {
    operator.send("users.create", { display_name, roles }, (answer) => {
      if (answer.kind === "done") this.me = { id: String((answer.data as Body)["user_id"]), roles };
    });
  }
  protected as(name: string, fields: Body, heard?: (answer: Answer) => void): string | undefined {
    return this.me === undefined ? undefined : this.send(name, fields, heard, this.me);
  }
}

export class Guardian extends Member {
  readonly bulks: BulkChecks;
  readonly second: SecondPerson;
  constructor(parts: ConstructorParameters<typeof Client>[0], bulks: BulkChecks, second: SecondPerson) {
    super(parts);
    this.bulks = bulks;
    this.second = second;
  }

  async act(act: Act, store: Store, operator: Operator): Promise<void> {
    const { random } = this.process;
    switch (act) {
      case "kill":
        this.as("killswitch.set", { scope: this.#scope(), level: oneOf(random, ["CLOSE_ONLY", "FLATTEN", "BLOCK"]) });
        return;
      case "block":
        this.as("killswitch.set", { scope: this.#scope(), level: "BLOCK" });
        return;
      case "hold": {
        const kind = oneOf(random, ["freeze", "freeze", "incident", "lock"]);
        const ends = happens(random, 0.3) ? { valid_for_seconds: 60 } : {};
        this.as("holds.set", { kind, scope: this.#scope(), ...ends });
        return;
      }
      case "safety":
        this.as("safety.set", { mode: oneOf(random, ["SAFE", "SAFE", "EMERGENCY_STOP"]) });
        return;
      case "require":
        this.as("gates.require", { gate: GATE });
        return;
      case "report":
        return this.report(happens(random, 0.6) ? "FAIL" : "UNKNOWN");
      case "disable":
        return operator.dangerous("gates.disable", { gate: GATE }); // with no session open, mostly
      case "break_glass":
        return this.#breakGlass(operator);
      case "bulk":
        return this.#bulk(store);
      case "about_bulk":
        return this.#aboutBulk(store);
    }
  }

  /** The operator breaks the glass for a gate, disables it, and ends the session; the second person reviews it. */
  #breakGlass(operator: Operator): void {
    operator.dangerous("break_glass.open", { verbs: ["gates.disable"], valid_for_seconds: 60 }, (answer) => {
      if (answer.kind !== "done") return;
      const { session_id } = answer.data as Body;
      operator.dangerous("gates.disable", { gate: GATE });
      this.process.timers.after(between(this.process.random, 5_000, 20_000), () =>
        operator.send("break_glass.close", { session_id }, () => this.second.review(String(session_id))),
      );
    });
  }

  report(state: "PASS" | "FAIL" | "UNKNOWN"): void {
    this.as("gates.report", { gate: GATE, state, rules: [], ttl_seconds: 60 });
  }

  /** From a state that some bot is in; it may have left it by the time that the list is drawn up. */
  async #bulk(store: Store): Promise<void> {
    const { random } = this.process;
    const states = await rowsOf<{ state: string }>(store, "SELECT DISTINCT state FROM bot");
    const likely = BULKS.filter(([from]) => states.some(({ state }) => state === from));
    if (likely.length === 0) return;
    const [from, to] = oneOf(random, likely);
    const selector = oneOf<Body>(random, [
      { bot_ids: Object.keys(GROUPS).filter(() => happens(random, 0.7)) },
      { group_id: "east" },
      { venue: VENUE },
    ]);
    if ((selector["bot_ids"] as readonly string[] | undefined)?.length === 0) return;
    const max_errors = between(random, 1, 2);
    const bulk_id = this.as("bulk.start", { selector, requested_transition: { from, to }, max_errors });
    if (bulk_id !== undefined) this.bulks.wished(bulk_id, selector, from);
  }

  async #aboutBulk(store: Store): Promise<void> {
    const bulks = await rowsOf<{ bulk_id: string; state: string }>(
      store,
      "SELECT bulk_id, state FROM bulk ORDER BY bulk_id",
    );
    if (bulks.length === 0) return;
    const { bulk_id, state } = oneOf(this.process.random, bulks);
    this.as(state === "running" ? "bulk.abort" : "bulk.retry", { bulk_id });
  }

  #scope(): Body {
    const { random } = this.process;
    return oneOf<Body>(random, [
      { all: true },
      { venue: VENUE },
      { group_id: "east" },
      ...Object.keys(GROUPS).map((bot_id) => ({ bot_id })),
    ]);
  }
}

export class SecondPerson extends Member {
  readonly #seen = new Set<string>();

  /** Whatever waits for approval is read, and mostly approved. */
  look(): void {
    const { me } = this;
    if (me === undefined) return;
    this.ask("challenges.list", { state: "AWAITING_APPROVAL", limit: 10 }, me, ({ challenges }) => {
      for (const { challenge_id } of challenges as readonly { readonly challenge_id: string }[]) {
        if (this.#seen.has(challenge_id)) continue;
        this.ask("challenges.show", { challenge_id }, me, ({ intent_hash }) => {
          if (this.#seen.has(challenge_id)) return;
          this.#seen.add(challenge_id);
          const verb = happens(this.process.random, 0.9) ? "approve" : "reject";
          this.as(`challenges.${verb}`, { challenge_id, intent_hash });
        });
      }
    });
  }

  review(session_id: string): void {
    this.as("break_glass.review", { session_id });
  }
}
