/** Two strategies over the same events: which intents both had, which only one of them, and where they first parted. Pure. */
import { canonicalJson } from "@rumi/kernel";
import type { JournalEntry, ShadowComparison } from "../protocol.ts";
import { objectOf } from "./adopted-order.ts";

const WORDS = [
  "kind",
  "instrument_id",
  "side",
  "order_type",
  "time_in_force",
  "reduce_only",
  "post_only",
  "price",
  "quantity",
  "target",
  "limit_price",
] as const;
const SHOWN_MAX = 8;

/** What an intent wishes, without who wished it and under which number. */
export function intentWords(entry: Extract<JournalEntry, { kind: "intent" }>): string {
  return canonicalJson(
    Object.fromEntries(WORDS.flatMap((name) => (name in entry.intent ? [[name, entry.intent[name] ?? null]] : []))),
  );
}

export class Comparison {
  readonly #primaryRun: string;
  readonly #rows = new Map<number, { readonly primary: string[]; readonly shadow: string[] }>();
  #until = 0;
  #matched = 0;
  #onlyPrimary = 0;
  #onlyShadow = 0;
  #first: ShadowComparison["first_difference"] = null;

  constructor(primary_run_id: string) {
    this.#primaryRun = primary_run_id;
  }

  add(side: "primary" | "shadow", entry: JournalEntry): void {
    // An approved intent was wished when it was staged.
    if (entry.kind !== "intent" || objectOf(entry.intent["staging"])?.["state"] === "approved") return;
    const row = this.#rows.get(entry.cursor) ?? { primary: [], shadow: [] };
    row[side].push(intentWords(entry));
    this.#rows.set(entry.cursor, row);
  }

  /** Judges the rows before `until`, which both have taken wholly. */
  settle(until: number): void {
    const due = [...this.#rows].filter(([cursor]) => cursor < until).sort(([a], [b]) => a - b);
    for (const [cursor, { primary, shadow }] of due) {
      this.#rows.delete(cursor);
      const left = [...shadow];
      let both = 0;
      for (const words of primary) {
        const at = left.indexOf(words);
        if (at === -1) continue;
        left.splice(at, 1);
        both += 1;
      }
      this.#matched += both;
      this.#onlyPrimary += primary.length - both;
      this.#onlyShadow += left.length;
      if (this.#first === null && (left.length > 0 || both < primary.length))
        this.#first = { cursor, primary: primary.slice(0, SHOWN_MAX), shadow: shadow.slice(0, SHOWN_MAX) };
    }
    this.#until = Math.max(this.#until, until);
  }

  status(): ShadowComparison {
    return {
      primary_run_id: this.#primaryRun,
      compared_until: this.#until,
      matched: this.#matched,
      only_primary: this.#onlyPrimary,
      only_shadow: this.#onlyShadow,
      first_difference: this.#first,
    };
  }
}
