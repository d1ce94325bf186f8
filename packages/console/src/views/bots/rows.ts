/** Which bots the table shows and in which groups; pure, so that ten thousand are filtered in one go. */
import type { Bot, BotState } from "../../answers/answers.ts";
import { grouped } from "../../grouped.ts";

export type Filter = {
  /** Every word has to be somewhere in id, name or labels. */
  readonly words: string;
  readonly state: BotState | "";
  readonly venue: string;
  readonly strategy: string;
};
export const NO_FILTER: Filter = { words: "", state: "", venue: "", strategy: "" };

export const GROUPINGS = ["none", "state", "venue", "strategy", "pack"] as const;
export type Grouping = (typeof GROUPINGS)[number];

export type Row =
  | { readonly kind: "group"; readonly name: string; readonly bots: readonly Bot[] }
  | { readonly kind: "bot"; readonly bot: Bot };

export function matching(bots: readonly Bot[], { words, state, venue, strategy }: Filter): readonly Bot[] {
  const wanted = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return bots.filter(
    (bot) =>
      (state === "" || bot.state === state) &&
      (venue === "" || bot.spec.venue === venue) &&
      (strategy === "" || bot.spec.strategy.strategy_id === strategy) &&
      (wanted.length === 0 || hasAll(bot, wanted)),
  );
}

function hasAll({ bot_id, display_name, labels }: Bot, words: readonly string[]): boolean {
  const labelled = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const text = [bot_id, display_name, ...labelled].join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

const KEY: Readonly<Record<Exclude<Grouping, "none">, (bot: Bot) => string>> = {
  state: ({ state }) => state,
  venue: ({ spec }) => spec.venue,
  strategy: ({ spec }) => spec.strategy.strategy_id,
  pack: ({ spec }) => spec.strategy.pack_id,
};

/** A head for each group, in the order of names; the bots of a folded group are left out. */
export function rowsOf(bots: readonly Bot[], by: Grouping, folded: ReadonlySet<string>): readonly Row[] {
  if (by === "none") return bots.map((bot) => ({ kind: "bot", bot }));
  return [...grouped(bots, KEY[by])]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, some]): readonly Row[] => [
      { kind: "group", name, bots: some },
      ...(folded.has(name) ? [] : some.map((bot): Row => ({ kind: "bot", bot }))),
    ]);
}

/** The different values of something, in order: what a filter offers. */
export function valuesOf(bots: readonly Bot[], of: (bot: Bot) => string): readonly string[] {
  return [...new Set(bots.map(of))].toSorted();
}
