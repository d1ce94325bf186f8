/**
 * The one who runs bots: wishes at random, mostly confirms what is asked back, and loosens again what others tightened.
 *
 * Where a second person has to approve first, the confirmation is tried again for a while.
 */
import { uuidv7 } from "@rumi/kernel";
import type { Answer } from "@rumi/operations";
import type { Store } from "@rumi/store";
import { between, happens, oneOf } from "../world/chance.ts";
import { DESCRIPTOR } from "../strategy.ts";
import { PACK_DIGEST } from "./control.ts";
import { Client, type Body } from "./client.ts";

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
/** The bots that are there from the beginning, with their groups; whoever comes later is in the east. */
export const GROUPS: Readonly<Record<string, string>> = { "bot-a": "east", "bot-b": "east", "bot-c": "west" };
export const groupOf = (bot_id: string): string => GROUPS[bot_id] ?? "east";
export const VENUE = "SIM";
const APPROVAL_REQUIRED = "RUMI-CMD-017";
const CONFIRM_TRIES = 6;

export class Operator extends Client {
  #bots: readonly string[] = [];

  /** A venue and its bots. */
  begin(bots: readonly string[]): void {
    this.#bots = bots;
    this.send("venues.register", {
      venue_id: VENUE,
      kind: "venue_sim",
      url: "http://exchange",
      key: { env: "SIM_KEY" },
      instruments: [INSTRUMENT],
    });
    this.process.timers.after(3_000, () => {
      for (const bot_id of bots) this.create(bot_id);
    });
  }

  create(bot_id: string): void {
    this.send("bots.create", {
      bot_id,
      group_id: groupOf(bot_id),
      strategy: {
        pack_id: "sim_pack",
        strategy_id: DESCRIPTOR.strategy_id,
        strategy_version: "1.0.0",
        digest: PACK_DIGEST,
      },
      venue: VENUE,
      instruments: [INSTRUMENT.instrument_id],
      config: {},
      capital: "1000000000",
      runbook: "docs/runbooks/README.md",
      reason: "quotes both sides of a made-up market",
    });
  }

  /** One wish or none, from what the rows say now. */
  async wish(store: Store): Promise<void> {
    const { random } = this.process;
    const bots = await rowsOf<{ bot_id: string; state: string }>(
      store,
      "SELECT bot_id, state FROM bot ORDER BY bot_id",
    );
    if (bots.length === 0) return this.#bots.forEach((bot_id) => this.create(bot_id));
    const { bot_id, state } = oneOf(random, bots);
    const draw = random.unit();
    if (draw < 0.05) {
      this.dangerous("safety.set", { mode: oneOf(random, ["NORMAL", "NORMAL", "NORMAL", "SAFE", "EMERGENCY_STOP"]) });
      return;
    }
    if (draw < 0.16) {
      this.configure(bot_id, between(random, 1, 100));
      return;
    }
    const to = wished(state, random.unit());
    if (to !== undefined) this.move(bot_id, happens(random, 0.05) ? "PAUSED" : state, to);
  }

  /** Something that restrains is loosened again, if there is any. */
  async loosen(store: Store): Promise<void> {
    const { random } = this.process;
    const wishes: (() => void)[] = [];
    for (const { hold_id } of await rowsOf<{ hold_id: string }>(
      store,
      "SELECT hold_id FROM hold WHERE lifted_at IS NULL ORDER BY set_at, hold_id",
    ))
      wishes.push(() => this.dangerous("holds.lift", { hold_id }));
    for (const { scope, id } of await rowsOf<{ scope: string; id: string }>(
      store,
      "SELECT scope, id FROM kill_rule ORDER BY scope, id",
    ))
      wishes.push(() =>
        this.dangerous("killswitch.set", { scope: { [scope]: scope === "all" ? true : id }, level: "ALLOW" }),
      );
    for (const _ of await rowsOf(store, "SELECT mode FROM safety_state WHERE current = 1 AND mode <> 'NORMAL'"))
      wishes.push(() => this.dangerous("safety.set", { mode: "NORMAL" }));
    if (wishes.length > 0) oneOf(random, wishes)();
  }

  configure(bot_id: string, pace: number): void {
    const reason = `quotes every ${pace} ticks, as the dice fell`;
    this.dangerous("bots.config_apply", { bot_id, config: { pace }, at: "next_tick", reason });
  }

  move(bot_id: string, from: string, to: string): void {
    const { clock, random } = this.process;
    this.dangerous("commands.submit", {
      target: { bot_id },
      requested_transition: { from, to },
      trace_id: uuidv7(clock.now(), random),
      run_id: uuidv7(clock.now(), random),
      schema_version: 1,
    });
  }

  /** What may ask back is mostly meant; now and then it is confirmed too late, or never. */
  dangerous(name: string, fields: Body, done: (answer: Answer) => void = () => undefined): void {
    this.send(name, fields, (answer) => {
      const { random } = this.process;
      const challenge = answer.kind === "refused" ? answer.extras["challenge"] : undefined;
      if (challenge === undefined) return done(answer);
      if (happens(random, 0.1)) return;
      const { challenge_id, intent_hash, phrase } = challenge as Body;
      const body = { challenge_id, intent_hash, ...(phrase === undefined ? {} : { phrase }) };
      this.#confirmLater(body, happens(random, 0.05) ? 90_000 : 2_000, CONFIRM_TRIES, done);
    });
  }

  #confirmLater(body: Body, within_ms: number, tries: number, done: (answer: Answer) => void): void {
    const { random, timers } = this.process;
    timers.after(between(random, 200, within_ms), () =>
      this.send("challenges.confirm", body, (answer) => {
        if (answer.kind === "refused" && answer.failure.code === APPROVAL_REQUIRED && tries > 1)
          this.#confirmLater(body, 2_000, tries - 1, done);
        else done(answer);
      }),
    );
  }
}

export const rowsOf = <Row>(store: Store, sql: string): Promise<readonly Row[]> =>
  store.rows<Row>({ sql, parameters: [] });

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
    case "QUARANTINED":
      return "IDLE";
    default:
      return undefined;
  }
}
