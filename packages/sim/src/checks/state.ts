/**
 * The rows against what the events say, and the log against itself.
 *
 * Rows and their event commit together, so at any moment between two commits they agree. What takes two commits (a lease
 * and the news of it) is given a while.
 */
import { findingText, verifyLog } from "@rumi/ledger";
import { storedLog, type Store } from "@rumi/store";
import type { Told } from "./told.ts";
import { Violation } from "./violation.ts";

type Rows = Pick<Store, "rows">;
const all = <Row>(store: Rows, sql: string): Promise<readonly Row[]> => store.rows<Row>({ sql, parameters: [] });

/** How long the lease of an instance may be ahead of the news of it. */
const GRACE_US = 5_000_000;

export class StateChecks {
  readonly #told: Told;
  readonly #fail: (violation: Violation) => void;
  readonly #aheadSince = new Map<string, number>();
  #checkpoint: string | undefined;

  constructor(told: Told, fail: (violation: Violation) => void) {
    this.#told = told;
    this.#fail = fail;
  }

  async rows(store: Rows, now_us: number): Promise<void> {
    for (const { bot_id, state } of await all<{ bot_id: string; state: string }>(
      store,
      "SELECT bot_id, state FROM bot",
    ))
      if (this.#told.bot(bot_id).state !== state)
        this.#unexplained(`${bot_id} is ${state}; its last event says ${String(this.#told.bot(bot_id).state)}`);
    const [safety] = await all<{ mode: string }>(store, "SELECT mode FROM safety_state WHERE current = 1");
    if (safety !== undefined && safety.mode !== this.#told.safety)
      this.#unexplained(`safety is ${safety.mode}; its last event says ${this.#told.safety}`);
    await this.#leases(store, now_us);
    await this.#commands(store);
  }

  async #leases(store: Rows, now_us: number): Promise<void> {
    type Lease = { bot_id: string; strategy_id: string; instance_id: string; epoch: number };
    for (const lease of await all<Lease>(store, "SELECT bot_id, strategy_id, instance_id, epoch FROM lease")) {
      const name = `${lease.bot_id}/${lease.instance_id}`;
      if (lease.epoch <= this.#told.epochOf(lease)) {
        this.#aheadSince.delete(name);
        continue;
      }
      const since = this.#aheadSince.get(name) ?? now_us;
      this.#aheadSince.set(name, since);
      if (now_us - since > GRACE_US)
        this.#unexplained(`the lease of ${name} is at epoch ${lease.epoch}, and no event says so`);
    }
  }

  async #commands(store: Rows): Promise<void> {
    const twice = await all<{ request_id: string; n: number }>(
      store,
      `SELECT request_id, count(*) AS n FROM log_entry
       WHERE action IN ('controlplane.command.applied', 'controlplane.command.denied') AND request_id IS NOT NULL
       GROUP BY request_id HAVING count(*) > 1`,
    );
    for (const { request_id, n } of twice)
      this.#fail(new Violation("command_twice", `the command ${request_id} has ${n} outcomes`));
    const silent = await all<{ key: string; what: string }>(
      store,
      `SELECT key, 'outcome' AS what FROM operation_key WHERE state = 'finished' AND key NOT IN
         (SELECT request_id FROM log_entry WHERE request_id IS NOT NULL AND action IN ('controlplane.command.applied', 'controlplane.command.denied', 'dangerous_op.challenge'))
       UNION ALL
       SELECT key, 'request' AS what FROM operation_key WHERE key NOT IN
         (SELECT request_id FROM log_entry WHERE request_id IS NOT NULL AND action = 'controlplane.command.requested')`,
    );
    for (const { key, what } of silent) this.#unexplained(`the command ${key} has no event of its ${what}`);
  }

  /** Everything recomputed, and a continuation of what was seen before. */
  async log(store: Store, verifier: string): Promise<void> {
    const source = storedLog(store, store);
    const report = await verifyLog({
      source,
      verifier,
      payloads: source,
      index: source,
      ...(this.#checkpoint === undefined ? {} : { against: [this.#checkpoint] }),
    });
    const [first] = report.findings;
    if (first !== undefined) this.#fail(new Violation("audit_log", findingText(first, "en").text));
    if (report.size !== this.#told.events)
      this.#fail(
        new Violation("audit_log", `the log has ${report.size} entries; ${this.#told.events} were acknowledged`),
      );
    this.#checkpoint = await source.checkpoint();
  }

  #unexplained(what: string): void {
    this.#fail(new Violation("audit_unexplained", what));
  }
}
