/**
 * Bulks against the list that was frozen when they began: nobody outside it is ever sent a command, nobody after an abort
 * but those that it told of.
 *
 * The list is drawn up here from the wish and from what the events said of the bots at that moment, not read from the row.
 */
import type { LedgerEvent } from "@rumi/ledger";
import { groupOf } from "../parts/operator.ts";
import type { Told } from "./told.ts";
import { Violation } from "./violation.ts";

type Body = Readonly<Record<string, unknown>>;
type Wished = { readonly selector: Body; readonly from: string };

export class BulkChecks {
  readonly #told: Told;
  readonly #fail: (violation: Violation) => void;
  readonly #wished = new Map<string, Wished>();
  readonly #frozen = new Map<string, ReadonlySet<string>>();
  /** Once aborted: those that were under way. */
  readonly #underWay = new Map<string, ReadonlySet<unknown>>();
  began = 0;

  constructor(told: Told, fail: (violation: Violation) => void) {
    this.#told = told;
    this.#fail = fail;
  }

  wished(bulk_id: string, selector: Body, from: string): void {
    this.#wished.set(bulk_id, { selector, from });
  }

  /** Before the events are believed, so that bots are as they were when the list was frozen. */
  hear(events: readonly LedgerEvent[]): void {
    for (const { action, resource_id, details } of events) {
      const { run_id, in_flight } = details as Body;
      if (action === "bulk.started") this.#begin(resource_id);
      if (action === "bulk.aborted") this.#underWay.set(resource_id, new Set(in_flight as readonly unknown[]));
      if (action === "bulk.retried") this.#underWay.delete(resource_id);
      if (action === "controlplane.command.requested" && typeof run_id === "string") this.#judge(run_id, resource_id);
    }
  }

  #begin(bulk_id: string): void {
    const wish = this.#wished.get(bulk_id);
    if (wish === undefined) return this.#fail(new Violation("bulk_outside", `nobody asked for the bulk ${bulk_id}`));
    const { selector, from } = wish;
    const named = [...this.#told.bots()].filter(([bot_id, { state, before }]) => {
      const isMeant =
        (selector["bot_ids"] as readonly string[] | undefined)?.includes(bot_id) ??
        (selector["group_id"] === undefined || groupOf(bot_id) === selector["group_id"]);
      // It may have moved between the reading of the list and its commit.
      return isMeant && (state === from || before === from);
    });
    this.began += 1;
    this.#frozen.set(bulk_id, new Set(named.map(([bot_id]) => bot_id)));
  }

  #judge(bulk_id: string, bot_id: string): void {
    const frozen = this.#frozen.get(bulk_id);
    if (frozen === undefined) return; // no bulk's command
    if (!frozen.has(bot_id))
      this.#fail(new Violation("bulk_outside", `the bulk ${bulk_id} commands ${bot_id}, which is not in its list`));
    const left = this.#underWay.get(bulk_id);
    if (left !== undefined && !left.has(bot_id))
      this.#fail(new Violation("bulk_outside", `the bulk ${bulk_id} commands ${bot_id} after it was aborted`));
  }
}
